"""`for`: over numbers, and over what an iterator gives."""

from __future__ import annotations

from .. import ast
from ..code import ADD, Code
from ..code import binary as binary_code
from ..kinds import EXACT_BITS
from ..syntax import captures, dotted
from .context import Context
from .dicts import loop
from .statements import block_of
from .values import arguments, last_argument


def numeric(c: Context, node: ast.NumericFor) -> None:
    """`for i = start, stop, step do`."""
    first = c.lists.walks.get(id(node))
    if first is not None and first.names[0].variable not in c.cells:
        assert isinstance(node.stop, ast.Unary)
        c.module.moved.add(id(first))
        _over_list(c, node.name, first.names[0], c.expression(node.stop.operand), node)
        return
    steps = counting(c, node)
    _loop(c, [node.name], steps, node)


def counting(c: Context, node: ast.NumericFor) -> str:
    """Return the numbers that a loop counts: a range where all are known to be whole."""
    step = 1 if node.step is None else _literal(node.step)
    kinds = [c.type_of(node.start).kind, c.type_of(node.stop).kind]
    exact = max(c.type_of(node.start).bits, c.type_of(node.stop).bits) <= EXACT_BITS
    if kinds == ["integer", "integer"] and exact and isinstance(step, int) and step:
        start = c.expression(node.start)
        stop = _after(c, node.stop, 1 if step > 0 else -1)
        if step == 1:
            return f"range({start}, {stop})"
        return f"range({start}, {stop}, {step})"
    given = [node.start, node.stop] + ([] if node.step is None else [node.step])
    texts = [str(c.expression(x)) for x in given]
    return str(c.lua("steps", *texts, reason="the bounds of the loop may be no whole numbers"))


def _literal(node: ast.Expression) -> int | float | None:
    if isinstance(node, ast.Number):
        return node.value
    if isinstance(node, ast.Unary) and node.operator == "-":
        inner = _literal(node.operand)
        return None if inner is None else -inner
    return None


def _after(c: Context, node: ast.Expression, by: int) -> Code:
    """Return `node + by`, simplified."""
    value = _literal(node)
    if value is not None:
        return Code(str(value + by))
    if isinstance(node, ast.Binary) and node.operator in "+-":
        right = _literal(node.right)
        if isinstance(right, int):
            left = c.expression(node.left)
            total = (right if node.operator == "+" else -right) + by
            if not total:
                return left
            return binary_code(left, "+" if total > 0 else "-", Code(str(abs(total))), ADD)
    return binary_code(c.expression(node), "+" if by > 0 else "-", Code("1"), ADD)


def _loop(
    c: Context, names: list[ast.Name], steps: str, node: ast.NumericFor | ast.GenericFor
) -> None:
    targets, cells = [], []
    for name in names:
        if name.variable is None:
            targets.append("_")
        elif name.variable in c.cells:
            target = c.fresh(name.name)
            cells.append((c.name_of(name.variable), target))
            targets.append(target)
        else:
            targets.append(c.name_of(name.variable))
    c.put(f"for {', '.join(targets)} in {steps}:")
    c.depth += 1
    for cell, target in cells:
        c.put(f"{cell} = {c.lua('Cell', target)}")
    c.depth -= 1
    c.loops.append("for")
    block_of(c, node.body)
    c.loops.pop()


def _over_list(
    c: Context,
    position: ast.Name,
    element: ast.Name,
    values: Code,
    node: ast.NumericFor | ast.GenericFor,
) -> None:
    """Loop over a list: with positions, where the body asks for them."""
    counter = position.variable
    asked = len(counter.names) if counter is not None else 0
    asked -= isinstance(node, ast.NumericFor)  # `local x = t[i]` is gone
    if asked:
        _loop(c, [position, element], f"enumerate({values}, 1)", node)
    else:
        _loop(c, [element], str(values), node)


def generic(c: Context, node: ast.GenericFor) -> None:
    """`for a, b in explist do`."""
    names, source = node.names, node.values[0]
    over_dict = loop(c, node)
    if over_dict is not None:
        _loop(c, *over_dict, node)
        return
    if isinstance(source, ast.Call) and len(node.values) == 1 and len(names) == 2:
        over = source.arguments[0] if len(source.arguments) == 1 else None
        if over is not None and c.type_of(over).kind == "list":
            _over_list(c, names[0], names[1], c.expression(over), node)
            return
    if len(names) == len(node.values) == 1 and isinstance(source, ast.Call):
        name = dotted(source.function)
        if name in _OWN and not c.module.is_shared_global(name) and len(source.arguments) == 1:
            names = [*names, ast.Name(node.line, node.column, "_")]
    _loop(c, names, iterated(c, node), node)


_OWN = {"pairs": 2, "ipairs": 2}


def iterated(c: Context, node: ast.GenericFor) -> str:
    """Return what a Python loop runs over."""
    count = len(node.names)
    source = node.values[0]
    if len(node.values) == 1 and isinstance(source, ast.Call):
        name = dotted(source.function)
        if name in _OWN and not c.module.is_shared_global(name) and len(source.arguments) == 1:
            own = str(c.expression(source))
            return own if count <= 2 else str(c.lua("each", count, own))
    if len(node.values) == 1:
        if _is_text_iterator(c, source, count):
            return str(c.expression(source))
        return str(c.lua("each", count, _all(c, source), reason="an iterator of the program"))
    return str(c.lua("each", count, *arguments(c, node.values), reason="an iterator"))


def _all(c: Context, node: ast.Expression) -> str:
    text = last_argument(c, node)
    if text.startswith("*lua.spread(") and text.endswith(")"):
        return text[len("*lua.spread(") : -1]
    return text


def _is_text_iterator(c: Context, node: ast.Expression, count: int) -> bool:
    """Whether each step gives just as many values as the loop has variables."""
    pattern: ast.Expression | None = None
    if isinstance(node, ast.MethodCall) and node.method == "gmatch" and len(node.arguments) == 1:
        if c.type_of(node.object).kind == "string" or c.types.is_string_method(node):
            pattern = node.arguments[0]
    elif isinstance(node, ast.Call) and not c.module.is_shared_global("string"):
        name = dotted(node.function)
        if name == "io.lines" and len(node.arguments) < 2:
            return count == 1
        if name == "string.gmatch" and len(node.arguments) == 2:
            pattern = node.arguments[1]
    if not isinstance(pattern, ast.String):
        return False
    return captures(pattern.value) == count
