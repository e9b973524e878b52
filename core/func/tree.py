"""Containers of tensors: lists, tuples (named ones too) and dicts, in each other to any depth.

What is none of them is a leaf, but None, which holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..errors import RekindleError


class TreeError(RekindleError, ValueError):
    """Containers that are not of the structure that is needed."""


class Leaf:
    """The structure of a leaf."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "*"


LEAF = Leaf()

Structure = Any
"""The containers with LEAF in the place of each leaf."""


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """Return the leaves of a tree, and its structure."""
    leaves: list[Any] = []

    def visit(x: Any) -> Any:
        leaves.append(x)
        return LEAF

    return leaves, _mapped(visit, tree)


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """Return a tree of this structure with these leaves."""
    source: Iterator[Any] = iter(leaves)
    return _mapped(lambda _: next(source), structure)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with `function(leaf)` in the place of each leaf."""
    return _mapped(function, tree)


def _mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        pairs = {key: _mapped(function, tree[key]) for key in tree}
        return pairs if type(tree) is dict else _rebuilt(tree, pairs)
    if isinstance(tree, tuple):
        parts = [_mapped(function, part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    if isinstance(tree, list):
        return [_mapped(function, part) for part in tree]
    return function(tree)


def _rebuilt(tree: Mapping[Any, Any], pairs: dict[Any, Any]) -> Any:
    """Return a dict of another kind (an OrderedDict) with other values."""
    return type(tree)(pairs)  # type: ignore[call-arg]  # as dicts of all kinds take


def same_structure(name: str, tree: Any, structure: Structure) -> list[Any]:
    """Return the leaves of a tree that has to be of a structure.

    Raises
    ------
    TreeError
        If it is of another.
    """
    leaves, found = flatten(tree)
    if not _equal(found, structure):
        raise TreeError(f"{name} is to be of the structure {structure!r}; given {found!r}")
    return leaves


def _equal(a: Structure, b: Structure) -> bool:
    """Whether two structures agree; in `b` a list fits a tuple, as in `a`."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_equal, a, b))
    return a is b


def spread(name: str, prefix: Any, tree: Any) -> list[Any]:
    """Return for each leaf of a tree what `prefix` has for it, or for a container around it.

    Raises
    ------
    TreeError
        If the containers of `prefix` are not those of the tree.
    """
    if isinstance(prefix, (Mapping, list, tuple)):
        kind = Mapping if isinstance(prefix, Mapping) else (list, tuple)
        keys: Any = prefix.keys() if isinstance(prefix, Mapping) else range(len(prefix))
        if (
            not isinstance(tree, kind)
            or len(tree) != len(prefix)
            or any(isinstance(tree, Mapping) and k not in tree for k in keys)
        ):
            raise TreeError(f"{name} is {prefix!r}, which does not fit {flatten(tree)[1]!r}")
        order = tree.keys() if isinstance(tree, Mapping) else keys
        return [x for k in order for x in spread(name, prefix[k], tree[k])]
    return [prefix] * len(flatten(tree)[0])
