"""What tensors print."""

import numpy as np
import pytest

from rekindle.core import creation
from rekindle.core.creation import tensor
from rekindle.core.storage import Storage
from rekindle.core.tensor import Parameter, Tensor


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (tensor([1.0, 2.5]), "Tensor([1. , 2.5], shape=(2,), dtype=float32)"),
        (tensor(3), "Tensor(3, shape=(), dtype=int64)"),
        (tensor([True]), "Tensor([ True], shape=(1,), dtype=bool)"),
        (creation.zeros((0, 3)), "Tensor([], shape=(0, 3), dtype=float32)"),
        (
            tensor(np.eye(2)),
            "Tensor([[1., 0.],\n        [0., 1.]], shape=(2, 2), dtype=float64)",
        ),
        (
            Parameter([0.5]),
            "Parameter([0.5], shape=(1,), dtype=float32, requires_grad=True)",
        ),
    ],
)
def test_small_tensors_show_everything(x, text):
    assert repr(x) == text


def test_large_tensors_show_the_edges_that_numpy_would():
    array = np.arange(2000.0).reshape(40, 50)
    numpy_text = np.array2string(array, separator=", ", prefix="Tensor(", threshold=1000)
    assert repr(tensor(array)) == f"Tensor({numpy_text}, shape=(40, 50), dtype=float64)"
    assert repr(creation.arange(1001)).startswith(
        "Tensor([   0,    1,    2, ...,  998,  999, 1000], "
    )
    assert "..." not in repr(creation.arange(1000))


@pytest.mark.parametrize("ndim", [2, 3, 5, 8, 9, 20])
def test_a_huge_expanded_view_prints_at_once(ndim):
    x = Tensor.view_of(Storage(np.ones(1)), 0, (100,) * (ndim - 2) + (10**6,) * 2, (0,) * ndim)
    if x.size * 8 > 2**63:  # more than any array library can name
        x = Tensor.view_of(Storage(np.ones(1)), 0, (7,) * ndim, (0,) * ndim)
    text = repr(x)
    assert text.endswith(f", shape={x.shape}, dtype=float64)")
    assert "..." in text
    assert len(text) < 50_000


def test_printing_a_foreign_storage_does_not_need_numpys_number_types():
    assert "np.int64" not in repr(Tensor.view_of(Storage(np.ones(4)), 0, np.array([2]), [1]))
