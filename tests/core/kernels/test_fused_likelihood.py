"""Softmax and its loss in one kernel, against the reference in float64."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.kernels import likelihood as kernels
from rekindle.core.kernels import using
from rekindle.core.ops import cross_entropy


@pytest.mark.parametrize("shape", [(256, 1), (1, 257), (7, 100), (33, 1000)])
def test_the_loss(fused, layouts, rng, shape):
    x, target = rng.normal(size=shape) * 5, rng.integers(0, shape[1], shape[0])
    target[::5] = -1
    wide = x.astype(np.float32).astype(float)
    expected = fused.reference(kernels.softmax_nll, wide, target, ignore_index=-1)
    for name in ("channels first", "gaps", "turned"):
        narrow = layouts[name](x.astype(np.float32))
        fused.agrees(fused(kernels.softmax_nll, narrow, target, ignore_index=-1), expected)


@pytest.mark.parametrize("target", [[0, 1, 2, 0, 1, 2], [-1] * 6], ids=["counted", "ignored"])
def test_what_is_no_number(fused, target):
    x = np.zeros((6, 64), np.float32)
    x[0, 3], x[1, 1], x[2, 9], x[3], x[4] = np.nan, np.inf, -np.inf, -np.inf, 1e30
    target = np.array(target)
    with np.errstate(invalid="ignore"):
        expected = fused.reference(kernels.softmax_nll, x.astype(float), target, ignore_index=-1)
    found = fused(kernels.softmax_nll, x, target, ignore_index=-1)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.allclose(found, expected, 1e-6, equal_nan=True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(128, 10), (4, 1000), (3, 70)])
def test_gradients(fused, rng, shape, reduction):
    x, classes = rng.normal(size=shape) * 3, rng.integers(0, shape[1], shape[0])
    classes[1] = -100
    x[1] = np.nan

    def gradient(dtype):
        scores = tensor(x.astype(np.float32).astype(dtype), requires_grad=True)
        loss = cross_entropy(scores, tensor(classes), reduction=reduction)
        ops.sum(loss * 0.7).backward()
        return loss.detach().numpy(), scores.grad.numpy()

    with using("reference"):
        expected = gradient(np.float64)
    for a, b in zip(gradient(np.float32), expected, strict=True):
        fused.agrees(a, np.asarray(b))


@pytest.mark.parametrize(
    ("shape", "classes", "error"),
    [
        ((8, 64), [*[0] * 7, 64], BoundsError),
        ((8, 64), [-2] * 8, BoundsError),
        ((8, 64), [0] * 7, ShapeError),
        ((4, 8, 16), [0] * 4, ShapeError),
    ],
)
def test_what_does_not_fit_is_reported_as_by_the_reference(fused, shape, classes, error):
    given = np.zeros(shape, np.float32), np.array(classes)
    with pytest.raises(error) as expected:
        fused.reference(kernels.softmax_nll, *given, ignore_index=-1)
    with pytest.raises(error) as found:
        kernels.softmax_nll(np, *given, ignore_index=-1)
    assert str(found.value) == str(expected.value)
