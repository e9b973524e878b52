"""Tensors as views of storages: geometry, sharing, versions, set_, Python's protocols."""

import numpy as np
import pytest

from rekindle.core import creation, ops
from rekindle.core.backend import CPU
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import RekindleError
from rekindle.core.storage import Storage, ViewError
from rekindle.core.tensor import Parameter, Tensor, contiguous_strides


def grid():
    """Return a (3, 4) tensor of 0 to 11."""
    return tensor(np.arange(12.0).reshape(3, 4))


VIEWS = {
    "row": lambda x: x[1],
    "column": lambda x: x[:, 1],
    "element": lambda x: x[1, 2],
    "negative": lambda x: x[-1],
    "steps": lambda x: x[::2, 1::2],
    "reversed": lambda x: x[::-1],
    "ellipsis": lambda x: x[..., 0],
    "newaxis": lambda x: x[None, :, None],
    "T": lambda x: x.T,
    "transpose": lambda x: x.transpose(0, 1),
    "permute": lambda x: x.permute(1, 0),
    "reshape": lambda x: x.reshape(2, 6),
    "flatten": lambda x: x.flatten(),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x.unsqueeze(1).squeeze(),
    "detach": lambda x: x.detach(),
    "contiguous": lambda x: x.contiguous(),
    "to": lambda x: x.to("cpu"),
    "view of a view": lambda x: x[1:].T[2],
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_storage_and_version(name):
    x = grid()
    v = VIEWS[name](x)
    assert v.storage() is x.storage()
    assert np.shares_memory(v.numpy(), x.numpy())
    v.fill_(-1)
    assert x.version == v.version == 1
    assert (x.numpy() == -1).sum() == v.size
    x.zero_()
    assert x.version == v.version == 2
    assert not v.numpy().any()


@pytest.mark.parametrize("name", VIEWS)
def test_the_geometry_of_a_view_finds_its_elements(name):
    x = grid()
    v = VIEWS[name](x)
    again = Tensor.view_of(v.storage(), v.storage_offset(), v.shape, v.stride())
    np.testing.assert_array_equal(again.numpy(), v.numpy())
    assert again.is_contiguous() == v.is_contiguous() == v.numpy().flags.c_contiguous


COPIES = {
    "clone": lambda x: x.clone(),
    "positions": lambda x: x[[0, 2]],
    "mask": lambda x: x[x > 3],
    "reshape of a transposed one": lambda x: x.T.reshape(12),
    "contiguous of a transposed one": lambda x: x.T.contiguous(),
    "astype": lambda x: x.astype(np.float64),
    "flip": lambda x: ops.flip(x, 0),
    "arithmetic": lambda x: x + 0,
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_share_nothing(name):
    x = grid()
    c = COPIES[name](x)
    assert c.storage() is not x.storage()
    assert not np.shares_memory(c.numpy(), x.numpy())
    c.fill_(-1)
    assert x.version == 0
    assert x.tolist() == grid().tolist()


def test_every_write_is_counted_once():
    x = grid()
    writes = [
        lambda: x.add_(1),
        lambda: x.copy_(grid()),
        lambda: x.fill_(2),
        lambda: x.zero_(),
        lambda: x.__setitem__((0, 0), 5),
        lambda: x.__setitem__(x > 3, 5),
        lambda: x[1].mul_(2),
        lambda: x.__iadd__(1),
        lambda: x.T.__isub__(1),
    ]
    for count, write in enumerate(writes, 1):
        write()
        assert x.version == count
    assert (x + 1).version == 0


def test_two_wraps_of_one_array_are_strangers():
    array = np.zeros(3)
    a, b = Tensor(array), Tensor(array)
    a.fill_(1)
    assert b.tolist() == [1, 1, 1]
    assert (a.version, b.version) == (1, 0)  # as documented: NumPy's side is not tracked


def test_facts():
    x = grid()
    assert (x.shape, x.ndim, x.size, x.dtype, x.nbytes) == ((3, 4), 2, 12, np.float64, 96)
    assert (x.stride(), x.storage_offset(), x.device) == ((4, 1), 0, CPU)
    assert x.T[1:].stride() == (1, 4)
    assert x.T[1:].storage_offset() == 1
    assert x[::-1].storage_offset() == 8
    assert contiguous_strides((2, 3, 4)) == (12, 4, 1)
    assert contiguous_strides(()) == ()


def test_a_lazy_view_knows_all_without_touching_memory():
    raw = np.arange(12.0).astype(">f8")
    storage = Storage(raw)
    x = Tensor.view_of(storage, 1, [3, 2], [4, 2])
    assert (x.shape, x.ndim, x.size, x.dtype, x.nbytes) == ((3, 2), 2, 6, np.float64, 48)
    assert (x.stride(), x.storage_offset(), x.device) == ((4, 2), 1, CPU)
    assert x.storage() is storage
    assert not x.is_contiguous()
    assert x.detach().storage() is storage
    assert len(x) == 3
    assert storage.raw is raw
    assert x.tolist() == [[1, 3], [5, 7], [9, 11]]
    assert storage.raw is not raw


def test_a_huge_expanded_view_costs_nothing():
    x = Tensor.view_of(Storage(np.full(1, 3.0)), 0, (10**9, 10**8), (0, 0))
    assert x.size == 10**17
    assert x[5, 7].item() == 3
    assert x[10:13, :: 10**7].tolist() == [[3.0] * 10] * 3
    assert x.T.shape == (10**8, 10**9)
    assert x.storage().nbytes == 8


def test_expand_repeats_without_copying_and_is_for_reading():
    x = tensor([[1.0], [2.0]])
    e = x.expand(2, 3)
    assert e.stride() == (1, 0)
    assert e.storage() is x.storage()
    assert e.tolist() == [[1, 1, 1], [2, 2, 2]]
    with pytest.raises(RekindleError, match="fill_ writes into an expanded tensor"):
        e.fill_(0)


def test_set_keeps_the_identity():
    flat = tensor(np.arange(10.0))
    w = Parameter(np.zeros((2, 2)))
    w.grad = grid()
    same = w.set_(flat.storage(), 3, (2, 3))
    assert same is w
    assert isinstance(w, Parameter)
    assert w.requires_grad
    assert w.grad.shape == (3, 4)
    assert w.tolist() == [[3, 4, 5], [6, 7, 8]]
    w.detach().fill_(-1)
    assert flat.tolist() == [0, 1, 2, -1, -1, -1, -1, -1, -1, 9]
    assert flat.version == w.version == 1


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), [[6, 9], [7, 10], [8, 11]]),
        ((2,), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ((0, (2, 2)), [[0, 1], [2, 3]]),
        ((1, (2, 2), (4, 2)), [[1, 3], [5, 7]]),
        ((0, (2, 3), (0, 0)), [[0, 0, 0], [0, 0, 0]]),
    ],
)
def test_set_from_a_tensor(args, expected):
    source = tensor(np.arange(12.0).reshape(4, 3))[2:].T
    x = tensor([5.0]).set_(source, *args)
    assert x.tolist() == expected
    assert x.storage() is source.storage()


