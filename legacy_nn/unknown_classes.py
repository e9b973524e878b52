"""What the fields of an object must be whose class nobody registered, by their names alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.registry import identity_of

from .criterion import Criterion
from .module import Module
from .paths import entries

Kind = Literal["parameter", "buffer", "gradient"]

SCRATCH = frozenset(
    {"output", "gradInput", "finput", "fgradInput", "noise", "indices", "columns", "ones"}
    | {"buffer", "buffer1", "buffer2", "addBuffer", "gradBuffer", "save_mean", "save_std"}
)
"""Fields of tensors that a module fills while it computes, whatever its class."""

SCRATCH_GRADIENTS = frozenset({"gradInput", "gradOutput", "gradBuffer"})
"""Fields called like a gradient of parameters that are none."""

MODULE_FIELDS = ("modules", "gradInput", "output")
"""Fields that tell an object of an unknown class to be a module."""

MODULE_PACKAGES = ("nn", "cudnn")
"""Packages whose classes are modules, or criterions; nn.X.Y is a helper of nn.X."""

USUAL_ORDER = ("weight", "bias", "running_mean", "running_var")
"""The order of a state_dict, for classes that do not say; other fields follow as they come."""


def typename(value: Any) -> str | None:
    """Return the Torch7 class of an object; None for tables, tensors and plain values."""
    identity = None if isinstance(value, Table) else identity_of(value)
    return identity[0] if identity else None


def guessed_kinds(names: Iterable[Any]) -> dict[Any, Kind | None]:
    """Return what fields of tensors must be, by their names alone; None for scratch.

    A field with its gradient beside it (`scale`, `gradScale`) is a parameter, and so are
    `weight` and `bias` without.
    """
    present = list(names)
    known = set(present)
    gradients = {gradient_name(name) for name in present} | {"gradWeight", "gradBias"}
    kinds: dict[Any, Kind | None] = {}
    for name in present:
        if name in ("weight", "bias"):
            kinds[name] = "parameter"
        elif is_scratch(name) and name not in gradients:
            kinds[name] = None
        elif name in gradients:
            kinds[name] = "gradient" if name not in SCRATCH_GRADIENTS else None
        elif gradient_name(name) in known and name != "input":
            kinds[name] = "parameter"
        else:
            kinds[name] = "buffer"
    return kinds


def gradient_name(name: Any) -> str:
    """Return the field that holds a parameter's gradient: gradWeight for weight."""
    return f"grad{name[:1].upper()}{name[1:]}" if isinstance(name, str) else ""


def is_scratch(name: Any) -> bool:
    """Whether a module fills this field while it computes."""
    return isinstance(name, str) and (name in SCRATCH or name.startswith("_"))


def looks_like_module(value: Any) -> bool:
    """Whether a loaded object is a module, of a known class or not; criterions are none."""
    name = typename(value)
    if name is None or name.endswith("Criterion") or isinstance(value, Criterion):
        return False
    if isinstance(value, Module):
        return True
    package, _, rest = name.partition(".")
    if package in MODULE_PACKAGES and "." not in rest:
        return True
    return any(key in MODULE_FIELDS for key, _ in entries(value))
