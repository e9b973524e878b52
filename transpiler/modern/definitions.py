"""Definitions of models and criterions, with the statements behind that belong to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..walk import plain, walk
from .branches import REDUCERS
from .chains import added, added_at_once, is_container, start_of
from .fields import sums_up
from .items import Child
from .step_parts import only_target

if TYPE_CHECKING:
    from .rewrite import Rewriter
    from .variables import Key


def definition(
    r: Rewriter, found: list[ast.Statement], position: int
) -> tuple[list[ast.Statement], int] | None:
    """Rewrite a model's or criterion's definition with the statements that belong to it."""
    statement = found[position]
    target = only_target(statement)
    key = r.facts.key(target)
    role = None if key is None else r.facts.roles.get(key)
    if key is None or role not in ("model", "criterion") or id(statement) in r.replaced:
        return None
    assert isinstance(statement, (ast.Local, ast.Assign))
    if not statement.values or isinstance(plain(statement.values[0]), ast.Nil):
        return None
    position += 1
    value = plain(statement.values[0])
    r.depths[key] = r.loops
    r.held.define(key)
    r.targets.append(key)
    for other in r.facts.keys_in(value):
        r.join(key, other)
    if role == "criterion":
        summed = position < len(found) and sums_up(r, found[position], key)
        statement.values = [r.models.criterion(value, summed)]
        position += summed
    elif is_container(value):
        children: list[Child] = [(child, None) for child in added_at_once(value)]
        while position < len(found) and (more := added(found[position])) is not None:
            base, parts = more
            if r.facts.key(base) != key or any(
                r.facts.key(n) == key for n in walk(parts) if isinstance(n, ast.Name)
            ):
                break
            owners: list[ast.Statement | None] = [None] * len(parts)
            owners[0] = found[position]
            children += list(zip(parts, owners, strict=True))
            position += 1
        start = start_of(value)
        made: Any = r.models.containers.made(start, children, key)
        statement.values = [made]
    else:
        statement.values = [r.models.expression(value, key)]
    r.targets.pop()
    r.declare(statement)
    return [statement], position


def next_children(r: Rewriter, key: Key) -> list[Any]:
    """Take the statements behind this one that add to the same model too."""
    found = []
    while r.following and (more := added(r.following[0])) is not None:
        base, children = more
        alone = r.facts.key(base) == key and not r.following[0].before
        if not alone or r.models.containers.kind_of(children[0]) not in REDUCERS:
            break
        r.taken.add(id(r.following.pop(0)))
        found += [(child, None) for child in children]
    return found
