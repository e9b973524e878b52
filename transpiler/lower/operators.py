"""Operators: Python's own where the types allow it, else functions that do as Lua does."""

from __future__ import annotations

from .. import ast
from ..code import (
    ADD,
    MULTIPLY,
    POWER,
    Code,
    comparison,
    conditional,
    either,
    in_braces,
    negation,
)
from ..code import binary as binary_code
from ..code import call as call_code
from ..kinds import EXACT_BITS, Type, is_exact, is_nonzero
from .context import Context
from .dicts import contains, is_empty, with_default
from .values import is_of_tables, unary_minus

_FUNCTIONS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "%": "mod",
    "^": "power",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}


_OF_OBJECTS = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "%": MULTIPLY, "^": POWER}


_EVENTS = {
    **{"+": "__add", "-": "__sub", "*": "__mul", "/": "__div", "%": "__mod", "^": "__pow"},
    **{"<": "__lt", ">": "__lt", "<=": "__le", ">=": "__le"},
}


def _asks_metatable(c: Context, operator: str, left: Type, right: Type) -> bool:
    """Whether Python's operator asks the metatable of an object of a class made of a table."""
    of_right = (left.is_number or left.kind == "table") and _is_object(right)
    if not (_is_object(left) or of_right):
        return False
    # What the program reads of errors names the operand that has no such metamethod.
    owner = left if _is_object(left) else right
    return not c.module.hears or _EVENTS[operator] in owner.detail.methods


def _is_object(kind: Type) -> bool:
    return kind.kind == "object" and is_of_tables(kind) and not kind.optional


def binary(c: Context, node: ast.Binary) -> Code:
    """Return `left operator right`."""
    operator = node.operator
    if operator in ("and", "or"):
        return logical(c, node)
    if operator == "..":
        return concatenation(c, node)
    if operator in ("==", "~="):
        return equality(c, node)
    left, right = c.type_of(node.left), c.type_of(node.right)
    if operator in ("<", "<=", ">", ">="):
        return _ordering(c, node, left, right)
    a, b = c.expression(node.left), c.expression(node.right)
    if operator in _OF_OBJECTS and _asks_metatable(c, operator, left, right):
        if operator == "^":
            return Code(f"{a.at(POWER + 1)} ** {b.at(POWER)}", POWER)
        return binary_code(a, operator, b, _OF_OBJECTS[operator])
    if operator == "-" and "module" in (left.kind, right.kind):
        return binary_code(a, "-", b, ADD)  # of nngraph: what follows what
    if left.is_number and right.is_number:
        plain = _plain_arithmetic(node, left, right, a, b)
        if plain is not None:
            return plain
        return c.lua(_FUNCTIONS[operator], a, b, reason="the result may be no number of Python")
    return c.lua(_FUNCTIONS[operator], a, b, reason=f"operands of '{operator}' of unknown type")


def _plain_arithmetic(node: ast.Binary, left: Type, right: Type, a: Code, b: Code) -> Code | None:
    operator = node.operator
    integers = left.kind == right.kind == "integer"
    if operator in "+-":
        return binary_code(a, operator, b, ADD)
    if operator == "*":
        if not is_exact(left, right):
            return None
        return binary_code(a, "*", b, MULTIPLY)
    if operator == "/" and is_nonzero(node.right):
        return binary_code(a, "/", b, MULTIPLY)
    if operator == "%" and integers and is_nonzero(node.right):
        return binary_code(a, "%", b, MULTIPLY)
    if operator == "^" and isinstance(node.right, ast.Number):
        power = node.right.value
        if power in (2, 3) and left.bits * power <= EXACT_BITS:
            return Code(f"{a.at(POWER + 1)} ** {b}", POWER)
    return None


def _ordering(c: Context, node: ast.Binary, left: Type, right: Type) -> Code:
    a, b = c.expression(node.left), c.expression(node.right)
    if _asks_metatable(c, node.operator, left, right):
        return comparison(a, node.operator, b)
    known = (left.is_number and right.is_number) or left.kind == right.kind == "string"
    ends = id(node.left) in c.demanded and id(node.right) in c.demanded
    if known and (ends or not (left.optional or right.optional)):
        return comparison(a, node.operator, b)
    return c.lua(_FUNCTIONS[node.operator], a, b, reason="what is compared is of unknown type")


