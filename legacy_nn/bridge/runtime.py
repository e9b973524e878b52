"""Runtime: LuaJIT inside Python, with Torch's packages answered by Rekindle."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module, util
from types import SimpleNamespace
from typing import Any

from rekindle.core.checkpoint import Table, register

from . import streams
from .border import Border
from .classes import Classes, torch_name
from .errors import BridgeError, LuaExit
from .sources import (
    FILES,
    bridge_source,
    joined_calls,
    package_source,
    read_source,
)
from .toolbox import Toolbox


class Runtime:
    """A Lua state of its own, in which programs written for Torch7 run.

    `require "torch"`, `"nn"`, `"optim"` and so on give Rekindle's library. Tensors, modules and
    tables are the same objects on both sides. A runtime belongs to one thread at a time;
    several run side by side.

    Parameters
    ----------
    table_type : type of Table
        What tables of Lua become in Python.

    Attributes
    ----------
    globals : Table
        Lua's global variables.

    Examples
    --------
    >>> lua = Runtime()
    >>> double = lua.execute("return function(x) return 2 * x end")
    >>> double(21)
    42
    >>> lua.globals.answer = 42
    >>> lua.execute("return answer + 1")
    43

    Notes
    -----
    Lua code may do what a program may: see SECURITY.md. Strings have one character per byte on
    both sides; one with characters beyond those goes to Lua as UTF-8.
    """

    def __init__(self, table_type: type[Table] = Table) -> None:
        self._lua = _new_state()
        self._border = border = Border(self._lua, table_type)
        # References to values of the Lua side are needed before the files that make them.
        shared = self._lua.table()
        start = self._lua.eval("function(B) B.FAIL, B.SELF = {}, {} end")
        start(shared)
        border.connect_marks(shared)
        self._classes = Classes(border)
        guard = border.guard
        functions: dict[str, Callable[..., Any]] = {
            **border.host(),
            **self._classes.host(),
            **streams.host(guard),
            "leaving": lambda: border.pending is not None,
            "exit": guard(self._exit),
            "is_file": os.path.isfile,
            "read_source": guard(read_source),
            "joined_calls": guard(joined_calls),
            "package_source": guard(self._package_source),
            "package_value": guard(self._package_value),
            "cores": lambda: os.cpu_count() or 1,
            "isatty": lambda name: (sys.stderr if "stderr" in name else sys.stdout).isatty(),
        }
        shared.host = self._lua.table_from(functions)
        load = self._lua.eval(
            "function(text, name, B) return assert(loadstring(text, name))(B) end"
        )
        for name in FILES:
            load(bridge_source(name), f"=[rekindle {name}]", shared)
        # Taken out now: a look into a Lua table while a coroutine runs finds what is on its stack.
        self._shared = shared = SimpleNamespace(**dict(shared.items()))
        border.connect(shared)
        self._classes.connect(shared)
        border.before_tensors = lambda: self.require("torch")  # which gives them their methods
        self._lua.execute("python = nil; package.loaded.python = nil")
        self._lua.execute("package.path = './?.lua;./?/init.lua;' .. package.path")
        self.globals: Table = border.invoke(shared.globals, ())
        self._tools = Toolbox(self._lua, shared, border, self._classes, self.globals)

    # -- programs -------------------------------------------------------------------------

    def execute(self, source: str, name: str = "=(python)") -> Any:
        """Run Lua code and return what it returns.

        Parameters
        ----------
        source : str
        name : str
            What errors call it: "@file.lua", or "=name".

        Raises
        ------
        LuaError
            If the code does not compile, or raises an error.
        """
        text = source.encode("utf-8", "surrogateescape").decode("latin-1")
        return self._border.invoke(self._shared.run, (text, name))

    def load_file(self, path: str | os.PathLike[str], *args: Any) -> Any:
        """Run a Lua file and return what it returns; `...` is `args` there.

        Raises
        ------
        LuaError
            If it cannot be read, does not compile, or raises an error.
        """
        return self._border.invoke(self._shared.run_file, (os.fspath(path), *args))

    def require(self, name: str) -> Any:
        """Return what `require(name)` returns in Lua.

        Raises
        ------
        LuaError
            If there is no such package or file, or it raises an error.
        """
        return self._border.invoke(self._shared.require, (name,))

    def close(self) -> None:
        """Take back what Lua code replaced in Rekindle's classes, for Python code as well.

        A runtime that nothing refers to any more has no effect either, but a cycle between
        Lua and Python may keep one.
        """
        self._border.overrides.clear()

    def table(self, entries: Any = None) -> Table:
        """Return a new table of entries, to be used on both sides."""
        return Table(entries)

    def export(self, name: str, value: Any) -> None:
        """Make a Python class or function known to Lua.

        Parameters
        ----------
        name : str
            "nn.MyLayer" for a class, which becomes a Torch class of that name; for a function
            "package.name", or "nn.MyLayer.updateOutput" to replace one method of a class.
        value : type or callable

        Raises
        ------
        BridgeError
            For a name without package, or a value that is neither.
        """
        package = name.rpartition(".")[0]
        if not callable(value) or not package:
            raise BridgeError(
                f"export takes a class or function and a name such as 'nn.MyLayer'; given {name!r} "
                f"and {value!r:.60}"
            )
        if is_package(package):
            self.require(package)
        if isinstance(value, type):
            if torch_name(value) is None:
                setattr(value, "t7_typename", name)  # noqa: B010
                register(name, value)
            module = self.execute(f"{package} = {package} or {{}} return {package}")
            self._classes.publish(value, name, self._border.to_lua(module))
        else:
            self._border.invoke(self._shared.assign, (name, value))

    # -- what Lua calls -------------------------------------------------------------------

    def _exit(self, code: Any) -> None:
        raise LuaExit(code)

    def _package_source(self, name: str) -> Any:
        return is_package(name), package_source(name)

    def _package_value(self, name: str) -> Any:
        if not _has_module(name):
            return None
        return import_module(_module_name(name)).load(self._tools)


def _module_name(package: str) -> str:
    return f"{__package__}.packages.{package}"


def _has_module(package: str) -> bool:
    try:
        found = util.find_spec(_module_name(package))
        return found is not None and found.origin is not None  # a folder of Lua files has none
    except ModuleNotFoundError:
        return False


def is_package(name: str) -> bool:
    """Whether Rekindle answers for a package: it has a Lua file, a Python module, or both."""
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    return package_source(name) is not None or _has_module(name)


def _deny(*_: Any) -> Any:
    raise AttributeError("Lua code does not reach into Python's objects")


def _new_state() -> Any:
    """Return a new Lua state: LuaJIT's, or Lua 5.1's where lupa comes without it."""
    try:
        from lupa.luajit21 import LuaRuntime
    except ImportError:  # the wheels for macOS
        from lupa.lua51 import LuaRuntime
    return LuaRuntime(
        encoding="latin-1",
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        attribute_handlers=(_deny, _deny),
        overflow_handler=float,
    )
