"""`local a, b = ...` and `a, t.k = ...`."""

from __future__ import annotations

from .. import ast
from ..code import ATOM, Code
from ..names import is_attribute
from ..syntax import may_be_several
from .calls import all_results
from .context import Context
from .dicts import KINDS, changed, uncertain
from .functions import define
from .operators import is_default
from .tables import list_of, place
from .values import is_assigned_plainly, is_of_tables, is_plain_field, shared_place


def local(c: Context, node: ast.Local) -> None:
    """`local names = values`."""
    if not node.values and id(node) in c.module.forward:
        late = c.module.forward[id(node)]
        names = [n for n in node.names if n.variable not in late]
        if not names:
            return
        node = ast.Local(node.line, node.column, names, [])
    if len(node.names) == 1:
        _local_one(c, node)
        return
    values = _values(c, node.values, len(node.names))
    targets = []
    cells = []
    for name in node.names:
        assert name.variable is not None
        if name.variable in c.cells:
            target = c.fresh(name.name)
            cells.append((c.name_of(name.variable), target))
            targets.append(target)
        else:
            targets.append(c.name_of(name.variable))
    if isinstance(values, list) and all(v == "None" for v in values):
        c.put(" = ".join([*targets, "None"]))
    else:
        text = values if isinstance(values, str) else ", ".join(values)
        c.put(f"{', '.join(targets)} = {text}")
    for name_text, target in cells:
        c.put(f"{name_text} = {c.lua('Cell', target)}")


def _local_one(c: Context, node: ast.Local) -> None:
    variable = node.names[0].variable
    assert variable is not None
    name = c.name_of(variable)
    if len(node.values) == 1:
        only = node.values[0]
        if isinstance(only, ast.Function) and variable not in c.cells:
            define(c, only, name)
            return
        c.module.hints.setdefault(id(only), variable.name)
        if variable in c.lists.variables and isinstance(only, ast.TableConstructor):
            value = str(list_of(c, only))
        else:
            value = str(c.expression(only))
    else:
        values = _values(c, node.values, 1)
        if isinstance(values, str):
            c.put(f"({name},) = {values}" if variable not in c.cells else values)
            return
        value = values[0]
    if variable in c.cells:
        value = str(c.lua("Cell", value)) if value != "None" else str(c.lua("Cell"))
    c.put(f"{name} = {value}")


def _values(c: Context, nodes: list[ast.Expression], wanted: int) -> list[str] | str:
    """Return as many values as there are targets, or one text that gives them all."""
    if not nodes:
        return ["None"] * wanted
    several = may_be_several(nodes[-1])
    if len(nodes) == wanted or (len(nodes) < wanted and not several):
        found = [str(c.expression(node)) for node in nodes]
        return found + ["None"] * (wanted - len(found))
    if len(nodes) > wanted:
        listed = [str(c.expression(node)) for node in nodes]
        if all(isinstance(n, (ast.Number, ast.String, ast.Nil, ast.Name)) for n in nodes[wanted:]):
            return listed[:wanted]
        return f"({', '.join(listed)})[:{wanted}]"
    head = [str(c.expression(node)) for node in nodes[:-1]]
    last = nodes[-1]
    count = wanted - len(head)
    results = c.types.results(last)
    if results is not None and len(results) == count:
        rest = str(all_results(c, last))
        return f"{', '.join(head)}, *{rest}" if head else rest
    if results is not None and len(results) == 1:
        return [*head, str(c.expression(last)), *["None"] * (count - 1)]
    taken = str(c.lua("take", all_results(c, last), count))
    return f"{', '.join(head)}, *{taken}" if head else taken


