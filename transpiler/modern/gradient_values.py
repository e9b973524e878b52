"""What is known of values in differentiated functions: tensors with shapes, numbers, trees of them.

Torch adds two tensors element by element in their order, whatever their shapes; core broadcasts.
An operation is written for core where the shapes show that both give the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from ..diagnostics import Kept

Shape = tuple[str, ...] | str
"""Sizes, as texts that stand for numbers; or the name of a shape that is not known."""

_unknown = count(1)


class NotModernError(Exception):
    """Something that stays as it is, and why.

    Parameters
    ----------
    node : Node
    what, reason : str
    """

    def __init__(self, node: Any, what: str, reason: str) -> None:
        super().__init__(reason)
        self.kept = Kept(node.line, what, reason)


@dataclass(frozen=True, slots=True)
class Array:
    """A tensor of core; a recorded number is one without dimensions."""

    shape: Shape

    @property
    def ndim(self) -> int | None:
        """The number of dimensions, None if it is not known."""
        return None if isinstance(self.shape, str) else len(self.shape)


SCALAR = Array(())


@dataclass(frozen=True, slots=True)
class Plain:
    """A number of Python; None if it is not known which.

    Attributes
    ----------
    value : int or float, optional
    name : str, optional
        What sizes are compared by where the number is not known.
    """

    value: int | float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """A table of tensors, which becomes a dict or list.

    Attributes
    ----------
    name : str
        What the shapes of its parts are named after; a tree of gradients has its parameters' name.
    parts : dict
        By names, or by places from 1.
    """

    name: str
    parts: dict[Any, Any]

    @property
    def is_list(self) -> bool:
        """Whether it counts from 1."""
        return list(self.parts) == list(range(1, len(self.parts) + 1))


@dataclass(frozen=True, slots=True)
class Several:
    """The results of a function."""

    values: tuple[Any, ...]


def unknown_size() -> str:
    """Return a size that equals no other."""
    return f"?{next(_unknown)}"


def fits(a: Array, b: Array) -> bool:
    """Whether core's `a + b` is Torch's: of the shape of a, element by element.

    Torch insists on as many elements; so one size that is not known to be the same is.
    """
    if b.shape == () or a.shape == b.shape:
        return True
    if isinstance(a.shape, str) or isinstance(b.shape, str) or len(b.shape) > len(a.shape):
        return False
    padded = ("1",) * (len(a.shape) - len(b.shape)) + b.shape
    return sum(x != y for x, y in zip(a.shape, padded, strict=True)) <= 1


def product(a: Array, b: Array) -> Array | None:
    """Return what the product of matrices and vectors gives, None if there is none."""
    if isinstance(a.shape, str) or isinstance(b.shape, str):
        return Array(unknown_size())
    if (len(a.shape), len(b.shape)) not in ((1, 1), (2, 1), (2, 2)):
        return None
    return Array(a.shape[:-1] + b.shape[1:])


def reduced(x: Array, axis: int) -> Array:
    """Return the tensor with one element along an axis."""
    if isinstance(x.shape, str):
        return Array(unknown_size())
    return Array((*x.shape[:axis], "1", *x.shape[axis + 1 :]))
