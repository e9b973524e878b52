"""`grad(f, options)`: the function that gives gradients of f.

Source: twitter/torch-autograd README.md, src/main.lua.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rekindle.core.dtypes import float32, float64
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.lua_autograd import calls, gradients
from rekindle.legacy_nn.lualib import call, spread, truth
from rekindle.legacy_nn.lualib.calls import single
from rekindle.legacy_nn.lualib.errors import located
from rekindle.legacy_nn.values import as_torch

from ..tables import Table
from ..tensors import tensor_method
from .nodes import Node, Watch, bare, is_plain_table, plain, table_of, wrapped


class Settings:
    """What `autograd.optimize` and `autograd.protected` set, and how deep calls are nested."""

    optimized: Any = False
    protected: Any = False
    said = False
    depth = 0


def grad(f: Any, options: Any = None) -> Callable[..., Any]:
    """Return a function that returns the gradients of f for one argument, then f's results.

    Parameters
    ----------
    f : callable
        Its first result is a number, unless partialGrad is set.
    options : Table, optional
        gradArg, withForward, withGradients, partialGrad, stableGradients, debugHook, optimize;
        profile, showCode and dotFile are about code that is not made here.
    """
    options = Table() if options is None else options
    _mention(options)
    position = 1 if options["gradArg"] is None else options["gradArg"]
    forward = truth(_default(options["withForward"], True))
    backward = truth(_default(options["withGradients"], True))
    optimize = truth(_default(options["optimize"], Settings.optimized))
    partial = truth(options["partialGrad"]) or (not forward and not optimize)
    kept: list[Any] = []

    def gradients_of_f(*args: Any) -> Any:
        if not backward:
            return call(f, *args)
        given, rest = (args[-1], args[:-1]) if partial else (None, args)
        found, values = differentiate(f, list(rest), position, given, options["debugHook"])
        if truth(options["stableGradients"]):
            kept[:] = [_into(kept[0] if kept else None, found)]
            found = kept[0]
        return single((found, *values)) if forward else found

    return gradients_of_f


def _default(value: Any, default: Any) -> Any:
    return default if value is None else value


def _mention(options: Any) -> None:
    profiled = options["profile"] not in (None, False, "off")
    if (profiled or options["showCode"] or options["dotFile"]) and not Settings.said:
        Settings.said = True
        sys.stderr.write(
            "autograd: no code is generated here; profile, showCode and dotFile do nothing\n"
        )


def _into(kept: Any, new: Any) -> Any:
    """Write new gradients into those of the first call, which are returned at every call."""
    if isinstance(kept, Tensor) and isinstance(new, Tensor):
        resized = tensor_method(kept, "resizeAs")(kept, new)
        return tensor_method(resized, "copy")(resized, new)
    if isinstance(kept, Table) and isinstance(new, Table):
        for key, value in new._map.items():
            kept[key] = _into(kept[key], value)
        return kept
    return new


# -- what gradients are asked for -------------------------------------------------------------


def _begin(value: Any, leaves: list[Tensor]) -> tuple[Any, Any]:
    """Return an argument with nodes in place of its tensors and numbers, and where these are.

    The second is a position of `leaves`, or a dict of such.
    """
    node = type(value) is Node
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if node or number or (isinstance(value, Tensor) and value.dtype in (float32, float64)):
        leaf = gradients.leaf(value.tensor if node else value, node)
        leaves.append(leaf)
        return Node(leaf, number or (node and value.is_number)), len(leaves) - 1
    if is_plain_table(value):
        begun = {key: _begin(part, leaves) for key, part in value._map.items()}
        return table_of({k: b[0] for k, b in begun.items()}), {k: b[1] for k, b in begun.items()}
    return value, None


def _at_places(places: Any, found: tuple[Any, ...]) -> Any:
    if isinstance(places, dict):
        entries = {key: _at_places(place, found) for key, place in places.items()}
        return table_of({key: value for key, value in entries.items() if value is not None})
    return None if places is None else found[places]


def differentiate(
    f: Any, args: list[Any], position: int, partial: Any, hook: Any
) -> tuple[Any, tuple[Any, ...]]:
    """Return the gradients of the first result of a function for one argument, and its results.

    Inside of another differentiated function all of them are nodes.
    """
    leaves: list[Tensor] = []
    at = int(position) - 1
    args += [None] * (at + 1 - len(args))
    args[at], places = _begin(args[at], leaves)
    inside, before = Settings.depth > 0, Watch.hook
    Watch.hook = before if hook is None else _watch_for(hook)
    Settings.depth += 1
    try:
        with as_torch():
            values = spread(call(f, *args))
    finally:
        Settings.depth -= 1
        Watch.hook = before
    first = bare(values[0]) if values else None
    with as_torch():
        given = gradients.gradients(first, Table(*leaves), bare(partial), inside)
    found = _at_places(places, wrapped(given))
    return (found, values) if inside else (plain(found), tuple(map(plain, values)))


# -- debugHook --------------------------------------------------------------------------------


def _no_drawing(*_: Any) -> None:
    raise located("autograd: graphs are not drawn")


def _watch_for(hook: Any) -> Callable[[str, tuple[Any, ...]], None]:
    """Return what says where a value is not finite, as torch-autograd's debugger did."""
    debugger = Table(generateDot=_no_drawing, showDot=_no_drawing)

    def watch(name: str, values: tuple[Any, ...]) -> None:
        for value in values:
            if type(value) is Node and not calls.is_finite(value.tensor):
                file, line = _caller()
                path = Path(file)
                text = path.read_text() if path.is_file() else ""
                message = (
                    "autograd debugger detected a nan or inf value for "
                    f"torch.{name}\n   1: {file}:{line}"
                )
                call(hook, debugger, message, Table(source=text, line=line))

    return watch


def _caller() -> tuple[str, int]:
    """Return the place in the program that is being run: what is not Rekindle's."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith("rekindle."):
        frame = frame.f_back
    return ("?", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
