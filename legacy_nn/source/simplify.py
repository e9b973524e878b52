"""From a plan to members: containers that only wire others dissolve into their parents.

What is left is what a person would have written: chains (nn.Sequential), and composites with
a forward of their own for residual blocks, inception blocks, cells and the model itself.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..modernise.build import lone_layer
from ..modernise.plan import (
    CALLS,
    Block,
    Expr,
    Layer,
    Value,
    at,
    in_order,
    inputs_like,
    leaves,
    map_value,
    paths,
)
from .members import Chain, Composite, Member, fingerprint

WIRES = frozenset(
    {
        *("nn.ConcatTable", "nn.ParallelTable", "nn.Concat", "nn.DepthConcat", "nn.MapTable"),
        *("nn.Parallel", "nn.Decorator", "nn.Serial", "nn.DontCast", "nn.ModelParallelTable"),
        *("nn.ModelParallel", "nn.DataParallel", "nn.Bottle", "nn.Convert", "nn.NaN", "nn.Profile"),
        *("nn.Sequencer", "nn.BiSequencer", "nn.BiSequencerLM", "nn.Repeater", "nn.SeqBRNN"),
        *("nn.LanguageModel", "nn.TemporalAdapter", "nn.MaskZero", "nn.TrimZero"),
        *("nn.SeqLSTM", "nn.SeqGRU", "nn.LSTM", "nn.FastLSTM", "nn.GRU", "nn.Recurrence"),
        *("nn.Recurrent", "nn.MuFuRu"),
    }
)
"""Containers that are no more than how others are wired."""


def simplified(block: Block) -> Composite:
    """Return a block as a composite, with all inside that only wires dissolved."""
    made = _Simplifying(block).composite
    while (inner := _only_member(made)) is not None:
        made = inner
    return made


def _only_member(composite: Composite) -> Composite | None:
    """Return the composite that another one only calls."""
    output = composite.output
    if not isinstance(output, Expr) or output.op != "call" or composite.parameters:
        return None
    inner = composite.members[output.attrs["child"]]
    alone = isinstance(inner, Composite) and output.args[0] is composite.input
    return inner if isinstance(inner, Composite) and alone else None


ELEMENTWISE = frozenset({"ReLU", "Threshold", "Tanh", "Sigmoid", "LeakyReLU", "ELU", "Dropout"})
"""Layers for which it does not matter in what order dimensions are."""


class _Simplifying:
    """Makes the composite of one block."""

    def __init__(self, block: Block) -> None:
        self.composite = Composite(block.typename, inputs_like(block.input))
        self._names: dict[Any, str] = {}
        self.composite.output = self._evaluated(block, self.composite.input)
        _drop_unused(self.composite)

    def _evaluated(self, block: Block, argument: Value) -> Value:
        """Return the value of a block for an argument, in this composite."""
        known: dict[int, Value] = {}
        for path, leaf in paths(block.input):
            value = argument
            for i in path:
                value = value[i]
            known[id(leaf)] = value
        for expr in in_order(block.output):
            if expr.op == "input":
                continue
            args = tuple(map_value(lambda leaf: known.get(id(leaf), leaf), a) for a in expr.args)
            known[id(expr)] = self._computed(block, expr, args)
        return map_value(lambda leaf: known[id(leaf)], block.output)

    def _computed(self, block: Block, expr: Expr, args: tuple[Value, ...]) -> Value:
        if expr.op == "call":
            name = expr.attrs["child"]
            return self._called(block.children[name], args[0], block.hints.get(name, ""), expr)
        if expr.op == "scan":
            name = expr.attrs["child"]
            cell = block.children[name]
            assert isinstance(cell, Block)
            made = self._member(simplified(cell), args, block.hints.get(name, ""), expr)
            attrs = expr.attrs | {"child": made.attrs["child"]}
            return Expr("scan", args, attrs, expr.ndim, expr.shape)
        if expr.op == "steps":
            return args[0]
        if expr.op == "item":
            value = args[0]
            if isinstance(value, Expr):
                return Expr("item", (value,), expr.attrs, expr.ndim, expr.shape, word=expr.word)
            for i in expr.attrs["path"]:
                value = value[i]
            return value
        if expr.op == "parameter":
            return self._own(block, expr)
        if expr.op == "permute" and (same := _permuted_back(args[0], expr.attrs["order"])):
            return same
        if expr.op == "transpose" and (before := self._turned_back(args[0], expr.attrs)):
            return before
        return Expr(expr.op, args, expr.attrs, expr.ndim, expr.shape, word=expr.word)

    def _turned_back(self, value: Value, attrs: dict[str, Any]) -> Expr | None:
        """Return what a value is without its transposition, through functions of elements."""
        if not isinstance(value, Expr):
            return None
        if value.op == "transpose" and value.attrs == attrs:
            before: Expr = value.args[0]
            return before
        if value.op != "call":
            return None
        member = self.composite.members[value.attrs["child"]]
        if not isinstance(member, Layer) or member.kind not in ELEMENTWISE:
            return None
        inner = self._turned_back(value.args[0], attrs)
        return None if inner is None else Expr("call", (inner,), value.attrs, value.ndim)

    def _own(self, block: Block, expr: Expr) -> Expr:
        """Return a tensor of the block's own, which becomes one of the composite's."""
        name = expr.attrs["name"]
        mine, tensors = self.composite.parameters, block.parameters
        if name in block.buffers:
            mine, tensors = self.composite.buffers, block.buffers
        free = name
        while free in self.composite.parameters or free in self.composite.buffers:
            digits = free[len(name) :]
            free = f"{name}{int(digits or 1) + 1}"
        mine[free] = tensors[name]
        return Expr("parameter", (), {"name": free}, expr.ndim)

    def _called(self, child: Layer | Block, argument: Value, hint: str, expr: Expr) -> Value:
        if isinstance(child, Block):
            alone = lone_layer(child)
            if alone is None:
                return self._block_called(child, argument, hint, expr)
            child = alone
        if child.kind == "Identity":
            return argument
        return self._member(child, argument, hint, expr)

    def _block_called(self, child: Block, argument: Value, hint: str, expr: Expr) -> Value:
        own = bool(child.parameters)
        wires = child.typename in WIRES or not _has_members(child) or _has_loop(child)
        wires = wires and not own
        if wires and not self._joins_branches(child):
            return self._evaluated(child, argument)
        inner = simplified(child)
        chain = as_chain(inner)
        if chain is not None:
            if len(chain) == 1:
                return self._member(chain[0], argument, hint, expr)
            return self._member(Chain(chain), argument, hint, expr)
        if not own and _is_small(inner):
            return self._evaluated(child, argument)
        count = len(inner.output) if isinstance(inner.output, tuple) else 0
        passed = _taken_out(inner, argument)
        made = self._member(inner, argument, hint, expr)
        if not count:
            return made
        items = {
            path: Expr("item", (made,), {"path": path}, getattr(leaf, "ndim", None), word=leaf.word)
            for path, leaf in paths(inner.output)
        }
        found = _arranged(inner.output, items) if isinstance(inner.output, tuple) else (made,)
        rest = iter(found)
        return tuple(passed[i] if i in passed else next(rest) for i in range(count))

    def _joins_branches(self, child: Block) -> bool:
        """Whether a container in a chain is a block by itself, as those of DenseNet are."""
        joins = child.typename in ("nn.Concat", "nn.DepthConcat")
        in_chain = self.composite.typename in ("nn.Sequential", "nn.Inception")
        passes_on = any(leaf is child.input for leaf in _arguments(child.output))
        branches = sum(isinstance(c, Block) for c in child.children.values())
        return joins and in_chain and branches > 0 and (passes_on or branches > 2)

    def _member(self, member: Member, argument: Value, hint: str, expr: Expr) -> Expr:
        """Return a call of a member; members with the same weights are one."""
        key = fingerprint(member)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = str(len(self.composite.members))
            self.composite.members[name] = member
            if hint:
                self.composite.hints[name] = hint
        return Expr("call", (argument,), {"child": name}, expr.ndim, expr.shape, word=expr.word)


def _taken_out(inner: Composite, argument: Value) -> dict[int, Value]:
    """Take out of what a composite returns the inputs that it only passes on."""
    if not isinstance(inner.output, tuple):
        return {}
    given = {id(leaf): at(argument, path) for path, leaf in paths(inner.input)}
    passed = {i: given[id(leaf)] for i, leaf in enumerate(inner.output) if id(leaf) in given}
    kept = tuple(leaf for i, leaf in enumerate(inner.output) if i not in passed)
    if not kept:
        return {}
    inner.output = kept if len(kept) > 1 or not passed else kept[0]
    return passed


def _permuted_back(value: Value, order: tuple[int, ...]) -> Expr | None:
    """Return what a value was before a permutation that `order` undoes."""
    if not isinstance(value, Expr) or value.op != "permute":
        return None
    before: Expr = value.args[0]
    first = value.attrs["order"]
    return before if [first[i] for i in order] == list(range(len(order))) else None


def _arguments(value: Value) -> list[Any]:
    return list(value.args) if isinstance(value, Expr) else []


def _is_small(composite: Composite) -> bool:
    """Whether a composite is better written into its parent."""
    members = list(composite.members.values())
    if len(members) > 1:
        return False
    return not (members and isinstance(members[0], Chain) and len(members[0].items) > 2)


def _arranged(value: Value, items: dict[Any, Expr], where: tuple[int, ...] = ()) -> Value:
    if isinstance(value, tuple):
        return tuple(_arranged(part, items, (*where, i)) for i, part in enumerate(value))
    return items[where]


def _has_loop(block: Block) -> bool:
    """Whether a cell runs over a sequence in a block: its loop is better seen in the parent."""
    inner = [child for child in block.children.values() if isinstance(child, Block)]
    return any(e.op == "scan" for e in in_order(block.output)) or any(map(_has_loop, inner))


def _has_members(block: Block) -> bool:
    return any(isinstance(child, Layer) or _has_members(child) for child in block.children.values())


def _drop_unused(composite: Composite) -> None:
    called = {e.attrs["child"] for e in in_order(composite.output) if e.op in CALLS}
    composite.members = {n: m for n, m in composite.members.items() if n in called}


def as_chain(composite: Composite) -> list[Member] | None:
    """Return the members that a composite is a chain of, or None."""
    found: list[Member] = []
    expr = composite.output
    while isinstance(expr, Expr) and expr.op == "call":
        found.append(composite.members[expr.attrs["child"]])
        expr = expr.args[0]
    several = isinstance(composite.input, tuple)
    if several or expr is not composite.input or not found:
        return None
    return found[::-1]


def uses_of(value: Value) -> Counter[int]:
    """Return how often each expression is used, by id."""
    counts = Counter(id(leaf) for leaf in leaves(value) if isinstance(leaf, Expr))
    for expr in in_order(value):
        counts.update(id(x) for arg in expr.args for x in leaves(arg) if isinstance(x, Expr))
    return counts
