"""Nodes: what a differentiated function sees in place of tensors and numbers.

A node keeps the tensor of core that has the history; a number's has no dimensions. What a node
has no function for raises an error: nothing is computed without being recorded.

Source: twitter/torch-autograd src/overload.lua, src/runtime/direct.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rekindle.core.checkpoint import Table as PlainTable
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.lua_autograd import calls
from rekindle.legacy_nn.lua_autograd.values import plain as values_of
from rekindle.legacy_nn.lualib import call, tostring
from rekindle.legacy_nn.lualib.calls import single
from rekindle.legacy_nn.lualib.errors import located

from ...text import words
from ..tables import Table
from ..tensors import tensor_method
from ..tensors import tensor_new as tensor_new


class Node:
    """A tensor, or a number, whose history is recorded.

    Parameters
    ----------
    tensor : Tensor
        Without dimensions for a number.
    is_number : bool
    """

    __slots__ = ("is_number", "tensor")

    lua_type = "table"
    lua_metatable: PlainTable

    def __init__(self, tensor: Tensor, is_number: bool) -> None:
        self.tensor = tensor
        self.is_number = is_number

    @property
    def value(self) -> Any:
        """The tensor or number without its history."""
        return values_of(self.tensor)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return self.tensor.shape

    def item(self) -> Any:
        """Return the number, which stays recorded."""
        return self

    def __getitem__(self, key: Any) -> Any:
        return record("get", self, self._lua_key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        _newindex(self, self._lua_key(key), value)

    def _lua_key(self, key: Any) -> Any:
        """Return a key of Python, which counts from 0, as Lua's."""
        keys = key if isinstance(key, tuple) else (key,)
        places: list[Any] = []
        for k, size in zip(keys, self.tensor.shape, strict=False):
            if isinstance(k, slice):
                first, last, _ = k.indices(size)
                places.append(Table(first + 1, last))
            else:
                places.append(k + 1 if k >= 0 else k)
        only = len(places) == 1 and not isinstance(places[0], Table)
        return places[0] if only else Table(*places)

    def __add__(self, other: Any) -> Any:
        return record("__add", self, other)

    def __radd__(self, other: Any) -> Any:
        return record("__add", other, self)

    def __sub__(self, other: Any) -> Any:
        return record("__sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return record("__sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return record("__mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return record("__mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return record("__div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return record("__div", other, self)

    def __pow__(self, other: Any) -> Any:
        return record("__pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return record("__pow", other, self)

    def __neg__(self) -> Any:
        return record("__unm", self)

    def __lt__(self, other: Any) -> Any:
        return self.value < plain(other)

    def __le__(self, other: Any) -> Any:
        return self.value <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return self.value > plain(other)

    def __ge__(self, other: Any) -> Any:
        return self.value >= plain(other)


def is_node(value: Any = None) -> bool:
    """Whether a value is a node."""
    return type(value) is Node


def is_plain_table(value: Any) -> bool:
    """Whether a value is a table that may hold nodes: one without a metatable."""
    return isinstance(value, PlainTable) and value._metatable is None


def has_node(value: Any = None) -> bool:
    """Whether a value is a node, or a table with one in it."""
    if type(value) is Node:
        return True
    return is_plain_table(value) and any(has_node(part) for part in value._map.values())


def any_node(values: Iterable[Any]) -> bool:
    """Whether there are nodes among values."""
    return any(has_node(value) for value in values)


def replaced(value: Any, of: Callable[[Node], Any]) -> Any:
    """Return a value with what `of` makes of its nodes; tables without nodes stay what they are."""
    if type(value) is Node:
        return of(value)
    if is_plain_table(value) and has_node(value):
        return table_of({key: replaced(part, of) for key, part in value._map.items()})
    return value


def table_of(entries: dict[Any, Any]) -> Table:
    """Return a table with entries, which are not copied."""
    made = Table()
    made._map.update(entries)
    return made


def bare(value: Any = None) -> Any:
    """Return a value with the tensors of its nodes, which have a history."""
    return replaced(value, lambda node: node.tensor)


def plain(value: Any = None) -> Any:
    """Return a value with tensors and numbers in place of nodes."""
    return replaced(value, lambda node: node.value)


def wrapped(found: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the results that follow, in `found`, each the number that says what it is.

    See legacy_nn/lua_autograd/calls.py.
    """
    return tuple(_made(kind, value) for kind, value in zip(found[::2], found[1::2], strict=True))


def wrap(*found: Any) -> Any:
    """Return what `wrapped` does, as a function returns its results."""
    return single(wrapped(found))


def _made(kind: int, value: Any) -> Any:
    if kind in (calls.NODE, calls.NUMBER):
        return Node(value, kind == calls.NUMBER)
    if isinstance(value, PlainTable):
        inner = calls.NODE if kind == calls.NODES else calls.PLAIN
        return table_of(
            {k: _made(_kind(v, inner), v) for k, v in value._map.items() if v is not None}
        )
    return value


def _kind(value: Any, inner: int) -> int:
    return calls.NODES if inner == calls.NODE and isinstance(value, PlainTable) else inner


class Watch:
    """What is called with a function's name and results, where a debugHook is set."""

    hook: Callable[..., Any] | None = None


def record(name: str, *args: Any) -> Any:
    """Call a function on values of which some are nodes; see `calls.record`."""
    found = wrapped(calls.record(name, any_node(args), *map(bare, args)))
    if Watch.hook is not None:
        Watch.hook(name, found)
    return single(found)


def with_values(function: Any, *args: Any) -> Any:
    """Call a function with values in place of nodes."""
    return call(function, *map(plain, args))


# -- methods ----------------------------------------------------------------------------------


def _recorded(name: str) -> Callable[..., Any]:
    return lambda *args: record(name, *args)


def _constant(name: str) -> Callable[..., Any]:
    return lambda *args: calls.constant(name, *map(bare, args))


def _converted(typename: str) -> Callable[..., Any]:
    return lambda x, *_: record("type", x, typename)


_TYPES = {
    name: f"torch.{name.capitalize()}Tensor"
    for name in ("float", "double", "long", "int", "byte", "short", "char")
} | {"cuda": "torch.FloatTensor"}

METHODS: dict[str, Callable[..., Any]] = {
    **{name: _recorded(name) for name in calls.FUNCTIONS},
    **{name: _constant(name) for name in calls.CONSTANT},
    **{name: _converted(typename) for name, typename in _TYPES.items()},
}
"""What torch's functions are where there are nodes among the arguments."""

PURE = frozenset(
    words(
        """
        view viewAs expand expandAs reshape select narrow index gather transpose t split chunk
        squeeze repeatTensor contiguous clone cat type typeAs float double long int byte short
        char cuda sum mean prod std var max min norm dist dot trace lt le gt ge eq ne all any
        equal
        """
    )
)
"""Methods that give a new tensor, or a number; others write into theirs, which is not recorded."""

QUERIES = frozenset(
    words(
        """
        size dim nDimension nElement numel stride isContiguous isSameSizeAs storageOffset isSize
        elementSize
        """
    )
)
"""Methods that say something about a tensor."""


def _index(node: Node, key: Any) -> Any:
    if type(key) is not str:
        return record("get", node, key)
    if key in PURE:
        return METHODS[key]
    if key == "raw":  # as in torch-autograd's optimised mode
        return node.value
    if node.is_number:
        return None
    if key == "new":
        return lambda *args: tensor_new(node.value, *map(plain, args))
    if key in QUERIES:
        return lambda _, *args: with_values(tensor_method(node.value, key), node, *args)
    tensor_method(node.value, key)  # says so if there is none

    def refuse(*_: Any) -> Any:
        raise located(
            f"autograd: x:{key}(...) of a tensor that is differentiated is not recorded; what is, "
            "are functions that return a new tensor, such as torch.add(x, y)"
        )

    return refuse


def _newindex(node: Node, key: Any, value: Any) -> None:
    if type(key) is str:
        raise located("autograd: a tensor has no fields")
    node.tensor = calls.record("set", True, node.tensor, key, bare(value))[1]


def _concat(a: Any, b: Any) -> str:
    return tostring(plain(a)) + tostring(plain(b))


Node.lua_metatable = PlainTable(
    {
        **{name: _recorded(name) for name in ("__add", "__sub", "__mul", "__div", "__pow")},
        "__unm": lambda a, *_: record("__unm", a),
        "__lt": lambda a, b: plain(a) < plain(b),
        "__le": lambda a, b: plain(a) <= plain(b),
        "__concat": _concat,
        "__tostring": lambda node, *_: tostring(node.value),
        "__index": _index,
        "__newindex": _newindex,
    }
)
