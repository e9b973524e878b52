"""Names that classes have from Torch and Lua: methods that nn calls, metamethods, fields."""

from __future__ import annotations

from ..text import words

SPECIAL = {"__init": "__init__", "__tostring__": "__repr__", "__tostring": "__repr__"}
"""Methods whose names in Python differ."""

EVENTS = {
    "__add": "__add__",
    "__sub": "__sub__",
    "__mul": "__mul__",
    "__div": "__truediv__",
    "__mod": "__mod__",
    "__pow": "__pow__",
    "__unm": "__neg__",
    "__eq": "__eq__",
    "__lt": "__lt__",
    "__le": "__le__",
    "__call": "__call__",
    "__concat": "__concat__",
    "__tostring": "__repr__",
    "__len": "lua_len",
    "__gc": "lua_gc",
}
"""Metamethods that are methods of Python's, or that LuaJIT never calls for tables."""

HIDDEN = frozenset(words("append update get keys values items array count equals of"))
"""Fields that Python's own methods of a Table hide."""


def member(name: str) -> str:
    """Return what a method, or another field, of a class made of a table is called in Python."""
    return f"{name}_" if name in HIDDEN else name


MODULE_FIELDS = frozenset(["output", "gradInput", "weight", "bias", "train", "_type"])
"""Fields that every module has, if only as None."""

PROTOCOL: dict[str, tuple[int, list[str]]] = {
    "updateOutput": (1, ["input"]),
    "updateGradInput": (2, ["input", "gradOutput"]),
    "accGradParameters": (2, ["input", "gradOutput", "scale"]),
    "accUpdateGradParameters": (2, ["input", "gradOutput", "lr"]),
    "forward": (1, ["input"]),
    "backward": (2, ["input", "gradOutput", "scale"]),
    "reset": (0, ["stdv"]),
    "type": (0, ["type", "tensorCache"]),
    "clearState": (0, []),
}
"""Methods that nn calls: how many arguments it always gives, and what all are called."""

CRITERION_PROTOCOL: dict[str, tuple[int, list[str]]] = {
    "updateOutput": (2, ["input", "target"]),
    "updateGradInput": (2, ["input", "target"]),
    "forward": (2, ["input", "target"]),
    "backward": (2, ["input", "target"]),
}

MODULE_METHODS = frozenset(
    words(
        """
        updateOutput updateGradInput accGradParameters forward backward reset
        zeroGradParameters updateParameters training evaluate type float double cuda
        clearState parameters getParameters add get size share clone apply listModules insert
        remove accUpdateGradParameters
        """
    )
)
