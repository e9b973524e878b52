"""Writes into memory that results wait for: whatever gets at it gets what waits computed first."""

import copy
import threading

import numpy as np
import pytest
from waits import C, R, close, draw, leaf, results_wait, waits

import rekindle
from rekindle import no_grad, ops, optim, tensor
from rekindle.core.autograd import Function, saved_tensors_hooks
from rekindle.core.autograd.errors import VersionError


@pytest.fixture(autouse=True)
def computed_here(monkeypatch):
    with results_wait(monkeypatch):
        yield


def by_numpy(x):
    x.detach().numpy()[...] = 0


def by_array(x):
    x.array[...] = 0


def by_asarray(x):
    np.asarray(x.detach())[...] = 0


def by_dlpack(x):
    np.from_dlpack(x.detach())[...] = 0


def by_item(x):
    with no_grad():
        x[...] = 0


def by_part(x):
    with no_grad():
        x[3:].fill_(0)


def by_method(x):
    with no_grad():
        x.mul_(0)


def by_copy(x):
    with no_grad():
        x.copy_(tensor(np.zeros((R, C), np.float32)))


def by_operator(x):
    with no_grad():
        x *= 0


def by_storage(x):
    x.storage().array[...] = 0


def by_raw_storage(x):
    x.storage().raw[...] = 0


def by_view(x):
    x.detach().reshape(-1).array[...] = 0


def by_geometry(x):
    rekindle.Tensor.view_of(x.storage(), 0, (5,), (1,)).array[...] = 0


def by_sharing(x):
    shared = x.detach().share_memory_()
    shared.array[...] = 0


def by_optimiser(x):
    x.grad = tensor(np.ones((R, C), np.float32))
    optim.SGD([x], lr=3.0).step()


def by_thread(x):
    thread = threading.Thread(target=by_item, args=(x,))
    thread.start()
    thread.join()


def by_backward(x):
    z = leaf(5)
    z.grad = x.detach()
    (z * 2).sum().backward()


def by_packing(x):
    given = []
    with saved_tensors_hooks(lambda t: given.append(t) or t, lambda t: t):
        ops.sin(x)
    given[0].detach()[...] = 0


def by_quick_copy(x):
    from rekindle.core.ops.inplace import overwritten

    with no_grad():
        assert overwritten(x, tensor(np.zeros((R, C), np.float32)))


def by_quick_addition(x):
    from rekindle.core.ops.inplace import increased

    with no_grad():
        assert increased(x, tensor(np.ones((R, C), np.float32)))


DOORS = [f for name, f in sorted(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("door", DOORS, ids=lambda f: f.__name__[3:])
def test_what_waits_is_computed_before_its_memory_is_written(door):
    x = leaf()
    exact = np.tanh(draw(R, C).astype(float)) * 2
    y = ops.tanh(x)
    z = y * 2
    w = tensor(np.ones((R, C), np.float32), requires_grad=True)
    total = (w * (x + 1)).sum()  # saves a chain that reads x, and keeps no tensor of it
    assert waits(y)
    assert waits(z)
    door(x)
    assert np.abs(x.detach().numpy() - draw(R, C)).max() > 0.5
    close(z.numpy(), exact)
    close(y.numpy(), exact / 2)
    total.backward()
    close(w.grad.numpy(), draw(R, C) + 1.0)


@pytest.mark.parametrize("door", DOORS, ids=lambda f: f.__name__[3:])
def test_what_was_computed_in_between_may_be_written_too(door):
    x = leaf()
    y = x * 2 + 1
    for _ in range(4):
        y = y * 0.5 + x
    z = ops.tanh(y)
    y.mean(axis=-1)
    assert not waits(y)
    assert waits(z)
    exact = np.tanh(y.numpy().astype(float)) if door is by_numpy else None
    y = y.detach()
    y.requires_grad_()
    if exact is None:
        values = draw(R, C).astype(float)
        exact = values * 2 + 1
        for _ in range(4):
            exact = exact * 0.5 + values
        exact = np.tanh(exact)
    door(y)
    close(z.numpy(), exact)


def test_an_array_that_was_handed_out_before():
    for get in (lambda x: x.array, lambda x: x.detach().numpy(), lambda x: x.storage().array):
        x = leaf()
        held = get(x)
        y = x * 2
        held[...] = 0
        close(y.numpy(), 2 * draw(R, C))


def test_writing_into_what_waits():
    x = leaf()
    y = x * 2
    z = y + 1
    y.mul_(3)
    y[0] = 7.0
    z.add_(y)
    exact = 6 * draw(R, C)
    exact[0] = 7
    close(y.detach().numpy(), exact)
    close(z.detach().numpy(), exact + 2 * draw(R, C) + 1)
    z.sum().backward()
    slope = np.full((R, C), 8.0)
    slope[0] = 2
    close(x.grad.numpy(), slope)


def test_views_copies_and_detached_tensors_of_what_waits():
    x = leaf()
    for use in (
        lambda y: y.detach(),
        lambda y: y.reshape(C, R).reshape(R, C),
        lambda y: y.clone(),
        lambda y: y.transpose(0, 1).transpose(0, 1),
        lambda y: copy.deepcopy(y.detach()),
        lambda y: y[...],
    ):
        y = x * 2
        close(use(y).detach().numpy(), 2 * draw(R, C))
    y = x * 2
    part = y[3]
    with no_grad():
        part.zero_()
    assert not y.detach().numpy()[3].any()
    assert float((x * 0 + 1).sum()) == R * C
    assert (x * 2).storage().size == R * C
    assert "requires_grad" in repr(x * 2) or repr(x * 2)


def test_saved_values_that_change_are_noticed():
    x, w = leaf(), leaf(1)
    y = x * 2
    z = (y * w).sum()
    with no_grad():
        y.zero_()
    with pytest.raises(VersionError):
        z.backward()
    a = ops.tanh(x)
    b = a * 1
    a.detach().zero_()
    with pytest.raises(VersionError):
        b.sum().backward()


class Zeroing(Function):
    """The identity, whose way back writes into a tensor of the program."""

    target = None

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        with no_grad():
            Zeroing.target.zero_()
        return g


def test_code_of_the_program_may_write_on_the_way_back():
    x, w = leaf(), leaf(1)
    Zeroing.target = w
    first = Zeroing.apply(x)  # comes last on the way back
    second = x * w
    (first.sum() + second.sum()).backward()
    close(x.grad.numpy(), 1 + draw(R, C, seed=1))
    close(w.detach().numpy(), np.zeros((R, C)))
