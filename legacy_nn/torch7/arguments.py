"""The kinds of arguments that Torch7's tensor functions take, and how calls are told apart.

Torch7 generates the code that checks arguments from a description of each function. The same
descriptions stand at the functions here, in a line of text:

    *res=new! src! scale:real=1 other

- a name alone is a tensor of the function's own type; `:kind` makes it another kind
- `~2` asks for that many dimensions
- `*` marks what the function returns
- `=value` may be left out; `=new` is then a new tensor, `=last` the last dimension
- `!` after a default: a method cannot leave it out, being the method's own tensor;
  without a default: a method may leave it out, and its own tensor is meant

Source: torch7 TensorMath.lua, cwrap types.lua and cinterface.lua.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .generator import Generator

_ARGUMENT = re.compile(r"(\*?)(\w+)(?::(\w+|\{[\w,]+\}))?(?:~(\d))?(?:=([^\s!]+))?(!?)$")
_CODES = {"Byte": "B", "Int": "i", "Long": "l", "Float": "f", "Double": "d"}
_NUMBERS = ("real", "accreal", "long", "int", "index", "double")
_GIVEN = {"n": "number", "?": "boolean", "t": "table", "0": "nil", "()": "function"}

OWN = "own"
"""The source of an argument that is the method's own tensor."""

NEW = "new"
"""The source of an argument that is a new tensor."""

LAST = "last"
"""The source of an argument that is the last dimension of the tensor before it."""


def kind_of(value: Any) -> str:
    """Return a short text that tells arguments apart.

    The dtype's character for a tensor; "s:" and itself for a string, which may be an option.
    """
    if isinstance(value, Tensor):
        char: str = value.dtype.char
        return char
    kind = type(value)
    if kind is int or kind is float:
        return "n"
    if kind is bool:
        return "?"
    if isinstance(value, str):
        return f"s:{value}"
    if value is None:
        return "0"
    if isinstance(value, Storage):
        return f"S{value.dtype.char}"
    if isinstance(value, (Table, list, tuple)):
        first = value.get(1) if isinstance(value, Table) else (value[0] if value else None)
        return f"T{first.dtype.char}" if isinstance(first, Tensor) else "t"
    if isinstance(value, Generator):
        return "G"
    return "()" if callable(value) else f"<{kind.__name__}>"


def short_class(char: str) -> str:
    """Return what messages call tensors with this dtype character: "DoubleTensor"."""
    return tensor_class(np.dtype(char)).removeprefix("torch.")


def given_text(kinds: tuple[str, ...]) -> str:
    """Return how the message about wrong arguments lists what was given."""
    texts = []
    for kind in kinds:
        if kind in _GIVEN:
            texts.append(_GIVEN[kind])
        elif kind[0] == "S":
            texts.append(short_class(kind[1]).replace("Tensor", "Storage"))
        elif kind[0] == "T":
            texts.append("table")
        elif kind.startswith("s:"):
            texts.append("string")
        else:
            texts.append("Generator" if kind == "G" else short_class(kind))
    return "".join(f"{text} " for text in texts)


@dataclass(frozen=True)
class Argument:
    """One argument of a function, as described above."""

    name: str
    kind: str
    dims: int | None
    default: Any
    optional: bool
    returned: bool

    def accepts(self, kind: str, dims: int, dtype_char: str) -> bool:
        """Whether a given argument of this kind, and number of dimensions, will do."""
        if self.kind == "Tensor":
            return kind == dtype_char and self.dims in (None, dims)
        if self.kind == "Array":
            return kind == "T" + dtype_char
        if self.kind in _NUMBERS:
            return kind == "n"
        if self.kind == "boolean":
            return kind == "?"
        if self.kind == "Generator":
            return kind == "G"
        if self.kind[0] == "{":
            return kind.startswith("s:") and kind[2:] in self.kind[1:-1].split(",")
        return kind == self.tensor_char

    @property
    def tensor_char(self) -> str:
        """The dtype character of a tensor of a type named outright."""
        return _CODES[self.kind.removesuffix("Tensor")]

    def text(self, dtype_char: str) -> str:
        """Return how the message about wrong arguments shows this one."""
        if self.kind == "Tensor":
            text = short_class(dtype_char) + (f"~{self.dims}D" if self.dims else "")
        elif self.kind == "Array":
            text = "{" + short_class(dtype_char) + "+}"
        elif self.kind == "sizes":
            text = "(LongStorage | dim1 [dim2...])"
        elif self.kind[0] == "{":
            text = f"({self.kind[1:-1].replace(',', '|')})"
        elif self.kind == "real":
            text = _C_TYPES[dtype_char]
        elif self.kind == "accreal":
            text = "double" if dtype_char in "fd" else "long"
        else:
            text = self.kind
        if self.returned:
            text = f"*{text}*"
        return f"[{text}]" if self.optional else text


_C_TYPES = {
    "B": "unsigned char",
    "b": "char",
    "h": "short",
    "i": "int",
    "l": "long",
    "f": "float",
    "d": "double",
    "e": "half",
}


def parse(text: str, method: bool) -> tuple[Argument, ...]:
    """Return the arguments that a description names, as a function's or a method's."""
    return tuple(_parse_argument(part, method) for part in text.split())


def _parse_argument(text: str, method: bool) -> Argument:
    found = _ARGUMENT.match(text)
    assert found, f"no description of an argument: {text!r}"
    star, name, kind, dims, default, mark = found.groups()
    kind = kind or "Tensor"
    value: Any = None
    optional = default is not None
    if optional and default not in (NEW, LAST):
        value = {"true": True, "false": False}.get(default)
        if value is None:
            value = default if kind[0] == "{" else float(default)
    elif optional:
        value = default
    if mark and method:
        optional = default is None
        value = OWN if optional else None
    limit = int(dims) if dims else None
    return Argument(name, kind, limit, value, optional, bool(star))


def layouts(arguments: tuple[Argument, ...], count: int) -> Iterator[tuple[int | None, ...]]:
    """Yield the ways to hand out `count` given arguments, leaving out optional ones.

    Each is, for every argument, the position of the given one, or None. Sizes take all that
    is left.
    """

    def place(index: int, used: int) -> Iterator[tuple[int | None, ...]]:
        if index == len(arguments):
            if used == count:
                yield ()
            return
        argument = arguments[index]
        if argument.kind == "sizes":
            if used < count:
                for rest in place(index + 1, count):
                    yield (used, *rest)
        elif used < count:
            for rest in place(index + 1, used + 1):
                yield (used, *rest)
        if argument.optional:
            for rest in place(index + 1, used):
                yield (None, *rest)

    yield from place(0, 0)
