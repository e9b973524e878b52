"""Torch7's tensor functions: the tables of them, and how a call finds its meaning.

`METHODS` and `FUNCTIONS` hold what `tensor:name(...)` and `torch.name(...)` call. They take
and return plain values: tensors and storages of core, Tables, numbers, strings; a tuple is
several results. Dimensions and indices count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import numpy as np

from rekindle.core.checkpoint.torch_types import TENSOR_CLASSES, tensor_class
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor

from . import types
from .arguments import LAST, NEW, OWN, Argument, given_text, kind_of, layouts, parse
from .arguments import short_class as short_class
from .errors import BadArgument, TorchError
from .memory import convert_number, dims, new_tensor, sizes_of

F = TypeVar("F", bound=Callable[..., Any])

FLOATING = "fd"
INTEGERS = "Bbhil"
NUMERIC = INTEGERS + FLOATING
"""All types but Half, which Torch7 stores and converts only."""
ALL = NUMERIC + "e"

METHODS: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}
METHOD_TYPES: dict[str, str] = {}
"""For each method the dtype characters of the tensors that have it."""


def methods_of(dtype: Dtype) -> dict[str, Callable[..., Any]]:
    """Return the methods that tensors of `dtype` have."""
    return {name: m for name, m in METHODS.items() if dtype.char in METHOD_TYPES[name]}


class Described:
    """A function with one or several descriptions of its arguments."""

    def __init__(self, name: str, types: str, method: bool) -> None:
        self.name = name
        self.types = types
        self.method = method
        self.variants: list[tuple[tuple[Argument, ...], Callable[..., Any]]] = []
        self.asks_dims = False
        self._plans: dict[Any, Any] = {}

    def add(self, text: str, body: Callable[..., Any]) -> None:
        """Add a variant; earlier ones are tried first."""
        arguments = parse(text, self.method)
        self.asks_dims = self.asks_dims or any(a.dims is not None for a in arguments)
        self.variants.append((arguments, body))

    def __call__(self, *args: Any) -> Any:
        """Find the variant that takes these arguments, and call it.

        Raises
        ------
        TorchError
            If there is none, or the tensors' type does not have the function.
        """
        if self.asks_dims:
            key: Any = [(kind_of(a), dims(a) if isinstance(a, Tensor) else 0) for a in args]
        else:
            key = map(kind_of, args)
        key = tuple(key) if self.method else (types.default_dtype(), *key)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(args)
        body, makers, returned, dropped = plan
        if dropped:
            args = args[:-1]
        values: list[Any] = []
        for make in makers:
            values.append(make(args, values))
        try:
            result = body(*values)
        except BadArgument as error:
            error.name, error.method = self.name, self.method
            raise
        if result is not None:
            return result
        if len(returned) == 1:
            return values[returned[0]]
        return tuple(values[i] for i in returned)

    def _dtypes(self, args: tuple[Any, ...]) -> tuple[list[Dtype], bool]:
        """Return the types that the call may be about, and whether the last argument names it."""
        if self.method:  # one type's method may be called on another's tensor
            found = [
                np.dtype(k[-1])
                for k in map(kind_of, args)
                if k[-1] in self.types and k in (k[-1], "T" + k[-1])
            ]
            return list(dict.fromkeys(found)) or [args[0].dtype], False
        for value in args[:2]:
            if isinstance(value, Tensor):
                return [value.dtype], False
        if args and (kind := kind_of(args[0]))[0] == "T":
            return [np.dtype(kind[1])], False
        if args and isinstance(args[-1], str) and args[-1] in TENSOR_CLASSES:
            return [TENSOR_CLASSES[args[-1]]], True
        return [types.default_dtype()], False

    def _plan(self, args: tuple[Any, ...]) -> Any:
        dtypes, dropped = self._dtypes(args)
        char = dtypes[0].char
        if char not in self.types:
            raise TorchError(
                f"{tensor_class(dtypes[0])} does not implement the torch.{self.name}() function"
            )
        if dropped:
            args = args[:-1]
        kinds = tuple(map(kind_of, args))
        counts = [dims(a) if isinstance(a, Tensor) else 0 for a in args]
        for dtype in dtypes:
            for arguments, body in self.variants:
                for layout in layouts(arguments, len(args)):
                    if _fits(arguments, layout, kinds, counts, dtype.char):
                        pairs = zip(arguments, layout, strict=True)
                        makers = [_maker(a, given, dtype) for a, given in pairs]
                        returned = [i for i, a in enumerate(arguments) if a.returned]
                        return body, makers, returned, dropped
        expected = " | ".join(
            " ".join(a.text(char) for a in arguments) for arguments, _ in self.variants
        )
        raise TorchError(f"invalid arguments: {given_text(kinds)}\nexpected arguments: {expected}")


def _fits(
    arguments: tuple[Argument, ...],
    layout: tuple[int | None, ...],
    kinds: tuple[str, ...],
    counts: list[int],
    char: str,
) -> bool:
    for argument, given in zip(arguments, layout, strict=True):
        if given is None:
            continue
        if argument.kind == "sizes":
            rest = kinds[given:]
            if rest != ("Sl",) and not all(k == "n" for k in rest):
                return False
        elif not argument.accepts(kinds[given], counts[given], char):
            return False
    return True


def _maker(argument: Argument, given: int | None, dtype: Dtype) -> Callable[..., Any]:
    """Return the function that makes one argument's value from those given."""
    kind, default = argument.kind, argument.default
    if given is None:
        if default == NEW:
            made = dtype if kind == "Tensor" else np.dtype(argument.tensor_char)
            return lambda args, values: new_tensor(made)
        if default == OWN:
            return lambda args, values: args[0]
        if default == LAST:
            return lambda args, values: dims(_last_tensor(values)) - 1
        if kind == "Generator":
            return lambda args, values: None
        fixed = _converted(argument, default, dtype)
        return lambda args, values: fixed
    if kind == "sizes":
        return lambda args, values: sizes_of(args[given:])
    if kind == "real":
        return lambda args, values: convert_number(args[given], dtype)
    if kind == "index":
        return lambda args, values: int(args[given]) - 1
    if kind in ("long", "int"):
        return lambda args, values: int(args[given])
    if kind in ("accreal", "double"):
        return lambda args, values: float(args[given])
    return lambda args, values: args[given]


