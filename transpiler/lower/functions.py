"""Functions: definitions, lambdas, and what a body declares at its start."""

from __future__ import annotations

from .. import ast
from ..code import LAMBDA, Code
from ..names import from_text
from ..optional import trailing_optional
from ..scope import Scope, Variable
from ..syntax import always_returns, returns
from .comments import put_trailing
from .context import Context
from .values import arguments


def function(c: Context, node: ast.Function) -> Code:
    """Return a function as a value: a lambda, or the name of a definition put before."""
    if _fits_lambda(c, node):
        return _lambda(c, node)
    name = c.fresh(from_text(c.module.hints.get(id(node), "function"), "function"))
    define(c, node, name)
    return Code(name)


def _fits_lambda(c: Context, node: ast.Function) -> bool:
    body = node.body
    if body.trailing or len(body.statements) != 1:
        return False
    only = body.statements[0]
    if not isinstance(only, ast.Return) or only.before or only.after or len(only.values) > 1:
        return False
    scope = c.scopes.scopes[id(node)]
    return not (scope.outer_writes or any(v in c.cells for v in scope.variables)) and not any(
        isinstance(inner, ast.Function) and not _fits_lambda(c, inner)
        for value in only.values
        for inner in _functions_in(value)
    )


def _functions_in(node: object) -> list[ast.Function]:
    found: list[ast.Function] = []
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Function):
            found.append(current)
            continue
        match current:
            case ast.Index(table=a, key=b) | ast.Binary(left=a, right=b):
                stack += [a, b]
            case ast.Call(function=a, arguments=rest):
                stack += [a, *rest]
            case ast.MethodCall(object=a, arguments=rest):
                stack += [a, *rest]
            case ast.Unary(operand=a) | ast.Paren(inner=a):
                stack.append(a)
            case ast.TableConstructor(fields=fields):
                stack += [x for f in fields for x in (f.key, f.value) if x is not None]
    return found


def _lambda(c: Context, node: ast.Function) -> Code:
    scope = c.scopes.scopes[id(node)]
    outer, c.scope = c.scope, scope
    only = node.body.statements[0]
    assert isinstance(only, ast.Return)
    parameters = parameter_list(c, node, scope)
    before = len(c.lines)
    value = returned(c, only.values)
    c.scope = outer
    if len(c.lines) != before:  # a definition was needed after all: write it all as one
        del c.lines[before:]
        name = c.fresh("function")
        define(c, node, name)
        return Code(name)
    head = f"lambda {parameters}" if parameters else "lambda"
    return Code(f"{head}: {value or '()'}", LAMBDA)


def parameter_list(c: Context, node: ast.Function, scope: Scope, method: bool = False) -> str:
    """Return what stands between a definition's brackets."""
    optional = c.module.optional.get(id(node), frozenset())
    found = []
    if method:
        found.append(c.name_of(scope.variables[0]))
    for name in node.parameters:
        assert name.variable is not None
        text = c.name_of(name.variable)
        found.append(f"{text}={_default(c, node, name)}" if name.variable in optional else text)
    found += c.module.extra.get(id(node), [])
    bound = c.module.bound.get(id(node), [])
    if node.vararg:
        found.append(f"*{c.module.vararg}")
    elif bound:
        found.append("*")
    found += [f"{c.name_of(v)}={c.name_of(v)}" for v in bound]
    return ", ".join(found)


def _default(c: Context, node: ast.Function, parameter: ast.Name) -> str:
    """Return what a parameter is that a call leaves out: nn's scale of gradients is 1."""
    owner = c.module.method_of.get(id(node))
    of_nn = owner is not None and owner.is_module and node.parameters[2:] == [parameter]
    return (
        "1"
        if of_nn and parameter.name == "scale" and parameter not in trailing_optional(node)
        else "None"
    )


def define(c: Context, node: ast.Function, name: str, method: bool = False) -> None:
    """Write `def name(...)`."""
    scope = c.scopes.scopes[id(node)]
    c.put(f"def {name}({parameter_list(c, node, scope, method)}):")
    outer, loops = c.scope, c.loops
    c.scope, c.loops = scope, []
    with c.indented():
        _declare_outer(c, node, scope)
        for parameter in node.parameters:
            assert parameter.variable is not None
            if parameter.variable in c.cells:
                text = c.name_of(parameter.variable)
                c.put(f"{text} = {c.lua('Cell', text)}")
        from .statements import body

        body(c, node.body)
        put_trailing(c, node.body)
        if _ends_without(c, node):
            c.put("return ()")
    c.scope, c.loops = outer, loops


def _ends_without(c: Context, node: ast.Function) -> bool:
    """Whether a function's end must say that it gives nothing, which is not nil."""
    found = returns(node.body)
    if not found:
        return id(node) in c.module.gives_nothing
    varying = c.types.function_results(node) is None and any(r.values for r in found)
    return varying and not always_returns(node.body) and id(node) not in c.types.methods


def _declare_outer(c: Context, node: ast.Function, scope: Scope) -> None:
    bound = c.module.bound.get(id(node), [])
    by_kind: dict[str, list[str]] = {"global": [], "nonlocal": []}
    for variable in scope.outer_writes:
        if variable in c.cells or variable in bound:
            continue
        by_kind[outer_kind(c, variable)].append(c.name_of(variable))
    names = [c.module.global_names[n] for n in scope.globals_written if c.module.is_own_global(n)]
    by_kind["global"] = sorted({*by_kind["global"], *names})
    for kind, found in by_kind.items():
        if found:
            c.put(f"{kind} {', '.join(dict.fromkeys(found))}")


def outer_kind(c: Context, variable: Variable) -> str:
    """Return the statement by which a function declares that it assigns an outer variable."""
    return "global" if variable.scope is c.scopes.top and not c.wrapped else "nonlocal"


def returned(c: Context, values: list[ast.Expression]) -> str:
    """Return what follows `return`; "" for nothing."""
    from ..syntax import may_be_several
    from .calls import all_results

    if not values:
        return ""
    if len(values) == 1:
        only = values[0]
        if isinstance(only, ast.Vararg):
            return str(c.lua("single", c.module.vararg))
        if not may_be_several(only):
            return str(c.expression(only))
        results = c.types.results(only)
        if results is not None and len(results) == 1:
            return str(c.expression(only))
        return str(all_results(c, only))
    listed = arguments(c, values)
    if may_be_several(values[-1]) and listed and listed[-1].startswith("*"):
        return f"({', '.join(listed)})"
    return ", ".join(listed)
