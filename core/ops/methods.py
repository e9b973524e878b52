"""Filling Tensor's method table."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


def install_method(name: str, function: Any) -> None:
    """Make `function` (or a property) the entry `name` of Tensor's method table."""
    setattr(Tensor, name, function)
