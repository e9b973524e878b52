"""What a person would call values that have a part to play: gates, cells, states, skips."""

from __future__ import annotations

from typing import Any

from ..modernise.plan import Expr, Layer, Value, in_order, leaves
from .members import Composite
from .simplify import uses_of

SKIPS = 3
"""How many values have to be joined to later ones before they are called skips."""


def name_values(composite: Composite) -> None:
    """Give values of a composite words: those of recurrent steps, and skips of a U-Net."""
    exprs = in_order(composite.output)
    for expr in exprs:
        _name_mixture(composite, expr)
    for expr in exprs:
        _name_step(composite, expr)
    counts = uses_of(composite.output)
    joined = {id(a): a for e in exprs if e.op == "cat" for a in e.args if isinstance(a, Expr)}
    skips = [e for e in joined.values() if e.op == "call" and counts[id(e)] > 1]
    if len(skips) >= SKIPS:
        for skip in skips:
            skip.word = skip.word or "skip"


def _kind(composite: Composite, value: Any) -> str:
    """Return the function of which a value is the result: "Sigmoid", or the operation's name."""
    if not isinstance(value, Expr):
        return ""
    if value.op != "call":
        return value.op
    member = composite.members[value.attrs["child"]]
    return member.kind if isinstance(member, Layer) else ""


def _factors(composite: Composite, value: Any, first: str) -> Any:
    """Return the other factor of a product with what a function gives, or None."""
    if not isinstance(value, Expr) or value.op != "mul":
        return None
    a, b = value.args
    if _kind(composite, a) == first:
        return b
    return a if _kind(composite, b) == first else None


def _name_mixture(composite: Composite, expr: Expr) -> None:
    """Name the state of a GRU, a mixture of the one before and of a new one, and of an RNN."""
    first = next(leaves(composite.input), None)
    parts = expr.args if expr.op == "add" else ()
    factors = [f for p in parts if isinstance(p, Expr) and p.op == "mul" for f in p.args]
    before = [f for f in factors if isinstance(f, Expr) and f.op == "input" and f is not first]
    if len(before) == 1 and any(_kind(composite, factor) == "Tanh" for factor in factors):
        expr.word = before[0].word = "h"
    if _kind(composite, expr) == "Tanh" and _name_state(composite, expr.args[0]):
        expr.word = "h"


def _name_step(composite: Composite, expr: Expr) -> None:
    """Name the cell and the state of an LSTM: f * c + i * g, and o * tanh of it."""
    shown = _factors(composite, expr, "Sigmoid")
    if _kind(composite, shown) != "Tanh":
        return
    cell = shown.args[0]
    if not isinstance(cell, Expr) or cell.op != "add":
        return
    kept = [_factors(composite, part, "Sigmoid") for part in cell.args]
    tanhs = [part for part in kept if _kind(composite, part) == "Tanh"]
    before = [part for part in kept if isinstance(part, Expr) and not any(part is t for t in tanhs)]
    if len(tanhs) != 1 or len(before) != 1:
        return
    cell.word, expr.word = "c", "h"
    if before[0].op == "input":
        before[0].word = "c"
    source = tanhs[0].args[0]
    if isinstance(source, Expr) and source.op in ("select", "narrow"):
        gates = source.args[0]
        gates.word = "gates"
        _name_state(composite, gates)


def _name_state(composite: Composite, gates: Value) -> bool:
    """Name the input that a linear map adds to a sum, which is not the model's first."""
    first = next(leaves(composite.input), None)
    found = False
    total = gates.args[0] if isinstance(gates, Expr) and gates.op == "reshape" else gates
    for part in total.args if isinstance(total, Expr) and total.op == "add" else ():
        source = part.args[0] if _kind(composite, part) == "Linear" else None
        if isinstance(source, Expr) and source.op == "input" and source is not first:
            source.word, found = "h", True
    return found
