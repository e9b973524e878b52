"""Functions of each element against recorded Torch7 runs, and what TH's pow does."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, records

from rekindle import legacy_nn as nn
from rekindle.core.creation import tensor

RECORDS = records("Square", "Sqrt", "Power", "Abs", "Exp", "Log", "Clamp")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("p", [-2, -1.5, -1, -0.5, 0, 0.5, 1, 2, 3, 2.5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_powers(p, dtype):
    x = np.random.default_rng(0).uniform(0.5, 2, (3, 4)).astype(dtype)
    m = nn.Power(p)
    m._type = {"float64": "torch.DoubleTensor", "float32": "torch.FloatTensor"}[dtype]
    y = m(tensor(x)).numpy()
    assert y.dtype == dtype
    np.testing.assert_allclose(
        y, x.astype("float64") ** p, rtol=1e-12 if p and dtype[5:] == "64" else 1e-6
    )


def test_the_power_of_a_half_is_the_square_root():
    # TH's pow calls sqrt for it, so that -0 stays -0
    y = nn.Power(0.5)(tensor(np.array([-0.0, 4.0]))).numpy()
    assert y.tolist() == [0.0, 2.0]
    assert np.signbit(y[0])


def test_old_files_say_nothing_of_eps():
    m = nn.Sqrt()
    del m.eps
    assert m(tensor(np.array([4.0]))).tolist() == [2.0]
    assert m.eps == 0
