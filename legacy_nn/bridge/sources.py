"""Lua sources: the bridge's own, those of packages, and programs as LuaJIT here takes them."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

HERE = resources.files(__package__)

FILES = ("border", "classes", "objects", "tensors", "compat", "output", "packages")
"""The bridge's files, in the order in which they run."""


def bridge_source(name: str) -> str:
    """Return one of the bridge's own files."""
    return (HERE / "lua" / f"{name}.lua").read_text("latin-1")


def package_source(name: str) -> str | None:
    """Return the Lua file of a package that Rekindle answers; None without one."""
    file = HERE.joinpath("packages", *f"{name.replace('.', '/')}.lua".split("/"))
    return file.read_text("latin-1") if file.is_file() else None


def read_source(path: str) -> str | None:
    """Return the text of a Lua file, without a first line for the shell; None without the file."""
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError:
        return None
    if text.startswith("#"):
        _, newline, rest = text.partition("\n")
        return f"{newline}{rest}"
    return text


def joined_calls(text: str) -> str:
    """Return a source with the parenthesis of every call on the line of what it calls.

    LuaJIT built for Lua 5.2, as Torch's was, takes a call whose parenthesis opens the next
    line; this one calls it ambiguous. No line gets another number.
    """
    import tree_sitter
    import tree_sitter_lua

    # One byte per character, so that positions are those of the text.
    source = re.sub(rb"[\x80-\xff]", b"?", text.encode("latin-1"))
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_lua.language()))
    moved: list[tuple[int, int]] = []
    pending = [parser.parse(source).root_node]
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        if node.type == "function_call":
            callee, arguments = node.children[0], node.children[-1]
            opening = source[arguments.start_byte : arguments.start_byte + 1] == b"("
            if opening and arguments.start_point[0] > callee.end_point[0]:
                moved.append((callee.end_byte, arguments.start_byte))
    for end, start in sorted(moved, reverse=True):
        text = f"{text[:end]}({text[end:start]} {text[start + 1 :]}"
    return text
