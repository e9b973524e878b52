"""Lua source to the nodes of `ast`, by tree-sitter.

Comments go to the statement, or the entry of a table, that they stand before or behind; those
inside other expressions go before the statement. Nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tree_sitter
import tree_sitter_lua

from . import ast, literals
from .errors import LuaSyntaxError

_LANGUAGE = tree_sitter.Language(tree_sitter_lua.language())
_SKIPPED = ("empty_statement", "hash_bang_line")


def parse(source: bytes, name: str = "?") -> ast.Block:
    """Return the statements of a Lua file.

    Parameters
    ----------
    source : bytes
        As in the file; strings in it keep their bytes.
    name : str
        What messages call the file.

    Raises
    ------
    LuaSyntaxError
        If it is not Lua; the message gives line and column.
    """
    if source.startswith(b"#"):  # LuaJIT skips such a first line, whatever it says
        end = source.find(b"\n")
        source = b"-" * 2 + source[2:] if end > 1 or end == -1 else b"  " + source[end:]
        return _Reader(source, name).file(first_is_shebang=True)
    return _Reader(source, name).file(first_is_shebang=False)


class _Reader:
    def __init__(self, source: bytes, name: str) -> None:
        self.source = source
        self.name = name
        self.root = tree_sitter.Parser(_LANGUAGE).parse(source).root_node

    def file(self, first_is_shebang: bool) -> ast.Block:
        if self.root.has_error:
            raise self._error(self.root)
        nodes = self.root.children
        if first_is_shebang and nodes and nodes[0].type == "comment":
            nodes = nodes[1:]
        return self._block(nodes, 0)

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

    # -- blocks and comments ----------------------------------------------------------------

    def _comment(self, node: Any) -> ast.Comment:
        text = self._text(node)
        if (content := node.child_by_field_name("content")) is not None:
            start = node.child_by_field_name("start")
            block = start is not None and "[" in self._text(start)
            return ast.Comment(self._text(content), node.start_point[0] + 1, block)
        return ast.Comment(text.removeprefix("--"), node.start_point[0] + 1)

    def _block(self, nodes: list[Any], start_line: int) -> ast.Block:
        """Return statements; `start_line` is the line of the block's opening, from 1."""
        block = ast.Block([])
        pending: list[ast.Comment] = []
        last_line = start_line
        blank = False
        for node in nodes:
            if not node.is_named or node.type in _SKIPPED:
                continue
            row = node.start_point[0] + 1
            if node.type == "comment":
                behind = row == last_line and not pending
                if behind and block.statements and block.statements[-1].after is None:
                    block.statements[-1].after = self._comment(node)
                    continue
                if not pending:
                    blank = row > last_line + 1 and bool(last_line)
                pending.append(self._comment(node))
                last_line = node.end_point[0] + 1
                continue
            statement = self._statement(node)
            if not pending:
                blank = row > last_line + 1 and bool(last_line)
            statement.blank_before = blank
            statement.before = pending + statement.before
            block.statements.append(statement)
            pending = []
            last_line = node.end_point[0] + 1
        block.trailing = pending
        return block

    def _body(self, node: Any, field: str, owner: Any) -> ast.Block:
        """Return the block of a field, with the comments that stand before and after it."""
        body = node.child_by_field_name(field)
        nodes: list[Any] = []
        for child in node.children:
            if body is not None and child.id == body.id:
                nodes.extend(child.children)
            elif child.type == "comment":
                nodes.append(child)
        return self._block(nodes, owner.start_point[0] + 1)

    # -- statements ---------------------------------------------------------------------------

    def _statement(self, node: Any) -> ast.Statement:
        if node.type == "variable_declaration":
            return self._local(node)
        visit = _STATEMENTS.get(node.type)
        if visit is None:
            raise self._unexpected(node)
        return visit(self, node)

    def _unexpected(self, node: Any) -> LuaSyntaxError:
        """Return the error for what later versions of Lua have and LuaJIT has not."""
        row, column = self._at(node)
        return LuaSyntaxError(f"{self.name}:{row}:{column}: '{node.type}' is not LuaJIT's")

    def _names(self, node: Any) -> list[ast.Name]:
        return [self._name(n) for n in node.children_by_field_name("name")]

    def _name(self, node: Any) -> ast.Name:
        return ast.Name(*self._at(node), self._text(node))

    def _local(self, node: Any) -> ast.Local:
        inner = next(c for c in node.children if c.is_named and c.type != "comment")
        if inner.type == "assignment_statement":
            names, values = self._sides(inner)
            made = ast.Local(*self._at(node), [self._name(n) for n in names], values)
        else:
            made = ast.Local(*self._at(node), self._names(inner), [])
        self._add_inner(node, made)
        return made

    def _add_inner(self, node: Any, statement: ast.Statement) -> None:
        """Add the comments inside an expression to those before the statement."""
        if self.source.find(b"--", node.start_byte, node.end_byte) < 0:
            return
        found: list[ast.Comment] = []
        stack = [node]
        while stack:
            current = stack.pop()
            for child in reversed(current.children):
                if child.type == "comment":
                    if current.type not in ("table_constructor", "block"):
                        found.append(self._comment(child))
                elif child.type not in ("table_constructor", "function_definition"):
                    stack.append(child)
        statement.before.extend(sorted(found, key=lambda c: c.line))

    def _sides(self, node: Any) -> tuple[list[Any], list[ast.Expression]]:
        targets = next(c for c in node.children if c.type == "variable_list")
        values = next(c for c in node.children if c.type == "expression_list")
        return targets.children_by_field_name("name"), self._expressions(values)

    def _expressions(self, node: Any) -> list[ast.Expression]:
        return [self._expression(c) for c in node.children if c.is_named and c.type != "comment"]

    def _assign(self, node: Any) -> ast.Assign:
        targets, values = self._sides(node)
        places = [self._expression(t) for t in targets]
        assigned = [t for t in places if isinstance(t, (ast.Name, ast.Index))]
        made = ast.Assign(*self._at(node), assigned, values)
        self._add_inner(node, made)
        return made

    def _call_statement(self, node: Any) -> ast.CallStatement:
        call = self._expression(node)
        assert isinstance(call, (ast.Call, ast.MethodCall))
        made = ast.CallStatement(*self._at(node), call)
        self._add_inner(node, made)
        return made

    def _function_statement(self, node: Any) -> ast.Statement:
        target = node.child_by_field_name("name")
        function = self._function(node)
        if any(c.type == "local" for c in node.children):
            return ast.LocalFunction(*self._at(node), self._name(target), function)
        if target.type == "method_index_expression":
            table = self._expression(target.child_by_field_name("table"))
            field = target.child_by_field_name("method")
            key = ast.String(*self._at(field), self._text(field))
            made = ast.Index(*self._at(target), table, key)
            return ast.FunctionStatement(*self._at(node), made, True, function)
        name = self._expression(target)
        assert isinstance(name, (ast.Name, ast.Index))
        return ast.FunctionStatement(*self._at(node), name, False, function)

    def _do(self, node: Any) -> ast.Do:
        return ast.Do(*self._at(node), self._body(node, "body", node))

    def _while(self, node: Any) -> ast.While:
        condition = self._expression(node.child_by_field_name("condition"))
        return ast.While(*self._at(node), condition, self._body(node, "body", node))

    def _repeat(self, node: Any) -> ast.Repeat:
        condition = self._expression(node.child_by_field_name("condition"))
        return ast.Repeat(*self._at(node), self._body(node, "body", node), condition)

    def _if(self, node: Any) -> ast.If:
        branches = [self._branch(node)]
        otherwise = None
        for part in node.children_by_field_name("alternative"):
            if part.type == "elseif_statement":
                branches.append(self._branch(part))
            else:
                otherwise = self._body(part, "body", part)
        return ast.If(*self._at(node), branches, otherwise)

    def _branch(self, node: Any) -> tuple[ast.Expression, ast.Block]:
        condition = node.child_by_field_name("condition")
        return self._expression(condition), self._body(node, "consequence", condition)

    def _for(self, node: Any) -> ast.Statement:
        clause = node.child_by_field_name("clause")
        body = self._body(node, "body", clause)
        if clause.type == "for_numeric_clause":
            step = clause.child_by_field_name("step")
            return ast.NumericFor(
                *self._at(node),
                self._name(clause.child_by_field_name("name")),
                self._expression(clause.child_by_field_name("start")),
                self._expression(clause.child_by_field_name("end")),
                None if step is None else self._expression(step),
                body,
            )
        names = next(c for c in clause.children if c.type == "variable_list")
        values = next(c for c in clause.children if c.type == "expression_list")
        return ast.GenericFor(*self._at(node), self._names(names), self._expressions(values), body)

    def _return(self, node: Any) -> ast.Return:
        listed = [c for c in node.children if c.type == "expression_list"]
        values = self._expressions(listed[0]) if listed else []
        made = ast.Return(*self._at(node), values)
        self._add_inner(node, made)
        return made

    def _break(self, node: Any) -> ast.Break:
        return ast.Break(*self._at(node))

    def _label_name(self, node: Any) -> str:
        return self._text(next(c for c in node.children if c.type == "identifier"))

    def _goto(self, node: Any) -> ast.Goto:
        return ast.Goto(*self._at(node), self._label_name(node))

    def _label(self, node: Any) -> ast.Label:
        return ast.Label(*self._at(node), self._label_name(node))

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
        return ast.Function(*self._at(node), names, vararg, body, node.end_point[0] + 1)


