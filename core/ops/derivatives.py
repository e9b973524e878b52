"""The derivative side of an operation: its rules, what calls save for them, how they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.node import Node
from ..tensor import Tensor
from .namespaces import TENSORS, array_namespace
from .rules import SHAPE, Rule, unbroadcast


class Differentiable:
    """What an operation knows of its derivatives.

    Attributes
    ----------
    operands, output_names : tuple of str
        What rules call the operands and the outputs.
    vjp_rules, jvp_rules : dict of str to Rule
        By operand; an operand without one passes nothing on.
    plan : tuple of (name, kind, index, users)
        What a recorded call saves: an operand, an output or an operand's shape, for the rules
        of the operands `users`.
    masks : tuple of int or None
        For binary operations without metadata: which of (x, y, out) to keep, as bits, where
        neither, the first, the second or both operands have a gradient.
    """

    name: str
    operands: tuple[str, ...]
    output_names: tuple[str, ...]
    outputs: int
    variadic: bool
    vjp_rules: dict[str, Rule]
    jvp_rules: dict[str, Rule]
    plan: tuple[tuple[str, str, int, frozenset[int]], ...]
    metadata: tuple[str, ...]
    masks: tuple[int, ...] | None = None
    _rules: tuple[Rule | None, ...]

    # -- saying them --------------------------------------------------------------------

    def def_vjp(self, **rules: Callable[..., Any]) -> None:
        """Say, by operand, how the gradient `g` of the output becomes the operand's."""
        self.vjp_rules |= {name: Rule(f) for name, f in rules.items()}
        self._bind()

    def def_jvp(self, **rules: Callable[..., Any]) -> None:
        """Say, by operand, how the operand's tangent `g` becomes the output's."""
        self.jvp_rules |= {name: Rule(f) for name, f in rules.items()}
        self._bind()

    def def_derivative(self, **rules: Callable[..., Any]) -> None:
        """Give rules that serve both directions, as those of elementwise operations do."""
        self.def_vjp(**rules)
        self.def_jvp(**rules)

    def _bind(self) -> None:
        fixed = self._binary_sources()
        users: dict[tuple[str, str, int], set[int]] = {source: set() for source in fixed}
        rules = [*self.vjp_rules.items(), *self.jvp_rules.items()]
        for operand, rule in rules:
            for name in rule.names:
                if (source := self._source(name)) is not None:
                    users.setdefault(source, set()).add(self.operands.index(operand))
        self.plan = tuple((*source, frozenset(who)) for source, who in users.items())
        for _, rule in rules:
            rule.bind([name for name, _, _ in users])
        self._rules = tuple(self.vjp_rules.get(n) for n in self.operands)
        if fixed:
            self.masks = tuple(
                sum(bool(u & which) << k for k, u in enumerate(users.values()))
                for which in ({*()}, {0}, {1}, {0, 1})
            )

    def _binary_sources(self) -> list[tuple[str, str, int]]:
        """Return what `operators` saves, in its order, for an operation that it calls."""
        if len(self.operands) != 2 or self.outputs != 1 or self.variadic or self.metadata:
            return []
        x, y = self.operands
        return [(x, "operand", 0), (y, "operand", 1), ("out", "output", 0)]

    def _source(self, name: str) -> tuple[str, str, int] | None:
        if name in self.operands:
            return name, "operand", self.operands.index(name)
        if name in self.output_names:
            return name, "output", self.output_names.index(name)
        operand = name.removesuffix(SHAPE)
        if operand != name and operand in self.operands:
            return name, "shape", self.operands.index(operand)
        return None

    # -- running them -------------------------------------------------------------------

    def pullback(self, node: Node, g: Any, graph: bool, wanted: set[int] | None) -> list[Any]:
        """Return the gradient of each operand of `node`, None where there is none.

        Parameters
        ----------
        g : array or Tensor
            The gradient of the output; for several outputs a list, None where there is none.
        graph : bool
            Whether to compute on tensors, so that the result can be differentiated.
        wanted : set of int or None
            Ids of the parents that matter; None for all.
        """
        if self.outputs != 1:
            g = _filled(g, node.shape, graph)
        saved: Any = self._values(node) if graph else node.saved
        xp = TENSORS if graph else array_namespace(g if self.outputs == 1 else g[0])
        params = node.params
        results: list[Any] = []
        for i, parent in enumerate(node.parents):
            rule = self._rules[0 if self.variadic else i]
            if parent is None or rule is None or (wanted is not None and id(parent) not in wanted):
                results.append(None)
                continue
            gi = rule.run(xp, g, i, saved, params)
            if gi is not None:
                single = type(parent) is not Node or parent.op.outputs == 1
                shape = parent.shape if single else _shape(node, i)
                if gi.shape != shape:
                    gi = unbroadcast(gi, shape)
            results.append(gi)
        return results

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        """Return the tangent of the output of `node` for those of its operands.

        Computes on tensors, so that the result can be differentiated. None stands for a
        tangent of zero; several outputs have a list.
        """
        saved = self._values(node)
        shapes = [node.shape] if self.outputs == 1 else node.shape
        total: list[Any] = [None] * self.outputs
        for i, t in enumerate(tangents):
            rule = self.jvp_rules.get(self.operands[0 if self.variadic else i])
            if t is None or rule is None:
                continue
            part = rule.run(TENSORS, t, i, saved, node.params)
            for j, p in enumerate([part] if self.outputs == 1 else part):
                if p is not None:
                    p = p if p.shape == shapes[j] else TENSORS.expand(p, shapes[j])
                    total[j] = p if total[j] is None else total[j] + p
        return total[0] if self.outputs == 1 else total

    def _values(self, node: Node) -> list[Any]:
        """Return what `node` saved as values of the graph: tensors with their history."""
        assert node.saved is not None
        if not node.saved:
            return [None] * len(self.plan)
        values: list[Any] = []
        for (_, kind, k, _), value in zip(self.plan, node.saved, strict=True):
            if value is None or kind == "shape":
                values.append(value)
            elif kind == "output":
                values.append(_on_node(value, node, k))
            elif self.variadic:
                values.append([_operand(node, i, v) for i, v in enumerate(value)])
            else:
                values.append(_operand(node, k, value))
        return values


