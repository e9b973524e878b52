"""Crops, sizes, kernels, filters and grids, against SciPy, NumPy, loops and colorsys."""

import colorsys
import math

import numpy as np
import pytest
from scipy import ndimage, signal

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import image

RNG = np.random.default_rng(5)
PICTURE = RNG.random((3, 6, 8))


def test_crop_formats():
    for corner, (y, x) in {
        "c": (1, 2),
        "tl": (0, 0),
        "tr": (0, 5),
        "bl": (3, 0),
        "br": (3, 5),
    }.items():
        found = image.crop(Tensor(PICTURE), corner, 3, 3).numpy()
        expected = PICTURE[:, y : y + 3, x : x + 3].astype(np.float32)
        np.testing.assert_array_equal(found, expected)
    small = Tensor(np.zeros((3, 2, 2)))
    assert image.crop(small, Tensor(PICTURE), 1, 1) is small
    np.testing.assert_array_equal(small.numpy(), PICTURE[:, 1:3, 1:3].astype(np.float32))
    with pytest.raises(image.ImageError, match="outside bounds"):
        image.crop(Tensor(PICTURE), 6, 0, 9, 2)


@pytest.mark.parametrize(
    ("size", "expected"),
    [("4x3", (3, 4)), (4, (3, 4)), ("16", (12, 16)), ("^3", (3, 4)), ("*2", (12, 16)),
     ("*1/2", (3, 4)), ("*0.5", (3, 4))],
)  # fmt: skip
def test_sizes(size, expected):
    assert image.scale(Tensor(PICTURE), size).shape == (3, *expected)
    assert image.scale(Tensor(PICTURE[0]), size, "simple").shape == expected


def test_scale_says_what_is_wrong():
    for args, words in [
        ((Tensor(PICTURE), "x"), "valid size"),
        ((Tensor(PICTURE), 3, 3, "cubic"), "mode is"),
        ((Tensor(PICTURE.astype(np.int32)), 3, 3), "Byte, Float and Double"),
        ((Tensor(np.zeros((2, 3, 3))), Tensor(PICTURE)), "depths do not match"),
        ((Tensor(PICTURE[0]), Tensor(PICTURE)), "depths do not match"),
        ((Tensor(PICTURE.ravel()), 2, 2), "images"),
        ((3,), "arguments"),
    ]:
        with pytest.raises(image.ImageError, match=words):
            image.scale(*args)


def test_flips():
    np.testing.assert_array_equal(image.flip(Tensor(PICTURE), 1).numpy(), PICTURE[::-1])
    same = Tensor(PICTURE.copy())
    assert image.hflip(same, same) is same
    np.testing.assert_array_equal(same.numpy(), PICTURE[..., ::-1])
    with pytest.raises(image.ImageError, match="in-place"):
        image.flip(same, same, 2)


def test_colors_are_those_of_colorsys():
    r, g, b = PICTURE.reshape(3, -1)
    hsv = np.array([colorsys.rgb_to_hsv(*c) for c in zip(r, g, b, strict=True)]).T.reshape(3, 6, 8)
    hls = np.array([colorsys.rgb_to_hls(*c) for c in zip(r, g, b, strict=True)]).T.reshape(3, 6, 8)
    np.testing.assert_allclose(image.rgb2hsv(Tensor(PICTURE)).numpy(), hsv, rtol=1e-12)
    np.testing.assert_allclose(image.rgb2hsl(Tensor(PICTURE)).numpy(), hls[[0, 2, 1]], rtol=1e-12)
    for there, back in [("rgb2hsv", "hsv2rgb"), ("rgb2hsl", "hsl2rgb"), ("rgb2lab", "lab2rgb")]:
        returned = getattr(image, back)(getattr(image, there)(Tensor(PICTURE))).numpy()
        assert np.abs(returned - PICTURE).max() < 1e-4
    yuv = image.rgb2yuv(Tensor(PICTURE)).numpy()
    np.testing.assert_allclose(yuv[0], 0.299 * PICTURE[0] + 0.587 * PICTURE[1] + 0.114 * PICTURE[2])
    assert np.abs(image.yuv2rgb(Tensor(yuv)).numpy() - PICTURE).max() < 1e-4
    share = PICTURE / (PICTURE.sum(0) + 1e-6)
    np.testing.assert_allclose(image.rgb2nrgb(Tensor(PICTURE)).numpy(), share, rtol=1e-12)


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
def test_convolve(mode):
    kernel = RNG.random((3, 5))
    found = image.convolve(Tensor(PICTURE), Tensor(kernel), mode).numpy()
    expected = np.stack([signal.convolve2d(plane, kernel, mode) for plane in PICTURE])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_kernels():
    found = image.gaussian(Table({"size": 5, "normalize": True})).numpy()
    at = (np.arange(1, 6) - 3) / (0.25 * 5)
    bell = np.exp(-(at**2) / 2)
    np.testing.assert_allclose(found, np.outer(bell, bell) / bell.sum() ** 2, rtol=1e-12)
    np.testing.assert_allclose(image.gaussian1D(5).numpy(), bell, rtol=1e-12)
    assert math.isclose(image.gaussian1D(5, 0.25, 1, True).numpy().sum(), 1)
    assert image.gaussian(3, 0.25, 1, False, 7).shape == (3, 7)
    log = image.laplacian(Table({"size": 5, "sigma": 0.3})).numpy()
    y, x = np.mgrid[1:6, 1:6]
    squares = ((y - 3) / 1.5) ** 2 / 2 + ((x - 3) / 1.5) ** 2 / 2
    np.testing.assert_allclose(log, (1 - squares) * np.exp(-squares), rtol=1e-12)


