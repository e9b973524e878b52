"""The derivative side of an operation: its rules, what calls save for them, how they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy import ndarray

from ..autograd.chained import write_down
from ..autograd.node import Node
from ..autograd.parts import Parts, pick
from ..dtypes import as_dtype
from ..tensor import Tensor
from .namespaces import TENSORS, array_namespace
from .rules import SHAPE, Rule, RuleError

_BIT = {"operand": 1, "output": 4, "shape": 8}


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
        For fast.py: what to keep (1 the first operand, 2 the second, 4 the output, 8 or 16 the
        shapes) where none, the first, the second or both operands have a gradient. None without
        rules.
    """

    name: str
    operands: tuple[str, ...]
    output_names: tuple[str, ...]
    outputs: int
    variadic: bool
    plain: bool
    arity: int
    vjp_rules: dict[str, Rule]
    jvp_rules: dict[str, Rule]
    plan: tuple[tuple[str, str, int, frozenset[int]], ...]
    metadata: tuple[str, ...]
    masks: tuple[int, ...] | None
    computes_afresh = True
    pullback_arrays: Callable[[Node, Any], Sequence[Any]]
    """Return the gradient of each operand for arrays: `pullback` without its choices."""
    _rules: tuple[Rule | None, ...]
    _together: Rule | None = None

    # -- saying them --------------------------------------------------------------------

    def def_vjp(self, **rules: Callable[..., Any]) -> None:
        """Say, by operand, how the gradient `g` of the output becomes the operand's.

        Raises
        ------
        RuleError
            If there is no such operand, or a rule names what calls do not keep.
        """
        self.vjp_rules |= self._checked(rules)
        self._bind()

    def def_jvp(self, **rules: Callable[..., Any]) -> None:
        """Say, by operand, how the operand's tangent `g` becomes the output's.

        Raises
        ------
        RuleError
            As `def_vjp`.
        """
        self.jvp_rules |= self._checked(rules)
        self._bind()

    def def_derivative(self, **rules: Callable[..., Any]) -> None:
        """Give rules that serve both directions, as those of elementwise operations do."""
        self.def_vjp(**rules)
        self.def_jvp(**rules)

    def def_together(self, gradients: Callable[..., Any]) -> None:
        """Say how an ordinary backward pass finds the gradients of all operands at once.

        `gradients` names what it needs as rules do, of what they make calls keep. It is asked
        where the first operand has a gradient, with NumPy arrays, and may return None: then the
        rules are. Of several outputs, `g` has None for those that no gradient came back from.

        Raises
        ------
        RuleError
            As `def_vjp`.
        """
        self._together = self._checked({self.operands[0]: gradients})[self.operands[0]]
        self._bind()

    def _checked(self, rules: Mapping[str, Callable[..., Any]]) -> dict[str, Rule]:
        """Return the rules; refuse here what a backward pass would otherwise stumble over."""
        known = ["g", "xp", *self.operands, *self.output_names]
        known += [name + SHAPE for name in self.operands] + [*self.metadata]
        known += ["i"] if self.variadic else []
        checked = {name: Rule(f) for name, f in rules.items()}
        for operand, rule in checked.items():
            if operand not in self.operands:
                raise RuleError(
                    f"{self.name} has no operand {operand!r} to give a rule for; it has "
                    f"{', '.join(self.operands)}"
                )
            if strange := [name for name in rule.names if name not in known]:
                raise RuleError(
                    f"the rule of {self.name} for {operand} names {', '.join(strange)}; what a "
                    f"call can keep for it is {', '.join(known)}"
                )
        return checked

    def _bind(self) -> None:
        """Find out what calls must save, now that there are more rules."""
        rules = [*self.vjp_rules.items(), *self.jvp_rules.items()]
        users: dict[tuple[str, str, int], set[int]] = {s: set() for s in self._fixed_sources()}
        for operand, rule in rules:
            for name in rule.names:
                if (source := self._source(name)) is not None:
                    users.setdefault(source, set()).add(self.operands.index(operand))
        self.plan = tuple((*source, frozenset(who)) for source, who in users.items())
        for rule in (*(rule for _, rule in rules), *([self._together] if self._together else ())):
            rule.bind([name for name, _, _ in users])
        self._rules = tuple(self.vjp_rules.get(n) for n in self.operands)
        if self.plain:
            self.pullback_arrays = _pullback_of(self._rules)
            self.masks = tuple(
                sum({_BIT[kind] << k for (_, kind, k), who in users.items() if who & which})
                for which in ({*()}, {0}, {1}, {0, 1})
            )

    def _fixed_sources(self) -> list[tuple[str, str, int]]:
        """Return what fast.py saves, in its order."""
        if not self.plain:
            return []
        operands = [*enumerate(self.operands)]
        return [
            *((name, "operand", k) for k, name in operands),
            (self.output_names[0], "output", 0),
            *((name + SHAPE, "shape", k) for k, name in operands),
        ]

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

    def _pullback_arrays(self, node: Node, g: Any) -> Sequence[Any]:
        return self.pullback(node, g, False, None)

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> Sequence[Any]:
        """Return the gradient of each operand of `node`, None where there is none.

        Parameters
        ----------
        g : array or Tensor, or Parts for several outputs
            The gradient of the output.
        graph : bool
            Whether to compute on tensors, so that the result can be differentiated.
        through : set of int or None
            Ids of the parents that matter; None for all.
        """
        if self._together is not None and not graph:
            found = self._at_once(node, g, through)
            if found is not None:
                return found
        if self.outputs != 1:
            g = _filled(g, node, graph)
            like = next(x for x in g if x is not None)
        else:
            like = g
        saved = self._values(node) if graph else node.saved
        xp: Any = TENSORS if graph else array_namespace(like)
        results: list[Any] = []
        for i, parent in enumerate(node.parents):
            rule = self._rules[0 if self.variadic else i]
            wanted = through is None or id(parent) in through
            if parent is None or rule is None or not wanted:
                results.append(None)
            else:
                results.append(rule.run(xp, g, i, saved, node))
        return results

    def _at_once(self, node: Node, g: Any, through: set[int] | None) -> Sequence[Any] | None:
        """Return the gradients of all operands as `def_together` says, or None."""
        if self.outputs != 1:
            given: Any = [g.values.get(j) for j in range(self.outputs)]
            like = next(iter(g.values.values()))
        else:
            given = like = g
        wanted = [p is not None and (through is None or id(p) in through) for p in node.parents]
        if type(like) is not ndarray or not wanted[0]:
            return None
        assert self._together is not None
        found = self._together.run(array_namespace(like), given, 0, node.saved, node)
        if found is None:
            return None
        return [x if want else None for x, want in zip(found, wanted, strict=True)]

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        """Return the tangent of the output of `node` for those of its operands.

        Computes on tensors, so that the result can be differentiated. None stands for a
        tangent of zero; several outputs have a list.
        """
        saved = self._values(node)
        several = self.outputs != 1
        shapes, dtypes = (node.shape, node.dtype) if several else ((node.shape,), (node.dtype,))
        total: list[Any] = [None] * self.outputs
        for i, t in enumerate(tangents):
            rule = self.jvp_rules.get(self.operands[0 if self.variadic else i])
            if t is None or rule is None:
                continue
            part = rule.run(TENSORS, t, i, saved, node)
            for j, p in enumerate(part if several else [part]):
                if p is not None:
                    p = p if p.shape == shapes[j] else TENSORS.expand(p, shapes[j])
                    p = p if p.dtype == dtypes[j] else TENSORS.astype(p, dtypes[j])
                    total[j] = p if total[j] is None else total[j] + p
        return total if several else total[0]

    def _values(self, node: Node) -> list[Any]:
        """Return what `node` saved as values of the graph: tensors with their history."""
        if not node.saved:
            return [None] * len(self.plan)
        write_down(node)
        values: list[Any] = []
        kept = node.saved[: node.versions] if node.versions else node.saved
        # A fast call leaves out the shapes, which come last, if no rule names them.
        for (_, kind, k, _), value in zip(self.plan, kept, strict=False):
            if value is None or kind == "shape":
                values.append(value)
            elif kind == "output":
                several = self.outputs != 1
                history = value.dtype.kind == "f"
                values.append(_tensor(value, _history(node, k, several) if history else None))
            elif self.variadic:
                values.append([_operand(v, p) for v, p in zip(value, node.parents, strict=True)])
            else:
                values.append(_operand(value, node.parents[k]))
        return values


