"""`rekindle inspect`: what a checkpoint holds."""

from __future__ import annotations

import click

from .group import Command
from .options import (
    build_option,
    force_option,
    json_option,
    lua_option,
    select_option,
    tensor_shape,
)


@click.command(
    cls=Command,
    short_help="Show what a checkpoint holds.",
    example="""
    rekindle inspect model.t7
    rekindle inspect model.t7 --select protos.rnn --all
    rekindle inspect model.t7 --json | jq .models[0].parameters
    rekindle inspect model.t7 --graph model.svg
    """,
)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@select_option
@lua_option
@build_option
@click.option(
    "--depth", metavar="N", type=click.IntRange(0), help="Levels of modules and tables to show."
)
@click.option(
    "--graph",
    "graph",
    metavar="OUT",
    help="Draw the model to a .dot file, or a .svg file where Graphviz is installed. Its shapes "
    "are those of an input that the first layers tell.",
)
@click.option(
    "--graph-input",
    "graph_shapes",
    metavar="SHAPE",
    type=tensor_shape,
    multiple=True,
    help="Draw the shapes that an input of this size leads to: 1x3x224x224. Several times for a "
    "table of inputs.",
)
@force_option
@click.option("--all", "everything", is_flag=True, help="Leave nothing out.")
@json_option
def command(
    files: tuple[str, ...],
    select: str | None,
    depth: int | None,
    everything: bool,
    as_json: bool,
    graph: str | None,
    graph_shapes: tuple[tuple[int, ...], ...],
    force: bool,
) -> None:
    """Show what a checkpoint holds.

    For each model its modules with class and geometry, the shapes of parameters and
    buffers, counts and bytes; then the other entries of the file (options, vocabularies),
    and what to know before using it: tied parameters, shared buffers, unknown classes,
    functions.

    Each module has two names: its path in Lua, which --select takes and which counts from 1,
    and its name in converted files and in PyTorch's style, which counts from 0. FILE may be
    - for standard input. No value of a tensor is read, so large files open at once.
    """
    if graph_shapes and not graph:
        raise click.UsageError("--graph-input is for --graph")
    if graph:
        from .drawing import draw_graph

        if len(files) != 1:
            raise click.UsageError("--graph draws the model of one FILE")
        draw_graph(files[0], select, graph, graph_shapes, force)
        return
    from .inspection import Inspection
    from .inspection_json import as_json as report_of
    from .reading import read_checkpoint

    reports = []
    for i, file in enumerate(files):
        inspection = Inspection(read_checkpoint(file, select), depth, everything)
        if as_json:
            reports.append(report_of(inspection))
            continue
        if i:
            click.echo()
        inspection.print()
    if as_json:
        import json

        click.echo(json.dumps(reports[0] if len(files) == 1 else reports, indent=2))
