"""`rekindle convert --optim`: the state of an optimiser, beside the converted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .group import Problem, Unusable

if TYPE_CHECKING:
    from rekindle.core.tensor import Tensor
    from rekindle.legacy_nn.naming import Place

    from .conversion import Conversion

Command = TypeVar("Command", bound=Callable[..., Any])

LEVELS = 3
"""How deep in a file the state is looked for."""

_OPTIONS = (
    click.option(
        "--optim",
        metavar="OPTIM",
        type=click.Path(exists=True, dir_okay=False),
        help="Write the optimiser's state in this .t7 file, which may be FILE itself, beside OUT: "
        "model.safetensors gets model.optim.safetensors, which rekindle.load_training reads.",
    ),
    click.option(
        "--optim-select",
        metavar="PATH",
        help="Take this table of OPTIM; the only one that looks like a state is found by itself.",
    ),
)


def optim_options(command: Command) -> Command:
    """Add the options that name the state of an optimiser."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_optim(options: Conversion, files: tuple[str, ...]) -> None:
    """Check, before any work, that the options fit each other and the file may be written."""
    if options.optim_select and not options.optim:
        raise click.UsageError("--optim-select is for --optim")
    if not options.optim:
        return
    if len(files) != 1 or "-" in (files[0], options.output):
        raise click.UsageError("--optim goes with one FILE and one OUT, not standard input")
    if not Path(options.output).is_dir() and not options.output.endswith("/"):
        from .output import check_output

        check_output(target_beside(options.output), force=options.force)


def write_optim(options: Conversion, file: str, output: str) -> dict[str, Any]:
    """Write the state of an optimiser of torch/optim as that of core's.

    Raises
    ------
    Problem
        If core has no such optimiser, or the state is of another model.
    Unusable
        If OPTIM holds no state, or several.
    """
    from rekindle.core.checkpoint.training import write_states
    from rekindle.legacy_nn.resume import ResumeError, resume

    from .output import check_output
    from .reading import read_checkpoint, require_model

    assert options.optim is not None
    model = require_model(read_checkpoint(file, options.select))
    path, state = _state_in(options.optim, options.optim_select)
    try:
        optimizer = resume(model.value, state)
    except ResumeError as error:
        where = f"{options.optim}: {path}" if path else options.optim
        raise Problem(f"{where}: {error}") from error
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    states = {
        "optimizer": optimizer.state_dict(),
        "class": type(optimizer).__name__,
        "names": _names(model, parameters),
    }
    target = target_beside(output)
    check_output(target, force=options.force)
    write_states(target, states, ["optimizer"])
    group = {n: v for n, v in optimizer.param_groups[0].items() if n != "params"}
    steps = [s["step"] for s in optimizer.state.values() if "step" in s]
    return {
        "file": options.optim,
        "path": path,
        "output": target,
        "class": type(optimizer).__name__,
        "parameters": len(parameters),
        "options": group,
        "steps": max(steps, default=None),
    }


def optim_text(report: dict[str, Any]) -> str:
    """Return one line about the file that was written."""
    steps = "" if report["steps"] is None else f" after {report['steps']:,} steps"
    place = f" at {report['path']}" if report["path"] else ""
    return f"{report['output']}: {report['class']}{steps}, from {report['file']}{place}"


def target_beside(output: str) -> str:
    """Return the name of the file for the state: beside that for the weights."""
    path = Path(output)
    suffix = ".npz" if path.suffix == ".npz" else ".safetensors"
    return str(path.with_name(f"{path.stem}.optim{suffix}"))


def _names(model: Place, parameters: list[Tensor]) -> list[str]:
    """Return the parameters' names in converted files, in the order of their numbers."""
    from rekindle.legacy_nn.naming import root_place, state_entries

    names = {id(e.tensor): e.name for e in state_entries(root_place(model.value))}
    return [names.get(id(p), "") for p in parameters]


def _state_in(file: str, select: str | None) -> tuple[str, Any]:
    """Return the path and the table of the state in a file."""
    from rekindle.core.checkpoint import Table

    from .reading import read_checkpoint

    checkpoint = read_checkpoint(file, select)
    if select:
        return select, checkpoint.value
    if not isinstance(checkpoint.value, Table):
        raise Unusable(f"{file} holds no table, and so no state of an optimiser")
    found = list(_candidates(checkpoint.value))
    if len(found) == 1:
        return found[0]
    if not found:
        raise Unusable(f"{file}: no table in it looks like a state; name it with --optim-select")
    lines = "\n".join(f"  --optim-select '{path}'" for path, _ in found)
    raise Unusable(f"{file} holds {len(found)} tables that look like a state; choose one:\n{lines}")


def _candidates(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tables that look like a state, with their paths; none inside another."""
    from rekindle.core.checkpoint import Table
    from rekindle.legacy_nn.paths import format_path

    pending: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    for keys, table in pending:
        if _looks_like_state(table):
            yield format_path(keys), table
        elif len(keys) < LEVELS:
            pending += [((*keys, k), v) for k, v in table.items() if type(v) is Table]


def _looks_like_state(table: Any) -> bool:
    """Whether a table has what only torch/optim writes, or the options of a step never taken."""
    from rekindle.core.tensor import Tensor

    flat = ("dfdx", "m", "paramVariance")
    return (
        any(isinstance(table.get(name), Tensor) for name in flat)
        or "evalCounter" in table
        or "learningRate" in table
    )