def assign(c: Context, node: ast.Assign) -> None:
    """`targets = values`."""
    if id(node) in c.lists.fills:
        filled = node.targets[0]
        assert isinstance(filled, ast.Index)
        c.put(f"{c.expression(filled.table)}.append({c.expression(node.values[0])})")
        return
    if len(node.targets) == 1 and len(node.values) == 1:
        _assign_one(c, node.targets[0], node.values[0])
        return
    if len(node.targets) == 1:
        values = _values(c, node.values, 1)
        store(c, node.targets[0], values[0] if isinstance(values, list) else f"{values}[0]")
        return
    values = _values(c, node.values, len(node.targets))
    text = values if isinstance(values, str) else ", ".join(values)
    places = [plain_place(c, target) for target in node.targets]
    if all(p is not None for p in places) and not _clash(node.targets):
        c.put(f"{', '.join(str(p) for p in places)} = {text}")
        return
    fixed = _fixed_places(c, node.targets)
    temporary = [c.fresh("value") for _ in node.targets]
    c.put(f"{', '.join(temporary)} = {text}")
    for target, name in reversed(list(zip(fixed, temporary, strict=True))):
        store(c, target, name)


def _clash(targets: list[ast.Name | ast.Index]) -> bool:
    """Whether what one target assigns is part of where another one is."""
    names = {t.name for t in targets if isinstance(t, ast.Name)}
    places = [t for t in targets if isinstance(t, ast.Index)]
    if names and any(_mentions(t, names) for t in places):
        return True
    return any(
        _asks(part, other)
        for target in places
        for part in (target.table, target.key)
        for other in places
        if other is not target
    )


def _asks(node: ast.Expression, assigned: ast.Index) -> bool:
    """Whether an expression asks for an element that is assigned, or for its table's length."""
    from ..idioms import same_place

    match node:
        case ast.Unary(operator="#", operand=a):
            return same_place(a, assigned.table) or _asks(a, assigned)
        case ast.Index(table=a, key=b):
            known = isinstance(b, ast.String) and isinstance(assigned.key, ast.String)
            apart = known and not same_place(b, assigned.key)
            touched = not apart and same_place(a, assigned.table)
            return touched or _asks(a, assigned) or _asks(b, assigned)
        case ast.Binary(left=a, right=b):
            return _asks(a, assigned) or _asks(b, assigned)
        case ast.Unary(operand=a) | ast.Paren(inner=a):
            return _asks(a, assigned)
    return isinstance(node, (ast.Call, ast.MethodCall))


def _mentions(node: ast.Expression, names: set[str]) -> bool:
    match node:
        case ast.Name(name=name):
            return name in names
        case ast.Index(table=a, key=b) | ast.Binary(left=a, right=b):
            return _mentions(a, names) or _mentions(b, names)
        case ast.Number() | ast.String() | ast.Boolean():
            return False
        case ast.Unary(operand=a) | ast.Paren(inner=a):
            return _mentions(a, names)
    return True


def _fixed_places(c: Context, targets: list[ast.Name | ast.Index]) -> list[ast.Name | ast.Index]:
    """Return the targets, with tables and keys that later assignments might change held fast."""
    if not _clash(targets):
        return targets
    found: list[ast.Name | ast.Index] = []
    for target in targets:
        if isinstance(target, ast.Index):
            target = ast.Index(
                target.line, target.column, _held(c, target.table), _held(c, target.key)
            )
        found.append(target)
    return found


def _held(c: Context, node: ast.Expression) -> ast.Expression:
    if isinstance(node, (ast.String, ast.Number)):
        return node
    if isinstance(node, ast.Name) and node.variable is not None and not node.variable.writes:
        return node
    name = c.fresh("held")
    c.put(f"{name} = {c.expression(node)}")
    return _Text(node.line, node.column, name)


class _Text(ast.Name):
    """A name of Python's own."""


def text_name(c: Context, node: _Text) -> Code:
    """Return a name of Python's own as it is."""
    return Code(node.name)


