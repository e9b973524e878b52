"""What a checkpoint holds beside tables and tensors: objects, functions, tds containers."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ..errors import RekindleError
from .table import Table, as_key, get_field, set_metatable


class TorchObject:
    """An object of a class that nobody registered: everything the file says of it.

    Fields are reached as `object.weight` or `object["weight"]`. Equality is identity.

    Parameters
    ----------
    typename : str
        The class's name in Torch7: "nn.MyLayer".
    version : int
        The class's version when the object was written.
    fields : Table
        Its fields; empty where the record is `payload`.
    payload : object, optional
        What a record that is not a table of fields holds: bytes for torch.Generator.
    """

    __slots__ = ("__weakref__", "_fields", "_payload", "_typename", "_version")

    def __init__(
        self, typename: str, version: int = 1, fields: Table | None = None, payload: Any = None
    ) -> None:
        put = object.__setattr__
        put(self, "_typename", typename)
        put(self, "_version", version)
        put(self, "_fields", Table() if fields is None else fields)
        put(self, "_payload", payload)

    _fields: Table
    _payload: Any
    _typename: str
    _version: int

    @property
    def t7_typename(self) -> str:
        """The class's name in Torch7."""
        return self._typename

    @property
    def t7_version(self) -> int:
        """The class's version in the file."""
        return self._version

    def t7_fields(self) -> Table:
        """Return the fields, as a Table that may be changed."""
        return self._fields

    @property
    def t7_payload(self) -> Any:
        """What stands in place of fields, or None."""
        return self._payload

    def t7_restore(self, version: int, fields: Table) -> None:
        """Take over what a file says."""
        _set_version(self, version)
        _set_fields(self, fields)

    def __getattr__(self, name: str) -> Any:
        if name == "_fields":
            raise AttributeError(f"the fields of this {self._typename} are not read yet")
        return get_field(self._fields._map, name, self)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(TorchObject, name):
            raise AttributeError(f"{name!r} is TorchObject's own; write object[{name!r}] = ...")
        self._fields[name] = value

    def __getitem__(self, key: Any) -> Any:
        return self._fields[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._fields[key] = value

    def __contains__(self, key: Any) -> bool:
        return key in self._fields

    def equals(self, other: object) -> bool:
        """Whether `other` is of the same class and version with equal contents; see Table."""
        from .compare import equal_contents

        return equal_contents(self, other)

    def __repr__(self) -> str:
        from .display import summary

        return summary(self)

    def __reduce__(self) -> tuple[Any, ...]:
        state = (None, {name: getattr(self, name) for name in ("_fields", "_payload")})
        return TorchObject, (self._typename, self._version), state

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            object.__setattr__(self, name, value)


_set_typename, _set_version, _set_fields, _set_payload = (
    TorchObject.__dict__[name].__set__ for name in ("_typename", "_version", "_fields", "_payload")
)


def new_torch_object(typename: str, version: int) -> TorchObject:
    """Return a TorchObject whose fields `t7_restore` will bring; quicker than the class."""
    value = TorchObject.__new__(TorchObject)
    _set_typename(value, typename)
    _set_version(value, version)
    _set_payload(value, None)
    return value


class LuaFunctionError(RekindleError, TypeError):
    """A call of a Lua function that came with a checkpoint."""


class LuaFunction:
    """A Lua function: bytecode, which is kept and never executed, and captured variables.

    Parameters
    ----------
    bytecode : bytes
        What `string.dump` gave.
    upvalues : Table or None
        For tag 8 a Table of `{name=, id=, value=}`; for the older tags a Table of values.
    tag : int
        The record's type: 8 since 2016; 6 and 7 are what older Torch7 wrote.
    """

    __slots__ = ("bytecode", "tag", "upvalues")

    def __init__(self, bytecode: bytes, upvalues: Any = None, tag: int = 8) -> None:
        self.bytecode = bytecode
        self.upvalues = upvalues
        self.tag = tag

    def __call__(self, *args: Any) -> Any:
        """Refuse: code from a file is never run.

        Raises
        ------
        LuaFunctionError
            Always.
        """
        raise LuaFunctionError(
            "this function is Lua bytecode from a checkpoint, which is never executed: "
            "write it in Python and put it in this one's place"
        )

    def equals(self, other: object) -> bool:
        """Whether `other` has the same bytecode and equal captured variables."""
        from .compare import equal_contents

        return equal_contents(self, other)

    def __repr__(self) -> str:
        names = []
        if isinstance(self.upvalues, Table):
            for upvalue in self.upvalues.array():
                name = upvalue.get("name") if isinstance(upvalue, Table) else None
                names.append(str(name) if name is not None else "?")
        return f"LuaFunction({len(self.bytecode)} bytes, upvalues=[{', '.join(names)}])"


class TdsContainer(Table):
    """What tds.Hash and tds.Vec have in common.

    Attributes
    ----------
    lua_methods : Table or None
        The metatable of all instances, which `legacy_nn.tds` provides: core knows no Lua.
    """

    __slots__ = ()

    lua_methods: ClassVar[Table | None] = None
    lua_type: ClassVar[str] = "cdata"
    t7_typename: ClassVar[str]
    t7_version: ClassVar[int] = 0

    def __init__(self, entries: Any = None) -> None:
        super().__init__(entries)
        set_metatable(self, self.lua_methods)

    def __setstate__(self, state: list[tuple[Any, Any]]) -> None:
        super().__setstate__(state)
        set_metatable(self, self.lua_methods)


class TdsHash(TdsContainer):
    """A tds.Hash: a Table that is written back as one, and whose length counts all entries."""

    __slots__ = ()

    t7_typename = "tds.Hash"

    def __len__(self) -> int:
        return self.count()

    def __getattr__(self, name: str) -> Any:
        """Return the entry of that name, None where there is none: a hash has no fixed fields."""
        if name.startswith("__") or name in ("_map", "_metatable", "_array_end"):
            raise AttributeError(name)
        return self.get(name)


class TdsVec(TdsContainer):
    """A tds.Vec: a Table of 1, 2, ... that is written back as one; nil counts as an element."""

    __slots__ = ("_size",)

    t7_typename = "tds.Vec"
    _size: int

    def __new__(cls, entries: Any = None) -> Self:
        """Return an empty one, before `__init__` or unpickling fills it."""
        vec = super().__new__(cls)
        _set_size(vec, 0)
        return vec

    def __len__(self) -> int:
        return self._size

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        position = as_key(key)
        if type(position) is int and position > self._size:
            _set_size(self, position)

    def resize(self, size: int) -> None:
        """Have so many elements: drop those at the end, or add nil."""
        for position in range(size + 1, self._size + 1):
            self[position] = None
        _set_size(self, size)

    def array(self) -> list[Any]:
        """Return all elements as a list, nil as None."""
        return [self.get(position) for position in range(1, self._size + 1)]

    def __getstate__(self) -> list[tuple[Any, Any]]:
        return [*super().__getstate__(), (self._size, self.get(self._size))]


_set_size = TdsVec.__dict__["_size"].__set__
