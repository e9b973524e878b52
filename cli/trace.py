"""`rekindle trace`: what every module computes for an input."""

from __future__ import annotations

import click

from .group import Command
from .options import (
    bn_var_option,
    build_option,
    file_argument,
    force_option,
    input_options,
    json_option,
    lua_option,
    max_bytes_option,
    select_option,
)


@click.command(
    cls=Command,
    short_help="Write what every module computes for an input.",
    example="""
    rekindle trace model.t7 --input x.npy -o acts.npz
    rekindle trace model.t7 --random 1x3x224x224 --grad -o acts.safetensors
    rekindle trace model.t7 --random 1x3x224x224
    """,
)
@file_argument
@input_options
@click.option("--grad", is_flag=True, help="Go back too, from a gradient of ones.")
@click.option(
    "-o", "--output", "output", metavar="OUT", help="Write the arrays to .npz or .safetensors."
)
@bn_var_option
@click.option("--train", is_flag=True, help="Run in training mode; evaluation is the default.")
@select_option
@lua_option
@build_option
@force_option
@max_bytes_option
@json_option
def command(file: str, as_json: bool, **options: object) -> None:
    """Write what every module of the model in FILE computes for an input.

    \b
    input                   the input; input[1], input[2] of a table
    output, output/0.1      what the model, and its module 0.1, returned
    output/0.1@2            what it returned when it was called again
    gradInput/0.1           with --grad: the gradient of its input, after its last call
    gradient/0.1.weight     with --grad: the gradient of a parameter

    Names count from 0 and are those of converted files; elements of tables have [1], [2] after
    them. The metadata entry "modules" lists the calls in order, with paths as in Lua and classes.
    Arrays are copied as they come, so that modules that work in place spoil nothing.

    Load OUT where the model was written anew, and compare from the first module on; where
    both are in one program, rekindle.compare does that.
    """  # noqa: D301  # \b keeps click from filling the lines
    from .tracing import Tracing

    Tracing(**options).run(file, as_json)  # type: ignore[arg-type]  # click checked them
