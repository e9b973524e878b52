"""The forward of a class: expressions as statements, with names where values are used again."""

from __future__ import annotations

import ast
from collections import Counter
from typing import Any

from ..modernise.expressions import OPERATIONS
from ..modernise.plan import Expr, Layer, Value, in_order, leaves
from .classes import ClassDef, is_function
from .members import Chain
from .naming import RESERVED
from .simplify import uses_of
from .spelling import Target, flat, function, literal, operation

DEPTH = 3
"""How many calls stand inside each other in one expression."""

WIDTH = 84
"""Longer expressions are cut into statements."""

PLAIN = frozenset({"add", "sub", "mul", "div", "neg", "pow", "select", "narrow", "index"})
"""Operations that do not make an expression deep."""

WORDS = {
    "add": "total",
    "sub": "difference",
    "mul": "product",
    "cat": "joined",
    "depth_cat": "joined",
    "select": "part",
    "narrow": "part",
    "reshape": "reshaped",
    "flatten": "flat",
    "index": "indices",
    "rows": "rows",
    "sigmoid": "gate",
    "tanh": "new",
    "any": "kept",
    "Sigmoid": "gate",
    "Tanh": "state",
    "Softmax": "weights",
}
"""What values are called, by the operation or layer that they come from."""


class Forward:
    """The statements of one forward.

    Attributes
    ----------
    parameters : list of (str, Value)
        The names of the inputs, and the structure of each.
    lines : list of str
        Statements, the last of which returns.
    helpers : dict of str to None
        Operations that need a function of their own.
    """

    def __init__(self, made: ClassDef, target: Target) -> None:
        self.made = made
        self.target = target
        self.lines: list[str] = []
        self.helpers: dict[str, None] = {}
        self._uses = uses_of(made.composite.output)
        for expr in in_order(made.composite.output):
            self._count_repeated(expr)
        self._texts: dict[int, ast.expr] = {}
        self._names: dict[int, str] = {}
        self._depth: dict[int, int] = {}
        self._left: Counter[str] = Counter()
        self._taken: set[str] = set(RESERVED)
        self._unpacked = {id(e.args[0]) for e in in_order(made.composite.output) if e.op == "item"}
        self._repeated = {
            id(e.args[0])
            for e in in_order(made.composite.output)
            if e.op in OPERATIONS and OPERATIONS[e.op].repeats
        }
        self.parameters = self._inputs(made.composite.input)
        self.single = len(self.parameters) == 1
        for expr in in_order(made.composite.output):
            if expr.op not in ("input", "parameter"):
                self._state(expr)
        self.lines.append(f"return {self._returned(made.composite.output)}")

    def _count_repeated(self, expr: Expr) -> None:
        """Count an argument that the text of an operation has twice as two uses."""
        if expr.op not in OPERATIONS:
            return
        stand_ins: list[ast.expr] = [ast.Name(f"_{i}", ast.Load()) for i in range(len(expr.args))]
        found = Counter(_names_in(operation(self.target, expr.op, stand_ins, expr.attrs)))
        for i, arg in enumerate(expr.args):
            if isinstance(arg, Expr):
                self._uses[id(arg)] += max(found[f"_{i}"] - 1, 0)

    # -- inputs and outputs -------------------------------------------------------------

    def _inputs(self, value: Value) -> list[tuple[str, Value]]:
        parts = value if isinstance(value, tuple) else (value,)
        named = sum(1 for part in parts if getattr(part, "word", ""))
        inputs = []
        for i, part in enumerate(parts, 1):
            plain = "x" if len(parts) == 1 or named == len(parts) - 1 else f"x{i}"
            name = self._free(getattr(part, "word", "") or plain)
            inputs.append((name, part))
            if isinstance(part, tuple):
                self.lines.append(f"{self._unpack(part, name)} = {name}")
            else:
                self._bind(part, name)
        return inputs

    def _unpack(self, value: tuple[Value, ...], stem: str) -> str:
        names = []
        for i, part in enumerate(value, 1):
            name = f"{stem}_{i}"
            self._taken.add(name)
            if isinstance(part, tuple):
                names.append(f"({self._unpack(part, name)})")
            else:
                self._bind(part, name)
                names.append(name)
        return ", ".join(names) + ("," if len(names) == 1 else "")

    def _bind(self, expr: Expr, name: str) -> None:
        self._names[id(expr)] = name
        self._left[name] = self._uses[id(expr)]

    def _returned(self, value: Value) -> str:
        if value == ():
            return "()"
        if isinstance(value, tuple):
            return ", ".join(
                f"({self._returned(part)})" if isinstance(part, tuple) else self._returned(part)
                for part in value
            ) + ("," if len(value) == 1 else "")
        return flat(self._text(value))

    # -- statements ---------------------------------------------------------------------

    def _text(self, value: Value) -> ast.expr:
        """Return what stands for a value in an expression."""
        if isinstance(value, tuple):
            return ast.Tuple([self._text(part) for part in value], ast.Load())
        if not isinstance(value, Expr):
            return literal(value)
        if id(value) in self._names:
            return ast.Name(self._names[id(value)], ast.Load())
        if value.op == "parameter":
            return ast.parse(f"self.{value.attrs['name']}", mode="eval").body
        return self._texts[id(value)]

    def _state(self, expr: Expr) -> None:
        """Keep an expression for those that use it, or write a statement that names it."""
        if expr.op == "item":
            return
        if expr.op == "scan":
            self._scan(expr)
            return
        inner = [x for a in expr.args for x in leaves(a) if isinstance(x, Expr)]
        node = self._node(expr)
        while self._depth_of(expr, inner) > DEPTH or len(flat(node)) > WIDTH:
            open_ones = [x for x in inner if id(x) in self._texts and id(x) not in self._names]
            if not open_ones:
                break
            deep = self._depth_of(expr, inner) > DEPTH
            self._assign(
                max(open_ones, key=lambda x: self._depth[id(x)])
                if deep
                else max(open_ones, key=lambda x: len(flat(self._texts[id(x)])))
            )
            node = self._node(expr)
        self._depth[id(expr)] = self._depth_of(expr, inner)
        self._texts[id(expr)] = node
        again = self._uses[id(expr)] > 1 or id(expr) in self._repeated
        if id(expr) in self._unpacked:
            self._unpack_call(expr, node)
        elif again or (expr.word and expr is not self.made.composite.output):
            self._assign(expr)

    def _depth_of(self, expr: Expr, inner: list[Expr]) -> int:
        """Return how many calls stand inside each other; arithmetic and slices are none."""
        own = 0 if expr.op in PLAIN else 1
        return own + max((self._depth.get(id(x), 0) for x in inner), default=0)

    def _assign(self, expr: Expr) -> None:
        node = self._texts.pop(id(expr))
        for name in _names_in(node):
            self._left[name] -= 1
        self.lines.append(f"{(name := self._new_name(expr, node))} = {flat(node)}")
        self._bind(expr, name)
        self._depth[id(expr)] = 0

    def _items(self, expr: Expr) -> dict[tuple[int, ...], Expr]:
        """Return the parts of what a call returns that are used, by where they are."""
        items = [e for e in in_order(self.made.composite.output) if e.op == "item"]
        mine = [e for e in items if e.args[0] is expr]
        return {e.attrs["path"]: e for e in sorted(mine, key=lambda e: e.attrs["path"])}

    def _unpack_call(self, expr: Expr, node: ast.expr) -> None:
        for name in _names_in(node):
            self._left[name] -= 1
        names: dict[tuple[int, ...], str] = {}
        member = self.made.composite.members[expr.attrs["child"]]
        for path, item in self._items(expr).items():
            alone = isinstance(member, Layer) or bool(names) or path != (0,)
            stem = "y" if alone else self._stem(expr)
            stem = item.word or (stem if path == (0,) else f"{stem}{path[-1] + 1}")
            names[path] = self._used_up(stem, node) or self._free(stem)
            self._bind(item, names[path])
        assert not isinstance(member, Chain)
        whole = PARTS[member.kind] if isinstance(member, Layer) else member.output
        self.lines.append(f"{_pattern(whole, names)} = {flat(node)}")

    def _scan(self, expr: Expr) -> None:
        """Write the loop of a cell over a sequence."""
        x, *starts = expr.args
        names = [self._free(stem) for stem in ("h", "c")] if len(starts) == 2 else []
        names = names or [self._free("h") for _ in starts]
        for name, start in zip(names, starts, strict=True):
            text = flat(self._text(start))
            if text != name:
                self.lines.append(f"{name} = {text}")
        sequence, with_start = flat(self._text(x)), expr.attrs["with_start"]
        outputs, step = self._free("outputs"), self._free("step")
        states, cell = ", ".join(names), self.made.attributes[expr.attrs["child"]]
        self.lines.append(f"{outputs} = [{names[0] if with_start else ''}]")
        self.lines.append(f"for {step} in {sequence}{'[1:]' if with_start else ''}:")
        self.lines.append(f"    {states} = self.{cell}({step}, {states})")
        self.lines.append(f"    {outputs}.append({names[0]})")
        for path, item in self._items(expr).items():
            if path != (0,):
                self._bind(item, names[path[0] - 1])
                continue
            text = f"{'torch' if self.target == 'torch' else 'ops'}.stack({outputs})"
            self._texts[id(item)] = ast.parse(text, mode="eval").body
            self._depth[id(item)] = 1
            if self._uses[id(item)] > 1 or id(item) in self._repeated:
                self._assign(item)

    def _new_name(self, expr: Expr, node: ast.expr) -> str:
        """Return the name of a value: `x` again where the old x is used up."""
        if expr.word:
            return self._used_up(expr.word, node) or self._free(expr.word)
        if self.single:
            for name in dict.fromkeys(_names_in(node)):
                plain = name in ("x", "y", "z") or name.removeprefix("y").isdigit()
                if self._left[name] == 0 and plain:
                    return name
            for name in ("y", "z"):
                if name not in self._taken and self._stem(expr) in ("", "y"):
                    self._taken.add(name)
                    return name
        return self._free(self._stem(expr) or "y")

    def _used_up(self, stem: str, node: ast.expr) -> str | None:
        """Return the name of an old value of the same kind that nothing reads any more."""
        names = [*_names_in(node), *sorted(self._taken)]
        alike = (name for name in names if name.rstrip("0123456789") == stem)
        return next((name for name in alike if self._left[name] == 0), None)

    def _stem(self, expr: Expr) -> str:
        if expr.op != "call":
            return WORDS.get(expr.op, "y")
        key = expr.attrs["child"]
        member = self.made.composite.members[key]
        if is_function(member) and isinstance(member, Layer):
            return WORDS.get(member.kind, "y")
        plain = isinstance(member, Layer) and key not in self.made.composite.hints
        return "y" if plain else self.made.attributes[key]

    def _free(self, stem: str) -> str:
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}{number}"
        self._taken.add(name)
        return name

    # -- expressions --------------------------------------------------------------------

    def _node(self, expr: Expr) -> ast.expr:
        if expr.op == "call":
            return self._call(expr)
        known = OPERATIONS[expr.op]
        if known.helper:
            self.helpers[expr.op] = None
        arguments = [self._text(a) for a in expr.args]
        return operation(self.target, expr.op, arguments, expr.attrs)

    def _call(self, expr: Expr) -> ast.expr:
        key, argument = expr.attrs["child"], expr.args[0]
        member = self.made.composite.members[key]
        if is_function(member) and isinstance(member, Layer):
            return function(member.kind, self._text(argument), member.arguments)
        call = ast.parse(f"self.{self.made.attributes[key]}()", mode="eval").body
        assert isinstance(call, ast.Call)
        parts: tuple[Any, ...] = argument if isinstance(argument, tuple) else (argument,)
        call.args = [self._text(part) for part in parts]
        return call


PARTS: dict[str, Value] = {
    "LSTM": (None, (None, None)),
    **dict.fromkeys(("RNN", "GRU", "LSTMCell", "MaxPool2d", "MaxPool3d"), (None, None)),
}
"""The structure of what layers return that return several values."""


def _pattern(structure: Value, names: dict[tuple[int, ...], str]) -> str:
    """Return names at their places in a tuple: `y, (h, c)`."""
    parts = []
    for i, inner in enumerate(structure):
        below = {path[1:]: name for path, name in names.items() if path[0] == i}
        if isinstance(inner, tuple) and below:
            parts.append(f"({_pattern(inner, below)})")
        else:
            parts.append(below.get((), "_"))
    return ", ".join(parts) + ("," if len(parts) == 1 else "")


def _names_in(node: ast.expr) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
