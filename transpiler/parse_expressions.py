"""Lua's expressions to nodes, and the places of nodes in the source."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import tree_sitter
import tree_sitter_lua

from . import ast, literals
from .errors import LuaSyntaxError

_LANGUAGE = tree_sitter.Language(tree_sitter_lua.language())


def _plain_names(source: bytes) -> bytes:
    """Return the source with other names, as long, where the grammar of Lua 5.5 sees keywords.

    The text of names and strings is read from the source itself.
    """
    return re.sub(rb"\bglobal\b", b"Global", source)


class ExpressionReader(ABC):
    """Reads the expressions of a file.

    Parameters
    ----------
    source : bytes
    name : str
        What messages call the file.
    """

    def __init__(self, source: bytes, name: str) -> None:
        self.source = source
        self.name = name
        self.root = tree_sitter.Parser(_LANGUAGE).parse(_plain_names(source)).root_node

    # -- places and errors ----------------------------------------------------------------

    def _error(self, node: Any) -> LuaSyntaxError:
        while True:
            inner = next((c for c in node.children if c.has_error or c.is_missing), None)
            if inner is None or node.type == "ERROR":
                break
            node = inner
        row, column = node.start_point
        near = self._text(node).split("\n")[0][:40]
        what = f"'{node.type}' expected" if node.is_missing else f"unexpected text near '{near}'"
        return LuaSyntaxError(f"{self.name}:{row + 1}:{column + 1}: {what}")

    def _text(self, node: Any) -> str:
        return self.source[node.start_byte : node.end_byte].decode("latin-1")

    @staticmethod
    def _at(node: Any) -> tuple[int, int]:
        row, column = node.start_point
        return row + 1, column + 1

    def _comment(self, node: Any) -> ast.Comment:
        text = self._text(node)
        if (content := node.child_by_field_name("content")) is not None:
            start = node.child_by_field_name("start")
            block = start is not None and "[" in self._text(start)
            return ast.Comment(self._text(content), node.start_point[0] + 1, block)
        return ast.Comment(text.removeprefix("--"), node.start_point[0] + 1)

    def _unexpected(self, node: Any) -> LuaSyntaxError:
        """Return the error for what later versions of Lua have and LuaJIT has not."""
        row, column = self._at(node)
        return LuaSyntaxError(f"{self.name}:{row}:{column}: '{node.type}' is not LuaJIT's")

    def _names(self, node: Any) -> list[ast.Name]:
        return [self._name(n) for n in node.children_by_field_name("name")]

    def _name(self, node: Any) -> ast.Name:
        return ast.Name(*self._at(node), self._text(node))

    def _expressions(self, node: Any) -> list[ast.Expression]:
        return [self._expression(c) for c in node.children if c.is_named and c.type != "comment"]

    @abstractmethod
    def _body(self, node: Any, field: str, owner: Any) -> ast.Block:
        """Return the block of a field, with the comments that stand before and after it."""

    # -- expressions ----------------------------------------------------------------------------

    def _expression(self, node: Any) -> ast.Expression:
        visit = _EXPRESSIONS.get(node.type)
        if visit is None:
            raise self._unexpected(node)
        return visit(self, node)

    def _string(self, node: Any) -> ast.String:
        raw = self.source[node.start_byte : node.end_byte]
        value = literals.unescape(raw[1:-1]) if raw[:1] in b"'\"" else literals.long_string(raw)
        return ast.String(*self._at(node), value.decode("latin-1"))

    def _number(self, node: Any) -> ast.Number:
        text = self._text(node)
        try:
            return ast.Number(*self._at(node), literals.number(text), text)
        except ValueError:
            row, column = self._at(node)
            raise LuaSyntaxError(
                f"{self.name}:{row}:{column}: malformed number near '{text}'"
            ) from None

    def _dot(self, node: Any) -> ast.Index:
        field = node.child_by_field_name("field")
        key = ast.String(*self._at(field), self._text(field))
        return ast.Index(*self._at(node), self._expression(node.child_by_field_name("table")), key)

    def _bracket(self, node: Any) -> ast.Index:
        table = self._expression(node.child_by_field_name("table"))
        return ast.Index(
            *self._at(node), table, self._expression(node.child_by_field_name("field"))
        )

    def _call(self, node: Any) -> ast.Expression:
        arguments = self._expressions(node.child_by_field_name("arguments"))
        target = node.child_by_field_name("name")
        if target.type == "method_index_expression":
            method = self._text(target.child_by_field_name("method"))
            owner = self._expression(target.child_by_field_name("table"))
            return ast.MethodCall(*self._at(node), owner, method, arguments)
        return ast.Call(*self._at(node), self._expression(target), arguments)

    def _binary(self, node: Any) -> ast.Binary:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = next(
            c.type for c in node.children if not c.is_named and c.id not in (left.id, right.id)
        )
        return ast.Binary(
            *self._at(node), operator, self._expression(left), self._expression(right)
        )

    def _unary(self, node: Any) -> ast.Unary:
        operator = node.children[0].type
        operand = self._expression(node.child_by_field_name("operand"))
        return ast.Unary(*self._at(node), operator, operand)

    def _paren(self, node: Any) -> ast.Paren:
        inner = next(c for c in node.children if c.is_named and c.type != "comment")
        return ast.Paren(*self._at(node), self._expression(inner))

    def _table(self, node: Any) -> ast.TableConstructor:
        fields: list[ast.Field] = []
        pending: list[ast.Comment] = []
        last_line = 0
        for child in node.children:
            if child.type == "comment":
                comment = self._comment(child)
                if fields and comment.line == last_line and fields[-1].after is None:
                    fields[-1].after = comment
                else:
                    pending.append(comment)
            elif child.type == "field":
                made = self._field(child)
                made.before, pending = pending, []
                fields.append(made)
                last_line = child.end_point[0] + 1
        lines = node.end_point[0] - node.start_point[0] + 1
        return ast.TableConstructor(*self._at(node), fields, pending, lines)

    def _field(self, node: Any) -> ast.Field:
        value = self._expression(node.child_by_field_name("value"))
        name = node.child_by_field_name("name")
        if name is None:
            return ast.Field(*self._at(node), None, value)
        key: ast.Expression
        if any(c.type == "[" for c in node.children):
            key = self._expression(name)
        else:
            key = ast.String(*self._at(name), self._text(name))
        return ast.Field(*self._at(node), key, value)

    def _function(self, node: Any) -> ast.Function:
        parameters = node.child_by_field_name("parameters")
        names = self._names(parameters)
        vararg = any(c.type == "vararg_expression" for c in parameters.children)
        body = self._body(node, "body", parameters)
        return ast.Function(*self._at(node), names, vararg, body)


_EXPRESSIONS: dict[str, Callable[[ExpressionReader, Any], ast.Expression]] = {
    "nil": lambda r, n: ast.Nil(*r._at(n)),
    "true": lambda r, n: ast.Boolean(*r._at(n), True),
    "false": lambda r, n: ast.Boolean(*r._at(n), False),
    "number": ExpressionReader._number,
    "string": ExpressionReader._string,
    "vararg_expression": lambda r, n: ast.Vararg(*r._at(n)),
    "identifier": ExpressionReader._name,
    "dot_index_expression": ExpressionReader._dot,
    "bracket_index_expression": ExpressionReader._bracket,
    "function_call": ExpressionReader._call,
    "binary_expression": ExpressionReader._binary,
    "unary_expression": ExpressionReader._unary,
    "parenthesized_expression": ExpressionReader._paren,
    "table_constructor": ExpressionReader._table,
    "function_definition": ExpressionReader._function,
}