def _converted(argument: Argument, default: Any, dtype: Dtype) -> Any:
    if argument.kind == "real":
        return convert_number(default, dtype)
    if argument.kind == "index":
        return int(default) - 1
    return int(default) if argument.kind in ("long", "int") else default


def _last_tensor(values: Iterable[Any]) -> Tensor:
    return [v for v in values if isinstance(v, Tensor)][-1]


def described(
    name: str, *texts: str, types: str = NUMERIC, forms: str = "function method"
) -> Callable[[F], F]:
    """Register a body for calls that `texts` describe; see `arguments`.

    Parameters
    ----------
    name : str
        As in `torch.name` and `tensor:name`.
    texts : str
        The body gets the arguments in their order; where it returns None, the call returns
        the marked ones.
    types : str
        Characters of the dtypes that have it.
    forms : str
        "function", "method", or both.
    """

    def register(body: F) -> F:
        for form in forms.split():
            table = METHODS if form == "method" else FUNCTIONS
            call = table.get(name)
            if call is None:
                call = table[name] = Described(name, types, form == "method")
                if form == "method":
                    METHOD_TYPES[name] = types
            assert isinstance(call, Described)
            for text in texts:
                call.add(text, body)
        return body

    return register


def plain(*names: str, types: str = ALL, forms: str = "method") -> Callable[[F], F]:
    """Register a function that looks at its arguments itself, as those written in Lua or C."""

    def register(body: F) -> F:
        for name in names:
            if "method" in forms:
                METHODS[name] = partial(_named, name, True, body)
                METHOD_TYPES[name] = types
            if "function" in forms:
                FUNCTIONS[name] = partial(_named, name, False, body)
        return body

    return register


def _named(name: str, method: bool, body: Callable[..., Any], *args: Any) -> Any:
    try:
        return body(*args)
    except BadArgument as error:
        error.name, error.method = name, method
        raise
