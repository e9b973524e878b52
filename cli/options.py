"""Arguments and options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)

select_option = click.option(
    "--select",
    metavar="PATH",
    help="Take this part of FILE, a path as Lua writes it: protos.rnn, model.modules[3].",
)


def _run_lua(ctx: click.Context, _: click.Parameter, files: tuple[str, ...]) -> None:
    """Run Lua files, which define classes; their runtime lives as long as the command."""
    if not files:
        return
    from rekindle.legacy_nn.bridge import LuaError, Runtime

    from .group import Unusable

    runtime = ctx.meta["rekindle.lua"] = Runtime()
    try:
        for package in ("torch", "nn", "nngraph"):
            runtime.require(package)
        for file in files:
            runtime.load_file(file)
    except LuaError as error:
        raise Unusable(f"--lua: {error}") from error


lua_option = click.option(
    "--lua",
    metavar="LUA",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    expose_value=False,
    callback=_run_lua,
    help="Run this Lua program first: it defines classes that FILE has objects of.",
)


def _keep_build(context: click.Context, _: click.Parameter, expression: str | None) -> None:
    if expression is not None:
        context.meta["rekindle.build"] = expression


build_option = click.option(
    "--build",
    metavar="CODE",
    expose_value=False,
    callback=_keep_build,
    help="FILE holds bare parameters: put them into the model that this Lua expression makes, "
    "require('model')(opt) for example.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

force_option = click.option("--force", is_flag=True, help="Replace files that are there already.")


def _read_as(context: click.Context, _: click.Parameter, meaning: str | None) -> None:
    if meaning is not None:
        from rekindle.legacy_nn.cudnn import running_var_as

        context.with_resource(running_var_as(meaning))


bn_var_option = click.option(
    "--bn-var",
    type=click.Choice(["variance", "inverse-std"]),
    callback=_read_as,
    expose_value=False,
    help="What running_var is in cudnn's batch norms of early 2016, which do not tell: those "
    "of cuDNN 4 hold 1 / sqrt(variance + eps).",
)

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def byte_count(text: str) -> int:
    """Return the number that 1000000, 500M or 2GiB means."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", text, re.IGNORECASE)
    factor = match and (_UNITS | _BINARY).get(match[2].lower())
    if not match or not factor:
        raise click.BadParameter(f"{text!r} is no number of bytes, such as 500M or 2GiB")
    return int(float(match[1]) * factor)


def tensor_shape(text: str) -> tuple[int, ...]:
    """Return the sizes that 1x3x224x224 or 1,3,224,224 means."""
    parts = re.split(r"[x,*]", text.strip().lower())
    if not all(part.strip().isdigit() for part in parts):
        raise click.BadParameter(f"{text!r} is no shape, such as 1x3x224x224")
    return tuple(int(part) for part in parts)


max_bytes_option = click.option(
    "--max-bytes",
    type=byte_count,
    metavar="BYTES",
    default="256MiB",
    show_default=True,
    help="Let tensors that repeat or share their elements take at most this much more than the "
    "storages in FILE hold.",
)

_INPUT_OPTIONS = (
    click.option(
        "--input",
        "input_file",
        metavar="IN",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        help="The input: .npy, .npz, .t7, an image, or - for standard input.",
    ),
    click.option(
        "--input-select",
        metavar="PATH",
        help="Take this part of a .t7 file as the input.",
    ),
    click.option(
        "--random",
        "random_shapes",
        metavar="SHAPE",
        type=tensor_shape,
        multiple=True,
        help="Draw the input: 1x3x224x224. Several times for a table of inputs.",
    ),
    click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(0, 2**32 - 1),
        default=123,
        show_default=True,
        help="Seed of the drawn input and of Torch's random stream.",
    ),
)


def input_options(command: Command) -> Command:
    """Add the options that say what a model runs on."""
    for option in reversed(_INPUT_OPTIONS):
        command = option(command)
    return command
