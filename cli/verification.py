"""What `verify` does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.export import UnreadableError, Weights, format_of, read_weights
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place

from .comparing import (
    NARROWED,
    TOLERANCES,
    Comparison,
    compare_outputs,
    compare_states,
    load_into,
)
from .group import Problem, Unusable
from .guess import candidates, draw, draw_shapes, text_of
from .inputs import cast_input, describe, read_input
from .limits import check_size
from .progress import working
from .reading import Checkpoint, find_model, read_checkpoint
from .renaming import names_in_map
from .running import check_runs, dtype_of_model, run_model
from .state import State, find_state
from .tables import Column, print_table
from .talk import say

COUNTER = "num_batches_tracked"
"""A buffer that PyTorch's normalisations have and Torch7's lack; no output depends on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The options of `verify`."""

    input_file: str | None
    input_select: str | None
    random_shapes: tuple[tuple[int, ...], ...]
    seed: int
    select: str | None
    map_file: str | None
    tol: float | None
    tensors_only: bool
    max_bytes: int

    def run(self, file: str, out: str, as_json: bool) -> None:
        """Compare tensors, then outputs; report, and fail where they differ."""
        if self.input_file and self.random_shapes:
            raise click.UsageError("--input and --random exclude each other")
        if file == "-":
            raise click.UsageError("verify reads FILE twice: it cannot be standard input")
        original = read_checkpoint(file, self.select)
        state = find_state(original, gradients=True)
        check_size(state.entries.values(), None, self.max_bytes)
        copy, weights = self._copy(file, out)
        renamed = self._new_names(state, weights)
        tensors = compare_states(state, weights, renamed)
        names = {renamed.get(name, name) for name in (*state.entries, *state.aliases)}
        report: dict[str, Any] = {
            "file": file,
            "out": out,
            "model": state.model.lua_path,
            "tensors": [c.as_json() for c in tensors],
            "only_in_out": [name for name in weights.arrays if name not in names],
        }
        if not as_json:
            print_comparisons(tensors)
        problems = [f"{c.name}: {c.problem}" for c in tensors if c.problem]
        for name in report["only_in_out"]:
            if not name.endswith(COUNTER):
                problems.append(f"{name}: in OUT only")
            elif not as_json:
                say(f"note: {name} is in {out} only", err=True)
        failure: click.ClickException | None = None
        try:
            problems += self._outputs(original, copy, weights, report, as_json)
        except click.ClickException as error:
            failure = error
        report["ok"] = not problems and failure is None
        if as_json:
            click.echo(json.dumps(report, indent=2))
        self._conclude(report, problems, failure, as_json)

    def _copy(self, file: str, out: str) -> tuple[Checkpoint, Weights]:
        """Return the second model, and the tensors of OUT.

        For a file of weights, that is the model in FILE, filled from OUT; else that in OUT.
        """
        try:
            format_of(out)
        except UnreadableError:
            copy = self._model_in(out)
            state = find_state(copy, gradients=True)
            check_size(state.entries.values(), None, self.max_bytes)
            arrays = {name: entry.tensor.numpy() for name, entry in state.entries.items()}
            return copy, Weights(arrays, state.aliases)
        weights = read_weights(out)
        copy = read_checkpoint(file, self.select)
        state = find_state(copy, gradients=True)
        load_into(state, weights, self._new_names(state, weights))
        return copy, weights

    def _model_in(self, out: str) -> Checkpoint:
        """Return the checkpoint OUT: where --select leads, if it does, for it may be that part."""
        try:
            return read_checkpoint(out, self.select)
        except click.BadParameter:
            return read_checkpoint(out, None)

    def _new_names(self, state: State, weights: Weights) -> dict[str, str]:
        """Return the names in OUT for names here, where they are others."""
        if self.map_file:
            return names_in_map(state.all_entries, self.map_file)
        renamed = json.loads(weights.metadata.get("renamed", "{}"))
        return {old: new for new, old in renamed.items()}

    def _outputs(
        self,
        original: Checkpoint,
        copy: Checkpoint,
        weights: Weights,
        report: dict[str, Any],
        as_json: bool,
    ) -> list[str]:
        """Run both models and compare; return what is wrong."""
        model, other = find_model(original), find_model(copy)
        if self.tensors_only or model is None or other is None:
            report["outputs"] = None
            return []
        check_runs(model)
        check_runs(other)
        given, text = self._input(model)
        dtype = dtype_of_model(model)
        for module in (model.value, other.value):  # trying inputs was the start of a sequence
            forget_sequences(module)
        with working("running the model"):
            ours = run_model(model, cast_input(given(), dtype), seed=self.seed)
        with working("running the copy"):
            theirs = run_model(other, cast_input(given(), dtype_of_model(other)), seed=self.seed)
        tolerance = self.tol if self.tol is not None else default_tolerance(dtype, weights)
        outputs = compare_outputs(ours, theirs, tolerance)
        report |= {"input": text, "tolerance": tolerance, "outputs": [c.as_json() for c in outputs]}
        if not as_json:
            say(f"\ninput: {text}")
            print_comparisons(outputs)
        return [f"{c.name}: {c.problem}" for c in outputs if c.problem]

    def _input(self, model: Place) -> tuple[Callable[[], Any], str]:
        """Return a function that gives the input afresh, and what it is.

        Modules may write into their input, so each run gets its own.
        """
        dtype = dtype_of_model(model)
        if self.input_file:
            value = read_input(self.input_file, self.input_select, None)
            return lambda: value, f"{self.input_file}, {describe(value)}"
        if self.random_shapes:
            given = partial(draw_shapes, model.value, self.random_shapes, dtype, self.seed)
            return given, f"random {describe(given())}"
        for candidate in candidates(model.value):
            with working(f"trying an input of {text_of(candidate)}"):
                try:
                    run_model(model, draw(candidate, dtype, self.seed), seed=self.seed)
                except Problem:
                    continue
            text = f"random {text_of(candidate)}, the first shape tried that the model takes"
            return partial(draw, candidate, dtype, self.seed), text
        raise Unusable(
            "the shape of the model's input cannot be told from its first layers: give --input or "
            "--random SHAPE, or --tensors-only to run nothing"
        )

    def _conclude(
        self,
        report: dict[str, Any],
        problems: list[str],
        failure: click.ClickException | None,
        as_json: bool,
    ) -> None:
        """Say the result; raise where it is not that all agree."""
        count = len(report["tensors"])
        if problems:
            for_outputs = "" if failure is None else f"; outputs not compared: {failure.message}"
            more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
            raise Problem(f"not the same: {'; '.join(problems[:3])}{more}{for_outputs}")
        if failure is not None:
            raise type(failure)(
                f"{all_of(count)}, but the outputs were not compared: {failure.message}"
            ) from failure.__cause__
        if as_json:
            return
        outputs = report["outputs"]
        if outputs is None:
            why = "--tensors-only" if self.tensors_only else "there is no module"
            say(f"{all_of(count)}. Nothing was run: {why}.")
        else:
            say(f"{all_of(count)}, and so does the output.")


def forget_sequences(module: Module) -> None:
    """Let the next input be the first of a sequence, in all modules that remember states."""
    module.forget()
    for inner in module.listModules():
        if hasattr(inner, "resetStates"):
            inner.resetStates()


def all_of(count: int) -> str:
    """Say that the tensors agree."""
    return "The one tensor agrees" if count == 1 else f"All {count:,} tensors agree"


def default_tolerance(dtype: Dtype, weights: Weights) -> float:
    """Return the relative difference of outputs that is rounding."""
    types = [a.dtype for a in weights.arrays.values() if is_floating(a.dtype)]
    narrowest = min(types, key=lambda t: t.itemsize, default=dtype)
    if narrowest.itemsize < dtype.itemsize:
        return NARROWED[narrowest]
    return TOLERANCES[dtype]


def print_comparisons(comparisons: list[Comparison]) -> None:
    """Print the largest difference of each."""
    print_table(
        [Column("name"), Column("shape"), Column("largest difference", right=True), Column("")],
        [
            (c.name, c.shape, "" if c.difference is None else f"{c.difference:.3g}", c.problem)
            for c in comparisons
        ],
    )
