"""What `run` does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

import rekindle
from rekindle.core.checkpoint import Table
from rekindle.core.export import Weights, write_weights
from rekindle.core.tensor import Tensor

from .given import Given
from .group import Problem, Unusable
from .images import Preprocessing, preprocessing_named, write_image
from .inputs import describe
from .output import atomic_output, check_output
from .progress import working
from .run import OUTPUTS
from .running import run_model
from .tables import Column, print_table
from .talk import say

NUMBERS = 8
"""First numbers of an output that are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Given):
    """The options of `run`."""

    preprocess: str | None
    output: str | None
    to: str | None
    topk: int | None
    train: bool
    force: bool

    def run(self, file: str, as_json: bool) -> None:
        """Read model and input, run, and report."""
        self.check_sources(file)
        to = self._format()
        preprocessing = preprocessing_named(self.preprocess) if self.preprocess else None
        model, value = self.read(file, preprocessing)
        report: dict[str, Any] = {"file": file, "model": model.lua_path, "input": describe(value)}
        with working("running"):
            output = run_model(model, value, train=self.train, optimised=True, seed=self.seed)
        report["output"] = describe(output)
        if self.output is not None:
            report["written"] = self.output
            report["note"] = self._write(output, self.output, to, preprocessing)
        if self.topk:
            report["top"] = top_classes(output, self.topk)
        report["numbers"] = {path: numbers_of(t) for path, t in tensors_by_path(output)}
        self._print(report, as_json)

    def _format(self) -> str:
        """Return the format of the output, with the output file checked; "" for the usual."""
        if self.output is None or (self.output == "-" and self.to is None):
            return ""
        check_output(self.output, force=self.force)
        extension = Path(self.output).suffix.lower().replace(".jpeg", ".jpg")
        to = self.to or next((to for to, known in OUTPUTS.items() if known == extension), None)
        if to is None:
            raise Unusable(
                f"{self.output}: name a format with --to, or by the extension: "
                + ", ".join(OUTPUTS.values())
            )
        return to

    def _write(
        self, output: Any, target: str, to: str, preprocessing: Preprocessing | None
    ) -> str | None:
        arrays = dict(tensors_by_path(output))
        to = to or ("npy" if isinstance(output, Tensor) else "npz")
        with atomic_output(target) as temporary:
            if to == "t7":
                rekindle.save(output, temporary)
            elif to in ("png", "jpg"):
                return write_image(temporary, output, preprocessing, OUTPUTS[to])
            elif to == "npz":
                named = {name or "output": tensor.numpy() for name, tensor in arrays.items()}
                write_weights(temporary, Weights(named), ".npz")
            else:
                if not isinstance(output, Tensor):
                    raise Problem("the output is a table: write it to .npz or .t7")
                with open(temporary, "wb") as file:
                    np.save(file, np.ascontiguousarray(output.numpy()), allow_pickle=False)
        return None

    def _print(self, report: dict[str, Any], as_json: bool) -> None:
        err = self.output == "-"
        if as_json:
            click.echo(json.dumps(report, indent=2), err=err)
            return
        say(f"input   {report['input']}", err=err)
        say(f"output  {report['output']}", err=err)
        for path, numbers in report["numbers"].items():
            name = f"{path}: " if path else ""
            say(f"        {name}{numbers_text(numbers)}", err=err)
        if report.get("note"):
            say(report["note"], err=err)
        for i, top in enumerate(report.get("top", ()), 1):
            click.echo("" if len(report["top"]) == 1 else f"\nsample {i}", err=err)
            rows = [(str(t["class"]), f"{t['value']:.6g}") for t in top]
            print_table([Column("class", right=True), Column("output", right=True)], rows, err=err)
        if self.output not in (None, "-"):
            say(f"written {self.output}")


def tensors_by_path(value: Any, path: str = "") -> list[tuple[str, Tensor]]:
    """Return the tensors of an output with their names: "" alone, "1", "2.1" in tables."""
    if isinstance(value, Tensor):
        return [(path, value)]
    if not isinstance(value, Table):
        return []
    below = ((f"{path}.{key}" if path else str(key), v) for key, v in value.items())
    return [found for name, v in below for found in tensors_by_path(v, name)]


def numbers_of(tensor: Tensor) -> dict[str, Any]:
    """Return what tells about the numbers of an output."""
    array = tensor.numpy()
    finite = array[np.isfinite(array)].astype(np.float64)
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "first": [x if np.isfinite(x) else str(x) for x in array.ravel()[:NUMBERS].tolist()],
        "min": float(finite.min()) if finite.size else None,
        "mean": float(finite.mean()) if finite.size else None,
        "max": float(finite.max()) if finite.size else None,
        "not_finite": int(array.size - finite.size),
    }


def numbers_text(numbers: dict[str, Any]) -> str:
    """Return one line about the numbers of an output."""
    parts = []
    if numbers["min"] is not None:
        parts.append(
            f"from {numbers['min']:.6g} to {numbers['max']:.6g}, mean {numbers['mean']:.6g}"
        )
    if numbers["not_finite"]:
        parts.append(f"{numbers['not_finite']:,} not finite")
    first = " ".join(f"{x:.6g}" if isinstance(x, (int, float)) else x for x in numbers["first"])
    total = int(np.prod(numbers["shape"]))
    return "; ".join([*parts, f"{first}{' ...' if total > NUMBERS else ''}"])


def top_classes(output: Any, count: int) -> list[list[dict[str, Any]]]:
    """Return the largest classes of each sample, counted from 1.

    Raises
    ------
    Problem
        If the output is not one number per class.
    """
    if not isinstance(output, Tensor):
        raise Problem("--topk needs one tensor as output; this model gives a table")
    array = output.numpy()
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (1, 2):
        raise Problem(f"--topk needs one number per class; the output is {describe(output)}")
    rows = array if array.ndim == 2 else array[None]
    order = np.argsort(-rows.astype(np.float64), axis=1, kind="stable")[:, :count]
    return [
        [{"class": int(i) + 1, "value": float(row[i])} for i in best]
        for row, best in zip(rows, order, strict=True)
    ]
