"""Runtimes for the tests of packages."""

import gc

import pytest

from rekindle.legacy_nn.bridge import Runtime
from rekindle.legacy_nn.torch7 import types


@pytest.fixture
def lua():
    """Return a Lua state of the test's own; the default tensor type stays what it was."""
    before = types.default_dtype()
    runtime = Runtime()
    yield runtime
    runtime.close()  # what it put in place of methods is gone with it
    types.set_default_dtype(before)
    gc.collect()
