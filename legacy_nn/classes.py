"""Which Python class stands for which class of Torch7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from rekindle.core import checkpoint
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.dtypes import float64

from .torch7.types import default_dtype

_PACKAGE = __name__.rpartition(".")[0]


class _OfDefaultType(type):
    """Makes new modules and criterions in the default tensor type, as Torch7 does.

    Constructors work in double; `torch.setdefaulttensortype` decides what becomes of it. An
    argument that is None is one that is not given, as nil is in Lua, and a float that is whole
    a number like any other: `nn.Linear(n / 2, 3)`.
    """

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if any(value is None for value in args):
            args = _without_none(cls.__init__, args)  # type: ignore[misc]  # of this very class
        if cls.__module__.startswith(_PACKAGE):
            args = tuple([int(v) if type(v) is float and v.is_integer() else v for v in args])
        made = super().__call__(*args, **options)
        dtype = default_dtype()
        if dtype is not float64 and hasattr(cls, "type"):
            made.type(tensor_class(dtype))
        return made


def _without_none(start: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments of a constructor with its defaults in the place of None."""
    code, defaults = getattr(start, "__code__", None), getattr(start, "__defaults__", None) or ()
    if code is None:
        return args
    first = code.co_argcount - 1 - len(defaults)
    return tuple(
        defaults[i - first] if value is None and 0 <= i - first < len(defaults) else value
        for i, value in enumerate(args)
    )


class TorchClass(metaclass=_OfDefaultType):
    """A class of Torch7, known by the name that files give it.

    The attributes in an instance's `__dict__` are exactly the Lua object's fields, with Lua's
    names; attributes of the class are the values of fields that old files lack.
    """

    t7_typename: ClassVar[str]
    t7_version: ClassVar[int]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "t7_typename" not in vars(cls) and not cls.__module__.startswith(_PACKAGE):
            cls.t7_typename = cls.__name__  # another class than the one that it derives from

    def __repr__(self) -> str:
        return self.t7_typename


C = TypeVar("C", bound=TorchClass)
F = TypeVar("F", bound=Callable[..., Any])


def torch_class(typename: str, version: int = 1) -> Callable[[type[C]], type[C]]:
    """Register a class under the name that Torch7 files give it.

    Parameters
    ----------
    typename : str
        As in `torch.class`: "nn.Linear".
    version : int
        What Torch7 writes as the class's `__version`.
    """

    def register(cls: type[C]) -> type[C]:
        cls.t7_typename = typename
        cls.t7_version = version
        checkpoint.register(typename, cls)
        return cls

    return register


def both_protocols(update_output: F) -> F:
    """Mark an `updateOutput` beside which `module(x)` computes the same in fresh tensors.

    An override without the mark, in a subclass or stored in an instance, is all there is.
    """
    update_output.both_protocols = True  # type: ignore[attr-defined]
    return update_output
