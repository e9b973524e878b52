"""Torch's functions on tensors as core's methods and operators, which `rekindle.func` maps.

A term is text of Python with expressions in it, how tightly it binds, and what is known of its
value; see `gradient_values.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import ast
from ..kinds import COUNT, NUMBER, TENSOR
from ..text import words
from .gradient_values import (
    SCALAR,
    Array,
    NotModernError,
    Plain,
    fits,
    product,
    reduced,
    unknown_size,
)
from .nodes import NN, Template

ADD, MULTIPLY, SIGN, POWER, ATOM = range(5)

OPS = ("ops", "rekindle")


@dataclass(frozen=True, slots=True)
class Term:
    """An expression of Python.

    Attributes
    ----------
    parts : tuple of str or Expression
    value : Array, Plain, Tree, Several
    binds : int
    imports : tuple
    """

    parts: tuple[Any, ...]
    value: Any
    binds: int = ATOM
    imports: tuple[tuple[str, str], ...] = ()

    def at(self, binds: int) -> tuple[Any, ...]:
        """Return the text, in brackets if it binds less tightly."""
        return self.parts if self.binds >= binds else ("(", *self.parts, ")")

    def node(self, place: Any) -> Template:
        """Return it as an expression of the tree."""
        plain = isinstance(self.value, Plain)
        whole = plain and isinstance(self.value.value, int)
        kind = COUNT if whole else NUMBER if plain else TENSOR
        return Template(place.line, place.column, list(self.parts), kind, self.imports)


def text(value: Term) -> str:
    """Return a term as text, by which two are compared."""
    return "".join(p if isinstance(p, str) else _written(p) for p in value.parts)


def _written(node: Any) -> str:
    if isinstance(node, Template):
        return "".join(p if isinstance(p, str) else _written(p) for p in node.parts)
    if isinstance(node, ast.Name):
        return node.name
    return f"<{node.line}:{node.column}>"


def method(x: Term, name: str, value: Any, *args: Any) -> Term:
    """Return a call of a method."""
    imports = tuple(i for a in (x, *args) if isinstance(a, Term) for i in a.imports)
    listed: list[Any] = []
    for a in args:
        listed += [", "] if listed else []
        listed += a.parts if isinstance(a, Term) else [a]
    return Term((*x.at(ATOM), f".{name}(", *listed, ")"), value, ATOM, imports)


def operation(node: Any, operator: str, a: Term, b: Term, value: Any) -> Term:
    """Return `a operator b`."""
    binds = {"+": ADD, "-": ADD, "**": POWER}.get(operator, MULTIPLY)
    left = a.at(binds + (operator == "**"))
    right = b.at(SIGN if operator == "**" else binds + 1)
    return Term((*left, f" {operator} ", *right), value, binds, a.imports + b.imports)


def elementwise(node: Any, operator: str, a: Term, b: Term) -> Term:
    """Return an operation on tensors of as many elements, or with numbers.

    Raises
    ------
    NotModernError
        If core might broadcast where Torch goes by the order of elements.
    """
    x, y = a.value, b.value
    if isinstance(x, Plain) and isinstance(y, Plain):
        return operation(node, operator, a, b, Plain())
    if isinstance(y, Plain):
        return operation(node, operator, a, b, x)
    if isinstance(x, Plain) or x == SCALAR:
        return operation(node, operator, a, b, y)
    if not fits(x, y):
        raise NotModernError(
            node, f"'{operator}'", "Torch goes by the order of elements; the shapes are not known"
        )
    return operation(node, operator, a, b, x)


# -- functions of torch -------------------------------------------------------------------------

Rule = Callable[..., Term]


def _tensor(node: Any, x: Term) -> Array:
    if not isinstance(x.value, Array):
        raise NotModernError(node, "a tensor", "it is not known to be a tensor")
    return x.value


def _number(node: Any, x: Term) -> int:
    """Return a number that is written out."""
    if not isinstance(x.value, Plain) or not isinstance(x.value.value, int):
        raise NotModernError(node, "a dimension", "it is not known which")
    return x.value.value


def _unary(name: str) -> Rule:
    return lambda node, x: method(x, name, _tensor(node, x))


def _pair(operator: str) -> Rule:
    def rule(node: Any, a: Term, b: Term, *more: Term) -> Term:
        if more:  # add(a, factor, b)
            b = elementwise(node, "*", *((b, more[0])))
        return elementwise(node, operator, a, b)

    return rule


def matmul(node: Any, a: Term, b: Term) -> Term:
    """Return the product of matrices and vectors."""
    found = product(_tensor(node, a), _tensor(node, b))
    if found is None:
        raise NotModernError(node, "a product", "the number of dimensions does not fit")
    return operation(node, "@", a, b, found)


def _reduction(name: str) -> Rule:
    def rule(node: Any, x: Term, *dim: Term) -> Term:
        if not dim:
            _tensor(node, x)
            return method(x, name, SCALAR)
        axis = _number(node, dim[0]) - 1
        return method(x, name, reduced(_tensor(node, x), axis), f"axis={axis}, keepdims=True")

    return rule


def _extreme(name: str) -> Rule:
    def rule(node: Any, x: Term) -> Term:
        _tensor(node, x)
        return method(x, name, SCALAR)

    return rule


def _dot(node: Any, a: Term, b: Term) -> Term:
    return method(elementwise(node, "*", a, b), "sum", SCALAR)


def _transposed(node: Any, x: Term) -> Term:
    shape = _tensor(node, x).shape
    if isinstance(shape, str):
        return method(x, "transpose", Array(unknown_size()), "0, 1")
    return Term((*x.at(ATOM), ".T"), Array(shape[::-1]), ATOM, x.imports)


def _reshaped(node: Any, x: Term, *sizes: Term) -> Term:
    _tensor(node, x)
    return method(x, "reshape", Array(tuple(_size(s) for s in sizes)), *sizes)


def _size(x: Term) -> str:
    if isinstance(x.value, Plain) and isinstance(x.value.value, int) and x.value.value >= 0:
        return str(x.value.value)
    named = x.value.name if isinstance(x.value, Plain) else None
    return unknown_size() if named is None else named


def _size_of(node: Any, x: Term, dim: Term) -> Term:
    shape, axis = _tensor(node, x).shape, _number(node, dim) - 1
    size = unknown_size() if isinstance(shape, str) else shape[axis]
    value = Plain(int(size)) if size.isdigit() else Plain(None, size)
    return Term((*x.at(ATOM), f".shape[{axis}]"), value, ATOM, x.imports)


def _expanded(node: Any, x: Term, *sizes: Term) -> Term:
    _tensor(node, x)
    return method(x, "expand", Array(tuple(_size(s) for s in sizes)), *sizes)


def _narrow(node: Any, x: Term, dim: Term, start: Term, size: Term) -> Term:
    shape, axis = _tensor(node, x).shape, _number(node, dim) - 1
    value = Array(unknown_size())
    if not isinstance(shape, str):
        value = Array((*shape[:axis], _size(size), *shape[axis + 1 :]))
    return method(x, "narrow", value, str(axis), _from_zero(start), size)


def _select(node: Any, x: Term, dim: Term, index: Term) -> Term:
    shape, axis = _tensor(node, x).shape, _number(node, dim) - 1
    if isinstance(shape, str):
        raise NotModernError(node, "select", "the number of dimensions is not known")
    value = Array(shape[:axis] + shape[axis + 1 :])
    return method(x, "select", value, str(axis), _from_zero(index))


def _from_zero(place: Term) -> Term:
    """Return a place counted from 0."""
    written = place.parts[0]
    if len(place.parts) == 1 and isinstance(written, str) and written.isdigit():
        return Term((str(int(written) - 1),), Plain())
    return Term((*place.at(ADD), " - 1"), Plain(), ADD)


def _clamp(node: Any, x: Term, low: Term, high: Term) -> Term:
    ends = ("min=", *low.parts, ", max=", *high.parts)
    imports = x.imports + low.imports + high.imports
    return Term((*x.at(ATOM), ".clamp(", *ends, ")"), _tensor(node, x), ATOM, imports)


def _log_sum_exp(node: Any, x: Term) -> Term:
    _tensor(node, x)
    return Term(("ops.logsumexp(", *x.parts, ")"), SCALAR, ATOM, (*x.imports, OPS))


def _log_softmax(node: Any, x: Term) -> Term:
    if not _is_simple(x):
        raise NotModernError(node, "logSoftMax", "it is given no variable")
    return operation(node, "-", x, _log_sum_exp(node, x), _tensor(node, x))


def _is_simple(x: Term) -> bool:
    return len(x.parts) == 1


def _log_multinomial(node: Any, out: Term, target: Term) -> Term:
    inner = _dot(node, out, target)
    return Term(("-", *inner.parts), SCALAR, SIGN, inner.imports)


def _least_squares(node: Any, out: Term, target: Term) -> Term:
    squared = operation(
        node, "**", elementwise(node, "-", out, target), Term(("2",), Plain(2)), out.value
    )
    return method(squared, "sum", SCALAR)


def _cross_entropy(node: Any, out: Term, target: Term) -> Term:
    return _log_multinomial(node, _log_softmax(node, out), target)


_SAME = words("abs exp log log1p sqrt sin cos tan sinh cosh tanh asin acos atan sigmoid square")

FUNCTIONS: dict[str, Rule] = {
    **{f"torch.{name}": _unary(name) for name in _SAME},
    **dict.fromkeys(["torch.cmul", "torch.mul"], _pair("*")),
    **dict.fromkeys(["torch.cdiv", "torch.div"], _pair("/")),
    "torch.add": _pair("+"),
    **dict.fromkeys(["torch.csub", "torch.sub"], _pair("-")),
    "torch.neg": lambda node, x: Term(("-", *x.at(SIGN)), _tensor(node, x), SIGN, x.imports),
    "torch.pow": lambda node, x, n: operation(node, "**", x, n, _tensor(node, x)),
    **dict.fromkeys(["torch.mm", "torch.mv"], matmul),
    "torch.dot": _dot,
    "torch.sum": _reduction("sum"),
    "torch.mean": _reduction("mean"),
    "torch.max": _extreme("max"),
    "torch.min": _extreme("min"),
    "torch.t": _transposed,
    **dict.fromkeys(["torch.view", "torch.reshape"], _reshaped),
    "torch.size": _size_of,
    "torch.expand": _expanded,
    "torch.narrow": _narrow,
    "torch.select": _select,
    "torch.clamp": _clamp,
    "autograd.util.logSumExp": _log_sum_exp,
    "autograd.util.logSoftMax": _log_softmax,
    "autograd.util.sigmoid": _unary("sigmoid"),
    "autograd.loss.logMultinomialLoss": _log_multinomial,
    "autograd.loss.leastSquares": _least_squares,
    "autograd.loss.crossEntropy": _cross_entropy,
}
"""By the function's name in Lua: how it is written for core."""

