"""`rekindle verify`: whether a converted file computes what its checkpoint does."""

from __future__ import annotations

import click

from .group import Command
from .options import (
    bn_var_option,
    build_option,
    file_argument,
    input_options,
    json_option,
    lua_option,
    max_bytes_option,
    select_option,
)


@click.command(
    cls=Command,
    short_help="Check that a converted file computes the same.",
    example="""
    rekindle verify model.t7 model.safetensors
    rekindle verify model.t7 model.safetensors --random 1x3x224x224
    rekindle verify checkpoint.t7 rnn.npz --select protos.rnn --tensors-only
    """,
)
@file_argument
@click.argument("out", metavar="OUT", type=click.Path(exists=True, dir_okay=False))
@input_options
@select_option
@lua_option
@build_option
@click.option(
    "--map",
    "map_file",
    metavar="JSON",
    type=click.Path(exists=True, dir_okay=False),
    help="The file that convert --map was given, where OUT does not tell (.pt, .pth).",
)
@click.option(
    "--tol",
    type=click.FloatRange(0),
    metavar="X",
    help="Largest difference of outputs, relative to the largest output; by default 1e-10 for "
    "float64, 1e-5 for float32; 1e-4 and 2e-2 where OUT was converted to float32 and float16.",
)
@click.option("--tensors-only", is_flag=True, help="Compare tensors and run nothing.")
@bn_var_option
@max_bytes_option
@json_option
def command(file: str, out: str, as_json: bool, **options: object) -> None:
    """Check that OUT, which convert made of FILE, computes the same.

    OUT is a file of weights or a .t7 file. A second copy of the model in FILE has all its
    parameters and buffers filled with nan, then loaded from OUT, so that nothing that OUT
    lacks can go unnoticed. Every tensor is compared: its values must be those in FILE,
    rounded to OUT's type where that is another one. Then both copies run, in evaluation
    mode, on --input, or on --random numbers, or on random numbers of a shape that the first
    layers tell; the outputs must agree within --tol.

    \b
    0  every tensor agrees, and so do the outputs (unless --tensors-only)
    1  a tensor is missing or differs, or outputs differ, or the model cannot run
    2  the shape of the input cannot be told: give --input or --random; unreadable files
    """  # noqa: D301  # \b keeps click from filling the lines
    from .verification import Verification

    Verification(**options).run(file, out, as_json)  # type: ignore[arg-type]  # click checked them