def test_set_takes_a_whole_storage_by_default():
    storage = Storage(np.arange(3, dtype=np.int16))
    x = tensor([1.0]).set_(storage)
    assert (x.tolist(), x.dtype) == ([0, 1, 2], np.int16)


def test_a_refused_set_changes_nothing():
    w = Parameter([1.0, 2.0])
    with pytest.raises(ViewError, match="needs elements 0 to 3 of a storage of 2"):
        w.set_(w.storage(), 0, (2, 2))
    with pytest.raises(DtypeError, match="int64"):
        w.set_(tensor([1, 2, 3]))
    assert w.tolist() == [1, 2]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
        np.arange(12.0).reshape(3, 4)[::-1, ::2],
        np.arange(12.0)[10:2:-3],
        np.broadcast_to(np.arange(3.0), (4, 3)),
        np.array(3.0),
        np.zeros((0, 3)),
    ],
)
def test_the_storage_of_a_wrapped_array_spans_it(array):
    x = Tensor(array)
    again = Tensor.view_of(x.storage(), x.storage_offset(), x.shape, x.stride())
    np.testing.assert_array_equal(again.numpy(), array)
    if array.size:
        assert np.shares_memory(again.numpy(), array)


def test_python_protocols():
    x = grid()
    assert len(x) == 3
    assert [row.tolist() for row in x] == x.tolist()
    assert next(iter(x)).storage() is x.storage()
    assert float(tensor([[2.5]])) == 2.5
    assert int(tensor(2.5)) == 2
    assert [10, 20, 30][tensor(1)] == 20
    assert bool(tensor(0.5)) is True
    assert bool(tensor([False])) is False
    assert {x: 1}[x] == 1
    assert tensor(np.int8(3)).item() == 3
    assert type(tensor(np.float32(3)).item()) is float


@pytest.mark.parametrize(
    ("use", "builtin", "message"),
    [
        (lambda x: x.item(), ValueError, r"one element; this has shape \(3, 4\)"),
        (bool, ValueError, r"shape \(3, 4\) is ambiguous: use .any\(\) or .all\(\)"),
        (float, ValueError, "one element"),
        (lambda x: len(x[0, 0]), TypeError, "0-d tensor has no length"),
        (lambda x: list(x[0, 0]), TypeError, "0-d tensor has no length"),
        (lambda x: [1, 2][x[0, 0]], TypeError, "only integer tensors are indices"),
    ],
)
def test_uses_that_make_no_sense(use, builtin, message):
    with pytest.raises(RekindleError, match=message) as caught:
        use(grid())
    assert isinstance(caught.value, builtin)


def test_zero_dimensional_results_are_tensors_of_arrays():
    x = grid()
    for result in (x.sum(), x[0, 0], x[0, 0] + 1, x.mean() * 2, -x[1, 1], x.max(), x[0] @ x[0]):
        assert isinstance(result, Tensor)
        assert type(result.array) is np.ndarray
        assert result.shape == ()


def test_parameters_are_tensors_whose_results_are_not_parameters():
    w = Parameter([1.0, 2.0])
    assert type(w + 1) is type(w[0]) is type(w.detach()) is Tensor
    assert not w.detach().requires_grad
    assert w.detach().storage() is w.storage()


def test_empty_tensors():
    x = creation.zeros((0, 3))
    assert (x.size, x.nbytes, x.tolist(), list(x)) == (0, 0, [], [])
    assert x.is_contiguous()
    assert x.storage().size == 0
    assert x.storage_offset() == 0
    assert x.sum().item() == 0


def test_an_empty_part_is_a_view_too():
    x = grid()
    assert x[:0].storage() is x.storage()


def test_a_gradient_can_be_deleted():
    x = Tensor(np.ones(2), requires_grad=True)
    del x.grad  # there is none yet
    (x * 3).sum().backward()
    del x.grad
    assert x.grad is None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
