"""Columns of text: coloured and wrapped on a terminal, plain and complete anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .talk import clean, say


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
    right : bool
        Align to the right.
    style : str
        Of rich, for terminals.
    """

    title: str
    right: bool = False
    style: str = ""


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, err: bool = False
) -> None:
    """Print rows under their titles; empty columns are left out."""
    kept = [i for i, _ in enumerate(columns) if any(row[i] for row in rows)]
    columns = [columns[i] for i in kept]
    rows = [[clean(row[i]).replace("\n", r"\n") for i in kept] for row in rows]
    if not rows:
        return
    if (sys.stderr if err else sys.stdout).isatty():
        _print_rich(columns, rows, err)
        return
    widths = [max(len(c.title), *(len(row[i]) for row in rows)) for i, c in enumerate(columns)]
    for cells in [[c.title for c in columns], *rows]:
        padded = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        )
        say("  ".join(padded).rstrip(), err=err)


def _print_rich(columns: Sequence[Column], rows: Sequence[Sequence[str]], err: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            style=column.style,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(stderr=err).print(table)


def heading(text: str) -> None:
    """Print a heading."""
    say(f"\n{text}", bold=True)
