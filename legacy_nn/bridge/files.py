"""Classes and functions of Lua in files that `torch.save` writes and `torch.load` reads."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import LuaFunction as StoredFunction
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.decoder import OLD_RECUR_FUNCTION

from ..torch7.files.classes import FileClass, FileClasses, Foreign
from .toolbox import Toolbox
from .values import LuaFunction, LuaValue, OwnMethod


class LuaForeign(Foreign):
    """Lua's functions, which go into files with their code and the variables they captured.

    Code that this Lua does not load stays a function of the file.
    """

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def type_of(self, value: Any) -> str:
        if isinstance(value, LuaValue):
            return str(self._tools.shared.type_of(value.reference))
        return "function" if callable(value) else "userdata"

    def dump(self, value: Any, memory: dict[str, Any]) -> StoredFunction | None:
        if isinstance(value, OwnMethod):
            value = value.function
        if not isinstance(value, LuaFunction):
            return None
        dump = self._tools.shared.dump_function
        dumped = self._tools.border.invoke(dump, (value, self._shared(memory)))
        if dumped is None:  # a function in C
            return None
        bytecode, upvalues = dumped
        return StoredFunction(bytecode.encode("latin-1"), upvalues)

    def load(self, bytecode: bytes) -> Any:
        loaded = self._tools.border.invoke(self._tools.shared.load_function, (bytecode,))
        return loaded if isinstance(loaded, LuaFunction) else StoredFunction(bytecode)

    def _shared(self, memory: dict[str, Any]) -> Any:
        """Return the Lua table of the variables that the functions of a file share."""
        if "variables" not in memory:
            memory["variables"] = self._tools.lua.table()
        return memory["variables"]

    def capture(self, function: Any, upvalues: Any, tag: int, memory: dict[str, Any]) -> None:
        if isinstance(function, LuaFunction) and isinstance(upvalues, Table):
            shared, plain = self._shared(memory), tag == OLD_RECUR_FUNCTION
            capture = self._tools.shared.capture
            self._tools.border.invoke(capture, (function, upvalues, plain, shared))
        elif isinstance(function, StoredFunction):
            super().capture(function, upvalues, tag, memory)

    def bind(self, value: Any) -> None:
        for name, field in getattr(value, "__dict__", {}).items():
            if isinstance(field, LuaFunction) and callable(getattr(type(value), str(name), None)):
                value.__dict__[name] = OwnMethod(field, value)


class LuaClasses(FileClasses):
    """The classes that the program of one runtime defined."""

    def __init__(self, tools: Toolbox) -> None:
        super().__init__(LuaForeign(tools))
        self._tools = tools

    def get(self, typename: str) -> FileClass | None:
        """Return how a class is read and written; None if Lua does not know it."""
        found = self._tools.border.invoke(self._tools.shared.file_class, (typename,))
        if found is None:
            return super().get(typename)
        factory, read, write = found
        return FileClass(factory, read, write)
