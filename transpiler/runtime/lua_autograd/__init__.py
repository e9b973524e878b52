"""torch-autograd for translated programs: `require 'autograd'` and its parts.

`nodes.py` is what differentiated functions see, `overloads.py` makes torch take it,
`differentiating.py` has `grad`, `wrapping.py` modules as functions; the other parts are
translated from Lua (`parts.py`). What computes is legacy_nn/lua_autograd.

Source: twitter/torch-autograd README.md, src.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.legacy_nn.lua_autograd import gradients

from .. import lua
from ..packages import Package
from ..tables import Table
from ..tensors import as_callback
from . import nodes, overloads
from .differentiating import Settings, grad
from .optimisers import optimisers
from .parts import translated
from .wrapping import functionalize, functionalize_package


def _optimize(value: Any = None) -> None:
    Settings.optimized = value


def _protected(value: Any = None) -> None:
    Settings.protected = value


class Autograd(Package):
    """The package, which is a function as well: `autograd(f)` is `autograd.grad(f)`."""

    def __call__(self, f: Any, options: Any = None, *_: Any) -> Callable[..., Any]:
        """Return the function that gives gradients of f."""
        return grad(f, options)


_NODES = Table(
    is_node=nodes.is_node,
    has_node=nodes.has_node,
    bare=nodes.bare,
    plain=nodes.plain,
    getValue=nodes.plain,
    wrap=nodes.wrap,
    record=nodes.record,
    overload=overloads.overload,
    host=Table(call_rule=gradients.call_rule),
)
"""autograd.node, which the parts in Lua are written with."""

_functions = functionalize_package("nn")


def _nn_member(name: str) -> Any:
    if name in ("AutoModule", "AutoCriterion"):
        return translated(f"auto.{name}")
    return getattr(_functions, name)


_MEMBERS: dict[str, Any] = {
    "VERSION": "0.1",
    "LICENSE": "Apache 2.0",
    "profile": Table(SUMMARY="summary", DETAILED="detailed", OFF="off"),
    "optimize": _optimize,
    "optimizing": lambda *_: Settings.optimized,
    "protected": _protected,
    "grad": grad,
    "functionalize": functionalize,
    "nnwrapper": Table(functionalize=functionalize, functionalizePackage=functionalize_package),
    "nn": Package("autograd.nn", _nn_member),
    "optim": optimisers,
}


def _in_lua(part: str) -> Package:
    """Return a part whose functions are translated from Lua and take any number of arguments."""
    return Package(f"autograd.{part}", lambda name: as_callback(translated(part)[name]))


_PARTS: dict[str, Any] = {
    part: _in_lua(part) for part in ("loss", "model", "module", "overload", "util")
}


def _member(name: str) -> Any:
    if name == "auto":
        return translated("auto")
    return _PARTS.get(name) or _MEMBERS.get(name)


autograd = Autograd("autograd", _member)
"""The package autograd."""

_PARTS |= {
    "main": autograd,
    "nn": _MEMBERS["nn"],
    "nnwrapper": _MEMBERS["nnwrapper"],
    "node": _NODES,
    "optim": optimisers,
    "runtime.codegen.Value": Table(len=lua.length),
}


def required(name: str) -> Any:
    """Return what `require` gives for "autograd", "autograd.util" and the others.

    Parameters
    ----------
    name : str
        Its first word is "autograd".
    """
    part = name.partition(".")[2]
    if not part:
        return autograd
    return _PARTS[part] if part in _PARTS else translated(part)


overloads.install()
