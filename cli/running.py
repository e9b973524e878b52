"""Running a loaded model: what stops it, its type, its mode, and errors that say where."""

from __future__ import annotations

from typing import Any

import rekindle
from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.nn.optimise import Optimised
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place, state_entries
from rekindle.legacy_nn.unsupported import unsupported

from .group import Problem, with_notes
from .inputs import describe

LISTED = 8
"""Classes that a message names for one reason."""

ADVICE = " (write it as a subclass of rekindle.legacy_nn.Module and rekindle.register it)"
"""What to do about a class that is unknown."""


def check_runs(model: Place) -> None:
    """Check that every module is of a class that can run and carries no method of its own.

    Raises
    ------
    Problem
        If not, naming class, path and reason.
    """
    reasons: dict[str, dict[str, list[str]]] = {}
    for gap in unsupported(model.value):
        reason, _, hint = gap.reason.partition("; write it in Python")
        places = reasons.setdefault(reason + (ADVICE if hint else ""), {})
        places.setdefault(gap.typename, []).append(joined(model.lua_path, gap.path))
    if reasons:
        raise Problem(
            "the model cannot run: "
            + "; ".join(f"{_listed(places)}: {reason}" for reason, places in reasons.items())
        )


def _listed(places: dict[str, list[str]]) -> str:
    """Return classes, each with the first place of its objects."""
    texts = [
        f"{name} at {paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        for name, paths in list(places.items())[:LISTED]
    ]
    more = f" and {len(places) - LISTED} more classes" if len(places) > LISTED else ""
    return ", ".join(texts) + more


def joined(prefix: str, path: str) -> str:
    """Return a Lua path below another."""
    dot = "." if prefix and path and not path.startswith("[") else ""
    return f"{prefix}{dot}{path}" or "the file's object"


def dtype_of_model(model: Place) -> Dtype:
    """Return the type of the model's parameters; without any, the type it was last given."""
    for entry in state_entries(model):
        if entry.kind == "parameter" and is_floating(entry.tensor.dtype):
            return entry.tensor.dtype
    assert isinstance(model.value, Module)
    return model.value.dtype


def run_model(
    model: Place, value: Any, *, train: bool = False, optimised: bool = False, seed: int = 123
) -> Any:
    """Return the output of a model that `check_runs` let pass, for an input of its type.

    Torch's random stream starts from `seed`.

    Raises
    ------
    Problem
        If the model does not take the input, naming the module.
    """
    module: Module = model.value
    given = describe(value)
    try:
        if train:
            module.training()
        else:
            module.evaluate()
        rekindle.torch_seed(seed)
        return Optimised(module)(value) if optimised and not train else module.forward(value)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        raise Problem(f"the model does not take the input, {given}: {with_notes(e)}") from e
