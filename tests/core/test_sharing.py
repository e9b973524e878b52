"""Tensors on shared memory: two processes, one value."""

import copy
import gc
import multiprocessing
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pytest

import rekindle
from rekindle import nn
from rekindle.core.errors import UseError
from rekindle.core.sharing import LostMemoryError, block_of

CONTEXTS = ["fork", "spawn"]


def double(tensor, part):
    tensor.mul_(2)
    part[0] = -1


def send_back(pipe):
    tensor = pipe.recv()
    tensor.add_(1)
    pipe.send((tensor, tensor))
    pipe.recv()


@pytest.mark.parametrize("context", CONTEXTS)
def test_another_process_writes_into_it(context):
    whole = rekindle.tensor([1.0, 2.0, 3.0]).share_memory_()
    part = whole[2:]
    process = multiprocessing.get_context(context).Process(target=double, args=(whole, part))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert whole.tolist() == [2, 4, -1]
    assert part.tolist() == [-1]


def test_there_and_back_it_is_the_same_storage():
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=send_back, args=(theirs,))
    process.start()
    tensor = rekindle.zeros((2, 3)).share_memory_()
    mine.send(tensor)
    first, second = mine.recv()
    assert first is second
    assert first.storage() is tensor.storage()
    first[0, 0] = 7
    assert tensor.tolist() == [[7, 1, 1], [1, 1, 1]]
    mine.send(None)
    process.join()


def test_all_tensors_on_the_storage_move_along():
    base = rekindle.tensor(np.arange(6.0))
    views = [base[1:3], base.reshape(2, 3).T]
    assert not base.is_shared()
    assert views[0].share_memory_() is views[0]
    base[2] = 50
    assert [t.is_shared() for t in (base, *views)] == [True] * 3
    assert views[0].tolist() == [1, 50]
    assert views[1].tolist() == [[0, 3], [1, 4], [50, 5]]
    assert base.share_memory_().tolist() == [0, 1, 50, 3, 4, 5]


def test_parameters_are_shared_and_trained():
    layer = nn.Linear(2, 1)
    for parameter in layer.parameters():
        parameter.share_memory_()
    before = layer.weight.tolist()
    layer(rekindle.ones((1, 2))).sum().backward()
    rekindle.optim.SGD(layer.parameters(), 0.5).step()
    assert layer.weight.is_shared()
    assert layer.weight.tolist() == [[pytest.approx(w - 0.5) for w in before[0]]]


def test_a_tensor_of_a_graph_stays_where_it_is():
    w = rekindle.tensor([1.0], requires_grad=True)
    y = (w * 2)[:]
    with pytest.raises(UseError, match="an operation made"):
        y.share_memory_()
    assert not y.is_shared()
    y.sum().backward()
    assert w.grad.tolist() == [2]


def test_copies_are_on_memory_of_their_own():
    tensor = rekindle.ones(3).share_memory_()
    for other in (tensor.clone(), copy.deepcopy(tensor)):
        other[0] = 9
        assert not other.is_shared()
    assert tensor.tolist() == [1, 1, 1]


def test_empty_tensors():
    assert rekindle.zeros((0, 3)).share_memory_().shape == (0, 3)


def test_the_memory_goes_with_the_last_tensor():
    tensor = rekindle.ones(1000).share_memory_()
    view = tensor[5:]
    name = block_of(tensor.array).memory.name
    del tensor
    gc.collect()
    SharedMemory(name=name).close()
    assert view.sum().item() == 995
    del view
    gc.collect()
    with pytest.raises(FileNotFoundError):
        SharedMemory(name=name)


def test_a_tensor_that_comes_too_late():
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    mine.send(rekindle.ones(3).share_memory_())
    gc.collect()
    with pytest.raises(LostMemoryError, match="keep it until"):
        theirs.recv()