_STATEMENTS: dict[str, Callable[[_Reader, Any], ast.Statement]] = {
    "assignment_statement": _Reader._assign,
    "function_call": _Reader._call_statement,
    "function_declaration": _Reader._function_statement,
    "do_statement": _Reader._do,
    "while_statement": _Reader._while,
    "repeat_statement": _Reader._repeat,
    "if_statement": _Reader._if,
    "for_statement": _Reader._for,
    "return_statement": _Reader._return,
    "break_statement": _Reader._break,
    "goto_statement": _Reader._goto,
    "label_statement": _Reader._label,
}

_EXPRESSIONS: dict[str, Callable[[_Reader, Any], ast.Expression]] = {
    "nil": lambda r, n: ast.Nil(*r._at(n)),
    "true": lambda r, n: ast.Boolean(*r._at(n), True),
    "false": lambda r, n: ast.Boolean(*r._at(n), False),
    "number": _Reader._number,
    "string": _Reader._string,
    "vararg_expression": lambda r, n: ast.Vararg(*r._at(n)),
    "identifier": _Reader._name,
    "dot_index_expression": _Reader._dot,
    "bracket_index_expression": _Reader._bracket,
    "function_call": _Reader._call,
    "binary_expression": _Reader._binary,
    "unary_expression": _Reader._unary,
    "parenthesized_expression": _Reader._paren,
    "table_constructor": _Reader._table,
    "function_definition": _Reader._function,
}
