"""What `rekindle exec` does: Lua programs, and a prompt for Lua."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from rekindle.legacy_nn.bridge import LuaError, LuaExit, Runtime

from .group import Unusable
from .talk import say


class Program:
    """A run of the interpreter.

    Parameters
    ----------
    script : str or None
        A file, or "-" for standard input.
    arguments : sequence of str
        The script's own.
    code, packages : sequence of str
        What runs before it.
    prompt : bool
        Whether a prompt follows.
    """

    def __init__(
        self,
        script: str | None,
        arguments: Sequence[str],
        code: Sequence[str],
        packages: Sequence[str],
        prompt: bool,
    ) -> None:
        if script not in (None, "-") and not os.path.isfile(script):
            raise Unusable(f"{script}: there is no such file")
        self._script = script
        self._code = code
        self._packages = ("torch", "xlua", "pl", *packages)
        self._prompt = prompt or (script is None and not code)
        self._lua = Runtime()
        words = {0: script or "th", **dict(enumerate(arguments, 1))}
        self._arguments = arguments
        self._lua.globals.arg = self._lua.table(words)
        if folder := os.path.dirname(script or ""):  # after the working directory and LUA_PATH
            package = self._lua.globals["package"]
            package["path"] += f";{folder}/?.lua;{folder}/?/init.lua"

    def run(self) -> int:
        """Run all of it; return the exit code."""
        if self._prompt:
            return self._run()
        # As in th: a program in a loop that never calls Python ends at once, too.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            return self._run()
        finally:
            signal.signal(signal.SIGINT, before)

    def _run(self) -> int:
        try:
            for name in self._packages:
                self._lua.require(name)
            for text in self._code:
                self._lua.execute(text, "=(command line)")
            if self._script == "-":
                self._lua.execute(sys.stdin.read(), "=stdin")
            elif self._script is not None:
                self._lua.load_file(self._script, *self._arguments)
        except LuaError as error:
            self._report(error)
            if not self._prompt:
                return 1
        except LuaExit as leaving:
            return _code(leaving.code)
        return self._talk() if self._prompt else _finished()

    def _report(self, error: LuaError) -> None:
        sys.stdout.flush()
        click.echo(f"{error}\n{_own(error.traceback)}", err=True)

    def _talk(self) -> int:
        """Read lines and run them until the end of input; expressions are printed."""
        while True:
            try:
                line = input("th> ")
                while self._try(line) is _UNFINISHED:
                    line += "\n" + input("..> ")
            except EOFError:
                say("")
                return 0
            except KeyboardInterrupt:
                say("")
            except LuaExit as leaving:
                return _code(leaving.code)

    def _try(self, line: str) -> Any:
        text = line.strip()
        if not text:
            return None
        expression = text.removeprefix("=")
        try:
            # A statement is no expression: what does not compile as one is run as it is.
            compiled = self._lua.globals.loadstring(f"return {expression}", "=stdin")
            if isinstance(compiled, tuple):
                compiled = self._lua.globals.loadstring(text, "=stdin")
            if isinstance(compiled, tuple):
                message = str(compiled[1])
                if "'<eof>'" in message:
                    return _UNFINISHED
                say(message, err=True)
                return None
            results = compiled()
            if results is not None:
                shown = results if isinstance(results, tuple) else (results,)
                self._lua.globals.print(*shown)
        except LuaError as error:
            self._report(error)
        return None


_UNFINISHED = object()


def _finished() -> int:
    sys.stdout.flush()
    return 0


def _code(code: Any) -> int:
    sys.stdout.flush()
    return int(code or 0) & 0xFF


def _own(traceback: str) -> str:
    """Return a traceback without the frames of the bridge."""
    lines = traceback.strip("\n").split("\n")
    kept = [line for line in lines if "[rekindle " not in line and "'xpcall_'" not in line]
    return "\n".join([*kept, "\t[C]: ?"] if len(kept) == 1 else kept)
