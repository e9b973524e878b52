"""`goto` and labels, and `break`.

A jump to the end of the loop around it is `continue`. Other jumps raise `lua.Jump`, which the
place of the label catches: forward around the statements that are skipped, backward in a loop
around those that are repeated.
"""

from __future__ import annotations

from .. import ast
from ..code import quoted
from ..syntax import blocks_of
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
    forward = _jumps_to(c, before, label.label, 0 if ends_loop else None)
    if forward:
        c.put("try:")
        with c.indented():
            _put(c, before, block, False)
        _catch(c, label.label)
    else:
        _put(c, before, block, False)
    if ends_loop:
        c.module.continues.pop(label.label, None)
    backward = _jumps_to(c, after, label.label, None)
    if backward:
        c.put("while True:")
        with c.indented():
            c.put("try:")
            c.loops.append("label")
            with c.indented():
                _put(c, after, block, True)
            c.loops.pop()
            _catch(c, label.label, "continue")
            c.put("break")
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


def _jumps_to(c: Context, statements: list[ast.Statement], label: str, loops: int | None) -> bool:
    """Whether there is a jump to a label that `continue` does not make.

    `loops` counts the loops around a statement where a jump from none of them is `continue`.
    """
    for statement in statements:
        if isinstance(statement, ast.Goto) and statement.label == label and loops != 0:
            return True
        is_loop = isinstance(statement, (ast.While, ast.Repeat, ast.NumericFor, ast.GenericFor))
        for inner in blocks_of(statement):
            deeper = None if loops is None else loops + is_loop
            if any(isinstance(s, ast.Label) and s.label == label for s in inner.statements):
                continue
            if _jumps_to(c, inner.statements, label, deeper):
                return True
    return False


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
    if c.loops[-1:] == ["label"]:
        c.diagnose("RK102", "break out of statements that a goto repeats", node)
        c.put("# TODO(rekindle RK102): break out of statements that a goto repeats")
        c.put(str(c.lua("untranslated", '"RK102: break out of a goto\'s loop"')))
        return
    if not c.loops:
        c.put("pass")
        return
    c.put("break")
