"""The same small programs give the same, or are refused, in PyTorch and here."""

import numpy as np
import parity_functions  # noqa: F401  # its programs
import parity_graphs  # noqa: F401  # its programs
import parity_hooks  # noqa: F401  # its programs
import parity_misuse  # noqa: F401  # its programs
import parity_views  # noqa: F401  # its programs
import pytest
from parity import MISUSES, PROGRAMS, REKINDLE, plain, pytorch

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def assert_same(ours, theirs):
    if isinstance(theirs, tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    elif isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        tolerance = 1e-5 if theirs.dtype == np.float32 else 1e-10
        limit = tolerance * np.abs(theirs).max(initial=0)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit)
    else:
        assert ours == theirs


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # PyTorch's cycle, not ours
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    run = PROGRAMS[name]
    assert_same(plain(run(REKINDLE)), plain(run(pytorch(torch))))


@pytest.mark.parametrize("name", MISUSES)
def test_misuse(name):
    with pytest.raises(RuntimeError):
        MISUSES[name](pytorch(torch))
