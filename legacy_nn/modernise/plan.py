"""A plan: what a model computes, as layers, blocks and expressions.

Rules (one per legacy class) make a plan of a legacy model. From it the same model is built
as modules of core.nn, written as source text for Rekindle or PyTorch, and written as ONNX.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rekindle.core.tensor import Tensor

Value = Any
"""What flows: an Expr, a number, or a tuple of values where Lua has a table."""

BATCH = "batch"
"""In the shape of a `reshape`: the size of the first dimension of what is reshaped."""


@dataclass(eq=False, slots=True)
class Expr:
    """A value that is computed.

    Attributes
    ----------
    op : str
        "input", "parameter", "call", "scan", "item", or the name of an operation of
        expressions.py.
    args : tuple
        The values that it is computed from.
    attrs : dict
        Numbers and names: `child` of a call or a scan, `path` of an item, `name` of a parameter.
    ndim : int or None
        Number of dimensions, where it is known.
    shape : tuple of int, optional
        That of the example, where there is one.
    steps : bool
        Whether Lua has a table here, whose elements are the slices along the first dimension.
    word : str
        What a person would call the value; it is worth a statement of its own.
    """

    op: str
    args: tuple[Value, ...] = ()
    attrs: dict[str, Any] = field(default_factory=dict)
    ndim: int | None = None
    shape: tuple[int, ...] | None = None
    steps: bool = False
    word: str = ""


CALLS = ("call", "scan")
"""Operations that run a child of a block.

A scan has a sequence and states as its arguments: for each slice along the first dimension its
child makes new states of that slice and the states. Its value is a tuple: the first state after
each step, and the states after the last one. `with_start` counts the states that it starts from
as those after the first slice.
"""


@dataclass(eq=False, slots=True)
class Layer:
    """A layer that core.nn and torch.nn both have, by the same name and arguments.

    Attributes
    ----------
    kind : str
        The class: "Conv2d".
    arguments : dict
        Of its constructor, without those that are at their defaults.
    state : dict of str to Tensor
        Parameters and buffers, on the memory of the legacy module where they lie there so.
    frozen : tuple of str
        Parameters that are not trained.
    """

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Tensor] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Block:
    """A function of one value with layers and blocks inside: what a legacy container becomes.

    Attributes
    ----------
    typename : str
        The legacy class.
    input, output : Value
        `input` has only inputs in it.
    children : dict of str to Layer or Block
        What calls call. The names are those that `rekindle convert` gives: "0", "1", ...
    parameters, buffers : dict of str to Tensor
        State of the block itself.
    hints : dict of str to str
        What the model's makers called a child.
    """

    typename: str
    input: Value
    output: Value = None
    children: dict[str, Layer | Block] = field(default_factory=dict)
    parameters: dict[str, Tensor] = field(default_factory=dict)
    buffers: dict[str, Tensor] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)


def map_value(function: Callable[[Any], Any], value: Value) -> Value:
    """Return a value of the same structure with `function` of each leaf."""
    if isinstance(value, tuple):
        return tuple(map_value(function, part) for part in value)
    return function(value)


def leaves(value: Value) -> Iterator[Any]:
    """Yield the leaves of a value, in order."""
    if isinstance(value, tuple):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def paths(value: Value, prefix: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the leaves of a value and where they are in it."""
    if isinstance(value, tuple):
        for i, part in enumerate(value):
            yield from paths(part, (*prefix, i))
    else:
        yield prefix, value


def at(value: Value, path: tuple[int, ...]) -> Value:
    """Return what is at a path of a value."""
    for i in path:
        value = value[i]
    return value


def inputs_like(value: Value) -> Value:
    """Return new inputs in the structure of `value`."""

    def like(leaf: Any) -> Expr:
        if not isinstance(leaf, Expr):
            return Expr("input")
        word = leaf.word if leaf.op == "input" else ""
        return Expr("input", (), {}, leaf.ndim, leaf.shape, leaf.steps, word)

    return map_value(like, value)


def named_input(name: str, ndim: int | None = None) -> Expr:
    """Return an input with a name of its own: that of a state."""
    return Expr("input", (), {}, ndim, word=name)


def call(child: Layer | Block, name: str, argument: Value, ndim: int | None = None) -> Value:
    """Return the value of a call of a child: items where the child returns several."""
    made = Expr("call", (argument,), {"child": name}, ndim)
    if isinstance(child, Layer) or not isinstance(child.output, tuple):
        if isinstance(child, Block):
            made.ndim = getattr(child.output, "ndim", None)
            made.shape = getattr(child.output, "shape", None)
            made.steps = getattr(child.output, "steps", False)
        return made
    items = {
        path: Expr(
            "item",
            (made,),
            {"path": path},
            getattr(leaf, "ndim", None),
            getattr(leaf, "shape", None),
            getattr(leaf, "steps", False),
            leaf.word if isinstance(leaf, Expr) and leaf.op == "item" else "",
        )
        for path, leaf in paths(child.output)
    }
    return _rebuilt(child.output, items)


def _rebuilt(value: Value, found: dict[tuple[int, ...], Expr], at: tuple[int, ...] = ()) -> Value:
    if isinstance(value, tuple):
        return tuple(_rebuilt(part, found, (*at, i)) for i, part in enumerate(value))
    return found[at]


def in_order(value: Value) -> list[Expr]:
    """Return all expressions that a value needs, each after what it needs itself."""
    ordered: dict[int, Expr] = {}
    stack: list[tuple[Any, bool]] = [(leaf, False) for leaf in reversed(list(leaves(value)))]
    while stack:
        expr, ready = stack.pop()
        if not isinstance(expr, Expr) or id(expr) in ordered:
            continue
        if ready:
            ordered[id(expr)] = expr
            continue
        stack.append((expr, True))
        inner = [leaf for arg in expr.args for leaf in leaves(arg)]
        stack.extend((leaf, False) for leaf in reversed(inner))
    return list(ordered.values())