def plain_place(c: Context, target: ast.Name | ast.Index) -> str | None:
    """Return the text that Python assigns to, where an assignment statement can do it."""
    if isinstance(target, ast.Name):
        if isinstance(target, _Text):
            return target.name
        if target.variable is not None:
            return c.read(target.variable)
        if target.name == "_" and not c.module.is_shared_global("_"):
            return "_"
        if c.module.is_own_global(target.name):
            return c.module.global_names[target.name]
        c.use("G")
        return shared_place(target.name)
    kind = c.type_of(target.table)
    if isinstance(target.key, ast.TableConstructor):
        return None
    if kind.kind in ("table", "list", *KINDS):
        return place(c, target)
    if is_plain_field(c, target) or is_assigned_plainly(c, target):
        assert isinstance(target.key, ast.String)
        return f"{c.expression(target.table).at(ATOM)}.{target.key.value}"
    if isinstance(target.key, ast.String) and is_attribute(target.key.value):
        if kind.kind == "object" and kind.detail is not None:
            found: str | None = kind.detail.assigned_field(c, target)
            return found
        if kind.kind == "class" and is_of_tables(kind):
            return place(c, target)
        if kind.kind == "package":
            return f"{c.expression(target.table).at(ATOM)}.{target.key.value}"
    return None


def _assign_one(c: Context, target: ast.Name | ast.Index, value: ast.Expression) -> None:
    if isinstance(value, ast.Function):
        simple = isinstance(target, ast.Name)
        if isinstance(target, ast.Name) and target.variable is not None:
            variable = target.variable
            if variable not in c.cells and variable.scope is c.scope:
                define(c, value, c.name_of(variable))
                return
        base = target.name if isinstance(target, ast.Name) else "function"
        if isinstance(target, ast.Index) and isinstance(target.key, ast.String):
            base = target.key.value
        own_global = simple and c.scope is c.scopes.top and not c.wrapped
        if own_global and isinstance(target, ast.Name) and c.module.is_own_global(target.name):
            define(c, value, c.module.global_names[target.name])
            return
        c.module.hints.setdefault(id(value), base)
    from ..idioms import appended, augmented

    if isinstance(target, ast.Index) and (appended(c, target, value) or changed(c, target, value)):
        return
    place_text = plain_place(c, target)
    if place_text is not None and _is_default_of_itself(c, target, value):
        assert isinstance(value, ast.Binary)
        c.put(f"if {place_text} is None:")
        with c.indented():
            c.put(f"{place_text} = {c.expression(value.right)}")
        return
    if place_text is not None:
        sure = uncertain(c, target) is None
        shorter = augmented(c, target, value, place_text) if sure else None
        c.put(shorter if shorter else f"{place_text} = {c.expression(value)}")
        return
    assert isinstance(target, ast.Index)
    store(c, target, str(c.expression(value)))


def _is_default_of_itself(c: Context, target: ast.Name | ast.Index, value: ast.Expression) -> bool:
    """Whether it is `x = x or default` for what may be nil but not false."""
    if isinstance(target, ast.Name) and _is_own_default(target, value):
        return True
    if not isinstance(value, ast.Binary) or value.operator != "or":
        return False
    from ..idioms import same_place

    kind = c.type_of(value.left)
    known = kind.kind in ("tensor", "storage", "string", "integer", "number")
    return known and same_place(target, value.left) and uncertain(c, value.left) is None


def _is_own_default(target: ast.Name, value: ast.Expression) -> bool:
    """Whether it is `x = x or default` for a parameter x."""
    return (
        isinstance(value, ast.Binary)
        and value.operator == "or"
        and isinstance(value.left, ast.Name)
        and value.left.variable is target.variable
        and is_default(value.left, value.right)
    )


def store(c: Context, target: ast.Name | ast.Index, value: str) -> None:
    """Write `target = value`."""
    place_text = plain_place(c, target)
    if place_text is not None:
        c.put(f"{place_text} = {value}")
        return
    assert isinstance(target, ast.Index)
    from ..idioms import part_of

    parts = part_of(c, target)
    if parts is not None:
        c.use("tensor")
        listed = ", ".join([str(c.expression(target.table)), *parts])
        c.put(f"tensor.set_part({listed}, to={value})")
        return
    table, key = c.expression(target.table), c.expression(target.key)
    c.put(
        str(c.lua("newindex", table, key, value, reason="what is assigned to is of unknown type"))
    )
