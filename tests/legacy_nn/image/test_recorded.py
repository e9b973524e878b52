"""What torch/image's own C code computed, value for value."""

import json
from pathlib import Path

import numpy as np
import pytest

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import image

RECORDED = np.load(Path(__file__).parents[2] / "fixtures" / "image" / "recorded.npz")
CASES = json.loads(str(RECORDED["cases"]))
FUNCTIONS = sorted({name for name, *_ in CASES})

EXACT = {"scale", "crop", "translate", "hflip", "vflip", "drawRect", "rgb2y"}
"""Functions whose every bit is the same; elsewhere C's exp, sin and pow may round otherwise."""


def run(name, args, source, extra):
    if name == "gaussian":
        amplitude, normalize, sigma_u, sigma_v, mean_u, mean_v = args
        options = {"amplitude": amplitude, "normalize": bool(normalize), "tensor": source}
        options |= {"sigma_horz": sigma_u, "sigma_vert": sigma_v}
        return image.gaussian(Table(options | {"mean_horz": mean_u, "mean_vert": mean_v}))
    if name == "warp":
        return image.warp(source, Tensor(extra), *args)
    if name == "drawRect":
        *corners, width, color = args
        return image.drawRect(source, *corners, Table({"lineWidth": width, "color": Table(color)}))
    return getattr(image, name)(source, *args)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_torch_image(name):
    compared = 0
    for i, (recorded, args, source, field) in enumerate(CASES):
        if recorded != name:
            continue
        extra = None if field is None else RECORDED[field]
        found = run(name, args, Tensor(RECORDED[source].copy()), extra).numpy()
        expected = RECORDED[f"out{i}"]
        assert found.dtype == expected.dtype, args
        assert found.shape == expected.shape, args
        if name in EXACT:
            np.testing.assert_array_equal(found, expected, err_msg=str(args))
        elif expected.dtype == np.uint8:
            assert np.abs(found.astype(int) - expected).max() <= 1, args
            assert (found != expected).mean() < 0.01, args
        else:
            tolerance = 1e-10 if expected.dtype == np.float64 else 1e-5
            assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max(), args
        compared += 1
    assert compared > 1
