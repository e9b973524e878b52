"""tnt.Log: values by key, and functions that are called when these are set, read or flushed.

Source: torchnet/torchnet log/init.lua.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .meter import TorchnetError, check

STATUS = "__status__"
EVENTS = ("onClose", "onFlush", "onGet", "onSet")


class Log:
    """Values by key, of which others hear: text files, the console, functions of one's own.

    Parameters
    ----------
    keys : iterable of str
        The keys that may be set, besides that of `status`.
    onSet : iterable of callable
        Called as ``f(log, key, value)`` before a value is set.
    onGet : iterable of callable
        Called as ``f(log, key)`` before a value is read.
    onFlush, onClose : iterable of callable
        Called as ``f(log)`` by `flush` and `close`.

    See Also
    --------
    logtext, logjson, logstatus

    Source: torchnet/torchnet log/init.lua.
    """

    def __init__(
        self,
        keys: Iterable[str],
        onClose: Iterable[Callable[..., Any]] = (),
        onFlush: Iterable[Callable[..., Any]] = (),
        onGet: Iterable[Callable[..., Any]] = (),
        onSet: Iterable[Callable[..., Any]] = (),
    ) -> None:
        self._keys = {STATUS, *keys}
        self._clear()
        for event, functions in zip(EVENTS, (onClose, onFlush, onGet, onSet), strict=True):
            self.attach(event, functions)

    def _clear(self) -> None:
        self._data: dict[str, Any] = {}
        self._events: dict[str, list[Callable[..., Any]]] = {event: [] for event in EVENTS}

    def _tell(self, event: str, *args: Any) -> None:
        for function in self._events[event]:
            function(self, *args)

    def _check_known(self, key: str) -> None:
        check(key in self._keys, f"unknown key {key!r}; this log has {sorted(self._keys)}")

    def set(self, values: Mapping[str, Any]) -> None:
        """Set the values of some keys.

        Raises
        ------
        TorchnetError
            For a key that the log does not have.
        """
        for key, value in values.items():
            self._check_known(key)
            self._tell("onSet", key, value)
            self._data[key] = value

    def get(self, key: str) -> Any:
        """Return the value of a key, None where it was not set since the last flush.

        Raises
        ------
        TorchnetError
            For a key that the log does not have.
        """
        self._check_known(key)
        self._tell("onGet", key)
        return self._data.get(key)

    def status(self, message: str, time: bool = True) -> None:
        """Set the message that `logstatus` writes, by default with the date before it."""
        prefix = f"| {clock.strftime('%c')} |" if time else "|"
        self.set({STATUS: f"{prefix} {message}"})

    def flush(self) -> None:
        """Tell that the values are complete, and forget them."""
        self._tell("onFlush")
        self._data = {}

    def close(self) -> None:
        """Tell that the log ends, and forget its values and functions."""
        self._tell("onClose")
        self._clear()

    def attach(self, event: str, closures: Iterable[Callable[..., Any]]) -> None:
        """Add functions to an event: "onSet", "onGet", "onFlush" or "onClose".

        Raises
        ------
        TorchnetError
            For another event, and for what is no function.
        """
        if event not in self._events:
            raise TorchnetError(f"unknown event {event!r}; a log has {EVENTS}")
        functions = [*closures]
        for function in functions:
            check(callable(function), f"{event}: functions expected, got {function!r}")
        self._events[event] += functions
