"""Models in fields: `self.encoder = nn.Sequential()` with all that is added to it.

Who uses a field is not known, so the model becomes one of Torch at once: `self.encoder =
as_torch(nn.Sequential(...))`. Only what is put together in one place is written so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE
from .chains import added, added_at_once, chain_of, is_container, start_of
from .classes import class_of
from .items import Child
from .nodes import AS_TORCH, at
from .walk import alike, plain, walk

if TYPE_CHECKING:
    from .rewrite import Rewriter


def field_model(
    r: Rewriter, found: list[ast.Statement], position: int
) -> tuple[list[ast.Statement], int] | None:
    """Rewrite the definition of a model in a field, with the statements that add to it."""
    statement = found[position]
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or not r.bodies:
        return None
    target, value = statement.targets[0], plain(statement.values[0])
    if not isinstance(target, ast.Index) or not isinstance(target.key, ast.String):
        return None
    if len(statement.values) != 1 or not is_container(value):
        return None
    start = start_of(value)
    key = f".{target.key.value}@{r.path}:{statement.line}"
    if class_of(start) != "Sequential" or key in r.facts.faithful:
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
    r.join(key, f"@{r.path}:{r.bodies[-1].line}")  # all of a function, or nothing
    made: Any = r.models.containers.made(start, children, key)
    target.table = r.expression(target.table)
    statement.values = [at(start, "as_torch(", made, ")", kind=MODULE, imports=[AS_TORCH])]
    return [statement], position


def _grows(r: Rewriter, target: ast.Index, taken: list[ast.Statement]) -> bool:
    """Whether a function does more with the model in a field than to put it together."""
    known = {id(n) for n in walk(taken)}
    for node in walk(r.bodies[-1].body):
        if isinstance(node, ast.MethodCall) and id(node) not in known:
            base, calls = chain_of(node)
            if alike(base, target) and calls[0].method not in ("cuda", "float", "double"):
                return True
    return False