def _pullback_of(rules: Sequence[Rule | None]) -> Callable[[Node, Any], Sequence[Any]]:
    """Return what `pullback_arrays` comes to for an operation of one or two operands."""
    of_x, *rest = [_no_gradient if rule is None else rule.on_arrays for rule in rules]
    if not rest:
        return lambda node, g: (of_x(g, node, 0),)
    of_y = rest[0]

    def pullback_arrays(node: Node, g: Any) -> Sequence[Any]:
        return (
            None if node.x is None else of_x(g, node, 0),
            None if node.y is None else of_y(g, node, 1),
        )

    return pullback_arrays


def _no_gradient(g: Any, node: Node, i: int) -> None:
    return None


def _history(node: Node, k: int, several: bool) -> Node:
    return pick(node, k) if several else node


def _operand(value: Any, parent: Any) -> Any:
    """Return a saved operand as a value of the graph; Python numbers stay what they are."""
    if isinstance(parent, Tensor):
        return parent
    return _tensor(value, parent) if hasattr(value, "dtype") else value


def _tensor(array: Any, node: Node | None) -> Tensor:
    tensor = Tensor._wrap(array)
    tensor._node = node
    return tensor


def _filled(g: Parts, node: Node, graph: bool) -> list[Any]:
    """Return the gradients of all outputs: zeros for those that none came back from.

    Outputs that are not floating have None.
    """
    like = next(iter(g.values.values()))
    library = array_namespace(like.array if graph else like).library
    gradients: list[Any] = []
    for j, (shape, dtype) in enumerate(zip(node.shape, node.dtype, strict=True)):
        if j in g.values:
            gradients.append(g.values[j])
        elif dtype.kind != "f":
            gradients.append(None)
        else:
            zeros = library.zeros(shape, dtype=as_dtype(dtype))
            gradients.append(Tensor._wrap(zeros) if graph else zeros)
    return gradients
