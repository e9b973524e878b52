"""`rekindle exec`: run a Lua program as Torch7's `th` did."""

from __future__ import annotations

import click

from .group import HELP_NAMES, Command


@click.command(
    cls=Command,
    short_help="Run a Lua program as Torch7 did.",
    context_settings=HELP_NAMES
    | {"ignore_unknown_options": True, "allow_interspersed_args": False},
    example="""
    rekindle exec train.lua -data tinyshakespeare -rnn_size 128
    rekindle exec -e "print(torch.randn(2, 3))"
    rekindle exec -i
    """,
)
@click.option("-e", "code", metavar="CODE", multiple=True, help="Run this before the program.")
@click.option("-l", "packages", metavar="NAME", multiple=True, help="Require this package first.")
@click.option("-i", "prompt", is_flag=True, help="Go on with a prompt.")
@click.argument("script", required=False, type=click.Path(allow_dash=True))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    code: tuple[str, ...],
    packages: tuple[str, ...],
    prompt: bool,
    script: str | None,
    arguments: tuple[str, ...],
) -> None:
    """Run the Lua program SCRIPT on Rekindle's Torch library; no Torch7 is needed.

    What follows SCRIPT are its own options. `require` finds Torch's packages, and files beside
    the working directory's and on LUA_PATH. torch and xlua are there from the start, as in th.
    The exit code is what os.exit was given, 1 after an error, whose message and traceback go
    to standard error.

    SCRIPT is a program: it may do whatever you may.
    """
    from .programs import Program

    raise SystemExit(Program(script, arguments, code, packages, prompt).run())
