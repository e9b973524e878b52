"""`torch.class` and the like: a Python class with the methods that the program gives it."""

from __future__ import annotations

from .. import ast
from ..code import Code, quoted
from ..names import is_attribute
from ..scope import Variable
from .class_info import ClassInfo, padded
from .class_names import CRITERION_PROTOCOL, EVENTS, MODULE_FIELDS, PROTOCOL, SPECIAL, member
from .context import Context


def class_statement(c: Context, info: ClassInfo) -> None:
    """Write the class with the methods that the block gives it."""
    from .comments import put_comments
    from .functions import define

    base = base_of(c, info)
    if not info.of_tables:
        c.use("torch_class")
        place = "" if info.place is None else f", {c.expression(info.place)}"
        c.put(f"@torch_class({quoted(info.typename)}{place})")
    c.put(f"class {info.name}({base}):")
    with c.indented():
        tested = c.scopes.tested_fields
        late = [
            name
            for name, in_init in info.fields.items()
            if (not in_init or name in tested) and _needs_default(info, name)
        ]
        if info.of_tables:  # what a table lacks reads as None
            late = []
        for name in late:
            c.put(f"{name} = None")
        for entry in info.defaults:
            _default(c, entry)
        for position, (name, statement) in enumerate(info.methods.items()):
            if position or late or info.defaults:
                c.put()
            put_comments(c, statement.before)
            if statement.after is not None:
                put_comments(c, [statement.after])
            c.module.mark(statement.line, len(c.lines))
            c.line = statement.line
            function = statement.function
            takes_self = statement.method or (
                bool(function.parameters) and function.parameters[0].name == "self"
            )
            event = EVENTS.get(name) if info.of_tables else None
            if name in info.shadowed:
                c.put(f"@{c.use('overridable')}")
            if name in info.class_methods:
                c.put("@classmethod")
            elif not takes_self and event is None:
                c.put("@staticmethod")
            c.module.method_of[id(function)] = info
            _follow_protocol(c, info, name, statement)
            text = event or SPECIAL.get(name, name)
            if text in ("lua_len", "lua_gc"):
                c.put(f"# {name}, which LuaJIT asks no table")
            define(c, function, member(text) if info.of_tables else text, method=statement.method)
        if info.of_tables and not (info.methods or info.defaults):
            c.put("pass")


def _default(c: Context, entry: ast.Field) -> None:
    from .comments import put_comments

    assert isinstance(entry.key, ast.String)
    put_comments(c, entry.before + ([entry.after] if entry.after is not None else []))
    c.put(f"{member(entry.key.value)} = {c.expression(entry.value)}")


def _follow_protocol(
    c: Context, info: ClassInfo, name: str, statement: ast.FunctionStatement
) -> None:
    """Let a method take all that nn gives it, as Lua's methods do."""
    if not info.is_module or not statement.method or statement.function.vararg:
        return
    table = CRITERION_PROTOCOL if info.root_name.endswith("Criterion") else PROTOCOL
    always, names = table.get(name, (0, []))
    function = statement.function
    given = function.parameters
    late = frozenset(n.variable for n in given[always:] if n.variable is not None)
    if name in table:
        c.module.optional[id(function)] = c.module.optional.get(id(function), frozenset()) | late
    scope = c.scopes.scopes[id(function)]
    outer, c.scope = c.scope, scope
    c.module.extra[id(function)] = [
        c.fresh(text) + ("=None" if len(given) + i >= always else "")
        for i, text in enumerate(names[len(given) :])
    ]
    c.scope = outer


def _needs_default(info: ClassInfo, name: str) -> bool:
    if not is_attribute(name) or name in info.methods:
        return False
    if info.is_module and name in MODULE_FIELDS:
        return False
    return not any(name in c.fields for c in list(info.lineage())[1:])


def base_of(c: Context, info: ClassInfo) -> str:
    """Return what a class is derived from."""
    if info.of_tables:
        return c.use("TableObject") if info.base is None else str(c.expression(info.base))
    if info.parent is not None and info.parent.file is info.file:
        return info.parent.name
    if info.parent_name is None:
        return c.use("TorchObject")
    package, _, rest = info.parent_name.partition(".")
    if package == "nn" and rest.isidentifier():
        if c.module.is_shared_global("nn"):
            return f"{c.use('G')}.nn.{rest}"
        return f"{c.use('nn')}.{rest}"
    return str(c.lua("class_named", quoted(info.parent_name)))


def _above(c: Context, variable: Variable) -> ClassInfo | None:
    """Return the class made of a table that is written here, where a variable is its base."""
    here = c.scope.function
    info = None if here is None else c.module.method_of.get(id(here))
    if info is None or info.base is None or info.base.variable is not variable:
        return None
    taken = info.methods.items()
    upon_object = any(s.function is here and n not in info.class_methods for n, s in taken)
    return info if upon_object and info.parent is not None else None


def super_call(c: Context, node: ast.Call) -> Code | None:
    """Return `super().method(...)` for `parent.method(self, ...)`."""
    from .values import arguments

    function = node.function
    if not (isinstance(function, ast.Index) and isinstance(function.key, ast.String)):
        return None
    owner = function.table
    if not (isinstance(owner, ast.Name) and owner.variable is not None):
        return None
    here = c.scope.function
    info = c.module.class_parents.get(owner.variable) or _above(c, owner.variable)
    if info is None or not node.arguments:
        return None
    given = node.arguments[0]
    key = SPECIAL.get(function.key.value, function.key.value)
    if info.of_tables:
        if function.key.value in EVENTS:
            return None
        key = member(key)
    if not isinstance(given, ast.Name) or given.name != "self" or given.variable is None:
        return None
    above = None if info.parent is None else info.parent.method(function.key.value)
    listed = None
    if above is not None and above.method:
        taken = above.function
        listed = padded(c, node.arguments[1:], len(taken.parameters), taken.vararg)
    rest = ", ".join(arguments(c, node.arguments[1:]) if listed is None else listed)
    inside = here is not None and c.module.method_of.get(id(here)) is info
    if inside and given.variable.scope is c.scope:
        if above is not None and listed is None:  # more or fewer than it takes, perhaps
            return c.lua("call_all", ", ".join(filter(None, (f"super().{key}", rest))))
        if key == "parameters" and info.is_module:
            return c.lua("as_tables", f"super().{key}({rest})")
        return Code(f"super().{key}({rest})")
    self_text = c.name_of(given.variable)
    return Code(f"{base_of(c, info)}.{key}({', '.join(filter(None, (self_text, rest)))})")
