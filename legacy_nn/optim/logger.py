"""optim.Logger: columns of numbers in a text file."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

from rekindle.core.checkpoint import Table

from .state import OptimError


class Logger:
    """Writes rows of numbers and texts, separated by tabs.

    Parameters
    ----------
    filename : str or Path, optional
        The file, made with its folder; standard output by default.
    timestamp : bool, default False
        Append date and time to the name of the file.

    Attributes
    ----------
    names, idx : dict
        The name of each column, and the column of each name.
    symbols : dict of list
        All values so far, by column.
    styles : dict of list of str
        How each column would be drawn.
    showPlot, logscale : bool
        As set by `display` and `setlogscale`.

    Source: torch/optim Logger.lua, without its plots, which need gnuplot.
    """

    def __init__(self, filename: str | Path | None = None, timestamp: bool = False) -> None:
        self.name = "stdout" if filename is None else str(filename)
        if filename is None:
            self.file: TextIO = sys.stdout
            print("<Logger> warning: no path provided, logging to std out")
        else:
            path = Path(f"{filename}-{time.strftime('%Y_%m_%d_%X')}" if timestamp else filename)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("w", encoding="utf-8")  # kept open
        self.names: dict[Any, str] = {}
        self.idx: dict[str, Any] = {}
        self.symbols: dict[Any, list[Any]] = {}
        self.styles: dict[Any, list[str]] = {}
        self.defaultStyle = "+"
        self.showPlot, self.logscale, self._warned = True, False, False

    def setNames(self, names: Sequence[str] | Table) -> Self:
        """Name the columns, for rows that are lists, and write the names."""
        listed = names.array() if isinstance(names, Table) else list(names)
        self._start(dict(enumerate(listed, 1)))
        return self

    def add(self, symbols: Mapping[str, Any] | Sequence[Any] | Table) -> None:
        """Write a row.

        Parameters
        ----------
        symbols : mapping or sequence
            Values by name, or in the order of `setNames`.

        Raises
        ------
        OptimError
            For a value that is neither a number nor a text.
        """
        if isinstance(symbols, (Mapping, Table)):
            row = dict(symbols.items())
        else:
            row = dict(enumerate(symbols, 1))
        for value in row.values():
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                raise OptimError(
                    f"a Logger takes numbers and texts; given {type(value).__name__} {value!r:.60}"
                )
        if not self.names:
            self._start({k: str(k) for k in row})
        cells = [v if isinstance(v, str) else f"{v:11.4e}" for v in row.values()]
        self._write(cells)
        for k, v in row.items():
            self.symbols.setdefault(k, []).append(v)

    def style(self, symbols: Mapping[Any, Any] | Sequence[Any] | Table) -> Self:
        """Keep the style of each column for whoever plots them."""
        pairs = symbols.items() if isinstance(symbols, (Mapping, Table)) else enumerate(symbols, 1)
        for name, style in pairs:
            self.styles[name] = [style] if isinstance(style, str) else list(style)
        return self

    def setlogscale(self, state: bool) -> None:
        """Say whether plots have a logarithmic axis."""
        self.logscale = state

    def display(self, state: bool) -> None:
        """Say whether plots are shown."""
        self.showPlot = state

    def plot(self, *names: str) -> None:
        """Say, the first time, that there are no plots, as Torch7 does without gnuplot."""
        if not self._warned:
            print("<Logger> warning: cannot plot with this version of Torch")
            self._warned = True

    def close(self) -> None:
        """Close the file."""
        if self.file is not sys.stdout:
            self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _start(self, names: dict[Any, str]) -> None:
        self.names = names
        self.idx = {name: k for k, name in names.items()}
        self.symbols = {k: [] for k in names}
        self.styles = {k: [self.defaultStyle] for k in names}
        self._write(list(names.values()))

    def _write(self, cells: list[str]) -> None:
        self.file.write("".join(f"{cell}\t" for cell in cells) + "\n")
        self.file.flush()
