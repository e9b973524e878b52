"""Which version of a kernel computes, and what is told about it."""

import logging
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from rekindle.core.errors import UseError
from rekindle.core.kernels import dispatch, used, using
from rekindle.core.kernels.dispatch import SMALL, Declined, dispatched


@pytest.fixture
def doubled(monkeypatch):
    """A kernel whose faster version tells itself apart by its sign."""
    monkeypatch.setattr(dispatch, "KERNELS", {})

    @dispatched("onednn.nowhere", least=4)
    def doubled(xp, x, *, odd=False):
        """Return 2 x."""
        return x * 2

    def fast(x, *, odd=False):
        if x.dtype != np.float32:
            return Declined(f"dtype {x.dtype}")
        return SMALL if odd else -2 * x

    kernel = dispatch.KERNELS["doubled"]
    kernel.fast, kernel.sought = fast, True
    with using("fast"):
        yield doubled


X = np.ones(4, np.float32)


def test_the_faster_version_computes_what_is_large_enough(doubled):
    assert doubled(np, X).tolist() == [-2] * 4
    assert doubled(np, X[:3]).tolist() == [2] * 3
    assert doubled.__doc__ == "Return 2 x."


def test_only_arrays_of_numpy_reach_it(doubled):
    class Library:
        pass

    assert doubled(Library, X).tolist() == [2] * 4


def test_what_it_declines_is_computed_by_the_reference_and_told(doubled, caplog):
    with caplog.at_level(logging.DEBUG, "rekindle.kernels"):
        assert doubled(np, np.ones(4)).tolist() == [2] * 4
        assert doubled(np, X, odd=True).tolist() == [2] * 4
    assert caplog.messages == ["doubled: the reference computes, because of dtype float64"]
    doubled(np, X)
    assert used() == {
        "doubled": {"library": "onednn", "calls": 1, "declined": {"dtype float64": 1}}
    }


def test_the_reference_alone_inside_a_context(doubled):
    with using("reference"):
        assert doubled(np, X)[0] == 2
        with using("fast"):
            assert doubled(np, X)[0] == -2
        assert doubled(np, X)[0] == 2
    assert doubled(np, X)[0] == -2


def test_the_choice_belongs_to_a_thread(doubled):
    seen, other = [], {"fast": "reference", "reference": "fast"}[dispatch._DEFAULT]
    with using(other):
        thread = threading.Thread(target=lambda: seen.append(doubled(np, X)[0]))
        thread.start()
        thread.join()
    assert seen == [-2 if dispatch._DEFAULT == "fast" else 2]


def test_another_name_is_refused():
    with pytest.raises(UseError, match="kernels are 'fast' or 'reference'; given 'quick'"):
        using("quick").__enter__()


@pytest.mark.parametrize(
    ("value", "wanted"), [("reference", "False"), ("fast", "True"), ("", "True")]
)
def test_the_environment_sets_the_choice(value, wanted):
    program = "from rekindle.core.kernels import dispatch; print(dispatch.fast_wanted())"
    environment = {**os.environ, "REKINDLE_KERNELS": value}
    run = [sys.executable, "-c", program]
    assert subprocess.check_output(run, env=environment, text=True).strip() == wanted
