"""Elementwise backward passes on large arrays, as chains that are computed in one pass each.

Rules that are made of arithmetic compute chains (core/kernels/chains.py) as they compute arrays.
A chain goes from node to node, and is computed where a rule that needs an array, a leaf, a hook
or the caller gets it. Nothing is written to in between: only rules run, and before a program's own
code does, all chains are computed (engine.py). What nodes saved may be chains as well, those that
waited on the way forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy import ndarray

from ..kernels.chains import LARGE, Chain
from ..kernels.programs import SINGLE
from .accumulate import fitted
from .node import Node

ARITHMETIC = frozenset(
    ("add", "subtract", "multiply", "divide", "negative", "square", "tanh", "sigmoid", "exp")
)
"""The operations whose rules are arithmetic with the gradient and with what was saved."""


def takes_chains(node: Node, g: Any) -> bool:
    """Whether the rules of a node are to be given chains: for a large gradient.

    Chains lie in row-major order; gradients in another, such as channels-last, keep it.
    """
    return type(g) is Chain or (
        type(g) is ndarray
        and g.size >= LARGE
        and g.dtype is SINGLE
        and node.op.name in ARITHMETIC
        and (g.flags.c_contiguous or 0 in g.strides)
    )


def write_down(node: Node) -> None:
    """Put arrays in the place of chains that a node saved, for rules that need arrays."""
    if any(type(s) is Chain for s in node.saved or ()):
        node.saved = tuple(s.evaluated() if type(s) is Chain else s for s in node.saved)


def pull_chain(node: Node, g: Any) -> Sequence[Any]:
    """Return what the rules of a node give for `g`: chains, or arrays."""
    if node.op.name not in ARITHMETIC:
        return node.op.pullback_arrays(node, g.evaluated())
    op: Any = node.op
    chain = g if type(g) is Chain else Chain.of(g)
    saved = [
        Chain.of(s) if type(s) is ndarray and s.size >= LARGE and s.dtype is SINGLE else s
        for s in node.saved or ()
    ]
    results: list[Any] = []
    for i, (name, parent) in enumerate(zip(op.operands, node.parents, strict=True)):
        rule = op.vjp_rules.get(name)
        if rule is None or parent is None:
            results.append(None)
            continue
        gi = rule.run(None, chain, i, saved, node)
        if gi.shape != parent.shape:
            gi = fitted(gi, parent.shape, parent.dtype, node)
        results.append(gi)
    return results
