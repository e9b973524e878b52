"""What is in force while operations run: recording, and the aids that watch it.

One immutable Mode in a context variable; each context manager is also a decorator.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Watcher(Protocol):
    """What a profiler offers to the call of an operation."""

    def record(self, name: str, seconds: float, nbytes: int) -> None:
        """Note one call."""


class Mode:
    """The state that a call of an operation looks at; never changed.

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

    __slots__ = ("anomaly", "grad", "watched", "watcher")

    def __init__(
        self, grad: bool = True, anomaly: bool = False, watcher: Watcher | None = None
    ) -> None:
        self.grad = grad
        self.anomaly = anomaly
        self.watcher = watcher
        self.watched = anomaly or watcher is not None


_PLAIN = Mode()

MODE: ContextVar[Mode] = ContextVar("rekindle_mode", default=_PLAIN)


class setting:  # used like a function: `with setting(grad=False):`
    """Change the mode for a block, or for a function when used as a decorator.

    Parameters
    ----------
    grad, anomaly, watcher : optional
        As in Mode; what is not given stays as it is.
    """

    def __init__(
        self,
        *,
        grad: bool | None = None,
        anomaly: bool | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._changes = grad, anomaly, watcher
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> None:
        mode = MODE.get()
        grad, anomaly, watcher = self._changes
        self._tokens.append(
            MODE.set(
                Mode(
                    mode.grad if grad is None else grad,
                    mode.anomaly if anomaly is None else anomaly,
                    mode.watcher if watcher is None else watcher,
                )
            )
        )

    def __exit__(self, *exception: object) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` so that it runs inside this setting.

        Raises
        ------
        TypeError
            For a generator function, whose body runs after the call: put `with` inside.
        """
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            raise TypeError(
                f"{function.__name__} runs after it was called, outside of what decorates it; "
                "use `with` inside of it"
            )
        grad, anomaly, watcher = self._changes

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with setting(grad=grad, anomaly=anomaly, watcher=watcher):
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