TWO_RESULTS = frozenset(["autograd.loss.leastSquares", "autograd.loss.crossEntropy"])
"""Those that give what they are made of as well."""

METHODS = frozenset(words("view reshape narrow select t sum mean max min size dot"))
"""Methods that are the functions of torch of that name."""


# -- modules of nn as functions -----------------------------------------------------------------


def _linear(node: Any, parameters: Term, x: Term) -> Term:
    shape = _tensor(node, x).shape
    if isinstance(shape, str) or len(shape) not in (1, 2):
        raise NotModernError(node, "Linear", "the number of dimensions is not known")
    listed = ("nn.functional.linear(", *x.parts, ", *", *parameters.at(ATOM), ")")
    imports = (*x.imports, *parameters.imports, NN)
    bias = parameters.value.parts[2].shape
    size = bias[0] if isinstance(bias, tuple) and bias else unknown_size()
    return Term(listed, Array((*shape[:-1], size)), ATOM, imports)


def _mean_square(node: Any, out: Term, target: Term) -> Term:
    if _tensor(node, out) != _tensor(node, target):
        raise NotModernError(node, "MSECriterion", "the shapes are not known to be the same")
    listed = ("nn.functional.mse_loss(", *out.parts, ", ", *target.parts, ")")
    return Term(listed, SCALAR, ATOM, (*out.imports, *target.imports, NN))


def _along_last(name: str) -> Rule:
    def rule(node: Any, x: Term) -> Term:
        if _tensor(node, x).ndim not in (1, 2):
            raise NotModernError(node, name, "the number of dimensions is not known")
        return method(x, name, x.value, "-1")

    return rule


LAYERS: dict[str, Rule] = {
    "Tanh": _unary("tanh"),
    "Sigmoid": _unary("sigmoid"),
    "ReLU": _unary("relu"),
    "SoftMax": _along_last("softmax"),
    "LogSoftMax": _along_last("log_softmax"),
    "Linear": _linear,
    "MSECriterion": _mean_square,
}
"""What calls of `autograd.nn.X(...)` become."""
