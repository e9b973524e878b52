"""`rekindle transpile`: Lua programs to Python."""

from __future__ import annotations

import click

from .group import Command
from .options import force_option


@click.command(
    cls=Command,
    short_help="Translate Lua programs to Python.",
    example="""
    rekindle transpile train.lua -o python/
    rekindle transpile char-rnn/ -o char_rnn/ --report report.html
    rekindle transpile train.lua -o python/ --style modern
    rekindle transpile models/ -o models_py/ --strict --report report.json
    """,
)
@click.argument("sources", metavar="SRC...", nargs=-1, required=True, type=click.Path(exists=True))
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Folder to write the Python files to.",
)
@click.option(
    "--report",
    "report",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a report: .html with Lua and Python side by side, .md or .json.",
)
@click.option(
    "--style",
    type=click.Choice(["faithful", "modern"]),
    default="faithful",
    show_default=True,
    help="Keep Torch's models and training, or rewrite them for rekindle.nn and rekindle.optim.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if any place could not be translated.")
@force_option
def command(
    sources: tuple[str, ...],
    output: str,
    report: str | None,
    style: str,
    strict: bool,
    force: bool,
) -> None:
    """Translate Lua files, or all below a folder, to Python that runs on Rekindle.

    All SRC are one program: `require` between its files becomes an import, and globals that
    several files use are shared. Where the type of a value is known the result is plain Python;
    elsewhere functions of rekindle.transpiler.runtime keep Lua's meaning. What cannot be
    translated is reported, and marked TODO(rekindle RK...) in the output, which always
    compiles.

    In modern style models become modules of rekindle.nn, and training loops use rekindle.optim;
    what does not fit stays as in faithful style, and the report says why.

    Called again, it writes only files whose translation has changed, and stops before it would
    overwrite one that was edited by hand, unless --force is given.
    """
    from .translation import run

    run(sources, output, report, style=style, strict=strict, force=force)
