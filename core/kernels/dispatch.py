"""Which version of a kernel computes: the reference, or a faster one that stands beside it.

A reference kernel says where its faster version is::

    @dispatched("onednn.convolution", least=2048)
    def convolution(xp, x, w, *, stride, ...): ...

The folder `onednn` here is a *library*: its `missing()` says what is not installed, or None, and
its `describe()` tells version and path. Its module `convolution` has a function of the kernel's
name, which takes what the reference takes, less `xp`, and returns what the reference returns, or
`Declined(reason)`. Nothing of a library is imported before a call could use it.
"""

from __future__ import annotations

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ..errors import UseError
from .threads import ready, shared

P = ParamSpec("P")
R = TypeVar("R")

FAST, REFERENCE = "fast", "reference"
LIBRARIES = ("onednn", "fused")
"""The folders here that have faster versions."""

_LOG = logging.getLogger("rekindle.kernels")


@dataclass(frozen=True, slots=True)
class Declined:
    """What a faster version returns that does not compute this case.

    Parameters
    ----------
    reason : str
        Why, for the log: "dtype float64".
    """

    reason: str


SMALL = Declined("small")
"""Declined because NumPy is quicker; this is neither logged nor counted."""


def _checked(which: str) -> str:
    if which not in (FAST, REFERENCE):
        raise UseError(f"kernels are {FAST!r} or {REFERENCE!r}; given {which!r}")
    return which


_DEFAULT = _checked(os.environ.get("REKINDLE_KERNELS") or FAST)
_WHICH = ContextVar("which", default=_DEFAULT)


@contextmanager
def using(which: str) -> Iterator[None]:
    """Compute with the reference kernels only, or with the faster ones where they are installed.

    Parameters
    ----------
    which : str
        "reference" or "fast". The environment variable REKINDLE_KERNELS sets it for a process.

    Raises
    ------
    UseError
        For another name.
    """
    token = _WHICH.set(_checked(which))
    try:
        yield
    finally:
        _WHICH.reset(token)


def available(name: str) -> bool:
    """Whether the faster version of a kernel would be asked here."""
    return _WHICH.get() == FAST and KERNELS[name].find() is not None


def fast_wanted() -> bool:
    """Whether faster kernels may be used here, installed or not."""
    return _WHICH.get() == FAST


class Kernel:
    """A reference kernel and what is known of its faster version.

    Attributes
    ----------
    name : str
    home : str
        "library.module" of the faster version.
    fast : callable or None
        The faster version, once looked for and found.
    calls : int
        How often it has computed.
    declined : Counter
        How often it has not, by reason.
    """

    def __init__(self, name: str, home: str) -> None:
        self.name = name
        self.home = home
        self.fast: Callable[..., Any] | None = None
        self.sought = False
        self.calls = 0
        self.declined: Counter[str] = Counter()

    @property
    def library(self) -> str:
        """Name of the library that the faster version is in."""
        return self.home.partition(".")[0]

    def find(self) -> Callable[..., Any] | None:
        """Return the faster version; None where its library is not installed."""
        if not self.sought:
            reason = missing(self.library)
            if reason is None:
                self.fast = getattr(import_module("." + self.home, __package__), self.name)
            else:
                _LOG.debug("%s: the reference computes, because %s", self.name, reason)
            self.sought = True
        return self.fast

    def attempt(self, arrays: Any, params: dict[str, Any]) -> Any:
        """Return what the faster version does, or `Declined` where there is none or it is that."""
        fast = self.fast if self.sought else self.find()
        if fast is None:
            return SMALL
        ready()
        result = fast(*arrays, **params)
        if type(result) is Declined:
            self.decline(result)
        else:
            self.calls += 1
        return result

    def decline(self, why: Declined) -> None:
        """Count and log that the reference has to compute."""
        if why is not SMALL:
            self.declined[why.reason] += 1
            _LOG.debug("%s: the reference computes, because of %s", self.name, why.reason)


KERNELS: dict[str, Kernel] = {}
"""All kernels with a faster version, by name."""


def _after_fork() -> None:
    """Leave a child process to the reference: the threads of OpenMP do not survive a fork.

    One in which no library has been used yet may still load them.
    """
    if shared():
        for kernel in KERNELS.values():
            kernel.fast, kernel.sought = None, True
        _LOG.debug("the references compute in this process, which was forked")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def dispatched(home: str, *, least: int = 0) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a reference kernel that has a faster version for NumPy arrays.

    Parameters
    ----------
    home : str
        "library.module" where the function of the same name is.
    least : int
        Number of elements of the first operand below which it is not asked.
    """

    def decorate(reference: Callable[P, R]) -> Callable[P, R]:
        name = reference.__name__
        kernel = KERNELS[name] = Kernel(name, home)
        compute: Any = reference

        @functools.wraps(reference)
        def call(xp: Any, *arrays: Any, **params: Any) -> Any:
            if xp is np and arrays[0].size >= least and _WHICH.get() == FAST:
                result = kernel.attempt(arrays, params)
                if type(result) is not Declined:
                    return result
            return compute(xp, *arrays, **params)

        chosen: Any = call
        return chosen  # type: ignore[no-any-return]

    return decorate


def missing(library: str) -> str | None:
    """Return what a library lacks to work here, or None."""
    reason: str | None = import_module("." + library, __package__).missing()
    return reason


def describe(library: str) -> str:
    """Return a library's version and path, or what it lacks."""
    text: str = missing(library) or import_module("." + library, __package__).describe()
    return text


def used() -> dict[str, dict[str, Any]]:
    """Return, for each kernel asked for so far: calls of the faster version, reasons against it.

    Counts are not exact where several threads compute at once.
    """
    return {
        name: {"library": k.library, "calls": k.calls, "declined": dict(k.declined)}
        for name, k in sorted(KERNELS.items())
        if k.calls or k.declined
    }
