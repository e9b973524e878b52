"""Pieces of Python text that know how tightly they bind, so that brackets stand where needed."""

from __future__ import annotations

from dataclasses import dataclass

LAMBDA, TERNARY, OR, AND, NOT, COMPARISON = range(6)
ADD, MULTIPLY, UNARY, POWER, ATOM = range(6, 11)


@dataclass(frozen=True, slots=True)
class Code:
    """An expression of Python.

    Attributes
    ----------
    text : str
    binding : int
        How tightly its outermost operator binds: ATOM for names, calls and the like.
    """

    text: str
    binding: int = ATOM

    def at(self, binding: int) -> str:
        """Return the text as an operand of something that binds so tightly."""
        return self.text if self.binding >= binding else f"({self.text})"

    def __str__(self) -> str:
        return self.text


def binary(left: Code, operator: str, right: Code, binding: int) -> Code:
    """Return `left operator right` for an operator that groups to the left."""
    return Code(f"{left.at(binding)} {operator} {right.at(binding + 1)}", binding)


def comparison(left: Code, operator: str, right: Code) -> Code:
    """Return a comparison; two in a row would be one chain in Python, so both get brackets."""
    return Code(f"{left.at(ADD)} {operator} {right.at(ADD)}", COMPARISON)


def negation(operand: Code) -> Code:
    """Return `not operand`."""
    return Code(f"not {operand.at(NOT)}", NOT)


def conditional(value: Code, test: Code, otherwise: Code) -> Code:
    """Return `value if test else otherwise`."""
    return Code(f"{value.at(OR)} if {test.at(OR)} else {otherwise.at(TERNARY)}", TERNARY)


def either(operator: str, left: Code, right: Code) -> Code:
    """Return `left or right`, or `left and right`."""
    binding = OR if operator == "or" else AND
    return Code(f"{left.at(binding)} {operator} {right.at(binding)}", binding)


def call(function: str, *arguments: object) -> Code:
    """Return `function(arguments)`."""
    return Code(f"{function}({', '.join(map(str, arguments))})")


_ESCAPES = {
    ord("\\"): "\\\\",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord('"'): '\\"',
    **{i: f"\\x{i:02x}" for i in (*range(32), *range(127, 161), 173) if i not in (9, 10, 13)},
}


def quoted(text: str) -> str:
    """Return a string literal, in double quotes."""
    return f'"{text.translate(_ESCAPES)}"'


def in_braces(text: str) -> str:
    """Return text as it stands inside an f-string's quotes."""
    return text.translate(_ESCAPES).replace("{", "{{").replace("}", "}}")
