"""How expressions, layers and values are written in each of the two languages.

Everything becomes Python's own syntax trees, so that parentheses are where they must be.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Sequence
from typing import Any, Literal

from ..modernise.expressions import OPERATIONS
from ..modernise.plan import BATCH

Target = Literal["rekindle", "torch"]

FUNCTIONS: dict[str, tuple[str, tuple[tuple[str, Any], ...]]] = {
    "ReLU": ("F.relu(a)", ()),
    "ReLU6": ("F.relu6(a)", ()),
    "LeakyReLU": ("F.leaky_relu(a, negative_slope)", (("negative_slope", 0.01),)),
    "ELU": ("F.elu(a, alpha)", (("alpha", 1.0),)),
    "Tanh": ("a.tanh()", ()),
    "Sigmoid": ("a.sigmoid()", ()),
    "LogSigmoid": ("F.logsigmoid(a)", ()),
    "Softplus": ("F.softplus(a, beta, threshold)", (("beta", 1.0), ("threshold", 20.0))),
    "Softsign": ("F.softsign(a)", ()),
    "Softmax": ("F.softmax(a, dim=dim)", (("dim", None),)),
    "LogSoftmax": ("F.log_softmax(a, dim=dim)", (("dim", None),)),
    "Softmin": ("F.softmin(a, dim=dim)", (("dim", None),)),
    "Hardtanh": ("F.hardtanh(a, min_val, max_val)", (("min_val", -1.0), ("max_val", 1.0))),
    "Hardshrink": ("F.hardshrink(a, lambd)", (("lambd", 0.5),)),
    "Softshrink": ("F.softshrink(a, lambd)", (("lambd", 0.5),)),
    "Tanhshrink": ("F.tanhshrink(a)", ()),
    "Threshold": ("F.threshold(a, threshold, value)", (("threshold", 0), ("value", 0))),
    "GLU": ("F.glu(a, dim)", (("dim", -1),)),
}
"""Layers without state that a forward calls as functions: the text, and arguments' defaults."""

POSITIONAL = {
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), 3),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"), 3),
    **dict.fromkeys(("Linear", "Embedding", "Threshold", "Hardtanh"), 2),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "LSTMCell"), 2),
    "Bilinear": 3,
    "Upsample": 0,
}
"""How many arguments of a layer are written without their names; by default one, of losses none."""


def literal(value: Any) -> ast.expr:
    """Return a number, a string or a tuple as an expression."""
    if isinstance(value, float) and math.isinf(value):
        return ast.parse('float("inf")' if value > 0 else 'float("-inf")', mode="eval").body
    if isinstance(value, tuple):
        return ast.Tuple([literal(v) for v in value], ast.Load())
    return ast.parse(repr(value), mode="eval").body


class _Filling(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, names: dict[str, Any], several: dict[str, Sequence[ast.expr]]) -> None:
        self.names = names
        self.several = several

    def visit_Name(self, node: ast.Name) -> Any:
        """Return what stands for a name."""
        found = self.names.get(node.id)
        return copy.deepcopy(found) if found is not None else node

    def _spread(self, items: list[ast.expr]) -> list[ast.expr]:
        found: list[ast.expr] = []
        for item in items:
            name = item.value.id if _is_starred_name(item) else ""  # type: ignore[attr-defined]
            if name in self.several:
                found += copy.deepcopy(list(self.several[name]))
            else:
                found.append(self.visit(item))
        return found

    def visit_List(self, node: ast.List) -> ast.List:
        """Return a list with `*parts` spread out."""
        node.elts = self._spread(node.elts)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Return a call with `*shape` spread out."""
        node.func = self.visit(node.func)
        node.args = self._spread(node.args)
        node.keywords = [self.visit(k) for k in node.keywords]
        return node


def _is_starred_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred) and isinstance(node.value, ast.Name)


def filled(text: str, names: dict[str, Any], several: dict[str, Any] | None = None) -> ast.expr:
    """Return the expression of a text with other expressions in the place of its names."""
    tree = ast.parse(text, mode="eval").body
    filled_in: ast.expr = _Filling(names, several or {}).visit(tree)
    return filled_in


def operation(
    target: Target, name: str, arguments: Sequence[ast.expr], attrs: dict[str, Any]
) -> ast.expr:
    """Return an operation as an expression."""
    known = OPERATIONS[name]
    text = known.torch if target == "torch" and known.torch else known.text
    if name == "index" and not attrs["base"]:
        text = text.removesuffix(" - base")
    if name in ("select", "narrow") and attrs["dim"] in (0, 1):
        start, length = attrs.get("start", 0), attrs.get("length", 0)
        inner = f"{start or ''}:{start + length}" if name == "narrow" else attrs["index"]
        text = f"a[{':, ' * attrs['dim']}{inner}]"
    if name == "add" and _negated(arguments[0]) and isinstance(arguments[1], ast.Constant):
        name, arguments = "sub", (arguments[1], arguments[0].operand)  # type: ignore[attr-defined]
        text = OPERATIONS["sub"].text
    names: dict[str, Any] = dict(zip("abc", arguments, strict=False))
    several: dict[str, Any] = {"parts": arguments}
    for key, value in attrs.items():
        if key in ("shape", "order"):
            several[key] = [_size(arguments[0], n) for n in value]
        else:
            names[key] = literal(value)
    found = filled(text, names, several)
    if known.keywords:
        assert isinstance(found, ast.Call)
        found.keywords = [ast.keyword(key, literal(value)) for key, value in attrs.items()]
    return found


def _negated(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def _size(x: ast.expr, size: Any) -> ast.expr:
    return filled("a.shape[0]", {"a": x}) if size == BATCH else literal(size)


def function(kind: str, argument: ast.expr, arguments: dict[str, Any]) -> ast.expr:
    """Return a layer without state as a call of its function."""
    text, defaults = FUNCTIONS[kind]
    names: dict[str, Any] = {"a": argument}
    given = [n for n, default in defaults if arguments.get(n, default) != default]
    if not given and "=" not in text:
        text = text.partition(",")[0].rstrip(")") + ")" if "," in text else text
    values = {n: arguments.get(n, default) for n, default in defaults}
    return filled(text, names | {n: literal(v) for n, v in values.items()})


def constructor(kind: str, arguments: dict[str, ast.expr], prefix: str = "nn.") -> ast.expr:
    """Return a call of a class's constructor."""
    plain = POSITIONAL.get(kind, 0 if kind.endswith("Loss") else 1) if prefix else 2
    names = list(arguments)
    first = names[: min(plain, len(names))]
    call = ast.parse(f"{prefix}{kind}()", mode="eval").body
    assert isinstance(call, ast.Call)
    call.args = [arguments[n] for n in first]
    call.keywords = [ast.keyword(n, arguments[n]) for n in names[len(first) :]]
    return call


def flat(node: ast.expr) -> str:
    """Return an expression in one line."""
    return ast.unparse(ast.fix_missing_locations(node))
