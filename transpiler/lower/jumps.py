"""`goto` and labels, and `break`.

A jump to the end of the loop around it is `continue`. Other jumps raise `lua.Jump`, which the
place of the label catches: forward around the statements that are skipped, backward in a loop
around those that are repeated.
"""

from __future__ import annotations

from .. import ast
from ..code import quoted
from ..syntax import LOOPS, blocks_of, jumps_to
from .context import Context


def put_block(c: Context, block: ast.Block) -> None:
    """Write the statements of a block, its labels included."""
    labels = [i for i, s in enumerate(block.statements) if isinstance(s, ast.Label)]
    _put(c, block.statements, block, bool(labels))


def _put(c: Context, statements: list[ast.Statement], block: ast.Block, labels: bool) -> None:
    from .statements import one

    if not labels:
        for statement in statements:
            one(c, statement)
        return
    at = next((i for i, s in enumerate(statements) if isinstance(s, ast.Label)), None)
    if at is None:
        _put(c, statements, block, False)
        return
    label = statements[at]
    assert isinstance(label, ast.Label)
    before, after = statements[:at], statements[at + 1 :]
    is_end = all(isinstance(s, ast.Label) for s in after)
    ends_loop = is_end and _is_loop_body(c, block) and c.loops[-1:] != ["repeat"]
    if ends_loop:
        c.module.continues[label.label] = len(c.loops)
    forward = jumps_to(before, label.label, 0 if ends_loop else None)
    if forward:
        c.put("try:")
        with c.indented():
            _put(c, before, block, False)
        _catch(c, label.label)
    else:
        _put(c, before, block, False)
    if ends_loop:
        c.module.continues.pop(label.label, None)
    backward = jumps_to(after, label.label)
    if backward:
        left = c.fresh("left") if _breaks(after) else ""
        if left:
            c.put(f"{left} = False")
        c.put("while True:")
        with c.indented():
            c.put("try:")
            c.loops.append(f"label {left}")
            with c.indented():
                _put(c, after, block, True)
            c.loops.pop()
            _catch(c, label.label, "continue")
            c.put("break")
        if left:
            c.put(f"if {left}:")
            with c.indented():
                _leave(c)
    else:
        _put(c, after, block, True)


def _catch(c: Context, label: str, then: str = "") -> None:
    c.use("lua")
    c.put("except lua.Jump as jump:")
    with c.indented():
        c.put(f"jump.check({quoted(label)})")
        if then:
            c.put(then)


def _is_loop_body(c: Context, block: ast.Block) -> bool:
    return id(block) in c.module.loop_bodies


def goto(c: Context, node: ast.Goto) -> None:
    """`goto label`."""
    if c.module.continues.get(node.label) == len(c.loops):
        c.put("continue")
        return
    c.put(f"raise {c.lua('Jump', quoted(node.label), reason='a jump')}")


def label(c: Context, node: ast.Label) -> None:
    """`::label::`, which has been dealt with by its block."""


def break_(c: Context, node: ast.Break) -> None:
    """`break`."""
    _leave(c)


def _leave(c: Context) -> None:
    """Leave the loop; statements that a goto repeats are no loop, and tell what is around them."""
    around = c.loops[-1] if c.loops else ""
    if around.startswith("label "):
        c.put(f"{around.removeprefix('label ')} = True")
    c.put("break" if around else "pass")


def _breaks(statements: list[ast.Statement]) -> bool:
    """Whether a `break` among the statements leaves the loop around them."""
    for statement in statements:
        if isinstance(statement, ast.Break):
            return True
        if isinstance(statement, LOOPS):
            continue
        if any(_breaks(inner.statements) for inner in blocks_of(statement)):
            return True
    return False
