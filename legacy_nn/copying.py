"""Copies of modules and criterions, and modules that share memory: `clone` and `share`.

Torch7 clones by writing an object and reading it again, so a clone has storages of its own,
of their whole size, and whatever shared memory inside the original does so inside the clone.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable
from typing import Any, Self, TypeVar

from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.checkpoint.registry import identity_of
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .errors import ArgumentError
from .nesting import nested

V = TypeVar("V")


class Copying:
    """The part of nn.Module and nn.Criterion that makes copies."""

    def clone(self, *names: str) -> Self:
        """Return a copy of this object and all that is inside.

        Parameters
        ----------
        *names : str
            Fields whose memory the copy shares with the original, in all modules inside:
            `clone("weight", "bias", "gradWeight", "gradBias")`.

        Raises
        ------
        ArgumentError
            If a field of these names is no tensor.
        """
        copied: Self = _Copier({}, names).copy(self)
        return copied

    @nested
    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied: Self = _Copier(memo, ()).copy(self)
        return copied

    def take_copy(self, fields: dict[str, Any]) -> None:
        """Become a copy whose fields are `fields`."""
        vars(self).update(fields)


class Sharing(Copying):
    """The part of nn.Module that shares memory. Source: torch/nn Module.lua."""

    shared: bool

    def clone(self, *names: str) -> Self:
        copied = super().clone(*names)
        return copied.share(self, *names) if names else copied

    def share(self, mlp: Any, *names: str) -> Self:
        """Let the fields `names` view the memory of those of `mlp`; return this module.

        Fields that this module lacks are left out. Both modules get a field `shared`.

        Raises
        ------
        ArgumentError
            If a field of `mlp` is no tensor, or one of another type.
        """
        for name in names:
            if (own := getattr(self, name, None)) is None:
                continue
            other = getattr(mlp, name, None)
            if not isinstance(own, Tensor) or not isinstance(other, Tensor):
                raise ArgumentError(
                    f"only tensors are shared; field {name!r} is {own!r:.40} and {other!r:.40}"
                )
            if own.dtype != other.dtype:
                raise ArgumentError(
                    f"tensors of one type are shared; field {name!r} is {own.dtype} here and "
                    f"{other.dtype} there: convert one of the modules first"
                )
            own.set_(other.detach())
            self.shared = mlp.shared = True
        return self


def copied_around(value: V, kept: Iterable[Any]) -> V:
    """Return a copy of `value` in which the objects `kept`, modules or storages, are the same."""
    copied: V = _Copier({id(part): part for part in kept}, ()).copy(value)
    return copied


class _Copier:
    """Copies objects of any depth of nesting, each once.

    Parameters
    ----------
    memo : dict
        Copies by the identity of their originals, as copy.deepcopy keeps them.
    names : collection of str
        Fields of modules whose tensors view the memory of the originals.
    """

    def __init__(self, memo: dict[int, Any], names: Collection[str]) -> None:
        self._memo = memo
        self._names = names
        self._pending: list[tuple[Any, Any]] = []

    def copy(self, value: Any) -> Any:
        """Return a copy of `value`, complete."""
        result = self._begin(value)
        while self._pending:
            original, new = self._pending.pop()
            if isinstance(original, Table):
                for key, entry in original.items():
                    new[self._begin(key)] = self._begin(entry)
            else:
                self._fill(original, new)
        return result

    def _begin(self, value: Any) -> Any:
        """Return the copy of `value`, whose contents may have yet to come."""
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return value
        if id(value) in self._memo:
            return self._memo[id(value)]
        if type(value) in (list, tuple):
            return type(value)(self._begin(element) for element in value)
        new: Any
        if isinstance(value, Tensor):
            new = _view(value, copy.deepcopy(value.storage(), self._memo))
            new.grad = self._begin(value.grad)
        elif isinstance(value, TorchObject):
            fields = self._begin(value.t7_fields())
            new = TorchObject(value.t7_typename, value.t7_version, fields, value.t7_payload)
        elif isinstance(value, Table) or _has_plain_state(value):
            new = object.__new__(type(value))
            if isinstance(new, Table):
                new.__setstate__([])
            self._pending.append((value, new))
        else:
            return copy.deepcopy(value, self._memo)
        self._memo[id(value)] = new
        self._memo.setdefault(id(self._memo), []).append(value)  # keeps `value`, so its id, alive
        return new

    def _fill(self, original: Any, new: Any) -> None:
        state = original.__getstate__()
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        for name, value in slots.items():
            setattr(new, name, self._begin(value))
        fields = {}
        for name, value in (attributes or {}).items():
            if name in self._names and isinstance(original, Sharing):
                if not isinstance(value, Tensor):
                    raise ArgumentError(
                        f"shared parameters have to be tensors; {name!r} is {value!r:.60}"
                    )
                fields[name] = _view(value, value.storage())
            else:
                fields[name] = self._begin(value)
        if isinstance(new, Copying):
            new.take_copy(fields)
        else:
            vars(new).update(fields)


def _view(tensor: Tensor, storage: Storage) -> Tensor:
    """Return a view of `storage` of the same class and geometry as `tensor`."""
    new = type(tensor).view_of(storage, tensor.storage_offset(), tensor.shape, tensor.stride())
    new.requires_grad = tensor.requires_grad and tensor.is_leaf
    return new


def _has_plain_state(value: Any) -> bool:
    """Whether an object is no more than its attributes, as those of Torch7's classes are."""
    return isinstance(value, Copying) or (
        identity_of(value) is not None
        and hasattr(value, "__dict__")
        and not hasattr(value, "__deepcopy__")
    )
