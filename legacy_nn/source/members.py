"""What a generated class holds: layers, chains of them, and instances of other classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rekindle.core.tensor import Tensor

from ..modernise.plan import Expr, Layer, Value, in_order


@dataclass(eq=False, slots=True)
class Chain:
    """Members that each take what the one before returns: nn.Sequential."""

    items: list[Member]


@dataclass(eq=False, slots=True)
class Composite:
    """A graph of members: what becomes a class with a forward.

    Attributes
    ----------
    typename : str
        The legacy class that it comes from.
    input, output : Value
        As in a Block; calls name members.
    members : dict of str to Layer, Chain or Composite
    parameters, buffers : dict of str to Tensor
        Its own state.
    hints : dict of str to str
        What the model's makers called a member.
    """

    typename: str
    input: Value
    output: Value = None
    members: dict[str, Member] = field(default_factory=dict)
    parameters: dict[str, Tensor] = field(default_factory=dict)
    buffers: dict[str, Tensor] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)


Member = Layer | Chain | Composite


def inside(member: Member) -> Iterator[tuple[str, Member]]:
    """Yield the members directly inside one, with their attribute names."""
    if isinstance(member, Chain):
        yield from ((str(i), item) for i, item in enumerate(member.items))
    elif isinstance(member, Composite):
        yield from member.members.items()


def composites(member: Member) -> Iterator[Composite]:
    """Yield the composites at and inside a member, inner ones first."""
    for _, inner in inside(member):
        yield from composites(inner)
    if isinstance(member, Composite):
        yield member


def tensor_key(tensor: Tensor) -> tuple[Any, ...]:
    """Return what tells whether two tensors are one."""
    return (id(tensor.storage()), tensor.storage_offset(), tensor.shape, tensor.stride())


def fingerprint(member: Member) -> Any:
    """Return what two members have alike that compute the same with the same weights."""
    if isinstance(member, Layer):
        state = tuple((n, tensor_key(t)) for n, t in sorted(member.state.items()))
        return (member.kind, tuple(sorted(member.arguments.items())), state)
    if isinstance(member, Chain):
        return tuple(fingerprint(item) for item in member.items)
    own = tuple(tensor_key(t) for t in (*member.parameters.values(), *member.buffers.values()))
    return (graph_text(member), own, tuple(fingerprint(m) for m in member.members.values()))


def graph_text(composite: Composite) -> str:
    """Return a text that two composites have alike if their forwards are alike."""
    numbers: dict[int, int] = {}

    def text(value: Value) -> str:
        if isinstance(value, tuple):
            return "(" + ",".join(map(text, value)) + ")"
        return f"%{numbers[id(value)]}" if isinstance(value, Expr) else repr(value)

    lines = []
    for leaf in _input_leaves(composite.input):
        numbers[id(leaf)] = len(numbers)
    for expr in in_order(composite.output):
        if expr.op == "input":
            continue
        numbers[id(expr)] = len(numbers)
        arguments = ",".join(map(text, expr.args))
        lines.append(f"{expr.op}({arguments}){sorted(expr.attrs.items())!r}")
    return "\n".join([*lines, text(composite.output), shape_text(composite.input)])


def _input_leaves(value: Value) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _input_leaves(part)
    else:
        yield value


def shape_text(value: Value) -> str:
    """Return the structure of a value."""
    if isinstance(value, tuple):
        return "(" + ",".join(map(shape_text, value)) + ")"
    return "."
