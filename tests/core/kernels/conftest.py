"""What the kernel tests share: recorded Torch7 runs, and what counts as equal."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torchfile

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