def equality(c: Context, node: ast.Binary) -> Code:
    """`==` and `~=`."""
    from ..idioms import is_missing, is_there, to_compare

    same = node.operator == "=="
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(other, ast.Nil) and not isinstance(one, (ast.Number, ast.String)):
            there = contains(c, one, not same, False)
            if there is not None:
                return there
            filled = is_empty(c, one)
            if filled is not None:
                return negation(filled) if same else negation(negation(filled))
            given = is_missing(c, one) if same else is_there(c, one)
            if given is not None:
                return given
            return comparison(c.expression(one), "is" if same else "is not", Code("None"))
    for one, other in ((node.left, node.right), (node.right, node.left)):
        literal = isinstance(one, (ast.Number, ast.String, ast.Boolean, ast.Nil))
        if isinstance(other, ast.Boolean) and not literal:
            text = Code("True" if other.value else "False")
            return comparison(c.expression(one), "is" if same else "is not", text)
    left, right = c.type_of(node.left), c.type_of(node.right)
    a, b = to_compare(c, node.left, right), to_compare(c, node.right, left)
    if (left.kind == "class" and is_of_tables(left)) or (
        right.kind == "class" and is_of_tables(right)
    ):  # nothing else is a class
        return comparison(a, "is" if same else "is not", b)
    if _is_object(left):
        return comparison(a, "==" if same else "!=", b)
    literal = _is_telling(node.left) or _is_telling(node.right)
    if literal or (left.is_number and right.is_number) or "string" in (left.kind, right.kind):
        return comparison(a, "==" if same else "!=", b)
    found = c.lua("eq", a, b, reason="what is compared is of unknown type")
    return found if same else negation(found)


def _is_telling(node: ast.Expression) -> bool:
    """Whether only an equal value of the same type equals it: 1 and 0 equal Python's booleans."""
    if isinstance(node, ast.Number):
        return node.value not in (0, 1)
    return isinstance(node, ast.String)


# -- and, or, not -----------------------------------------------------------------------------


def test(c: Context, node: ast.Expression) -> Code:
    """Return an expression whose truth in Python is that of `node` in Lua."""
    if isinstance(node, ast.Paren):
        return test(c, node.inner)
    if isinstance(node, ast.Binary) and node.operator in ("and", "or"):
        return either(node.operator, test(c, node.left), test(c, node.right))
    if isinstance(node, ast.Unary) and node.operator == "not":
        return _not(c, node)
    if isinstance(node, _LITERALS):
        return Code("True")
    from ..idioms import is_there

    there = contains(c, node, True, True) or is_empty(c, node) or is_there(c, node)
    if there is not None:
        return there
    return truth(c, c.expression(node), c.type_of(node))


_LITERALS = (ast.Number, ast.String, ast.TableConstructor)


def truth(c: Context, value: Code, kind: Type) -> Code:
    """Return the truth of a value that is known by its type."""
    if kind.kind == "boolean":
        return value
    if kind.kind == "any":
        return c.lua("truth", value, reason="whether a value of unknown type is true")
    return comparison(value, "is not", Code("None"))


def _not(c: Context, node: ast.Unary) -> Code:
    inner = node.operand
    while isinstance(inner, ast.Paren):
        inner = inner.inner
    kind = c.type_of(inner)
    if isinstance(inner, ast.Binary) and inner.operator in ("==", "~="):
        flipped = "~=" if inner.operator == "==" else "=="
        return equality(c, ast.Binary(inner.line, inner.column, flipped, inner.left, inner.right))
    if isinstance(inner, _LITERALS):
        return Code("False")
    from ..idioms import is_missing

    missing = contains(c, inner, False, True) or is_missing(c, inner)
    if missing is not None:
        return missing
    if kind.kind not in ("boolean", "any") and not isinstance(inner, ast.Binary):
        return comparison(c.expression(inner), "is", Code("None"))
    return negation(test(c, inner))


def logical(c: Context, node: ast.Binary) -> Code:
    """Return `a and b`, `a or b` as values."""
    left = node.left
    while isinstance(left, ast.Paren):
        left = left.inner
    if node.operator == "or":
        if isinstance(left, ast.Binary) and left.operator == "and" and _is_true(c, left.right):
            return conditional(
                c.expression(left.right), test(c, left.left), c.expression(node.right)
            )
        if isinstance(left, ast.Binary) and left.operator == "and" and _is_constant(node.right):
            other = c.expression(node.right)
            inner = ast.Binary(left.line, left.column, "or", left.right, node.right)
            return conditional(logical(c, inner), test(c, left.left), other)
        found = with_default(c, left, node.right)
        if found is not None:
            return found
        kind = c.type_of(left)
        value, other = c.expression(left), c.expression(node.right)
        if kind.kind == "boolean" or kind.is_reference:
            return either("or", value, other)
        if is_default(left, node.right):
            return conditional(value, comparison(value, "is not", Code("None")), other)
        if _is_simple(left):
            return conditional(value, truth(c, value, kind), other)
        if _is_constant(node.right):
            return c.lua("or_", value, other, reason="'or' of a value of unknown type")
        return _remembered(c, value, kind, "or", other)
    kind = c.type_of(left)
    if kind.kind == "boolean":
        return either("and", test(c, left), c.expression(node.right))
    value, other = c.expression(left), c.expression(node.right)
    if kind.is_reference:
        return either("and", value, other)
    if _is_simple(left):
        return conditional(other, truth(c, value, kind), value)
    return _remembered(c, value, kind, "and", other)