def test_maps_of_colors():
    jet = image.jetColormap(4).numpy()
    np.testing.assert_allclose(jet, [[0, 0.5, 1], [0.5, 1, 0.5], [1, 0.5, 0], [0.5, 0, 0]])
    first, second = image.colormap(2).numpy()
    np.testing.assert_allclose(first, colorsys.hls_to_rgb(0, 0.5, 0.3))
    np.testing.assert_allclose(second, colorsys.hls_to_rgb(39 / 360, 0.5, 0.3 + 1 / 9))
    levels = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = image.y2jet(Tensor(levels)).numpy()
    np.testing.assert_allclose(found.reshape(3, 4).T, jet)
    with pytest.raises(image.ImageError, match="levels"):
        image.y2jet(Tensor(np.zeros((2, 2))))


def test_lcn():
    grey = RNG.random((20, 18))
    kernel = image.gaussian(Table({"size": 5, "normalize": True})).numpy()
    z = (grey - grey.mean()) / grey.std(ddof=1)
    mean = signal.convolve2d(z, kernel, "valid")
    deviation = np.sqrt(np.maximum(signal.convolve2d(z * z, kernel, "valid") - mean**2, 0))
    expected = (z[2:-2, 2:-2] - mean) / np.maximum(deviation, 1)
    found = image.lcn(Tensor(grey), Tensor(kernel)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_morphology():
    shape = (RNG.random((9, 11)) > 0.4).astype(np.float64)
    kernel = np.array([[0, 1, 0], [1, 1, 0], [0, 0, 0]], np.float64)
    eroded = ndimage.binary_erosion(shape, np.flip(kernel), border_value=1)
    np.testing.assert_array_equal(image.erode(Tensor(shape), Tensor(kernel)).numpy(), eroded)
    dilated = ndimage.binary_dilation(shape, np.flip(kernel))
    np.testing.assert_array_equal(image.dilate(Tensor(shape), Tensor(kernel)).numpy(), dilated)
    full = ndimage.binary_dilation(shape, np.ones((3, 3)))
    np.testing.assert_array_equal(image.dilate(Tensor(shape)).numpy(), full)


def test_pyramid():
    levels = image.gaussianpyramid(Tensor(PICTURE), Table([1, 0.5]))
    assert [level.shape for level in levels.array()] == [(3, 6, 8), (3, 3, 4)]
    np.testing.assert_array_equal(levels[1].numpy(), PICTURE)
    kernel = Tensor(image.gaussian(Table({"width": 3, "normalize": True})).numpy())
    smoothed = image.convolve(Tensor(PICTURE), kernel, "same")
    expected = image.scale(smoothed, 4, 3, "simple").numpy()
    np.testing.assert_array_equal(levels[2].numpy(), expected)


def test_minmax():
    values = np.array([-1.0, 0.0, 3.0])
    for options, expected in [
        ({}, [0, 0.25, 1]),
        ({"symm": True}, [1 / 3, 0.5, 1]),
        ({"min": 0, "max": 2}, [-0.5, 0, 1.5]),
        ({"min": 0, "max": 2, "saturate": True}, [0, 0, 1]),
    ]:
        tensor = Tensor(values.copy())
        found = image.minmax(Table({"tensor": tensor, **options}))
        np.testing.assert_allclose(found.numpy(), expected)
        np.testing.assert_array_equal(tensor.numpy(), values)
        assert image.minmax(Table({"tensor": tensor, "inplace": True, **options})) is tensor


def test_grid_of_images():
    maps = np.arange(5 * 2 * 3, dtype=np.float64).reshape(5, 2, 3)
    found = image.toDisplayTensor(Table({"input": Tensor(maps), "padding": 2, "nrow": 2})).numpy()
    expected = np.full((3 * 4, 2 * 5), maps.max())
    for i, plane in enumerate(maps):
        y, x = i // 2 * 4 + 1, i % 2 * 5 + 1
        expected[y : y + 2, x : x + 3] = plane
    np.testing.assert_allclose(found, expected / maps.max())
    listed = image.toDisplayTensor(Table([Tensor(m) for m in maps]), 2, 2).numpy()
    np.testing.assert_allclose(listed[0], found)
    each = image.toDisplayTensor(Tensor(maps), 0, 5, True).numpy()
    np.testing.assert_allclose(each, np.concatenate([np.arange(6).reshape(2, 3) / 5] * 5, 1))
    single = image.toDisplayTensor(Tensor(maps[0])).numpy()
    np.testing.assert_allclose(single, maps[0] / 5)
    with pytest.raises(image.ImageError, match="missing argument: input"):
        image.toDisplayTensor(Table({"nrow": 2}))


def test_affine_transforms():
    turned = image.affinetransform(Tensor(PICTURE), Tensor(np.diag([-1.0, -1.0]))).numpy()
    np.testing.assert_allclose(turned, PICTURE[:, ::-1, ::-1], atol=1e-6)
    moved = image.affinetransform(
        Tensor(PICTURE), Tensor(np.eye(2)), "simple", Tensor(np.array([0.0, 2.0])), "pad"
    ).numpy()
    np.testing.assert_array_equal(moved[..., 2:], PICTURE[..., :-2])
    assert not moved[..., :2].any()
    with pytest.raises(image.ImageError, match="default tensor type"):
        image.affinetransform(Tensor(PICTURE.astype("f4")), Tensor(np.eye(2)))
    with pytest.raises(image.ImageError, match="pad_value"):
        image.warp(Tensor(PICTURE), Tensor(np.zeros((2, 6, 8))), "simple", True, "clamp", 1)
