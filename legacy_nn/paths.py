"""Where an object is inside a loaded checkpoint, as Lua writes it: `protos.rnn.modules[3]`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.errors import RekindleError

Path = tuple[Any, ...]
"""Keys from the outermost object inwards; the path of that object itself is empty."""

_TOKEN = re.compile(
    r"""\.?(?P<name>[^\W\d]\w*)          # .weight, or weight at the start
    |\[\s*(?P<number>-?\d+(\.\d+)?(e[-+]?\d+)?)\s*\]  # [3]
    |\[\s*(?P<word>true|false)\s*\]        # [true]
    |\[\s*(?P<quote>["'])(?P<text>.*?)(?P=quote)\s*\]  # ["any text"]
    """,
    re.VERBOSE | re.DOTALL,
)


class PathError(RekindleError, KeyError):
    """A path that is not one, or leads nowhere."""

    def __str__(self) -> str:
        return str(self.args[0])


def format_path(keys: Iterable[Any]) -> str:
    """Return the path that Lua would write; "" for no keys.

    Examples
    --------
    >>> format_path(["protos", "rnn", "modules", 3, "weight"])
    'protos.rnn.modules[3].weight'
    >>> format_path([1, "learning rate", True])
    '[1]["learning rate"][true]'
    """
    text = ""
    for key in keys:
        if isinstance(key, bytes):
            key = key.decode("utf-8", "surrogateescape")
        if isinstance(key, str):
            if re.fullmatch(r"[^\W\d]\w*", key):
                text += f".{key}" if text else key
            else:
                text += f'["{key}"]'
        elif isinstance(key, bool):
            text += f"[{str(key).lower()}]"
        elif isinstance(key, (int, float)):
            text += f"[{key}]"
        else:
            text += f"[<{getattr(key, 't7_typename', type(key).__name__)}>]"
    return text


def parse_path(text: str) -> Path:
    """Return the keys of a path; the opposite of `format_path`.

    Raises
    ------
    PathError
        If it is not of the form `name.name[number]["text"]`.

    Examples
    --------
    >>> parse_path("modules[3].weight")
    ('modules', 3, 'weight')
    """
    keys: list[Any] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or (position == 0 and text[0] == "."):
            raise PathError(
                f'{text!r} is not a path: expected a name, [number] or ["text"] at character '
                f"{position + 1}, as in protos.rnn.modules[3].weight"
            )
        if match["name"]:
            keys.append(match["name"])
        elif match["number"]:
            number = match["number"]
            keys.append(int(number) if number.lstrip("-").isdigit() else float(number))
        elif match["word"]:
            keys.append(match["word"] == "true")
        else:
            keys.append(match["text"])
        position = match.end()
    return tuple(keys)


def entries(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what is directly inside a loaded object: entries of a table, fields of an object."""
    if isinstance(value, Table):
        return value.items()
    if isinstance(value, TorchObject):
        return value.t7_fields().items()
    if hasattr(value, "__dict__"):
        return ((k, v) for k, v in vars(value).items() if not str(k).startswith("_t7_"))
    return ()


def follow(root: Any, path: Sequence[Any]) -> Any:
    """Return the object at `path` inside `root`.

    Raises
    ------
    PathError
        If there is none, naming what is there instead.
    """
    value = root
    for depth, key in enumerate(path):
        inside = value if isinstance(value, Table) else Table(dict(entries(value)))
        if key not in inside:
            raise PathError(_nothing_at(inside, path[:depth], key))
        value = inside[key]
    return value


def _nothing_at(inside: Table, parent: Sequence[Any], key: Any) -> str:
    place = format_path(parent) or "the file's object"
    wanted = format_path([key])
    names = [format_path([k]) for k in inside.keys()]  # noqa: SIM118  # a Table is no dict
    if not names:
        return f"there is no {wanted} in {place}, which has nothing inside"
    close = difflib.get_close_matches(wanted, names, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"there is no {wanted} in {place}, which has {', '.join(names[:20])}{more}{meant}"
