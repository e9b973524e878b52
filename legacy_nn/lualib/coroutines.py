"""Coroutines: each is a thread of its own, and only one of them runs at a time.

Python's generators cannot yield from within nested calls, as Lua's coroutines do (from a sort
function, through `pcall`, out of a recursion); a thread can. A coroutine that nobody refers to any
more is ended: its thread leaves through `finally` clauses.
"""

from __future__ import annotations

import contextvars
import threading
import weakref
from typing import Any

from .calls import call, single, spread
from .errors import LuaError, bad_argument, place, protected
from .kinds import type_of
from .protection import thrown


class _Abandoned(BaseException):
    """Unwinds the thread of a coroutine that nobody will resume."""


class _Exchange:
    """What the two sides of a coroutine hand each other; its thread knows nothing else."""

    __slots__ = ("abandoned", "error", "owner", "passed", "resumed", "returned")

    def __init__(self) -> None:
        self.resumed = threading.Semaphore(0)
        self.returned = threading.Semaphore(0)
        self.passed: tuple[Any, ...] = ()
        self.error: BaseException | None = None
        self.abandoned = False
        self.owner: weakref.ref[Coroutine] | None = None

    def abandon(self) -> None:
        self.abandoned = True
        self.resumed.release()


class _Current(threading.local):
    exchange: _Exchange | None = None


_current = _Current()


class Coroutine:
    """A function that can stop on its way and be continued.

    Parameters
    ----------
    function : callable
        What is called at the first `resume`.

    Notes
    -----
    A daemon thread; it is started at the first `resume` and sees the context variables
    (`no_grad`, ...) as they are then.
    """

    lua_type = "thread"
    __slots__ = ("__weakref__", "_exchange", "_function", "status")

    def __init__(self, function: Any) -> None:
        self._function: Any = function
        self._exchange = _Exchange()
        self._exchange.owner = weakref.ref(self)
        self.status = "suspended"

    def __repr__(self) -> str:
        return f"thread: 0x{id(self):08x}"

    def _start(self) -> None:
        exchange, function = self._exchange, self._function
        self._function = None
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(_run, exchange, function), name="coroutine", daemon=True
        )
        weakref.finalize(self, exchange.abandon).atexit = False
        thread.start()

    def resume(self, *args: Any) -> tuple[Any, ...]:
        """Continue, and return what it yields or returns.

        Raises
        ------
        LuaError
            What the coroutine throws; or if it is not suspended.
        """
        if self.status != "suspended":
            what = "dead" if self.status == "dead" else "running"
            raise LuaError(f"cannot resume {what} coroutine")
        resumer = running_coroutine()
        if resumer is not None:
            resumer.status = "normal"
        self.status = "running"
        exchange = self._exchange
        exchange.passed = args
        try:
            if self._function is not None:
                self._start()
            exchange.resumed.release()
            exchange.returned.acquire()
        except BaseException:  # Ctrl-C while it ran: it ends where it would yield
            self.status = "dead"
            exchange.abandon()
            raise
        finally:
            if resumer is not None:
                resumer.status = "running"
        if exchange.error is not None:
            self.status = "dead"
            error, exchange.error = exchange.error, None
            raise error
        if self.status == "running":
            self.status = "suspended"
        passed, exchange.passed = exchange.passed, ()
        return passed


def _run(exchange: _Exchange, function: Any) -> None:
    """Be the thread of a coroutine."""
    exchange.resumed.acquire()
    _current.exchange = exchange
    try:
        args, exchange.passed = exchange.passed, ()
        exchange.passed = _body(function, args)
    except _Abandoned:
        return
    except BaseException as exc:
        exchange.error = exc
    owner = exchange.owner() if exchange.owner is not None else None
    if owner is not None:
        owner.status = "dead"
    del owner
    exchange.returned.release()


@protected
def _body(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return spread(call(function, *args))


MAIN = Coroutine(None)
"""The main program, as `running` shows it."""
MAIN.status = "running"


def running_coroutine() -> Coroutine | None:
    """Return the coroutine that this code runs in, None in the main program."""
    exchange = _current.exchange
    return None if exchange is None or exchange.owner is None else exchange.owner()


def create(function: Any) -> Coroutine:
    """Return a new coroutine, suspended before its first step."""
    if type_of(function) != "function":
        raise bad_argument(1, "create", f"function expected, got {type_of(function)}")
    return Coroutine(function)


def _checked(coroutine: Any, function: str) -> Coroutine:
    if not isinstance(coroutine, Coroutine):
        raise bad_argument(1, function, "coroutine expected")
    return coroutine


def resume(coroutine: Any, *args: Any) -> tuple[Any, ...]:
    """Continue a coroutine; return (true, values...), or (false, what was thrown).

    Examples
    --------
    >>> co = create(lambda a: a + yield_(a * 2))
    >>> resume(co, 1), resume(co, 5), status(co)
    ((True, 2), (True, 6), 'dead')
    """
    try:
        return (True, *_checked(coroutine, "resume").resume(*args))
    except Exception as exc:
        if not isinstance(coroutine, Coroutine):
            raise
        return (False, thrown(exc))


def yield_(*args: Any) -> Any:
    """Stop the running coroutine; return what the next `resume` gives.

    Raises
    ------
    LuaError
        In the main program, where there is nothing to stop.
    """
    exchange = _current.exchange
    if exchange is None:
        raise LuaError("attempt to yield across C-call boundary")
    exchange.passed = args
    exchange.returned.release()
    exchange.resumed.acquire()
    if exchange.abandoned:
        raise _Abandoned
    passed, exchange.passed = exchange.passed, ()
    return single(passed)


def status(coroutine: Any) -> str:
    """Return "suspended", "running", "normal" (it has resumed another one) or "dead"."""
    return _checked(coroutine, "status").status


def running() -> tuple[Coroutine, bool]:
    """Return the running coroutine and whether it is the main program, as in 5.2."""
    coroutine = running_coroutine()
    return (MAIN, True) if coroutine is None else (coroutine, False)


def isyieldable() -> bool:
    """Whether `yield` is possible here: in a coroutine."""
    return _current.exchange is not None


class Wrapped:
    """A coroutine as a function, and as an iterator of Python that ends at the first nil."""

    lua_type = "function"
    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine) -> None:
        self._coroutine = coroutine

    def __call__(self, *args: Any) -> Any:
        try:
            return single(self._coroutine.resume(*args))
        except LuaError as exc:
            if type(exc.value) is str:
                raise LuaError(place() + exc.value) from exc
            raise


def wrap(function: Any) -> Wrapped:
    """Return a function that continues a new coroutine at each call; errors are thrown.

    Examples
    --------
    >>> step = wrap(lambda: (yield_(1), yield_(2), "end")[2])
    >>> step(), step(), step()
    (1, 2, 'end')
    """
    if type_of(function) != "function":
        raise bad_argument(1, "wrap", f"function expected, got {type_of(function)}")
    return Wrapped(Coroutine(function))
