"""Methods of Rekindle's own classes that a Lua program replaces, in its runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .border import active

if TYPE_CHECKING:
    from .border import Border


def override(border: Border, cls: type, name: str, value: Any) -> None:
    """Let `cls.name` be `value` for the code of one runtime.

    Python code that no Lua code called sees it too, where no other runtime has replaced the
    same method later.
    """
    border.overrides[cls, name] = value
    present = vars(cls).get(name)
    if not isinstance(present, Dispatched):
        present = Dispatched(cls, name, getattr(cls, name, None))
        setattr(cls, name, present)
    present.borders.discard(border)
    present.borders.add(border)


class Dispatched:
    """A method that asks who is calling.

    Attributes
    ----------
    original : callable or None
        What the class had before.
    borders : set of Border
        Those of the runtimes that have replaced it, and still exist.
    """

    def __init__(self, cls: type, name: str, original: Callable[..., Any] | None) -> None:
        self._key = cls, name
        self.original = original
        self.borders: WeakSet[Border] = WeakSet()

    def __get__(self, instance: Any, owner: type) -> Any:
        found = self.current()
        if found is None:
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self._key[1]!r}")
        if instance is None or not callable(found):
            return found
        if hasattr(found, "__get__"):
            return found.__get__(instance, owner)
        return lambda *args: found(instance, *args)

    def current(self) -> Any:
        """Return what the method is for the code that runs now."""
        border = getattr(active, "border", None)
        if border is None:
            border = next((b for b in self.borders if self._key in b.overrides), None)
        if border is None:
            return self.original
        return border.overrides.get(self._key, self.original)
