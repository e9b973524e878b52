"""The errors of modules and criterions."""

from __future__ import annotations

from typing import Any

from rekindle.core.errors import RekindleError


class ModuleError(RekindleError, RuntimeError):
    """A module that cannot compute: of an unknown class, or given what it cannot take."""


class InputTypeError(ModuleError, TypeError):
    """An input whose type is not the module's."""


class ArgumentError(ModuleError, ValueError):
    """A value that a module's constructor, method or field does not take."""


class NotStatedError(ModuleError, NotImplementedError):
    """A class without a method that the abstract class above it needs."""


def not_stated(owner: object, method: str) -> NotStatedError:
    """Return the error of an abstract method, which says what the method is to do."""
    cls = type(owner)
    base = next(c for c in reversed(cls.__mro__) if method in vars(c))
    task = (getattr(base, method).__doc__ or "").partition("\n")[0]
    return NotStatedError(
        f"{cls.__name__} does not define {method}(), as classes derived from {base.__name__} "
        f"have to: {task}"
    )


def tell_place(error: BaseException, place: str) -> None:
    """Note on an exception where it comes from; the outermost place stands first."""
    error.add_note(place)
    error.__notes__.insert(0, error.__notes__.pop())


def module_place(index: int, typename: str) -> str:
    """Return how Torch7 names module `index`, from 1, of a container of this class.

    Source: torch/nn Container.lua, rethrowErrors.
    """
    return f"In {index} module of {typename}:"


def unindexed(value: Any, called: str = "input") -> str:
    """Return what LuaJIT says where the code of a module looks into an argument that has no parts.

    Nothing for those that have. `called` is the argument's name.
    """
    kinds = {type(None): "nil", bool: "boolean", int: "number", float: "number"}
    kind = kinds.get(type(value))
    return f"attempt to index local '{called}' (a {kind} value)" if kind else ""
