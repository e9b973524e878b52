"""Rows of layers as a person holds them: repeated ones as a class, long ones in nn.Sequential."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..modernise.plan import (
    CALLS,
    Expr,
    Layer,
    Value,
    in_order,
    leaves,
    map_value,
)
from .members import Chain, Composite, Member
from .naming import CONVOLUTION
from .simplify import uses_of

TIMES = 4
"""How often a convolution and what follows it come before they are a class."""


def repeating(items: list[Member]) -> list[Member]:
    """Return the layers of a chain with convolutions and what follows them made blocks.

    Where the same kinds follow a convolution often: (Conv2d, BatchNorm2d, ReLU).
    """
    starts = [i for i, item in enumerate(items) if _is(item, "Conv")]
    rows: dict[tuple[Any, ...], list[int]] = {}
    for i in starts:
        end = i + 1
        while end < len(items) and _is(items[end], "BatchNorm", "ReLU", "LeakyReLU", "ELU"):
            end += 1
        kinds = tuple(_look(item) for item in items[i:end])
        rows.setdefault(kinds, []).append(i)
    replaced: dict[int, int] = {}
    for kinds, places in rows.items():
        if len(places) >= TIMES and len(kinds) > 1:
            replaced |= dict.fromkeys(places, len(kinds))
    found: list[Member] = []
    i = 0
    while i < len(items):
        if i in replaced:
            found.append(_block_of(items[i : i + replaced[i]]))
        else:
            found.append(items[i])
        i += replaced.get(i, 1)
    return found


def _is(item: Member, *kinds: str) -> bool:
    return isinstance(item, Layer) and item.kind.startswith(kinds)


def _look(item: Member) -> Any:
    """Return what a layer has alike with others, whatever its planes."""
    assert isinstance(item, Layer)
    sizes = ("in_channels", "out_channels", "num_features")
    return (item.kind, *sorted((k, v) for k, v in item.arguments.items() if k not in sizes))


def _block_of(items: list[Member]) -> Composite:
    first = Expr("input", ndim=4)
    made = Composite(CONVOLUTION, first)
    value = first
    for i, item in enumerate(items):
        made.members[str(i)] = item
        value = Expr("call", (value,), {"child": str(i)})
    made.output = value
    return made


LONG = 6
"""Layers in a row from which on a model holds them in an nn.Sequential."""


def grouped(root: Composite) -> Composite:
    """Return the model with its long rows of layers put into chains."""
    counts = uses_of(root.output)
    made = Composite(
        root.typename, root.input, None, {}, root.parameters, root.buffers, dict(root.hints)
    )
    done: dict[int, Value] = {id(leaf): leaf for leaf in leaves(root.input)}
    runs = _runs(root, counts)
    for expr in in_order(root.output):
        if id(expr) in done or expr.op == "input":
            continue
        run = runs.get(id(expr))
        if run is None:
            args = tuple(map_value(lambda leaf: done.get(id(leaf), leaf), a) for a in expr.args)
            if expr.op in CALLS:
                name = expr.attrs["child"]
                made.members[name] = root.members[name]
            done[id(expr)] = Expr(expr.op, args, expr.attrs, expr.ndim, expr.shape, word=expr.word)
            continue
        if expr is not run[-1]:
            continue
        value: Value = map_value(lambda leaf: done.get(id(leaf), leaf), run[0].args[0])
        for part in _parts([(e, root.members[e.attrs["child"]]) for e in run]):
            first = part[0][0].attrs["child"]
            member = part[0][1] if len(part) == 1 else Chain(repeating([m for _, m in part]))
            name = first if len(part) == 1 else f"{first}_row"
            made.members[name] = member
            last = part[-1][0]
            value = Expr("call", (value,), {"child": name}, last.ndim, last.shape)
        done[id(expr)] = value
    made.output = map_value(lambda leaf: done[id(leaf)], root.output)
    return made


def _runs(root: Composite, counts: Counter[int]) -> dict[int, list[Expr]]:
    """Return the maximal rows of calls that only hand on, by the id of each call."""
    runs: dict[int, list[Expr]] = {}
    shared = Counter(e.attrs["child"] for e in in_order(root.output) if e.op == "call")
    for expr in in_order(root.output):
        if expr.op != "call" or not isinstance(expr.args[0], Expr):
            continue
        if shared[expr.attrs["child"]] > 1 and _stateful(root.members[expr.attrs["child"]]):
            continue
        before = runs.get(id(expr.args[0]))
        run = [expr] if before is None or counts[id(expr.args[0])] > 1 else [*before, expr]
        for member in run:
            runs[id(member)] = run
    return runs


def _stateful(member: Member) -> bool:
    return not isinstance(member, Layer) or bool(member.state)


def _parts(run: list[tuple[Expr, Member]]) -> list[list[tuple[Expr, Member]]]:
    """Return a row in parts: long rows of layers, rows of blocks, and single members."""
    parts: list[list[tuple[Expr, Member]]] = []
    for entry in run:
        kind = _kind(entry[1])
        if parts and kind != "chain" and _kind(parts[-1][-1][1]) == kind:
            parts[-1].append(entry)
        else:
            parts.append([entry])
    found = []
    for part in parts:
        short = _kind(part[0][1]) == "layer" and len(part) < LONG
        found += [[entry] for entry in part] if short else [part]
    return found


def _kind(member: Member) -> str:
    if isinstance(member, Layer):
        return "layer"
    return "chain" if isinstance(member, Chain) else "composite"
