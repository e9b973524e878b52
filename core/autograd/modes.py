"""What is in force while operations run: recording, and the aids that watch it.

One immutable Mode in a context variable; each context manager is also a decorator.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Watcher(Protocol):
    """What a profiler offers to the call of an operation."""

    def record(self, name: str, seconds: float, nbytes: int) -> None:
        """Note one call."""


@dataclass(frozen=True, slots=True)
class Mode:
    """The state that a call of an operation looks at.

    Attributes
    ----------
    grad : bool
        Whether operations are recorded.
    anomaly : bool
        Whether nodes remember the line that made them, and nan gradients raise.
    watcher : Watcher or None
        The profiler that is told of every call.
    watched : bool
        Whether a call must look at the two above.
    """

    grad: bool = True
    anomaly: bool = False
    watcher: Watcher | None = None
    watched: bool = False


_PLAIN = Mode()

MODE: ContextVar[Mode] = ContextVar("rekindle_mode", default=_PLAIN)


class setting:  # used like a function: `with setting(grad=False):`
    """Change the mode for a block, or for a function when used as a decorator."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> None:
        mode = replace(MODE.get(), **self._changes)
        mode = replace(mode, watched=mode.anomaly or mode.watcher is not None)
        self._tokens.append(MODE.set(mode))

    def __exit__(self, *exception: object) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` so that it runs inside this setting."""

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with type(self)(**self._changes):
                return function(*args, **kwargs)

        return wrapper


def no_grad() -> setting:
    """Record nothing inside: results require no gradients."""
    return setting(grad=False)


def enable_grad() -> setting:
    """Record inside, also within `no_grad`."""
    return setting(grad=True)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded."""
    return MODE.get().grad


def detect_anomaly() -> setting:
    """Remember the line of every operation; a backward pass that makes nan raises and names it."""
    return setting(anomaly=True)
