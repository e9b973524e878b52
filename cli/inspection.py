"""The report of `inspect`: as text, the most wanted first, and as JSON."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.checkpoint.sniff import looks_like_ascii
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.naming import Place, StateEntry, modules_in, root_place
from rekindle.legacy_nn.paths import format_path
from rekindle.legacy_nn.unknown_classes import typename

from .findings import finding_lines
from .reading import Checkpoint
from .survey import (
    ModelSurvey,
    ModuleRow,
    module_text,
    overridden,
    survey_all,
    survey_model,
)
from .tables import Column, heading, print_table
from .talk import say
from .texts import (
    inline_table,
    scalar_text,
    shape_text,
    size_text,
    tensor_list,
    value_text,
)

ROWS = 200
"""Modules of a model, and other entries, that are shown without --all."""

DEPTH = 40
"""Levels that are shown without --depth or --all."""

DEEPEST = 1000
"""Levels that --all shows: lines repeat their paths, so that all of 100,000 are gigabytes."""

WIDE = 140
"""Columns of a terminal from which on a module takes one line."""

ELEMENTS = 10
"""Elements of a table of tables that are shown without --all."""


class Inspection:
    """What there is to say about a file, or the part of it that was selected.

    Parameters
    ----------
    checkpoint : Checkpoint
    depth : int or None
        Levels to show; None for the default.
    everything : bool
        Leave nothing out.
    """

    def __init__(self, checkpoint: Checkpoint, depth: int | None, everything: bool) -> None:
        self.checkpoint = checkpoint
        self.depth = depth if depth is not None else (DEEPEST if everything else DEPTH)
        self.rows = 10**9 if everything else ROWS
        self.elements = 10**9 if everything else ELEMENTS
        self.root = root_place(checkpoint.value, checkpoint.path)
        self.models = [survey_model(place) for place in modules_in(self.root)]
        kinds = {i: kind for model in self.models for i, kind in model.kinds.items()}
        self.findings = survey_all(self.root, kinds)

    # -- as text ------------------------------------------------------------------------

    def print(self) -> None:
        """Print the report."""
        say(self._title(), bold=True)
        if self.findings.nbytes:
            say(self._bytes())
        for model in self.models:
            self._print_model(model)
        self._print_entries()
        self._print_findings()

    def _title(self) -> str:
        checkpoint = self.checkpoint
        parts = [f"{checkpoint.name}: Torch7 {file_format(checkpoint)}"]
        parts.append(size_text(checkpoint.size))
        if checkpoint.count > 1:
            parts.append(f"{checkpoint.count} objects, [1] to [{checkpoint.count}]")
        what = value_text(checkpoint.value)
        parts.append(f"{format_path(checkpoint.path)} is {what}" if checkpoint.path else what)
        return ", ".join(parts)

    def _bytes(self) -> str:
        labels = {"other": "other tensors"}
        order = ("parameters", "buffers", "gradients", "other")
        nbytes = self.findings.nbytes
        return "tensors: " + ", ".join(
            f"{labels.get(kind, kind)} {size_text(nbytes[kind])}"
            for kind in order
            if kind in nbytes
        )

    def _print_model(self, model: ModelSurvey) -> None:
        heading(model_title(model))
        shown = [row for row in model.rows if row.depth <= self.depth]
        if not shown[0].tensors and len(shown) > 1:
            shown = shown[1:]
        tied = {id(model.state[i]): tie for i, tie in model.tied.items()}
        main = model.dtypes[:1]
        rows: list[tuple[str, ...]] = [
            (
                "  " * max(row.depth - 1, 0) + step_text(row),
                row.place.name,
                row_text(row),
                ", ".join(tensor_text(e, tied.get(id(e)), main) for e in row.tensors),
                f"{row.parameters:,}" if row.parameters else "",
                size_text(row.nbytes) if row.nbytes else "",
            )
            for row in shown[: self.rows]
        ]
        columns = [
            Column("in Lua"),
            Column("name", style="cyan"),
            Column("module"),
            Column("tensors", style="green"),
            Column("parameters", right=True),
            Column("bytes", right=True),
        ]
        if sys.stdout.isatty() and shutil.get_terminal_size().columns < WIDE:
            del columns[5], columns[3]
            rows = [short for row in rows for short in narrowed(row)]
        print_table(columns, rows)
        left = len(model.rows) - len(shown[: self.rows]) - (model.rows[0] is not shown[0])
        if left:
            say(f"... {left:,} more modules: --all, --depth N or --select PATH shows them")

    def _print_entries(self) -> None:
        value = self.checkpoint.value
        if isinstance(value, Tensor):
            heading("Tensor")
            say(f"strides {value.stride()}, storage of {value.storage().size:,} elements")
            say(repr(value.detach()))
        if not isinstance(value, Table):
            return
        lines: list[tuple[str, str]] = []
        for label, text in self._entries(root_place(value, self.checkpoint.path)):
            if len(lines) == self.rows:
                lines.append(("...", "more entries: --all, --depth N or --select PATH"))
                break
            lines.append((label, text))
        if lines:
            heading("Other entries" if self.models else "Entries")
            print_table([Column("in Lua"), Column("value")], lines)

    def _entries(self, root: Place) -> Iterator[tuple[str, str]]:
        """Yield the entries of tables outside the models, one line each."""
        models = {id(model.rows[0].place.value) for model in self.models}
        pending: list[tuple[Place | str, int]] = [(root, 0)]
        seen: set[int] = set()
        while pending:
            place, depth = pending.pop()
            if isinstance(place, str):
                yield place, ""
                continue
            value = place.value
            if id(value) in models:
                continue
            if not isinstance(value, Table):
                yield place.lua_path, value_text_of(value)
                continue
            line = None if place is root else short_table(value)
            if id(value) in seen:
                line = "the same table as above"
            elif depth >= self.depth and line is None:
                line = value_text(value)
            seen.add(id(value))
            if line is not None:
                yield place.lua_path, line
                continue
            below = sorted(value.items(), key=key_order)
            rows: list[tuple[Place | str, int]] = [
                (place.step((key,), child), depth + 1) for key, child in below
            ]
            if len(value) > self.elements and any(isinstance(v, Table) for _, v in below):
                more = f"... {len(rows) - self.elements:,} more"
                rows[self.elements :] = [(more, depth + 1)]
            pending.extend(reversed(rows))

    def _print_findings(self) -> None:
        lines = list(finding_lines(self.findings, self.models))
        if lines:
            heading("Worth knowing")
            for line in lines:
                say(f"- {line}")


def file_format(checkpoint: Checkpoint) -> str:
    """Return "binary" or "ascii"."""
    if checkpoint.data is not None:
        head = checkpoint.data[:4096]
    else:
        with open(checkpoint.name, "rb") as file:
            head = file.read(4096)
    return "ascii" if looks_like_ascii(head) else "binary"


def model_title(model: ModelSurvey) -> str:
    """Return the heading of a model."""
    root = model.rows[0]
    path = f"{root.place.lua_path}: " if root.place.path else ""
    count = len(model.rows) - 1
    parts = [f"{path}{typename(root.place.value)}"]
    if count:
        parts.append(f"{count:,} module{'s' * (count != 1)}")
    if model.state:
        parts.append(f"{model.parameters:,} parameters")
        buffers = " with buffers" if any(e.kind == "buffer" for e in model.state) else ""
        parts.append(f"{size_text(root.nbytes)}{buffers}" if root.nbytes else "")
        parts.append(" and ".join(model.dtypes))
    return ", ".join(filter(None, parts))


def narrowed(row: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return a row without bytes, its tensors below the module."""
    step, name, module, tensors, parameters, _ = row
    below = [("", "", f"  {tensors}", "")] if tensors else []
    return [(step, name, module, parameters), *below]


