"""Modules as text: a tree in which equal neighbours are written once."""

from __future__ import annotations

from typing import Any


def tree(module: Any) -> str:
    """Return the text of a module and all inside it, one line each, indented."""
    extra = module.extra_repr()
    lines = extra.split("\n") if extra else []
    below = [
        f"({name}): {text}"
        for name, text in _runs([(n, repr(m)) for n, m in module._modules.items()])
    ]
    name = type(module).__name__
    if len(lines) == 1 and not below:
        return f"{name}({extra})"
    if not lines and not below:
        return f"{name}()"
    body = "\n".join(lines + below).replace("\n", "\n  ")
    return f"{name}(\n  {body}\n)"


def _runs(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return (name, text) with runs of equal texts under numbers as one: ("0-3", "4 x ...")."""
    found: list[tuple[str, str]] = []
    start = 0
    for i, (name, text) in enumerate(entries):
        following = entries[i + 1] if i + 1 < len(entries) else ("", "")
        if name.isdigit() and following[0].isdigit() and following[1] == text:
            continue
        first = entries[start][0]
        count = i + 1 - start
        found.append((name, text) if count == 1 else (f"{first}-{name}", f"{count} x {text}"))
        start = i + 1
    return found
