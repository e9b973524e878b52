"""Models of which more is done than is understood: what is put together in one place is core's.

Who uses a field, or a variable that may hold something else too, is not known, so the model becomes
one of Torch at once: `self.encoder = as_torch(nn.Sequential(...))`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE
from ..walk import alike, plain, walk
from .chains import added, added_at_once, chain_of, is_container, start_of
from .classes import class_of
from .items import Child
from .nodes import AS_TORCH, at
from .step_parts import only_target

if TYPE_CHECKING:
    from .rewrite import Rewriter


def field_model(
    r: Rewriter, found: list[ast.Statement], position: int
) -> tuple[list[ast.Statement], int] | None:
    """Rewrite the definition of such a model, with the statements that add to it."""
    statement = found[position]
    if not isinstance(statement, (ast.Local, ast.Assign)) or len(statement.values) != 1:
        return None
    targets = statement.names if isinstance(statement, ast.Local) else statement.targets
    target, value = targets[0], plain(statement.values[0])
    if len(targets) != 1 or not is_container(value):
        return None
    name = _name(r, target)
    start = start_of(value)
    key = f"{name}@{r.path}:{statement.line}"
    if name is None or class_of(start) != "Sequential" or key in r.facts.faithful:
        return None
    children: list[Child] = [(child, None) for child in added_at_once(value)]
    first = position
    position += 1
    while position < len(found) and (more := added(found[position])) is not None:
        base, parts = more
        if not alike(base, target):
            break
        owners: list[ast.Statement | None] = [None] * len(parts)
        owners[0] = found[position]
        children += list(zip(parts, owners, strict=True))
        position += 1
    if len(children) < 2 or _grows(r, target, found[first:position]):
        return None
    if isinstance(target, ast.Index):
        if r.bodies:
            r.join(key, f"@{r.path}:{r.bodies[-1].line}")  # all of a function, or nothing
        target.table = r.expression(target.table)
    made: Any = r.models.containers.made(start, children, key)
    statement.values = [at(start, "as_torch(", made, ")", kind=MODULE, imports=[AS_TORCH])]
    r.declare(statement)
    return [statement], position


def _name(r: Rewriter, target: ast.Name | ast.Index) -> str | None:
    """Return what to call a field, or a variable that stays Torch's; else None."""
    if isinstance(target, ast.Name):
        known = r.facts.role(target) is not None or r.facts.key(target) in r.facts.builders
        return None if known else target.name
    return f".{target.key.value}" if isinstance(target.key, ast.String) else None


def _grows(r: Rewriter, target: ast.Name | ast.Index, taken: list[ast.Statement]) -> bool:
    """Whether more is added to the model elsewhere, or done with it where a field is filled."""
    inside = isinstance(target, ast.Index) and bool(r.bodies)
    if isinstance(target, ast.Index):
        known = {id(n) for n in walk(taken)}
        places: list[Any] = [r.bodies[-1].body] if r.bodies else [f.block for f in r.files]
    else:
        places = [f.block for f in r.files]
        known = {id(n) for p in places for n in _definitions(p, target)}
    for node in walk(places):
        if isinstance(node, ast.MethodCall) and id(node) not in known:
            base, calls = chain_of(node)
            first = calls[0].method
            more = first not in ("cuda", "float", "double") if inside else first in _GROWING
            if more and alike(base, target):
                return True
    return False


def _definitions(block: ast.Block, target: ast.Name) -> Iterator[Any]:
    """Yield what is in the statements that define models of a name, and add to them at once."""
    for node in walk(block):
        if not isinstance(node, ast.Block):
            continue
        follows = False
        for statement in node.statements:
            own = only_target(statement)
            more = added(statement)
            if own is not None:
                values = getattr(statement, "values", [None])
                follows = alike(own, target) and is_container(values[0])
            else:
                follows = follows and more is not None and alike(more[0], target)
            if follows:
                yield from walk(statement)


_GROWING = ("add", "insert")
