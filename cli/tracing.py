"""What `trace` does."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

import rekindle
from rekindle.core.export import Weights, write_weights
from rekindle.legacy_nn.trace import Call, Trace, TraceError, arrays_in

from .execution import numbers_of
from .given import Given
from .group import Problem, Unusable
from .inputs import describe
from .output import atomic_output, check_output
from .progress import working
from .tables import Column, print_table
from .talk import say

FORMATS = (".npz", ".safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing(Given):
    """The options of `trace`."""

    grad: bool
    output: str | None
    train: bool
    force: bool

    def run(self, file: str, as_json: bool) -> None:
        """Read model and input, run, and write and print what was computed."""
        self.check_sources(file)
        if self.output is not None:
            if Path(self.output).suffix.lower() not in FORMATS:
                raise Unusable(f"{self.output}: arrays are written to {' or '.join(FORMATS)}")
            check_output(self.output, force=self.force)
        model, value = self.read(file)
        with working("running"):
            rekindle.torch_seed(self.seed)
            try:
                found = rekindle.trace(model.value, value, grad=self.grad, train=self.train)
            except TraceError as error:
                raise Problem(f"{error}; the input was {describe(value)}") from error
        arrays, rows = arrays_of(found, arrays_in(value))
        report = {"file": file, "model": model.lua_path, "modules": rows}
        if self.output is not None:
            texts = {"modules": json.dumps(rows)}
            with atomic_output(self.output) as temporary:
                extension = Path(self.output).suffix.lower()
                write_weights(temporary, Weights(arrays, metadata=texts), extension)
            report["written"] = self.output
        self._print(report, found, as_json)

    def _print(self, report: dict[str, Any], found: Trace, as_json: bool) -> None:
        if as_json:
            click.echo(json.dumps(report, indent=2))
            return
        rows = [
            (call.path, call.name, call.kind, shapes_of(call.outputs), _range(call.outputs))
            for call in found.calls
        ]
        columns = [
            Column("in Lua"),
            Column("name", style="cyan"),
            Column("module"),
            Column("output", style="green"),
            Column("from ... to"),
        ]
        print_table(columns, rows)
        if self.output is not None:
            say(f"written {self.output}")


def arrays_of(
    found: Trace, inputs: list[np.ndarray[Any, Any]]
) -> tuple[dict[str, np.ndarray[Any, Any]], list[dict[str, Any]]]:
    """Return the arrays of a trace by name, and one row for each call."""
    arrays = named("input", inputs)
    times: Counter[str] = Counter()
    last: dict[str, Call] = {}
    rows = []
    for call in found.calls:
        times[call.name] += 1
        again = f"@{times[call.name]}" if times[call.name] > 1 else ""
        key = f"output/{call.name}{again}" if call.name else "output"
        arrays |= named(key, call.outputs)
        last[call.name] = call
        row = {"key": key, "path": call.path, "name": call.name, "class": call.kind}
        rows.append(row | {"shapes": [list(array.shape) for array in call.outputs]})
    for name, call in last.items():
        arrays |= named(f"gradInput/{name}" if name else "gradInput", call.grad_inputs)
    arrays |= {f"gradient/{name}": array for name, array in found.gradients.items()}
    return arrays, rows


def named(name: str, arrays: list[np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """Return arrays by name: one has the name itself, several have their positions too."""
    if len(arrays) == 1:
        return {name: arrays[0]}
    return {f"{name}[{i}]": array for i, array in enumerate(arrays, 1)}


def shapes_of(arrays: list[np.ndarray[Any, Any]]) -> str:
    """Return the shapes of arrays as Torch prints them."""
    return ", ".join("x".join(map(str, array.shape)) for array in arrays)


def _range(arrays: list[np.ndarray[Any, Any]]) -> str:
    if len(arrays) != 1:
        return ""
    numbers = numbers_of(rekindle.Tensor(arrays[0]))
    if numbers["min"] is None:
        return "nothing finite" if numbers["not_finite"] else ""
    more = f", {numbers['not_finite']:,} not finite" if numbers["not_finite"] else ""
    return f"{numbers['min']:.4g} ... {numbers['max']:.4g}{more}"
