"""What `convert` does for each file."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import rekindle
from rekindle.core.dtypes import as_dtype
from rekindle.core.errors import RekindleError
from rekindle.core.export import write_json, write_weights

from .casting import cast_floats
from .convert import EXTENSIONS
from .convert_optim import check_optim, optim_text, write_optim
from .group import Problem, Unusable, explained
from .limits import check_size
from .model_files import weights_beside, write_model
from .output import atomic_output, check_output
from .overrides import find_overrides
from .progress import track, working
from .reading import Checkpoint, read_checkpoint
from .renaming import check_distinct, names_in_map, names_like
from .state import State, find_state, make_weights
from .tables import Column, print_table
from .talk import say
from .texts import size_text, value_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The options of `convert`."""

    output: str
    select: str | None
    to: str | None
    dtype: str | None
    grads: bool
    like: str | None
    map_file: str | None
    ignore_overrides: bool
    target: str
    input_file: str | None
    zero_based: bool
    max_bytes: int
    force: bool
    optim: str | None
    optim_select: str | None

    def run(self, files: tuple[str, ...], as_json: bool) -> None:
        """Convert all files, and report; go on with the next where one fails."""
        if self.like and self.map_file:
            raise click.UsageError("--like and --map exclude each other")
        check_optim(self, files)
        targets = self._targets(files)
        reports = []
        failures: list[click.ClickException] = []
        for file, (target, to) in track(list(zip(files, targets, strict=True)), "converting"):
            try:
                with working(f"converting {file}") if len(files) == 1 else nullcontext():
                    report = self._convert(file, target, to)
                    if self.optim:
                        report["optim"] = write_optim(self, file, target)
            except (RekindleError, OSError, click.ClickException) as error:
                failure = error if isinstance(error, click.ClickException) else explained(error)
                if len(files) == 1:
                    raise
                failures.append(failure)
                message = failure.format_message()
                named = message if message.startswith(f"{file}: ") else f"{file}: {message}"
                say(f"Error: {named}", err=True)
                continue
            reports.append(report)
            if not as_json:
                print_report(report, err=target == "-")
        if as_json:
            text = json.dumps(reports[0] if len(files) == 1 else reports, indent=2)
            click.echo(text, err=self.output == "-")
        if failures:
            unusable = any(failure.exit_code == Unusable.exit_code for failure in failures)
            raise (Unusable if unusable else Problem)(
                f"{len(failures)} of {len(files)} files were not converted"
            )

    def _targets(self, files: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return the output file and format of each input, all checked."""
        folder = Path(self.output)
        if len(files) == 1 and not folder.is_dir() and not self.output.endswith("/"):
            targets = [(self.output, self.to or format_of_name(self.output))]
        else:
            if self.output == "-":
                raise click.UsageError("several FILEs need a folder as OUT")
            to = self.to or "safetensors"
            folder.mkdir(parents=True, exist_ok=True)
            names = [Path("stdin" if f == "-" else f).stem + EXTENSIONS[to] for f in files]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise click.UsageError(f"several FILEs would become {', '.join(twice)}")
            targets = [(str(folder / name), to) for name in names]
        for target, to in targets:
            check_output(target, force=self.force)
            if to == "py":
                check_output(weights_beside(target), force=self.force)
        return targets

    def _convert(self, file: str, target: str, to: str) -> dict[str, Any]:
        checkpoint = read_checkpoint(file, self.select)
        report = {"file": checkpoint.name, "output": target, "format": to}
        if to.startswith("t7"):
            return report | self._write_t7(checkpoint, target, to)
        if to == "json":
            with atomic_output(target) as temporary, open(temporary, "wb") as stream:
                write_json(stream, checkpoint.value)
            return report | {"what": value_text(checkpoint.value)}
        if to in ("py", "onnx"):
            return report | self._write_model(checkpoint, target, to)
        return report | self._write_weights(checkpoint, target, to)

    def _write_model(self, checkpoint: Checkpoint, target: str, to: str) -> dict[str, Any]:
        if self.like or self.map_file or self.grads:
            raise click.UsageError(f"--like, --map and --grads are for weights, not .{to}")
        return write_model(
            checkpoint,
            target,
            to,
            language="torch" if self.target == "torch" else "rekindle",
            dtype=as_dtype(self.dtype) if self.dtype else None,
            input_file=self.input_file,
            zero_based=self.zero_based,
        )

    def _write_t7(self, checkpoint: Checkpoint, target: str, to: str) -> dict[str, Any]:
        if self.like or self.map_file or self.grads:
            raise click.UsageError("--like, --map and --grads are for files of weights, not .t7")
        value = checkpoint.value
        if self.dtype:
            cast_floats(value, as_dtype(self.dtype))
        with atomic_output(target) as temporary:
            rekindle.save(value, temporary, "ascii" if to == "t7-ascii" else "binary")
        return {"what": value_text(value)}

    def _write_weights(self, checkpoint: Checkpoint, target: str, to: str) -> dict[str, Any]:
        dtype = as_dtype(self.dtype) if self.dtype else None
        state = find_state(checkpoint, gradients=self.grads)
        self._check_overrides(state)
        check_size(state.entries.values(), dtype, self.max_bytes)
        renamed, shapes = self._new_names(state)
        check_distinct([renamed.get(n, n) for n in (*state.entries, *state.aliases)])
        weights = make_weights(checkpoint, state, dtype, renamed, shapes)
        with atomic_output(target) as temporary:
            write_weights(temporary, weights, EXTENSIONS[to])
        return {
            "model": state.model.lua_path,
            "class": weights.metadata["class"],
            "tensors": [
                {
                    "path": entry.lua_path,
                    "name": renamed.get(name, name),
                    "shape": list(weights[renamed.get(name, name)].shape),
                    "dtype": weights[renamed.get(name, name)].dtype.name,
                    "kind": entry.kind,
                }
                for name, entry in state.entries.items()
            ],
            "parameters": state.parameters,
            "bytes": sum(array.nbytes for array in weights.arrays.values()),
            "aliases": weights.aliases,
            "renamed": renamed,
            "notes": state.notes,
        }

    def _check_overrides(self, state: State) -> None:
        found = [] if self.ignore_overrides else find_overrides(state.model)
        if found:
            raise Problem(
                "the model computes something else than its classes do: "
                + "; ".join(found)
                + ". --ignore-overrides writes the weights all the same"
            )

    def _new_names(self, state: State) -> tuple[dict[str, str], dict[str, tuple[int, ...]]]:
        """Return the new names of tensors and their new shapes, where they have any."""
        if self.map_file:
            return names_in_map(state.all_entries, self.map_file), {}
        return names_like(state.all_entries, state.aliases, self.like) if self.like else ({}, {})


def format_of_name(name: str) -> str:
    """Return the format that a file's extension means; standard output has weights.

    Raises
    ------
    Unusable
        If it means none.
    """
    extension = ".safetensors" if name == "-" else Path(name).suffix.lower()
    for to, known in EXTENSIONS.items():
        if extension == known:
            return to
    names = ", ".join(dict.fromkeys(EXTENSIONS.values()))
    raise Unusable(f"{name}: name a format with --to, or by the extension: {names}")


def print_report(report: dict[str, Any], *, err: bool) -> None:
    """Print what was written, and the new names where tensors were renamed."""
    if report.get("renamed"):
        rows = [(t["path"], t["name"], shape_of(t["shape"])) for t in report["tensors"]]
        print_table([Column("in Lua"), Column("name"), Column("shape")], rows, err=err)
    if "tensors" in report:
        what = (
            f"{len(report['tensors'])} tensors, {report['parameters']:,} parameters, "
            f"{size_text(report['bytes'])}, from {report['model'] or 'the object'} "
            f"({report['class']})"
        )
    else:
        what = report["what"]
    name = "standard output" if report["output"] == "-" else report["output"]
    say(f"{name}: {what}", err=err)
    if "optim" in report:
        say(optim_text(report["optim"]))
    for note in report.get("notes", ()):
        say(f"note: {note}", err=True)


def shape_of(sizes: list[int]) -> str:
    """Return sizes as Torch prints them."""
    return "x".join(map(str, sizes))
