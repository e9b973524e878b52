"""Expressions of differentiated functions, written for core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ast
from ..code import quoted
from ..kinds import ANY, TENSOR, Type
from ..scope import FileScope
from ..walk import number, plain, walk
from .gradient_outside import Known
from .gradient_terms import (
    ATOM,
    FUNCTIONS,
    LAYERS,
    METHODS,
    SIGN,
    TWO_RESULTS,
    Term,
    elementwise,
    matmul,
    operation,
)
from .gradient_values import SCALAR, Array, NotModernError, Plain, Tree

FUNC = ("func", "rekindle")
LOWEST = -1
_ATOMS = (ast.Name, ast.Number, ast.Call, ast.MethodCall, ast.Index)


@dataclass(frozen=True, slots=True)
class Form:
    """How a function's gradients are asked for.

    Attributes
    ----------
    name : str
        "grad" or "value_and_grad".
    results : int
        How many results the function has.
    position : int
        Which argument is differentiated, from 1.
    """

    name: str
    results: int
    position: int


class Expressions(Known):
    """The expressions of differentiated functions, and those outside that are about gradients.

    Attributes
    ----------
    new : dict
        What becomes of nodes, by their ids; of statements a list.
    used : set of int
        Names that have been understood, by their ids.
    """

    def __init__(self, block: ast.Block, scopes: FileScope, alone: bool) -> None:
        super().__init__(block, scopes, alone)
        self.new: dict[int, Any] = {}
        self.used: set[int] = set()
        self.texts: dict[int, str] = {}
        self.results: dict[int, int] = {}
        self.packed: dict[int, ast.Return] = {}
        self.comments: list[tuple[Any, list[Any]]] = []

    def form_of(self, call: ast.Call) -> Form:
        """Return how the gradients of a site are asked for."""
        raise NotImplementedError

    def term(self, node: Any) -> Term:
        """Return an expression for core, with what is known of its value."""
        match node:
            case ast.Paren(inner=inner):
                return self.term(inner)
            case ast.Number(value=value, text=written):
                return Term((written if written.isdigit() else repr(value),), Plain(value))
            case ast.Name():
                return self._named(node)
            case ast.Index():
                return self._part(node)
            case ast.Unary(operator="-", operand=operand):
                x = self.term(operand)
                negative = x.value
                if isinstance(negative, Plain) and negative.value is not None:
                    negative = Plain(-negative.value)
                return Term(("-", *x.at(SIGN)), negative, SIGN, x.imports)
            case ast.Unary(operator="#", operand=operand) if self.has_tree(operand):
                x = self.term(operand)
                if isinstance(x.value, Tree):
                    return Term(("len(", *x.parts, ")"), Plain(len(x.value.parts)))
            case ast.Binary(operator="+" | "-" | "*" | "/" | "^"):
                return self._arithmetic(node)
            case ast.Call():
                return self._call(node)
            case ast.MethodCall(object=owner, method=name, arguments=arguments):
                if name in METHODS and self.is_array(owner):
                    terms = [self.term(owner), *map(self.term, arguments)]
                    return self.ruled(node, f"torch.{name}", terms)
        return self.other(node)

    def other(self, node: Any) -> Term:
        """Return an expression that stays as it is: of numbers, or of tensors from outside."""
        if self.is_plain(node):
            return Term((node,), Plain(), ATOM if isinstance(node, _ATOMS) else LOWEST)
        value = None if self.running and not self.is_constant(node) else self.direct_value(node)
        if value is None:
            raise NotModernError(node, "an expression", "it is not known what it gives")
        return Term((node,), value, ATOM if isinstance(node, _ATOMS) else LOWEST)

    def is_array(self, node: Any) -> bool:
        """Whether an expression is known to be a tensor that terms can be made of."""
        try:
            return isinstance(self.term(node).value, Array)
        except NotModernError:
            return False

    def is_plain(self, node: Any) -> bool:
        """Whether an expression is of numbers that are not differentiated."""
        allowed = (ast.Name, ast.Number, ast.Binary, ast.Unary, ast.Paren)
        for part in walk(node):
            if not isinstance(part, allowed):
                return False
            if isinstance(part, ast.Name):
                value = (
                    self.env[part.variable]
                    if part.variable in self.env
                    else self.value_of_name(part)
                )
                if not isinstance(value, Plain):
                    return False
        return True

    def _named(self, node: ast.Name) -> Term:
        if node.variable is not None and node.variable in self.env:
            return Term((node,), self.env[node.variable])
        value = self.value_of_name(node)
        if value is None:
            raise NotModernError(node, node.name, "it is not known what it is")
        if value == SCALAR and self.key(node) in self.losses:
            return Term((node, ".item()"), Plain())
        return Term((node,), value)

    def _part(self, node: ast.Index) -> Term:
        if not self.running and not self.root_is_tree(node):
            return self.other(node)
        owner, key = self.term(node.table), plain(node.key)
        if isinstance(owner.value, Tree):
            return self._branch(node, owner, key)
        if not isinstance(owner.value, Array):
            return self.other(node)
        place, shape = self.term(key), owner.value.shape
        if isinstance(shape, str) or not isinstance(place.value, Plain) or not shape:
            raise NotModernError(
                node, "a part of a tensor", "the number of dimensions is not known"
            )
        return Term(
            (*owner.at(ATOM), "[", *_from_zero(key), "]"), Array(shape[1:]), ATOM, owner.imports
        )

    def _branch(self, node: ast.Index, owner: Term, key: Any) -> Term:
        tree = owner.value
        if isinstance(key, ast.String):
            if key.value not in tree.parts:
                raise NotModernError(node, key.value, "the parameters have no such part")
            parts = (*owner.at(ATOM), f"[{quoted(key.value)}]")
            return Term(parts, tree.parts[key.value], ATOM, owner.imports)
        place = self.term(key)
        if not isinstance(place.value, Plain) or not tree.is_list:
            raise NotModernError(node, "a part of the parameters", "it is not known which")
        if place.value.value is not None:
            if place.value.value not in tree.parts:
                raise NotModernError(
                    node, "a part of the parameters", "there is none at this place"
                )
            value = tree.parts[place.value.value]
        else:
            value = self.joined(tree, key)
        return Term((*owner.at(ATOM), "[", *_from_zero(key), "]"), value, ATOM, owner.imports)

    def joined(self, tree: Tree, key: Any) -> Any:
        """Return what any part of a list is."""
        values = list(tree.parts.values())
        if all(v == values[0] for v in values):
            return values[0]
        if not all(isinstance(v, Array) for v in values):
            raise NotModernError(key, "a part of the parameters", "parts of several kinds")
        return Array(f"{tree.name}[{self.canonical(key)}]")

    def _arithmetic(self, node: ast.Binary) -> Term:
        a, b = self.term(node.left), self.term(node.right)
        x, y = a.value, b.value
        for value in (x, y):
            if not isinstance(value, (Array, Plain)):
                raise NotModernError(node, f"'{node.operator}'", "it is not known of what")
        if isinstance(x, Plain) and isinstance(y, Plain):
            return Term((node,), Plain(_computed(node.operator, x.value, y.value)), LOWEST)
        if node.operator == "^":
            if not isinstance(y, Plain):
                raise NotModernError(node, "'^'", "the exponent is differentiated")
            return operation(node, "**", a, b, x)
        both = SCALAR not in (x, y) and isinstance(x, Array) and isinstance(y, Array)
        if node.operator == "*" and both:
            return matmul(node, a, b)
        if node.operator == "/" and isinstance(y, Array) and y != SCALAR:
            raise NotModernError(node, "'/'", "Torch divides by numbers only")
        return elementwise(node, node.operator, a, b)

    def _call(self, node: ast.Call) -> Term:
        if self.site_of(node) is not None:
            found = self.called(node)
            if self.running and (self.form_of(node).name != "grad" or id(node) in self.spread):
                raise NotModernError(node, "gradients", "inside of a function more is asked for")
            return found
        layer = self.layer_of(node.function)
        if layer is not None:
            if layer not in LAYERS:
                raise NotModernError(node, f"autograd.nn.{layer}", "it has no counterpart here")
            return self.applied(node, LAYERS[layer], [self.term(a) for a in node.arguments])
        name = self.full_name(node.function)
        if name in FUNCTIONS:
            if name in TWO_RESULTS and id(node) in self.spread:
                raise NotModernError(node, name, "all of its results are used at once")
            return self.ruled(node, name, [self.term(a) for a in node.arguments])
        key = self.function_of(node.function)
        if key is not None and key in self.inside:
            return self.outer_call(node)
        return self.other(node)

    def ruled(self, node: Any, name: str, terms: list[Term]) -> Term:
        """Return what a function of torch becomes."""
        return self.applied(node, FUNCTIONS[name], terms)

    def applied(self, node: Any, rule: Any, terms: list[Term]) -> Term:
        """Return what a rule makes of arguments.

        Raises
        ------
        NotModernError
            If it takes other arguments.
        """
        try:
            found: Term = rule(node, *terms)
        except TypeError:
            raise NotModernError(
                node, "a call", "it has arguments that are not understood"
            ) from None
        return found

    def kind_of(self, value: Any) -> Type:
        """Return the type of a value outside."""
        return TENSOR if isinstance(value, Array) else ANY

    def imports_of(self, parts: Any) -> tuple[tuple[str, str], ...]:
        """Return what the text of a call needs."""
        return (FUNC,) if any(isinstance(p, str) and p.startswith("func.") for p in parts) else ()


def _from_zero(key: Any) -> tuple[Any, ...]:
    value = number(key)
    return (str(int(value) - 1),) if value is not None else (key, " - 1")


def _computed(operator: str, a: Any, b: Any) -> int | None:
    if not isinstance(a, int) or not isinstance(b, int) or operator not in "+-*":
        return None
    return a + b if operator == "+" else a - b if operator == "-" else a * b
