"""What is in force while operations run: recording, and the aids that watch it.

One immutable Mode in a context variable; each context manager is also a decorator.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextvars import ContextVar, Token
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Packing: TypeAlias = tuple[Callable[..., Any], Callable[..., Any]]
"""The two functions of `saved_tensors_hooks`."""


class Watcher(Protocol):
    """What a profiler, or what takes over operations, offers to the call of an operation."""

    def take(self, op: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Return the result of a call instead of the operation, or None."""

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
    packing : pair of callable, or None
        What saved values go through.
    watched : bool
        Whether a call must look at the three above.
    """

    __slots__ = ("anomaly", "grad", "packing", "watched", "watcher")

    def __init__(
        self,
        grad: bool = True,
        anomaly: bool = False,
        watcher: Watcher | None = None,
        packing: Packing | None = None,
    ) -> None:
        self.grad = grad
        self.anomaly = anomaly
        self.watcher = watcher
        self.packing = packing
        self.watched = anomaly or watcher is not None or packing is not None


_PLAIN = Mode()

MODE: ContextVar[Mode] = ContextVar("rekindle_mode", default=_PLAIN)


Changes: TypeAlias = tuple[bool | None, bool | None, Watcher | None, Packing | None]


class setting:  # used like a function: `with setting(grad=False):`
    """Change the mode for a block, or for a function when used as a decorator.

    Parameters
    ----------
    grad, anomaly, watcher, packing : optional
        As in Mode; what is not given stays as it is.
    """

    def __init__(
        self,
        *,
        grad: bool | None = None,
        anomaly: bool | None = None,
        watcher: Watcher | None = None,
        packing: Packing | None = None,
    ) -> None:
        self._changes = grad, anomaly, watcher, packing
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> None:
        mode = MODE.get()
        grad, anomaly, watcher, packing = self._changes
        self._tokens.append(
            MODE.set(
                Mode(
                    mode.grad if grad is None else grad,
                    mode.anomaly if anomaly is None else anomaly,
                    mode.watcher if watcher is None else watcher,
                    mode.packing if packing is None else packing,
                )
            )
        )

    def __exit__(self, *exception: object) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` so that it runs inside this setting.

        The body of a generator function runs inside it too, whoever asks for its next value.

        Raises
        ------
        TypeError
            For a coroutine function, whose body runs after the call: put `with` inside.
        """
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{function.__name__} runs after it was called, outside of what decorates it; "
                "use `with` inside of it"
            )
        changes = self._changes

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with setting._of(changes):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def generator(*args: P.args, **kwargs: P.kwargs) -> Any:
            with setting._of(changes):
                body: Any = function(*args, **kwargs)
            return (yield from _Steps(body, changes))

        return generator if inspect.isgeneratorfunction(function) else wrapper

    @classmethod
    def _of(cls, changes: Changes) -> setting:
        """Return a setting of its own: one that is entered twice at a time needs two."""
        grad, anomaly, watcher, packing = changes
        return setting(grad=grad, anomaly=anomaly, watcher=watcher, packing=packing)


class _Steps(Generator[Any, Any, Any]):
    """A generator each of whose steps runs inside a setting."""

    def __init__(self, body: Generator[Any, Any, Any], changes: Changes) -> None:
        self._body = body
        self._changes = changes

    def send(self, value: Any) -> Any:
        with setting._of(self._changes):
            return self._body.send(value)

    def throw(self, *error: Any) -> Any:
        with setting._of(self._changes):
            return self._body.throw(*error)

    def close(self) -> None:
        with setting._of(self._changes):
            self._body.close()


class set_grad_enabled(setting):
    """Record, or do not, from now on; after a block or a function that this is used for, as before.

    Parameters
    ----------
    mode : bool
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=mode)
        self._before = MODE.get()
        super().__enter__()

    def __enter__(self) -> None:
        """Begin a block: the mode is set already."""

    def __exit__(self, *exception: object) -> None:
        MODE.set(self._before)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` so that it runs in this mode; the mode outside is as before again."""
        MODE.set(self._before)
        return super().__call__(function)


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
