"""Modules and criterions of nn as functions: `functionalize`, and `autograd.nn`.

Source: twitter/torch-autograd src/nnwrapper.lua, README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.legacy_nn.criterion import Criterion
from rekindle.legacy_nn.lua_autograd import modules
from rekindle.legacy_nn.lualib import index, invoke
from rekindle.legacy_nn.lualib.errors import located
from rekindle.legacy_nn.module import Module

from .. import lua
from ..packages import PACKAGES, Package
from ..tables import Table
from .nodes import bare, has_node, wrap


class Wrapped:
    """A module or criterion as a function; one with parameters takes these first.

    Parameters
    ----------
    module : Module or Criterion
    entry : callable
        The function.
    """

    lua_type = "table"

    def __init__(self, module: Any, entry: Callable[..., Any]) -> None:
        self.module = module
        self.entry = self.forward = entry

    def __call__(self, *args: Any) -> Any:
        """Compute the output."""
        return self.entry(*args)

    def backward(self, gradient: Any, *args: Any) -> Any:
        """Return the gradient of the input, which is the last argument."""
        return invoke(self.module, "backward", args[-1], gradient)


def functionalize(object: Any) -> Any:
    """Return the function of a module, with its parameters; or a package of such functions."""
    if isinstance(object, str):
        return functionalize_package(object)
    if isinstance(object, Criterion):
        return Wrapped(object, _criterion(object))
    if not isinstance(object, Module):
        raise located("Input is not a package name or nn object")
    if modules.has_parameters(object):
        return Wrapped(object, _with_parameters(object)), _parameters(object)
    return Wrapped(object, _without_parameters(object))


def _parameters(module: Module) -> Table:
    return Table(*modules.parameters_of(module).array())


def _criterion(criterion: Criterion) -> Callable[..., Any]:
    def entry(input: Any, target: Any = None, *_: Any) -> Any:
        found = modules.call_criterion(criterion, bare(input), bare(target), has_node(input))
        return wrap(*found)

    return entry


def _without_parameters(module: Module) -> Callable[..., Any]:
    def entry(input: Any, *_: Any) -> Any:
        return wrap(*modules.call_module(module, None, bare(input), has_node(input)))

    return entry


def _with_parameters(module: Module) -> Callable[..., Any]:
    def entry(parameters: Any, input: Any, *_: Any) -> Any:
        nodes = has_node(parameters) or has_node(input)
        return wrap(*modules.call_module(module, bare(parameters), bare(input), nodes))

    return entry


def functionalize_package(name: str) -> Package:
    """Return a package whose functions make the functions of modules: `.Linear(3, 2)`.

    Raises
    ------
    LuaError
        "Could not load package 'x'".
    """
    package = PACKAGES.get(name)
    if package is None:
        raise located(f"Could not load package '{name}'")

    def member(key: str) -> Any:
        cls = index(package, key)
        if not isinstance(cls, type) or not issubclass(cls, (Module, Criterion)):
            return None
        return lambda *args: functionalize(lua.call(cls, *args))

    return Package(f"functions of {name}", member)
