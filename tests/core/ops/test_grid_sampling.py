"""grid_sample against SciPy's map_coordinates, its derivatives, and grids of affine maps."""

import numpy as np
import pytest
from scipy import ndimage

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.ops.grid_sampling import SamplingError

RNG = np.random.default_rng(0)
SCIPY_MODE = {
    ("zeros", True): "grid-constant",
    ("zeros", False): "grid-constant",
    ("border", True): "nearest",
    ("border", False): "nearest",
    ("reflection", True): "mirror",
    ("reflection", False): "reflect",
}


def sampled(x, grid, order, scipy_mode, align_corners):
    """Return what SciPy makes of each plane; its positions are in pixels, the last axis last."""
    size = np.array(x.shape[2:])
    unit = (grid[..., ::-1] + 1) / 2
    positions = unit * (size - 1) if align_corners else unit * size - 0.5
    planes = [
        [
            ndimage.map_coordinates(
                plane, np.moveaxis(place, -1, 0), order=order, mode=scipy_mode, prefilter=False
            )
            for plane in image
        ]
        for image, place in zip(x, positions, strict=True)
    ]
    return np.array(planes)


@pytest.mark.parametrize(("padding_mode", "align_corners"), SCIPY_MODE)
@pytest.mark.parametrize(("mode", "order"), [("bilinear", 1), ("nearest", 0)])
@pytest.mark.parametrize("size", [(4, 5), (3, 4, 5)])
def test_agrees_with_scipy(size, mode, order, padding_mode, align_corners):
    x = RNG.normal(size=(2, 3, *size))
    grid = RNG.uniform(-1.4, 1.4, (2, *size[::-1], len(size)))
    y = ops.grid_sample(
        tensor(x), tensor(grid), mode=mode, padding_mode=padding_mode, align_corners=align_corners
    )
    scipy_mode = SCIPY_MODE[padding_mode, align_corners]
    expected = sampled(x, grid, order, scipy_mode, align_corners)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("padding_mode", "align_corners"), SCIPY_MODE)
def test_derivatives(padding_mode, align_corners):
    x, grid = RNG.normal(size=(1, 2, 3, 4)), RNG.uniform(-1.3, 1.3, (1, 2, 3, 2))
    check_grads(
        lambda x, grid: ops.grid_sample(
            x, grid, padding_mode=padding_mode, align_corners=align_corners
        ),
        [tensor(x), tensor(grid)],
    )


def test_the_nearest_pixel_has_all_of_the_gradient():
    x = tensor(np.zeros((1, 1, 2, 2)), requires_grad=True)
    grid = tensor(np.array([[[[-0.6, 0.4]], [[0.3, -0.1]], [[0.4, -0.2]], [[3.0, 0.0]]]]))
    ops.grid_sample(x, grid, mode="nearest").sum().backward()
    assert x.grad.tolist() == [[[[0, 2], [1, 0]]]]


def test_one_pixel_is_everywhere():
    x, grid = tensor(np.full((1, 1, 1, 1), 3.0)), tensor(np.array([[[[-5.0, 0.3]]]]))
    for padding_mode in ("border", "reflection"):
        for align_corners in (True, False):
            y = ops.grid_sample(x, grid, padding_mode=padding_mode, align_corners=align_corners)
            assert y.tolist() == [[[[3]]]]


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 1, 2, 3, 4)])
def test_the_identity_map_changes_nothing(size, align_corners):
    x = RNG.normal(size=size).astype(np.float32)
    ndim = len(size) - 2
    theta = np.tile(np.eye(ndim, ndim + 1, dtype=np.float32), (2, 1, 1))
    grid = ops.affine_grid(tensor(theta), size, align_corners=align_corners)
    y = ops.grid_sample(tensor(x), grid, align_corners=align_corners, padding_mode="border")
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy(), x, atol=1e-5)


def test_affine_maps_turn_and_move():
    theta = tensor(np.array([[[0.0, -1.0, 0.5], [1.0, 0.0, 0.0]]]))
    grid = ops.affine_grid(theta, (1, 1, 2, 2), align_corners=True)
    assert grid.tolist() == [[[[1.5, -1], [1.5, 1]], [[-0.5, -1], [-0.5, 1]]]]
    check_grads(lambda t: ops.affine_grid(t, (1, 1, 2, 2)), [theta])


def test_errors_name_the_problem():
    x, grid = tensor(np.zeros((1, 1, 2, 2))), tensor(np.zeros((1, 3, 3, 2)))
    with pytest.raises(SamplingError, match="given 'cubic'"):
        ops.grid_sample(x, grid, mode="cubic")
    with pytest.raises(SamplingError, match="given 'wrap'"):
        ops.grid_sample(x, grid, padding_mode="wrap")
    with pytest.raises(ShapeError, match=r"given \(1, 1, 2, 2\) and \(1, 3, 3, 3\)"):
        ops.grid_sample(x, tensor(np.zeros((1, 3, 3, 3))))
    with pytest.raises(ShapeError, match="have no pixels"):
        ops.grid_sample(x[:, :, :0], grid)
    with pytest.raises(DtypeError, match="given float64 and float32"):
        ops.grid_sample(x, grid.astype("float32"))
    with pytest.raises(ShapeError, match=r"given \(1, 2, 3\) and \(2, 1, 4, 4\)"):
        ops.affine_grid(tensor(np.zeros((1, 2, 3))), (2, 1, 4, 4))
