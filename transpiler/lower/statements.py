"""Statements: blocks, calls, conditions, returns."""

from __future__ import annotations

import builtins

from .. import ast, library
from ..names import is_attribute
from ..syntax import always_returns, dotted
from .calls import call_for_effect
from .class_names import PROTOCOL
from .classes import class_statement
from .comments import put_after, put_before, put_trailing
from .context import Context
from .functions import define, returned
from .jumps import put_block
from .operators import test


def body(c: Context, block: ast.Block) -> None:
    """Write the statements of a block."""
    put_block(c, block)


def one(c: Context, node: ast.Statement) -> None:
    """Write a statement with its comments."""
    if id(node) in c.module.moved:
        return
    put_before(c, node)
    first = len(c.lines)
    c.module.mark(node.line, len(c.lines))
    if id(node) in c.module.imports_at:
        for line in c.module.imports_at[id(node)](c):
            c.put(line)
    elif id(node) in c.module.classes:
        class_statement(c, c.module.classes[id(node)])
    else:
        c.statement(node)
    put_after(c, node, first)


def block_of(c: Context, block: ast.Block) -> None:
    """Write a block one level deeper."""
    with c.indented():
        body(c, block)
        put_trailing(c, block)


def do(c: Context, node: ast.Do) -> None:
    """`do ... end`: Python has no blocks; names that clash have been told apart."""
    body(c, node.body)
    put_trailing(c, node.body)


def while_(c: Context, node: ast.While) -> None:
    """`while condition do ... end`."""
    c.put(f"while {test(c, node.condition)}:")
    c.loops.append("while")
    block_of(c, node.body)
    c.loops.pop()


def repeat(c: Context, node: ast.Repeat) -> None:
    """`repeat ... until condition`."""
    c.put("while True:")
    c.loops.append("repeat")
    with c.indented():
        body(c, node.body)
        put_trailing(c, node.body)
        if not always_returns(node.body):
            condition = test(c, node.condition)
            if str(condition) != "False":
                c.put(f"if {condition}:")
                with c.indented():
                    c.put("break")
    c.loops.pop()


def if_(c: Context, node: ast.If) -> None:
    """`if`, `elseif`, `else`."""
    tests = []
    for position, (condition, _) in enumerate(node.branches):
        before = len(c.lines)
        tests.append(test(c, condition))
        if position and len(c.lines) > before:
            c.uses = list(c.uses)  # definitions that a later condition needs stand before all
    for word, condition_text, (_, block) in zip(
        ["if"] + ["elif"] * len(tests), tests, node.branches, strict=False
    ):
        c.put(f"{word} {condition_text}:")
        block_of(c, block)
    if node.otherwise is not None and (node.otherwise.statements or node.otherwise.trailing):
        c.put("else:")
        block_of(c, node.otherwise)


def call_statement(c: Context, node: ast.CallStatement) -> None:
    """Write a call for its effect."""
    from ..idioms import put_assertion

    if put_assertion(c, node.call):
        return
    text = str(call_for_effect(c, node.call))
    if text:
        c.put(text)


def return_(c: Context, node: ast.Return) -> None:
    """`return values`."""
    if c.scope is c.scopes.top and not c.wrapped:
        c.module.put_exports(c, node)
        return
    text = returned(c, node.values)
    function = c.scope.function
    if not text and function is not None and c.types.function_results(function) is None:
        text = "()"
    c.put(f"return {text}" if text else "return")


def local_function(c: Context, node: ast.LocalFunction) -> None:
    """`local function name() ... end`."""
    variable = node.name.variable
    assert variable is not None
    name = c.name_of(variable)
    if variable in c.cells:
        c.put(f"{name} = {c.lua('Cell')}")
        inner = c.fresh(variable.name)
        define(c, node.function, inner)
        c.put(f"{name}.value = {inner}")
        return
    define(c, node.function, name)


def function_statement(c: Context, node: ast.FunctionStatement) -> None:
    """Write `function a.b:c() ... end`."""
    target = node.target
    if isinstance(target, ast.Name):
        if target.variable is not None:
            plain = target.variable not in c.cells
            if plain and target.variable.scope is c.scope:
                define(c, node.function, c.name_of(target.variable))
                return
            inner = c.fresh(target.name)
            define(c, node.function, inner)
            c.put(f"{c.read(target.variable)} = {inner}")
            return
        if c.module.is_own_global(target.name) and c.scope is c.scopes.top and not c.wrapped:
            define(c, node.function, c.module.global_names[target.name])
            return
        inner = c.fresh(target.name)
        define(c, node.function, inner)
        from .assignment import store

        store(c, target, inner)
        return
    assert isinstance(target.key, ast.String)
    owner = target.table
    name = _name_in_table(c, owner, target.key.value, node.method)
    from .assignment import store

    if node.method and (dotted(owner) or "").partition(".")[0] in ("nn", "cudnn"):
        _follow_protocol(c, node.function, target.key.value)
    define(c, node.function, name, method=node.method)
    store(c, target, name)


def _name_in_table(c: Context, owner: ast.Expression, key: str, method: bool) -> str:
    """Return what a function is called that a table holds: its field's name, if nothing else is."""
    known = key in library.GLOBALS or key in library.LIBRARIES or key in library.PACKAGES
    plain = not (method or known or hasattr(builtins, key))
    if plain and is_attribute(key) and c.names.is_free(key) and not c.module.is_own_global(key):
        return c.fresh(key)
    base = owner.name if isinstance(owner, ast.Name) else "method"
    if isinstance(owner, ast.Index) and isinstance(owner.key, ast.String):
        base = owner.key.value
    return c.fresh(f"{base}_{key}")


def _follow_protocol(c: Context, function: ast.Function, name: str) -> None:
    """Let a method that a program gives to a class of nn be called as nn calls its own."""
    always, _ = PROTOCOL.get(name, (len(function.parameters), []))
    late = {n.variable for n in function.parameters[always:] if n.variable is not None}
    c.module.optional[id(function)] = c.module.optional.get(id(function), frozenset()) | late
