"""Runtimes for the tests of packages."""

import gc

import pytest

from rekindle.legacy_nn.bridge import Runtime


@pytest.fixture
def lua():
    """Return a Lua state of the test's own."""
    yield Runtime()
    gc.collect()
