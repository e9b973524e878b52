"""How the modern pass's nodes become text, and which variables they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ast
from ..code import ATOM, Code
from ..lower.context import Context, Visit
from ..scope import FileScope, _Resolver, resolve
from ..walk import plain
from .gradient_nodes import Unpacked, resolve_unpacked, unpacked
from .nodes import ClassNumbers, Line, Nothing, Suite, Template, Whole

RUNTIME = "rekindle.transpiler.runtime.modern"


class ModernResolver(_Resolver):
    """Finds the variables in templates too."""

    def expression(self, node: Any) -> None:
        """Visit an expression."""
        if isinstance(node, Template):
            for part in node.parts:
                if not isinstance(part, str):
                    self.expression(part)
        elif isinstance(node, (ClassNumbers, Whole)):
            self.expression(node.inner)
        else:
            super().expression(node)

    def statement(self, statement: ast.Statement) -> None:
        """Visit a statement."""
        if isinstance(statement, Line):
            self.expression(statement.code)
        elif isinstance(statement, Unpacked):
            resolve_unpacked(self, statement)
        elif isinstance(statement, Suite) and statement.names:
            self.enter_loop()
            self.enter()
            for name in statement.names:
                self.declare(name, "for").unknown = True
            self.expression(statement.header)
            self.block(statement.body)
            self.leave()
            self.leave_loop()
        elif isinstance(statement, Suite):  # `with`: what it assigns is seen behind it
            self.expression(statement.header)
            for inner in statement.body.statements:
                self.statement(inner)
        else:
            super().statement(statement)


def resolve_modern(block: ast.Block) -> FileScope:
    """Find the variable of every name in a file that the modern pass has rewritten."""
    return resolve(block, ModernResolver())


def template(c: Context, node: Template) -> Code:
    """Return a template's text, with its expressions translated."""
    for name, source in node.imports:
        c.use(name, source)
    found = []
    for position, part in enumerate(node.parts):
        if isinstance(part, str):
            found.append(part)
            continue
        following = node.parts[position + 1 : position + 2]
        is_owner = bool(following) and isinstance(following[0], str) and following[0][:1] in ".["
        code = c.expression(part)
        found.append(code.at(ATOM) if is_owner else str(code))
    return Code("".join(found))


def class_numbers(c: Context, node: ClassNumbers) -> Code:
    """Return numbers of classes as they count from 0."""
    kind = c.type_of(node.inner)
    if kind.kind == "tensor" and not kind.optional:
        return Code(f'{c.expression(node.inner).at(ATOM)}.astype("int64") - 1', ATOM - 4)
    if kind.is_number and not kind.optional:
        c.use("tensor as core_tensor", "rekindle")
        if isinstance(node.inner, ast.Number) and isinstance(node.inner.value, int):
            return Code(f"core_tensor({node.inner.value - 1})")
        one = ast.Number(node.line, node.column, 1, "1")
        less = ast.Binary(node.line, node.column, "-", node.inner, one)
        whole = kind.kind == "integer"
        text = str(c.expression(less))
        return Code(f"core_tensor({text})" if whole else f"core_tensor(int({text}))")
    c.use("from_zero", RUNTIME)
    return Code(f"from_zero({c.expression(node.inner)})")


def whole(c: Context, node: Whole) -> Code:
    """Return a size, as an integer where it may be none."""
    kind = c.type_of(node.inner)
    inner = plain(node.inner)
    variable = inner.variable if isinstance(inner, ast.Name) else None
    values = [inner] if variable is None else variable.values
    element = isinstance(inner, ast.Index) and c.type_of(inner.table).kind == "tensor"
    divides = element or any(
        isinstance(v, ast.Binary) and v.operator in "/^" for v in map(plain, values)
    )
    if (kind.is_number and kind.kind != "integer") or divides:
        return Code(f"int({c.expression(node.inner)})", ATOM)
    return c.expression(node.inner)


def line(c: Context, node: Line) -> None:
    """Write a statement of one line."""
    c.put(str(template(c, node.code)))


def suite(c: Context, node: Suite) -> None:
    """Write `header:` and its body."""
    from ..lower.statements import block_of

    c.put(f"{template(c, node.header)}:")
    block_of(c, node.body)


def nothing(c: Context, node: Nothing) -> None:
    """Write nothing: the statement's comments stand already."""


EXPRESSIONS: dict[type, Visit] = {
    Template: template,
    ClassNumbers: class_numbers,
    Whole: whole,
}

STATEMENTS: dict[type, Callable[[Context, Any], None]] = {
    Line: line,
    Suite: suite,
    Nothing: nothing,
    Unpacked: unpacked,
}
