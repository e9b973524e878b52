"""Runtimes for the tests of the bridge."""

import gc

import pytest

from rekindle.legacy_nn.bridge import Runtime


@pytest.fixture
def lua():
    """Return a Lua state of the test's own."""
    runtime = Runtime()
    yield runtime
    runtime.close()
    gc.collect()


@pytest.fixture
def torch_lua(lua):
    """Return a Lua state with torch, nn, nngraph and optim."""
    for name in ("torch", "nn", "nngraph", "optim"):
        lua.require(name)
    return lua
