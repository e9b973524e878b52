"""`rekindle convert`: the weights of a checkpoint in a modern file."""

from __future__ import annotations

import click

from .convert_optim import optim_options
from .group import Command
from .options import (
    bn_var_option,
    build_option,
    force_option,
    json_option,
    lua_option,
    max_bytes_option,
    select_option,
)

EXTENSIONS = {
    "safetensors": ".safetensors",
    "npz": ".npz",
    "pt": ".pt",
    "pth": ".pth",
    "t7": ".t7",
    "t7-ascii": ".t7",
    "json": ".json",
    "py": ".py",
    "onnx": ".onnx",
}
"""Formats, and the extension of their files."""


@click.command(
    cls=Command,
    short_help="Write the weights, or the model as source, as ONNX or as .t7.",
    example="""
    rekindle convert model.t7 -o model.safetensors
    rekindle convert checkpoint.t7 --select protos.rnn --dtype float32 -o rnn.npz
    rekindle convert model.t7 --like resnet18.pth -o resnet18.safetensors
    rekindle convert checkpoint.t7 --select opt -o opt.json
    rekindle convert model_90.t7 --optim optimState_90.t7 -o model.safetensors
    rekindle convert *.t7 -o converted/
    rekindle convert model.t7 -o model.py --target torch
    rekindle convert model.t7 -o model.onnx
    """,
)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="OUT",
    help="File to write, or - for standard output; a folder for several FILEs.",
)
@select_option
@lua_option
@build_option
@click.option(
    "--to",
    "to",
    type=click.Choice(list(EXTENSIONS)),
    help="Format; by default that of OUT's extension, for a folder or - safetensors.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32", "float64"]),
    help="Convert floating tensors to this type.",
)
@bn_var_option
@click.option("--grads", is_flag=True, help="Write the gradients as well.")
@click.option(
    "--like",
    metavar="OTHER",
    type=click.Path(exists=True, dir_okay=False),
    help="Give the tensors the names in OTHER (.safetensors, .npz, .pt or .pth), found by order "
    "and shape; refuse where that is ambiguous.",
)
@click.option(
    "--map",
    "map_file",
    metavar="JSON",
    type=click.Path(exists=True, dir_okay=False),
    help='Rename tensors by a file like {"0.weight": "conv1.weight"}.',
)
@click.option(
    "--ignore-overrides",
    is_flag=True,
    help="Write the weights of a model that carries Lua methods of its own, and so computes "
    "something else than its classes.",
)
@optim_options
@click.option(
    "--target",
    type=click.Choice(["rekindle", "torch"]),
    default="rekindle",
    show_default=True,
    help="What .py is written for.",
)
@click.option(
    "--input",
    "input_file",
    metavar="INPUT",
    type=click.Path(exists=True, dir_okay=False),
    help="An example input (.npy, .npz, .t7), for .py and .onnx, where the model alone does not "
    "say how many tensors or dimensions there are.",
)
@click.option(
    "--zero-based",
    is_flag=True,
    help="For .py and .onnx: rows of lookup tables that come in count from 0, not from 1.",
)
@max_bytes_option
@force_option
@json_option
def command(files: tuple[str, ...], as_json: bool, **options: object) -> None:
    """Write a checkpoint as a modern file: its weights, or its model.

    \b
    .safetensors, .npz   parameters and buffers by name
    .pt, .pth            the same as a state_dict (PyTorch must be installed)
    .t7                  all of FILE, as Torch7 itself reads it; --to t7-ascii for text
    .json                a table without tensors: options, vocabularies
    .py                  the model as source, for Rekindle or PyTorch; the weights beside it
                         as .safetensors (docs/modernise.md)
    .onnx                the model as ONNX (the package onnx must be installed)

    Names count from 0 and are those that the modernised model has: 3.weight, 0.1.running_mean.
    Tied weights are written once; the metadata says which further names they have, and where
    the file comes from. Classes that Rekindle does not know never stop a conversion.

    The only module of FILE is found by itself; where there are several, choose with --select.
    Nothing is written where something is there already, unless --force is given.
    """  # noqa: D301  # \b keeps click from filling the lines
    from .conversion import Conversion

    Conversion(**options).run(files, as_json)  # type: ignore[arg-type]  # click checked them
