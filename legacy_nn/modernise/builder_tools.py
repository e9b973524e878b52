"""Small parts of values that rules share."""

from __future__ import annotations

from .plan import Expr, Value, leaves


def item(whole: Expr, path: tuple[int, ...], ndim: int | None = None, word: str = "") -> Expr:
    """Return one part of what a call returns."""
    return Expr("item", (whole,), {"path": path}, ndim, word=word)


def holes_in(value: Value) -> bool:
    """Whether a value comes from a module that was refused."""
    return any(isinstance(leaf, Expr) and leaf.op == "hole" for leaf in leaves(value))
