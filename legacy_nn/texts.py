"""The texts of modules inside of containers, whose lines stand behind margins."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .module import Module
from .nesting import nested

_TEXTS: ContextVar[list[tuple[str, str]] | None] = ContextVar("texts", default=None)
"""The texts of modules inside the outermost one so far, and the margins they are put behind."""

_MARK = "\udfff"  # in no text: what bytes that are none become ends at \udcff


@nested
def indented(module: Any, margin: str) -> str:
    """Return the text of a module, its lines after the first behind `margin`.

    Inside of another container's text that is a mark for it: were it put together at every
    level, the lines of the innermost would be copied as often as there are levels.
    """
    if not isinstance(module, Module):
        text: str = getattr(module, "t7_typename", "?")
        return text.replace("\n", f"\n{margin}")
    texts = _TEXTS.get()
    own = getattr(type(module).__repr__, "__module__", "")
    foreign = not own.startswith(__package__)  # others may look at what is inside
    if texts is not None and not foreign:
        text = repr(module)
        texts.append((text, margin))
        return f"{_MARK}{len(texts) - 1}{_MARK}"
    inner: list[tuple[str, str]] = []
    token = _TEXTS.set(None if foreign else inner)
    try:
        text = repr(module)
    finally:
        _TEXTS.reset(token)
    return _assembled(text, margin, inner)


def _assembled(text: str, margin: str, texts: list[tuple[str, str]]) -> str:
    """Return `text` behind `margin`, with the texts that its marks stand for."""
    found: list[str] = []
    pending = [(iter(text.split(_MARK)), margin)]
    while pending:
        pieces, margin = pending[-1]
        found.append(next(pieces).replace("\n", f"\n{margin}"))
        if (number := next(pieces, None)) is None:
            pending.pop()
        else:
            inside, deeper = texts[int(number)]
            pending.append((iter(inside.split(_MARK)), margin + deeper))
    return "".join(found)
