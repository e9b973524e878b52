"""Lua's nodes to Python text: one visitor for each construct.

EXPRESSIONS and STATEMENTS are the tables of contents; context.py is what the visitors share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ast
from . import (
    assignment,
    calls,
    functions,
    jumps,
    loops,
    operators,
    statements,
    tables,
    values,
)
from .context import Context as Context
from .context import Visit

EXPRESSIONS: dict[type, Visit] = {
    ast.Nil: values.nil,
    ast.Boolean: values.boolean,
    ast.Number: values.number,
    ast.String: values.string,
    ast.Vararg: values.vararg,
    ast.Name: values.name,
    ast.Index: values.index,
    ast.Call: calls.call,
    ast.MethodCall: calls.call,
    ast.Binary: operators.binary,
    ast.Unary: operators.unary,
    ast.Paren: values.paren,
    ast.TableConstructor: tables.constructor,
    ast.Function: functions.function,
    assignment._Text: assignment.text_name,
}

STATEMENTS: dict[type, Callable[[Context, Any], None]] = {
    ast.Local: assignment.local,
    ast.Assign: assignment.assign,
    ast.CallStatement: statements.call_statement,
    ast.Do: statements.do,
    ast.While: statements.while_,
    ast.Repeat: statements.repeat,
    ast.If: statements.if_,
    ast.NumericFor: loops.numeric,
    ast.GenericFor: loops.generic,
    ast.FunctionStatement: statements.function_statement,
    ast.LocalFunction: statements.local_function,
    ast.Return: statements.return_,
    ast.Break: jumps.break_,
    ast.Goto: jumps.goto,
    ast.Label: jumps.label,
}
