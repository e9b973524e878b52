"""Copies between channels-last and channels-first."""

import numpy as np
import pytest

from rekindle.core.kernels import dispatch
from rekindle.core.kernels.copying import copy_into


@pytest.mark.parametrize("shape", [(2, 5, 700), (3, 64, 9, 8), (2, 16, 4, 5, 9), (4, 1, 40, 40)])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("channels last", "channels first"),
        ("channels first", "channels last"),
        ("turned", "channels first"),
        ("channels last", "gaps"),
    ],
)
def test_copies(onednn, rng, layouts, shape, source, target):
    x = layouts[source](rng.normal(size=shape).astype(np.float32))
    out = layouts[target](np.zeros(shape, np.float32))
    before = dispatch.KERNELS["copy_into"].calls
    assert copy_into(np, out, x) is out
    assert np.array_equal(out, x)
    dense = "channels" in source and "channels" in target and shape[1] > 1
    assert dispatch.KERNELS["copy_into"].calls == before + dense


def test_into_itself_and_other_dtypes(onednn, rng):
    x = rng.normal(size=(2, 64, 8, 64))
    for dtype in (np.float64, np.int32):
        out = np.zeros(x.shape, dtype)
        copy_into(np, out, x.astype(dtype).transpose(0, 1, 2, 3))
        assert np.array_equal(out, x.astype(dtype))
    single = x.astype(np.float32)
    copy_into(np, single, single)
    assert np.array_equal(single, x.astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((300, 400), (1, 0)),
        ((8, 33, 1, 16, 24), (0, 2, 4, 3, 1)),
        ((2, 3, 4, 5, 6, 7, 30), (6, 0, 5, 1, 4, 2, 3)),
    ],
)
@pytest.mark.parametrize("gaps", [False, True])
def test_large_arrays_in_any_order(onednn, rng, shape, axes, gaps):
    x = rng.normal(size=shape).astype(np.float32)
    if gaps:
        x = np.repeat(x, 2, axis=0)[::2]
    x = x.transpose(axes)
    out = np.full((x.shape[0] + 2, *x.shape[1:]), 7, np.float32)
    assert onednn(copy_into, out[1:-1], x) is not None
    assert np.array_equal(out[1:-1], x)
    assert (out[[0, -1]] == 7).all()


def _among_others(x):
    record = np.zeros(x.shape, [("number", np.float32), ("other", np.int16)])
    record["number"] = x
    return record["number"].T


@pytest.mark.parametrize(
    "turned", [lambda x: np.broadcast_to(x[:, :1], x.shape).T, lambda x: x[::-1].T, _among_others]
)
def test_what_onednn_cannot_describe(onednn, rng, turned):
    x = turned(rng.normal(size=(300, 402)).astype(np.float32))
    known = dispatch.KERNELS["copy_into"]
    before, out = known.calls, np.zeros(x.shape, np.float32)
    assert np.array_equal(copy_into(np, out, x), x)
    assert known.calls == before
