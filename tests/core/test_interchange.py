"""Tensors and the rest of Python: NumPy, DLPack, PyTorch, pickle, copy."""

import copy
import pickle

import numpy as np
import pytest

from rekindle.core import creation, dtypes
from rekindle.core.creation import from_dlpack, tensor
from rekindle.core.errors import RekindleError
from rekindle.core.storage import Storage
from rekindle.core.tensor import Parameter, Tensor


def test_numpy_is_the_same_memory_and_not_tracked():
    x = tensor([1.0, 2.0, 3.0])
    array = x.numpy()
    array[0] = 5
    assert x.tolist() == [5, 2, 3]
    assert x.version == 0
    x[1:].fill_(7)
    assert array.tolist() == [5, 7, 7]


def test_array_protocol():
    x = tensor([1.0, 2.0, 3.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert np.shares_memory(np.asarray(x, copy=False), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert not np.shares_memory(np.asarray(x, copy=True), x.numpy())
    wider = np.asarray(x, dtype=np.float64)
    assert (wider.dtype, wider.tolist()) == (np.float64, [1, 2, 3])
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)


def test_numpy_functions_take_tensors():
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(np.linalg.inv(x) @ x.numpy(), np.eye(2), strict=False)
    assert np.concatenate([x, x]).shape == (4, 2)
    np.testing.assert_allclose(x, [[1, 2], [3, 4]])


@pytest.mark.parametrize("dtype", dtypes.SUPPORTED, ids=str)
def test_dlpack_to_numpy_and_back(dtype):
    x = tensor(np.arange(6).reshape(2, 3) % 2, dtype)[:, 1:]
    array = np.from_dlpack(x)
    assert array.dtype == dtype
    assert np.shares_memory(array, x.numpy())
    assert array.strides == x.numpy().strides
    back = from_dlpack(array)
    assert back.dtype == dtype
    assert np.shares_memory(back.numpy(), x.numpy())
    assert back.tolist() == x.tolist()
    assert not np.shares_memory(np.from_dlpack(x, copy=True), x.numpy())


def test_dlpack_device_and_identity():
    x = tensor([1.0])
    assert x.__dlpack_device__() == (1, 0)
    assert from_dlpack(x).storage() is x.storage()


def test_a_lazy_tensor_exports():
    x = Tensor.view_of(Storage(np.arange(4, dtype=">i4")), 1, (3,), (1,))
    assert np.from_dlpack(x).tolist() == [1, 2, 3]
    y = Tensor.view_of(Storage(np.arange(4, dtype=">i4")), 1, (3,), (1,))
    assert np.asarray(y).tolist() == [1, 2, 3]


def test_what_requires_gradients_is_not_exported_behind_its_back():
    w = Parameter([1.0])
    with pytest.raises(BufferError, match=r"use .detach\(\)") as caught:
        np.from_dlpack(w)
    assert isinstance(caught.value, RekindleError)
    assert np.shares_memory(np.from_dlpack(w.detach()), w.numpy())


def test_pytorch_both_ways():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    theirs = torch.from_dlpack(x)
    theirs[0, 0] = 9
    assert x[0, 0].item() == 9
    ours = from_dlpack(theirs.t())
    assert ours.stride() == (1, 2)
    ours.fill_(5)
    assert theirs.tolist() == x.tolist() == [[5, 5], [5, 5]]
    assert from_dlpack(torch.arange(3, dtype=torch.uint8)).dtype == np.uint8


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(lambda v: pickle.loads(pickle.dumps(v)), id="pickle"),
        pytest.param(lambda v: pickle.loads(pickle.dumps(v, protocol=2)), id="old pickle"),
    ],
)
class TestCopies:
    @pytest.mark.parametrize("dtype", dtypes.SUPPORTED, ids=str)
    def test_values_and_dtype(self, copied, dtype):
        x = tensor(np.arange(6).reshape(2, 3) % 2, dtype)
        y = copied(x)
        assert (y.dtype, y.shape, y.tolist()) == (dtype, x.shape, x.tolist())
        assert not np.shares_memory(x.numpy(), y.numpy())

    def test_sharing_is_kept(self, copied):
        flat = tensor(np.arange(10.0))
        w, v = flat[2:8].reshape(2, 3), flat[4:]
        ws, vs, again = copied([w, v, w])
        assert again is ws
        assert ws.storage() is vs.storage()
        vs.fill_(-1)
        assert ws.tolist() == [[2, 3, -1], [-1, -1, -1]]
        assert flat.tolist() == list(range(10))
        assert ws.stride() == (3, 1)

    def test_geometry_is_kept(self, copied):
        x = tensor(np.arange(12.0).reshape(3, 4)).T[1:, ::2]
        y = copied(x)
        assert (y.stride(), y.storage_offset()) == (x.stride(), x.storage_offset())
        assert y.tolist() == x.tolist()

    def test_parameters(self, copied):
        w = Parameter([1.0, 2.0])
        w.grad = tensor([3.0, 4.0])
        c = copied(w)
        assert type(c) is Parameter
        assert c.requires_grad
        assert c.grad.tolist() == [3, 4]
        c.grad.fill_(0)
        assert w.grad.tolist() == [3, 4]

    def test_a_mapped_storage_and_an_expanded_view(self, copied):
        storage = Storage(np.arange(4, dtype=">f4"))
        x = Tensor.view_of(storage, 1, (10**6, 10**6, 3), (0, 0, 1))
        y = copied(x)
        assert y[5, 5].tolist() == [1, 2, 3]
        assert y.storage().size == 4

    def test_a_wrapped_view(self, copied):
        x = Tensor(np.arange(12.0).reshape(3, 4)[::-1, 1:])
        assert copied(x).tolist() == x.tolist()


def test_a_shallow_copy_shares():
    x = tensor([1.0, 2.0])
    y = copy.copy(x)
    assert y is not x
    y.fill_(0)
    assert x.tolist() == [0, 0]
    assert x.version == 1


def test_saving_with_numpy(tmp_path):
    np.save(tmp_path / "x.npy", creation.arange(5))
    assert np.load(tmp_path / "x.npy").tolist() == [0, 1, 2, 3, 4]