def step_text(row: ModuleRow) -> str:
    """Return the step that leads to a module, as Lua writes it."""
    return format_path(row.place.keys) or "(the object)"


def row_text(row: ModuleRow) -> str:
    """Return class, geometry and marks of a module."""
    value = row.place.value
    text = module_text(value, row.has_modules)
    if row.same_as is not None:
        first = row.same_as.lua_path or "the file's object"
        return f"{text}  = {first}"
    if isinstance(value, TorchObject):
        text += "  (unknown class)"
    methods = overridden(value)
    return f"{text}  (own {', '.join(methods)})" if methods else text


def tensor_text(entry: StateEntry, tie: tuple[StateEntry, bool] | None, main: list[str]) -> str:
    """Return field, shape, and what is not ordinary about a tensor."""
    text = f"{format_path(entry.keys)} {shape_text(entry.tensor)}"
    if [entry.tensor.dtype.name] != main:
        text += f" {entry.tensor.dtype}"
    if tie is not None:
        text += f" ({'=' if tie[1] else 'view of'} {tie[0].name})"
    return text


def value_text_of(value: Any) -> str:
    """Return one line for an entry that is no table."""
    return module_text(value, False) if typename(value) else value_text(value)


def short_table(table: Table) -> str | None:
    """Return a table in one line where that tells enough: lists, vocabularies, empty tables."""
    if not table.count():
        return "empty table"
    line = inline_table(table) or tensor_list(table)
    if line is None:
        return None
    if len(table) == table.count():
        what = "tensor" if isinstance(table[1], Tensor) else "value"
        return f"{table.count():,} {what}{'s' * (table.count() != 1)}: {line}"
    numbers = all(scalar_text(v) and not isinstance(v, str) for v in table.values())
    if table.count() > 40 or (numbers and table.count() > 8):
        return f"{table.count():,} entries: {line}"
    return None


def key_order(entry: tuple[Any, Any]) -> tuple[int, Any]:
    """Return what sorts entries: numbers, then text, then others as they come."""
    key = entry[0]
    if isinstance(key, (int, float)):
        return 0, key
    return (1, key) if isinstance(key, str) else (2, 0)
