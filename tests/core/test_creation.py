"""Making tensors."""

import numpy as np
import pytest

from rekindle.core import creation, dtypes
from rekindle.core.backend import DeviceError
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Parameter, Tensor


def test_tensor_copies_and_the_class_wraps():
    array = np.arange(6.0).reshape(2, 3)
    assert not np.shares_memory(tensor(array).numpy(), array)
    assert Tensor(array).numpy() is array
    assert np.shares_memory(Tensor(array, np.float64).numpy(), array)
    assert not np.shares_memory(Tensor(array, np.float32).numpy(), array)


def test_a_tensor_of_a_tensor_shares_storage_and_version():
    x = tensor([1.0, 2.0, 3.0])
    for other in (Tensor(x), Parameter(x)):
        assert other.storage() is x.storage()
        before = x.version
        other.detach().fill_(7)
        assert x.version == before + 1
    assert x.tolist() == [7, 7, 7]
    assert tensor(x).storage() is not x.storage()
    assert Tensor(x, np.float64).storage() is not x.storage()


def test_a_copy_is_in_row_major_order():
    x = tensor(np.arange(6.0).reshape(2, 3).T)
    assert x.stride() == (2, 1)
    assert x.tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize("wrap", [tensor, Tensor])
def test_foreign_arrays_become_native_and_aligned(wrap):
    packed = np.zeros(3, dtype=[("a", "u1"), ("x", "<f8")])
    packed["x"] = [1, 2, 3]
    for array in (packed["x"], np.arange(1, 4, dtype=">f8")):
        x = wrap(array)
        assert x.dtype.isnative
        assert x.numpy().flags.aligned
        assert x.tolist() == [1, 2, 3]
        assert x.storage().tolist() == [1, 2, 3]


@pytest.mark.parametrize("dtype", dtypes.SUPPORTED, ids=str)
@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "full", "eye", "arange"])
def test_every_dtype(name, dtype):
    args = {"full": ((2, 3), 3), "eye": (2, 3), "arange": (2,)}.get(name, ((2, 3),))
    x = getattr(creation, name)(*args, dtype=dtype)
    assert x.dtype == dtype
    if name != "empty":
        expected = getattr(np, name)(*args, dtype=dtype)
        np.testing.assert_array_equal(x.numpy(), expected)


def test_defaults():
    assert creation.zeros(3).dtype == creation.eye(2).dtype == dtypes.float32
    assert creation.full((2,), 1).dtype == dtypes.float32
    assert creation.arange(3).dtype == dtypes.int64
    assert creation.arange(0, 1, 0.25).dtype == dtypes.float32
    assert creation.arange(2, 8, 3).tolist() == [2, 5]
    assert creation.zeros(np.int64(3)).shape == creation.zeros((3,)).shape == (3,)
    assert creation.zeros(()).shape == ()


def test_zeros_like():
    x = creation.zeros_like(creation.ones((2, 0, 3), np.int8))
    assert (x.shape, x.dtype) == ((2, 0, 3), dtypes.int8)


@pytest.mark.parametrize("data", [1j, "text", None, [None], np.zeros(2, np.uint32), object()])
def test_what_no_tensor_can_hold(data):
    with pytest.raises(DtypeError, match="tensors have one of the dtypes"):
        tensor(data)


def test_requires_grad():
    assert tensor([1.0], requires_grad=True).requires_grad
    assert not tensor([1.0]).requires_grad
    assert Parameter([1.0]).requires_grad
    assert not Parameter([1.0], requires_grad=False).requires_grad
    for make in (lambda: tensor([1], requires_grad=True), lambda: Parameter([1])):
        with pytest.raises(DtypeError, match="only floating tensors have gradients"):
            make()


def test_a_device_that_is_not_there():
    with pytest.raises(DeviceError, match="'cpu', 'cuda' or 'cuda:N'"):
        creation.zeros(2, device="gpu")
    with pytest.raises(DeviceError, match="'cpu', 'cuda' or 'cuda:N'"):
        creation.zeros(2, device="cuda:x")


def test_cuda_without_cupy_names_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    with pytest.raises(DeviceError, match=r"pip install 'rekindle\[cuda12\]'"):
        creation.zeros(2, device="cuda")


def test_shapes_that_no_tensor_has():
    with pytest.raises(ShapeError, match="0 or more; given"):
        creation.zeros((2, -1))
    with pytest.raises(ShapeError, match="rows of one length"):
        tensor([[1.0, 2.0], [3.0]])
    with pytest.raises(ShapeError, match="step that is not 0"):
        creation.arange(1, 2, 0)
