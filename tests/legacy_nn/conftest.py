"""Fixtures that the tests of several families share."""

import json

import numpy as np
import pytest
from recorded import FIXTURES

from rekindle.core import checkpoint
from rekindle.core.tensor import Tensor


@pytest.fixture
def old_record():
    """Return a function that loads a module as an old version wrote it.

    It gives the module, an input, and the output that Torch7 computed for it.
    """

    def load(name):
        path = FIXTURES / "serialization" / f"oldnn_{name}.bin.t7"
        output = json.loads(path.with_suffix(".json").read_text())["expect"]["output"]
        expected = np.reshape(output["data"], output["size"])
        record = checkpoint.load(path)
        return record.module, record.input, Tensor(expected)

    return load
