"""Running a loaded model: what stops it, its type, its mode, and errors that say where."""

from __future__ import annotations

from typing import Any

import rekindle
from rekindle.core.checkpoint import TorchObject
from rekindle.core.dtypes import Dtype, is_floating
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place, state_entries, walk
from rekindle.legacy_nn.unknown_classes import looks_like_module, typename

from .group import Problem, with_notes
from .inputs import describe
from .overrides import find_overrides

LISTED = 8
"""Classes or modules that a message names."""


def check_runs(model: Place) -> None:
    """Check that all modules are of known classes and carry no methods of their own.

    Raises
    ------
    Problem
        If not, naming class and path.
    """
    unknown: dict[str, list[str]] = {}
    for place in walk(model):
        if isinstance(place.value, TorchObject) and looks_like_module(place.value):
            unknown.setdefault(str(typename(place.value)), []).append(place.lua_path or "itself")
    if unknown:
        raise Problem(
            "the model has modules of classes that Rekindle cannot run: "
            + "; ".join(f"{name} at {_listed(paths)}" for name, paths in unknown.items())
            + ". Write them in Python and rekindle.register them"
        )
    overrides = find_overrides(model)
    if overrides:
        raise Problem(
            "the model carries Lua methods, which Rekindle never executes: " + _listed(overrides)
        )


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
    return ", ".join(texts[:LISTED]) + more


def dtype_of_model(model: Place) -> Dtype:
    """Return the type of the model's parameters; without any, the type it was last given."""
    for entry in state_entries(model):
        if entry.kind == "parameter" and is_floating(entry.tensor.dtype):
            return entry.tensor.dtype
    assert isinstance(model.value, Module)
    return model.value.dtype


def run_model(model: Place, value: Any, *, train: bool = False, seed: int = 123) -> Any:
    """Return the output of a model that `check_runs` let pass, for an input of its type.

    Torch's random stream starts from `seed`.

    Raises
    ------
    Problem
        If the model does not take the input, naming the module.
    """
    module: Module = model.value
    if train:
        module.training()
    else:
        module.evaluate()
    rekindle.torch_seed(seed)
    given = describe(value)
    try:
        return module.forward(value)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        raise Problem(f"the model does not take the input, {given}: {with_notes(e)}") from e
