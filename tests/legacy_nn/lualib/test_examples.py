"""The examples in lualib's docstrings run, and every public function has one place and a text."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

from rekindle.legacy_nn import lualib

MODULES = [info.name for info in pkgutil.iter_modules(lualib.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"{lualib.__name__}.{name}"))
    assert result.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_are_documented(name):
    module = importlib.import_module(f"{lualib.__name__}.{name}")
    for key, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if own and callable(value) and not key.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{key}"


def test_every_library_function_is_documented():
    for name in ("string", "table", "math", "os", "io", "bit", "coroutine", "debug"):
        for key, value in lualib.pairs(lualib._G[name]):
            if lualib.type_of(value) == "function":
                assert inspect.getdoc(value), f"{name}.{key}"
