"""tnt.Dataset, and the ways from one data set to another.

Source: torchnet/torchnet dataset/dataset.lua.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .meter import TorchnetError

if TYPE_CHECKING:
    from .batching import BatchDataset
    from .changing import ResampleDataset, ShuffleDataset, SplitDataset, TransformDataset
    from .iterator import DatasetIterator


class PositionError(TorchnetError, IndexError):
    """A position that a data set does not have."""


class Dataset(ABC):
    """Samples at the positions 1 to `size()`, most often dicts with "input" and "target".

    The methods `batch`, `sample`, `shuffle`, `split`, `transform` and `iterator` make a
    BatchDataset, ResampleDataset and so on of this one; they take the same arguments.
    """

    @abstractmethod
    def size(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def get(self, idx: int) -> Any:
        """Return the sample at a position from 1."""

    def exec(self, name: str, *args: Any) -> Any:
        """Call a method of this data set, or of the first one below that has it.

        Raises
        ------
        TorchnetError
            Where none has it.
        """
        return execute(self, name, args)

    # The classes are below in the order of imports, since they derive from this one.

    def batch(self, *args: Any, **options: Any) -> BatchDataset:
        """Return `BatchDataset(self, ...)`."""
        from .batching import BatchDataset

        return BatchDataset(self, *args, **options)

    def sample(self, *args: Any, **options: Any) -> ResampleDataset:
        """Return `ResampleDataset(self, ...)`."""
        from .changing import ResampleDataset

        return ResampleDataset(self, *args, **options)

    def shuffle(self, *args: Any, **options: Any) -> ShuffleDataset:
        """Return `ShuffleDataset(self, ...)`."""
        from .changing import ShuffleDataset

        return ShuffleDataset(self, *args, **options)

    def split(self, partitions: Mapping[str, float], *args: Any, **options: Any) -> SplitDataset:
        """Return `SplitDataset(self, partitions, ...)`."""
        from .changing import SplitDataset

        return SplitDataset(self, partitions, *args, **options)

    def transform(self, *args: Any, **options: Any) -> TransformDataset:
        """Return `TransformDataset(self, ...)`."""
        from .changing import TransformDataset

        return TransformDataset(self, *args, **options)

    def iterator(self, *args: Any, **options: Any) -> DatasetIterator:
        """Return `DatasetIterator(self, ...)`."""
        from .iterator import DatasetIterator

        return DatasetIterator(self, *args, **options)


def execute(this: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Call a method of an object, or of the first `dataset` below that has it."""
    at = this
    while at is not None:
        method = getattr(at, name, None)
        if callable(method):
            return method(*args)
        at = getattr(at, "dataset", None)
    raise TorchnetError(f"no method {name!r} in {type(this).__name__} and the data sets below it")


def check_position(idx: int, size: int) -> None:
    """Raise a PositionError unless a position is one from 1 to `size`."""
    if idx != int(idx) or not 1 <= idx <= size:
        raise PositionError(f"positions are the integers from 1 to {size}, got {idx}")


def same(x: Any) -> Any:
    """Return the argument: what samplers and transforms are where none is given."""
    return x


def always(_: Any) -> bool:
    """Return True: the filter where none is given."""
    return True


def with_as_many(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Return a function of two arguments that leaves out the second if it must.

    Lua drops arguments that a function does not name; so `lambda x: -x` may stand where
    torchnet gives a position too.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions written in C do not tell
        return lambda first, second: function(first)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in positional and p.default is p.empty]
    if len(required) >= 2:
        return function
    return lambda first, second: function(first)