def _remembered(c: Context, value: Code, kind: Type, operator: str, other: Code) -> Code:
    """Return `value or other` where `value` may be looked at once only."""
    function = "or_else" if operator == "or" else "and_then"
    return c.lua(
        function, value, f"lambda: {other}", reason=f"'{operator}' of a value of unknown type"
    )


def is_default(left: ast.Expression, right: ast.Expression) -> bool:
    """Whether `left or right` is a parameter's default: one that cannot be meant for false."""
    return (
        isinstance(left, ast.Name)
        and left.variable is not None
        and left.variable.kind == "parameter"
        and not left.variable.given_false
        and isinstance(right, (ast.Number, ast.String, ast.TableConstructor))
    )


def _is_simple(node: ast.Expression) -> bool:
    return isinstance(node, ast.Name)


def _is_constant(node: ast.Expression) -> bool:
    if isinstance(node, ast.TableConstructor):
        return not node.fields
    return isinstance(node, (ast.Number, ast.String, ast.Boolean, ast.Nil, ast.Name))


def _is_true(c: Context, node: ast.Expression) -> bool:
    kind = c.type_of(node)
    return not kind.optional and kind.kind not in ("any", "boolean", "nil")


# -- text, signs, lengths -----------------------------------------------------------------------


def concatenation(c: Context, node: ast.Binary) -> Code:
    """Return `a .. b .. c`: an f-string where all are text and numbers."""
    parts: list[ast.Expression] = []
    rest: ast.Expression = node
    while isinstance(rest, ast.Binary) and rest.operator == "..":
        parts.append(rest.left)
        rest = rest.right
    parts.append(rest)
    if all(_prints(c.type_of(part)) for part in parts):
        return joined(c, parts)
    codes = [c.expression(part) for part in parts]
    return c.lua("concat", *codes, reason="a value of unknown type is put into text")


def _prints(kind: Type) -> bool:
    return (kind.is_number or kind.kind == "string") and not kind.optional


def joined(c: Context, parts: list[ast.Expression]) -> Code:
    """Return text made of parts that are text and numbers."""
    if all(isinstance(part, (ast.Name, ast.String)) for part in parts) and len(parts) == 2:
        kinds = [c.type_of(part).kind for part in parts]
        if kinds == ["string", "string"]:
            return binary_code(c.expression(parts[0]), "+", c.expression(parts[1]), ADD)
    pieces: list[str | None] = []
    for part in parts:
        if isinstance(part, ast.String):
            pieces.append(in_braces(part.value))
        else:
            pieces.append(in_f_string(c, part))
    if any(piece is None for piece in pieces):
        codes = [as_text(c, part) for part in parts]
        found = codes[0]
        for code in codes[1:]:
            found = binary_code(found, "+", code, ADD)
        return found
    text = "".join(str(piece) for piece in pieces)
    marked = any(not isinstance(part, ast.String) for part in parts)
    return Code(f'f"{text}"' if marked else f'"{text}"')


def in_f_string(c: Context, node: ast.Expression, spec: str = "") -> str | None:
    """Return `{node}`; None where Python 3.11 could not read it inside an f-string."""
    text = as_text(c, node).text if not spec else c.expression(node).text
    if text.startswith("str(") and _closes_at_end(text):
        text = text[4:-1]
    if any(mark in text for mark in "\"'\\\n#") or text.startswith("{") or "lambda" in text:
        return None
    return f"{{{text}{spec}}}"


def _closes_at_end(text: str) -> bool:
    """Whether the first bracket of a text closes with its last character, and not before."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == ")" and not depth:
            return at == len(text) - 1
    return False


def as_text(c: Context, node: ast.Expression) -> Code:
    """Return a text or number as text."""
    kind = c.type_of(node)
    if kind.kind == "string":
        return c.expression(node)
    if kind.kind == "integer" and kind.bits <= 46:
        return call_code("str", c.expression(node))
    c.use("tostring")
    return call_code("tostring", c.expression(node))


def unary(c: Context, node: ast.Unary) -> Code:
    """`-x`, `not x`, `#x`."""
    if node.operator == "not":
        return _not(c, node)
    kind = c.type_of(node.operand)
    operand = c.expression(node.operand)
    if node.operator == "-":
        if isinstance(node.operand, ast.Number):
            return unary_minus(operand if node.operand.value else Code("0.0"))
        known = kind.is_number and not isinstance(node.operand, (ast.Number, ast.Index))
        if known or kind.kind == "number":
            return unary_minus(operand)
        return c.lua("unm", operand, reason="the sign of a value of unknown type")
    if kind.kind in ("string", "table", "list") or (kind.kind == "any" and id(node) in c.demanded):
        return call_code("len", operand)
    return c.lua("length", operand, reason="the length of a value of unknown type")
