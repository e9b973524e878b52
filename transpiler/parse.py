"""Lua source to the nodes of `ast`, by tree-sitter.

Comments go to the statement, or the entry of a table, that they stand before or behind; those
inside other expressions go before the statement. Nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import ast
from .parse_expressions import ExpressionReader

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


class _Reader(ExpressionReader):
    def file(self, first_is_shebang: bool) -> ast.Block:
        if self.root.has_error:
            raise self._error(self.root)
        nodes = self.root.children
        if first_is_shebang and nodes and nodes[0].type == "comment":
            nodes = nodes[1:]
        return self._block(nodes, 0)

    # -- blocks and comments ----------------------------------------------------------------

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
