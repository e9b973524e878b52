"""How a file is tied to others: what it requires, and what its statements say at the top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ast, library
from .code import quoted
from .optional import trailing_optional
from .protected import caught_errors
from .syntax import blocks_of, dotted, required_name

if TYPE_CHECKING:
    from .lower.context import Context
    from .module import Module


def link(module: Module) -> None:
    """Find requires, loops and functions, once the project knows all its files."""
    module.catches, module.hears = caught_errors(
        module.block, module.scopes, lambda name: module.find(name) is not None
    )
    _statements(module, module.block, top=True)
    for call in module.scopes.calls:
        if isinstance(call, ast.Call):
            _call(module, call)
    for key, scope in module.scopes.scopes.items():
        function = scope.function
        assert function is not None
        found = frozenset(n.variable for n in trailing_optional(function) if n.variable is not None)
        if found:
            module.optional[key] = found
        _statements(module, function.body, top=False)


def _statements(module: Module, block: ast.Block, top: bool) -> None:
    for position, statement in enumerate(block.statements):
        if isinstance(statement, ast.Local):
            _require(module, statement, top)
            if not statement.values:
                _forward(module, statement, block.statements[position + 1 :])
        if isinstance(statement, (ast.While, ast.Repeat, ast.NumericFor, ast.GenericFor)):
            module.loop_bodies.add(id(statement.body))
        if isinstance(statement, ast.CallStatement) and top:
            _bare_require(module, statement)
        for inner in blocks_of(statement):
            _statements(module, inner, top=False)


def _forward(module: Module, statement: ast.Local, later: list[ast.Statement]) -> None:
    """Find variables that are declared only so that functions defined below may use them."""
    defined = [name for s in later if (name := _defined(s)) is not None]
    found = {name.variable for name in defined if name.variable is not None}
    names = {n.variable for n in statement.names if n.variable is not None}
    late = {v for v in found & names if not v.in_loop}
    if late:
        module.forward[id(statement)] = late


def _defined(statement: ast.Statement) -> ast.Name | None:
    """Return what `function f()` or `f = function()` defines."""
    target: ast.Name | ast.Index | None = None
    if isinstance(statement, ast.FunctionStatement):
        target = statement.target
    elif isinstance(statement, ast.Assign) and len(statement.targets) == len(statement.values) == 1:
        target = statement.targets[0] if isinstance(statement.values[0], ast.Function) else None
    return target if isinstance(target, ast.Name) else None


def _call(module: Module, call: ast.Call) -> None:
    name = dotted(call.function)
    for argument in call.arguments:
        if isinstance(argument, ast.Function):
            module.hints[id(argument)] = _role(name or "")
    if name == "require" and call.arguments and isinstance(call.arguments[0], ast.String):
        package = call.arguments[0].value
        module.required[package] = None
        known = package in library.PACKAGES | library.PARTS | library.LIBRARIES.keys()
        known = known or package.partition(".")[0] in library.BRIDGED
        if module.find(package) is None and not known:
            module.missing[package] = None


def _require(module: Module, statement: ast.Local, top: bool) -> None:
    """Turn `local x = require 'y'` into an import."""
    if len(statement.names) != 1 or len(statement.values) != 1:
        return
    variable = statement.names[0].variable
    package = required_name(statement.values[0])
    if package is None or variable is None:
        return
    other = module.find(package)
    if other is None or not top or variable.writes:
        return
    module.imported[variable] = other

    def lines(c: Context) -> list[str]:
        name, exported = c.name_of(variable), other.exported_name()
        source = module.project.import_name(package, module.path)
        if not (variable.reads or variable.captured):
            return [f"{c.use('require')}({quoted(str(source))})"]
        shared = [v for v in variable.scope.variables if c.name_of(v) == name]
        if exported is None or len(shared) > 1:  # an import that another variable hides is no use
            return [f"{name} = {c.use('require')}({quoted(str(source))})"]
        renamed = "" if exported == name else f" as {name}"
        return [f"from {source} import {exported}{renamed}"]

    module.imports_at[id(statement)] = lines


def _bare_require(module: Module, statement: ast.CallStatement) -> None:
    package = required_name(statement.call)
    if package is None:
        return
    if module.find(package) is None and package in library.BRIDGED:
        module.imports_at[id(statement)] = lambda c: _bridged(c, package)
    elif module.find(package) is None and package in library.PACKAGES:
        if statement.before or statement.after:
            module.imports_at[id(statement)] = lambda c: []
        else:
            module.moved.add(id(statement))


def _bridged(c: Context, package: str) -> list[str]:
    """Return what loads a package of the bridge, unless the file imports its global."""
    scopes = (c.scopes.top, *c.scopes.scopes.values())
    read = any(package in scope.globals_read for scope in scopes)
    if read and c.module.is_bridged_global(package):
        return []
    return [f"{c.use('require')}({quoted(package)})"]


def unalias_packages(module: Module) -> None:
    """Make locals that are `require 'torch'` and the like the packages themselves."""
    for statement in module.all_statements():
        if not isinstance(statement, ast.Local) or len(statement.names) != 1:
            continue
        variable = statement.names[0].variable
        package = required_name(statement.values[0]) if len(statement.values) == 1 else None
        if package not in library.PACKAGES or variable is None or variable.writes:
            continue
        if module.project.has(package) or module.scopes.global_writes.get(package):
            continue
        module.imports_at[id(statement)] = lambda c: []
        module.scopes.top.globals_read.add(package)
        for name in variable.names:
            name.name, name.variable = package, None
        variable.scope.variables.remove(variable)
        for scope in module.scopes.scopes.values():
            scope.captures.pop(variable, None)


def required_first(block: ast.Block) -> set[str]:
    """Return what statements at a file's top require, which is what nothing can go around."""
    found: set[str | None] = set()
    for statement in block.statements:
        if isinstance(statement, ast.CallStatement):
            found.add(required_name(statement.call))
        elif isinstance(statement, (ast.Local, ast.Assign)) and len(statement.values) == 1:
            found.add(required_name(statement.values[0]))
    return {name for name in found if name is not None}


def _role(callee: str) -> str:
    """Return what a function is called that is an argument of a known function."""
    if callee.startswith("optim."):
        return "feval"
    roles = {"pcall": "attempt", "xpcall": "attempt", "table.sort": "before"}
    roles |= {"string.gsub": "replacement", "coroutine.wrap": "generate"}
    return roles.get(callee, "function")
