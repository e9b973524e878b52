"""`rekindle run`: what a model computes."""

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

OUTPUTS = {
    "npy": ".npy",
    "npz": ".npz",
    "t7": ".t7",
    "png": ".png",
    "jpg": ".jpg",
}
"""Formats of outputs, and the extension of their files."""


@click.command(
    cls=Command,
    short_help="Run the model on an input.",
    example="""
    rekindle run resnet-18.t7 --input cat.jpg --preprocess imagenet --topk 5
    rekindle run model.t7 --input x.npy -o y.npy
    rekindle run netG.t7 --random 16x100x1x1 --seed 1 -o faces.png
    """,
)
@file_argument
@input_options
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="For images: imagenet, caffe, minus1to1, 0to1 (the default), or a .json or .t7 file with "
    "mean, std, scale, bgr. Undone where the output is an image.",
)
@click.option(
    "-o",
    "--output",
    "output",
    metavar="OUT",
    help="Write the output to a .npy, .npz, .t7 or .png file, or - for standard output.",
)
@click.option(
    "--to",
    "to",
    type=click.Choice(list(OUTPUTS)),
    help="Format; by default that of OUT's name, for - npy, or npz for a table.",
)
@click.option("--topk", metavar="K", type=click.IntRange(1), help="Print the K largest classes.")
@bn_var_option
@click.option("--train", is_flag=True, help="Run in training mode; evaluation is the default.")
@select_option
@lua_option
@build_option
@force_option
@max_bytes_option
@json_option
def command(file: str, as_json: bool, **options: object) -> None:
    """Run the model in FILE on an input, and print or write the output.

    The input is an array (.npy), a table of arrays (.npz, where 1, 2, ... are positions and
    2.1 stands in a table inside, or .t7), an image, or drawn from a normal distribution. Its
    numbers are converted to the model's type. Images become 1 x planes x height x width.

    Classes in the output count from 1, as in Torch7. --seed sets Torch's random stream too,
    so that --train draws as Torch7 did.

    Modules of unknown classes, and Lua methods stored in the file, stop the command with the
    names of both. Nothing in FILE is ever executed.
    """
    from .execution import Run

    Run(**options).run(file, as_json)  # type: ignore[arg-type]  # click checked them
