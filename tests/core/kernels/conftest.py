"""What the kernel tests share: recorded Torch7 runs, and what counts as equal."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torchfile

from rekindle.core.kernels import dispatch, using

MODULES = Path(__file__).parents[2] / "fixtures" / "modules"
TOLERANCE = {np.dtype(np.float16): 2e-3, np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-10}


def _text(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {_text(k): _text(v) for k, v in value.items()}
    return value


@pytest.fixture(scope="session")
def recorded():
    """Read a recorded run of a module with torchfile, which shares no code with Rekindle.

    The result has `input`, `output`, `gradOutput` and `gradInput` with a batch dimension, the
    module's fields as `module`, and `gradParams` and `after` as dictionaries.
    """

    def read(name, spatial=None):
        record = _text(torchfile.load(str(MODULES / f"{name}.t7"), use_list_heuristic=False))
        record["module"] = _text(record["module"]._obj)
        if spatial is not None:
            for key in ("input", "output", "gradOutput", "gradInput"):
                if record[key].ndim == spatial + 1:
                    record[key] = record[key][None]
        return SimpleNamespace(**record)

    return read


@pytest.fixture(scope="session")
def close():
    """Assert shape, dtype and closeness: max|a-b| <= tol * max|b|, tol by the dtype of b."""

    def check(actual, expected, dtype=None):
        expected = np.asarray(expected)
        wanted = np.dtype(dtype or expected.dtype)
        assert actual.shape == expected.shape
        assert actual.dtype == wanted
        if expected.size:
            error = np.abs(actual.astype(np.float64) - expected).max()
            assert error <= TOLERANCE[wanted] * np.abs(expected).max()

    return check


@pytest.fixture
def rng():
    """A generator of random numbers, the same for each test."""
    return np.random.default_rng(0)


class Faster:
    """Calls of one version of a kernel; skips the test where the faster one is not installed."""

    def __init__(self, library):
        if reason := dispatch.missing(library):
            pytest.skip(reason)

    def __call__(self, function, *arrays, **params):
        """Compute by the faster version, which must not decline."""
        known = dispatch.KERNELS[function.__name__]
        before = known.calls
        result = function(np, *arrays, **params)
        assert known.calls == before + 1, known.declined
        return result

    def reference(self, function, *arrays, **params):
        """Compute by the reference."""
        with using("reference"):
            return function(np, *arrays, **params)

    def agrees(self, found, expected, tolerance=1e-5):
        """Compare a result in float32 with one in float64."""
        assert found.dtype == np.float32
        assert found.shape == expected.shape
        finite = np.isfinite(expected)
        assert np.array_equal(found[~finite], expected[~finite], equal_nan=True)
        found, expected = found[finite], expected[finite]
        limit = tolerance * np.abs(expected).max(initial=0)
        assert np.abs(found - expected).max(initial=0) <= limit

    def check(self, function, *arrays, lie=np.asarray, **params):
        """Compare the faster version on float32 in some layout with the reference on float64."""
        narrow = [a if a is None else lie(a.astype(np.float32)) for a in arrays]
        wide = [a if a is None else a.astype(np.float32).astype(float) for a in arrays]
        found = self(function, *narrow, **params)
        expected = self.reference(function, *wide, **params)
        for a, b in zip(_listed(found), _listed(expected), strict=True):
            if b.dtype.kind == "f":
                self.agrees(a, b)
            else:
                assert np.array_equal(a, b)
        return found


def _listed(value):
    return value if isinstance(value, tuple) else (value,)


@pytest.fixture
def onednn():
    """Calls of oneDNN's kernels."""
    with using("fast"):
        yield Faster("onednn")


@pytest.fixture
def fused():
    """Calls of the kernels that numba compiles."""
    with using("fast"):
        yield Faster("fused")


def channels_last(x):
    """Return images whose channels are neighbours in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


@pytest.fixture
def layouts():
    """Functions that return an array that is equal, and lies differently in memory."""
    return {
        "channels first": np.ascontiguousarray,
        "channels last": lambda x: channels_last(x) if x.ndim > 2 else x,
        "gaps": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
        "turned": lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
    }
