"""Functions for the events of a tnt.Log that write its values, each as a line.

Source: torchnet/torchnet log/view.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, Any

from ..lualib import string, tostring, truth
from .log import STATUS, Log
from .meter import TorchnetError, check

Format = str | Callable[[Any], str] | None


def logtext(
    keys: Sequence[str],
    format: Sequence[Format] | None = None,
    separator: str = " | ",
    *,
    filename: str | PathLike[str] | None = None,
    file: IO[str] | None = None,
    append: bool = False,
) -> Callable[[Log], None]:
    """Return a function for `onFlush` that writes the values of keys in a line.

    Keys without a value, and those of the value False, are left out.

    Parameters
    ----------
    keys : sequence of str
    format : sequence of str, callable or None, optional
        For each key a form of Lua's `string.format`, or a function from the value to its text;
        for None and where the sequence ends, the key and the value.
    separator : str
    filename : str or path, optional
        The file to write, emptied before unless `append`.
    file : text file, optional
        By default, without a file name, the standard output.
    append : bool

    Raises
    ------
    TorchnetError
        For a file and a file name, and for other formats.

    Source: torchnet/torchnet log/view/text.lua.
    """
    write, texts = _writer(filename, file, append), _texts(keys, format, with_key=True)

    def view(log: Log) -> None:
        values = {key: log.get(key) for key in keys}
        write(separator.join(texts[key](x) for key, x in values.items() if truth(x)))

    return view


def logjson(
    keys: Sequence[str],
    format: Sequence[Format] | None = None,
    *,
    filename: str | PathLike[str] | None = None,
    file: IO[str] | None = None,
    append: bool = False,
) -> Callable[[Log], None]:
    """Return a function for `onFlush` that writes the values of keys as an object of JSON.

    The values are strings, as in torchnet; a key without a value has "nil". Parameters and errors
    are those of `logtext`.

    Source: torchnet/torchnet log/view/json.lua.
    """
    write, texts = _writer(filename, file, append), _texts(keys, format, with_key=False)

    def view(log: Log) -> None:
        write("{" + ", ".join(f'"{key}": "{texts[key](log.get(key))}"' for key in keys) + "}")

    return view


def logstatus(
    *,
    filename: str | PathLike[str] | None = None,
    file: IO[str] | None = None,
    append: bool = False,
) -> Callable[[Log, str, Any], None]:
    """Return a function for `onSet` that writes the messages of `Log.status`.

    Parameters and errors are those of `logtext`.

    Source: torchnet/torchnet log/view/status.lua.
    """
    write = _writer(filename, file, append)

    def view(log: Log, key: str, value: Any) -> None:
        if key == STATUS:
            write(tostring(value))

    return view


def _writer(
    filename: str | PathLike[str] | None, file: IO[str] | None, append: bool
) -> Callable[[str], None]:
    check(filename is None or file is None, "a file or a filename expected, not both")
    if filename is None:

        def say(line: str) -> None:
            to = sys.stdout if file is None else file
            to.write(line + "\n")
            to.flush()

        return say
    path = Path(filename)
    path.open("a" if append else "w").close()

    def write(line: str) -> None:
        with path.open("a", encoding="utf-8") as opened:
            opened.write(line + "\n")

    return write


def _texts(
    keys: Sequence[str], format: Sequence[Format] | None, *, with_key: bool
) -> dict[str, Callable[[Any], str]]:
    """Return for each key the function that makes its value a text."""
    given = [*(format or ())]
    return {
        key: _text(key, given[i] if i < len(given) else None, with_key)
        for i, key in enumerate(keys)
    }


def _text(key: str, format: Format, with_key: bool) -> Callable[[Any], str]:
    if format is None:
        return lambda value: f"{key} {tostring(value)}" if with_key else tostring(value)
    if isinstance(format, str):
        return lambda value: str(string.format(format, value))
    if not callable(format):
        raise TorchnetError(f"a format is a string or a function, got {format!r} for {key!r}")

    def called(value: Any) -> str:
        text = format(value)
        check(isinstance(text, str), f"the format of {key!r} should return a str, got {text!r}")
        return text

    return called
