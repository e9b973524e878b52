"""The types of values, and what joins and operators make of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from . import ast

UNBOUNDED = 64

EXACT_BITS = 53


_REFERENCES = frozenset(
    ["table", "dict", "record", "function", "module", "object", "native", "class", "package", "nil"]
)


@dataclass(frozen=True, slots=True)
class Type:
    """The type of an expression.

    Attributes
    ----------
    kind : str
        "any", "nil", "boolean", "integer", "number", "string", "table", "list" (a table
        that is a Python list; the detail is the type of its elements), "dict" and "record"
        (tables that are one; the detail is a `dict_candidates.Keyed`), "tensor", "storage",
        "function", "module" (an object of nn), "options" (a torch.CmdLine), "object" (of a
        class of the program), "native" (an object of `natives`), "class", "package".
    bits : int
        Of a number: about how many bits it has at most if it is whole, which decides whether
        Python's product is that of doubles.
    optional : bool
        It may be nil as well.
    detail : object
        The class of an object, the node of a function, the name of a package, how many
        dimensions a tensor has.
    """

    kind: str
    bits: int = 0
    optional: bool = False
    detail: Any = None

    @property
    def is_number(self) -> bool:
        """Whether it is a number, or nil where that is allowed."""
        return self.kind in ("integer", "number")

    @property
    def is_reference(self) -> bool:
        """Whether it is nil or something that counts as true in both languages."""
        return self.kind in _REFERENCES


ANY = Type("any")
NIL = Type("nil", optional=True)
BOOLEAN = Type("boolean")
NUMBER = Type("number")
STRING = Type("string")
TABLE = Type("table")
TENSOR = Type("tensor")
STORAGE = Type("storage")
FUNCTION = Type("function")
MODULE = Type("module")
OPTIONS = Type("options")


def integer(bits: int) -> Type:
    """Return the type of whole numbers of about so many bits."""
    return Type("integer", min(bits, UNBOUNDED))


COUNT = integer(30)
"""Positions, lengths and sizes."""

_LETTERS = {
    "a": ANY,
    "n": NUMBER,
    "i": COUNT,
    "s": STRING,
    "b": BOOLEAN,
    "t": TABLE,
    "T": TENSOR,
    "S": STORAGE,
    "f": FUNCTION,
    "M": MODULE,
}


def results_of(letters: str) -> list[Type] | None:
    """Return the types that letters of `library` stand for; None for any number of results."""
    if letters == "*":
        return None
    found: list[Type] = []
    optional = False
    for letter in letters:
        if letter == "Z":
            optional = True
            continue
        kind = _LETTERS[letter]
        found.append(replace(kind, optional=True) if optional else kind)
        optional = False
    return found


def join(a: Type | None, b: Type | None) -> Type | None:
    """Return the type of what is of one or the other; None is the type of nothing yet."""
    if a is None or b is None or a == b:
        return a if b is None else b
    if a.kind == "nil":
        return b if b.kind == "any" else replace(b, optional=True)
    if b.kind == "nil":
        return a if a.kind == "any" else replace(a, optional=True)
    optional = a.optional or b.optional
    if a.kind == b.kind:
        detail = a.detail if a.detail is b.detail or a.detail == b.detail else None
        return Type(a.kind, max(a.bits, b.bits), optional, detail)
    if a.is_number and b.is_number:
        return Type("number", max(a.bits, b.bits), optional)
    return ANY


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The fields of a table that are known from the start, and what they are given there."""

    values: dict[str, list[ast.Expression]]


def arithmetic(
    operator: str, left: Type | None, right: Type | None, node: ast.Binary
) -> Type | None:
    """Return the type of an arithmetic operation."""
    if left is None or right is None:
        return None
    kinds = {left.kind, right.kind}
    if "tensor" in kinds:
        if kinds == {"tensor"} and operator == "*":
            return ANY  # of two vectors a number
        return TENSOR if kinds <= {"tensor", "integer", "number"} else ANY
    if not (left.is_number and right.is_number):
        return ANY
    kind = "integer" if kinds == {"integer"} else "number"
    if operator in "+-":
        return Type(kind, max(left.bits, right.bits))
    if operator == "*":
        return Type(kind, left.bits + right.bits) if is_exact(left, right) else Type("number", 64)
    if operator == "%":
        exact = kind if is_nonzero(node.right) else "number"
        return Type(exact, right.bits or left.bits)
    if operator == "^" and isinstance(node.right, ast.Number):
        power = node.right.value
        if power in (2, 3) and left.bits * power <= EXACT_BITS:
            return Type(kind, int(left.bits * power))
    return NUMBER


def is_exact(left: Type, right: Type) -> bool:
    """Whether the product of two numbers is the same for Python's ints and for doubles."""
    return left.bits + right.bits <= EXACT_BITS


def is_nonzero(node: ast.Expression) -> bool:
    """Whether an expression is always a number other than zero; lengths are taken to be."""
    if isinstance(node, ast.Paren):
        return is_nonzero(node.inner)
    if isinstance(node, ast.Unary):
        return node.operator == "#" or (node.operator == "-" and is_nonzero(node.operand))
    if isinstance(node, ast.Name) and node.variable is not None:
        constant = node.variable
        once = not (constant.writes or constant.unknown or constant.several)
        return (
            once
            and len(constant.values) == 1
            and isinstance(constant.values[0], ast.Number)
            and is_nonzero(constant.values[0])
        )
    return isinstance(node, ast.Number) and node.value != 0
