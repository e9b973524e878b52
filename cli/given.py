"""A model and the input it is given, as `run` and `trace` take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from rekindle.legacy_nn.naming import Place, state_entries

from .guess import draw_shapes
from .images import Preprocessing
from .inputs import cast_input, read_input
from .limits import check_size
from .reading import read_checkpoint, require_model
from .running import check_runs, dtype_of_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options that say which model, and which input."""

    input_file: str | None
    input_select: str | None
    random_shapes: tuple[tuple[int, ...], ...]
    seed: int
    select: str | None
    max_bytes: int

    def check_sources(self, file: str) -> None:
        """Check that there is one input, and that it does not compete with the model.

        Raises
        ------
        click.UsageError
            If there is no input, are two, or both come from standard input.
        """
        if bool(self.input_file) == bool(self.random_shapes):
            raise click.UsageError("give either --input or --random SHAPE")
        if file == "-" == self.input_file:
            raise click.UsageError("FILE and --input cannot both be standard input")

    def read(self, file: str, preprocessing: Preprocessing | None = None) -> tuple[Place, Any]:
        """Return the model in a file, which can run, and its input in the model's type."""
        model = require_model(read_checkpoint(file, self.select))
        check_runs(model)
        check_size(list(state_entries(model)), None, self.max_bytes)
        dtype = dtype_of_model(model)
        if self.input_file:
            value = read_input(self.input_file, self.input_select, preprocessing)
        else:
            value = draw_shapes(model.value, self.random_shapes, dtype, self.seed)
        return model, cast_input(value, dtype)
