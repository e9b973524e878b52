"""Generators of random numbers, and which are the defaults."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, ParamSpec, Self, TypeVar

from . import backend
from .backend import CPU, Device
from .errors import RekindleError

P = ParamSpec("P")
R = TypeVar("R")


class RandomError(RekindleError, ValueError):
    """Parameters that no distribution has, or a state that no generator has."""


class StateError(RekindleError, NotImplementedError):
    """The state of a generator that does not give it out."""


class Generator:
    """A stream of random numbers on one device.

    Parameters
    ----------
    seed : int, optional
        From 0; by default one that the operating system makes up.
    device : Device or str

    Attributes
    ----------
    device : Device
    stream : numpy.random.Generator or cupy.random.Generator
        What draws.

    Notes
    -----
    NumPy's PCG64 on the CPU, CuPy's XORWOW on a GPU: equal seeds give equal numbers on one kind
    of device, not on both. Threads may share a generator.
    """

    __slots__ = ("device", "stream")

    def __init__(self, seed: int | None = None, device: Device | str = CPU) -> None:
        self.device = backend.as_device(device)
        self.stream = backend.random_stream(seed, self.device)

    def manual_seed(self, seed: int) -> Self:
        """Start again, from `seed`; return this generator."""
        self.stream = backend.random_stream(seed, self.device)
        return self

    def get_state(self) -> dict[str, Any]:
        """Return where the stream is, as nested dicts of numbers and strings.

        Raises
        ------
        StateError
            On a GPU: CuPy does not tell.
        """
        return dict(self._bits().state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from where a stream was when `get_state` was called.

        Raises
        ------
        RandomError
            If `state` is no state of such a generator.
        StateError
            On a GPU: CuPy does not tell.
        """
        try:
            self._bits().state = state
        except (TypeError, ValueError, KeyError) as error:
            raise RandomError(f"set_state: not the state of a generator: {error}") from error

    def _bits(self) -> Any:
        if self.device != CPU:
            raise StateError(
                f"CuPy keeps the state of generators on {self.device} to itself; seed a new one"
            )
        return self.stream.bit_generator

    def __repr__(self) -> str:
        return f"<Generator on {self.device}>"


class _Defaults:
    """The generators that draws come from where none is given, made when first needed."""

    def __init__(self, generators: dict[Device, Generator]) -> None:
        self.generators = generators
        self.seed: int | None = None

    def on(self, device: Device) -> Generator:
        found = self.generators.get(device)
        if found is None:
            found = self.generators.setdefault(device, Generator(self.seed, device))
        return found

    def manual_seed(self, seed: int) -> None:
        self.seed = seed
        for generator in self.generators.values():
            generator.manual_seed(seed)


_AT_START = _Defaults({})

_DEFAULTS: ContextVar[_Defaults] = ContextVar("rekindle_generators", default=_AT_START)


def default_generator(device: Device | str = CPU) -> Generator:
    """Return the generator that draws on `device` come from."""
    return _DEFAULTS.get().on(backend.as_device(device))


def manual_seed(seed: int) -> None:
    """Start the default generators of all devices again, from `seed`."""
    _DEFAULTS.get().manual_seed(seed)


class using:  # used like a function: `with using(generator):`
    """Make `generator` the default of its device for a block, or inside a decorated function."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._tokens: list[Token[_Defaults]] = []

    def __enter__(self) -> Generator:
        chosen = {**_DEFAULTS.get().generators, self._generator.device: self._generator}
        self._tokens.append(_DEFAULTS.set(_Defaults(chosen)))
        return self._generator

    def __exit__(self, *exception: object) -> None:
        _DEFAULTS.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` so that its draws come from the generator."""

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with type(self)(self._generator):
                return function(*args, **kwargs)

        return wrapper


def chosen(generator: Generator | None, device: Device | str | None) -> Generator:
    """Return the generator that a draw comes from.

    Raises
    ------
    RandomError
        If `device` is not the generator's.
    """
    if generator is None:
        return default_generator(CPU if device is None else device)
    if device is not None and backend.as_device(device) != generator.device:
        raise RandomError(f"a draw on {device} from a generator on {generator.device}")
    return generator