def _shape(node: Node, i: int) -> tuple[int, ...]:
    parent = node.parents[i]
    if not isinstance(parent, Node) or parent.op.outputs == 1:
        shape: tuple[int, ...] = parent.shape
        return shape
    one: tuple[int, ...] = parent.shape[0 if node.positions is None else node.positions[i]]
    return one


def _operand(node: Node, i: int, value: Any) -> Any:
    parent = node.parents[i]
    if parent is None:
        return Tensor._wrap(value) if hasattr(value, "dtype") else value
    if not isinstance(parent, Node):
        return parent
    return _on_node(value, parent, 0 if node.positions is None else node.positions[i])


def _on_node(array: Any, node: Node, position: int) -> Tensor:
    """Return a tensor on `array` that is output `position` of `node`."""
    tensor = Tensor._wrap(array)
    if array.dtype.kind == "f":
        tensor._node = node
        if node.op.outputs != 1:
            tensor._index = position
    return tensor


def _filled(g: list[Any], shapes: Sequence[tuple[int, ...]], graph: bool) -> list[Any]:
    """Return `g` with zeros for the outputs that nothing came back from."""
    like = next(x for x in g if x is not None)
    if graph:
        return [
            Tensor(np.zeros(s, like.dtype), device=like.device) if x is None else x
            for x, s in zip(g, shapes, strict=True)
        ]
    xp = array_namespace(like).library
    return [
        xp.zeros(s, dtype=like.dtype) if x is None else x for x, s in zip(g, shapes, strict=True)
    ]
