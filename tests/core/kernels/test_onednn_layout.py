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
