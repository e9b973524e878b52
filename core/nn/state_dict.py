"""state_dict: the values of a module by name, and loading them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ..autograd import no_grad
from ..creation import from_dlpack
from ..tensor import Parameter, Tensor
from .errors import StateDictError
from .walking import Walking

if TYPE_CHECKING:
    pass


class LoadResult(NamedTuple):
    """What `load_state_dict` found to differ: nothing, when it is strict."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Stateful(Walking):
    """The part of Module that gives and takes its state."""

    optional_state: ClassVar[frozenset[str]] = frozenset()
    """Buffers that a state may lack, because older ones do."""

    def own_state(self) -> Iterator[tuple[str, Parameter | Tensor]]:
        """Yield what this module itself adds to the state: Parameters and saved buffers."""
        yield from self.own_parameters()
        yield from ((n, b) for n, b in self.own_buffers() if n not in self._not_saved)

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Return the Parameters and persistent buffers here and below, by name.

        Parameters
        ----------
        prefix : str
            What every name begins with: "encoder." for example.
        keep_vars : bool
            Give the tensors themselves; otherwise tensors without a graph on their memory.

        Returns
        -------
        dict of str to Tensor
            The memory is the module's own: `copy.deepcopy` it for a snapshot. What stands in
            several places has several names.
        """
        return {
            prefix + name: tensor if keep_vars else tensor.detach()
            for name, tensor in self._named_state()
        }

    def _named_state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self.named_modules(remove_duplicate=False):
            for name, tensor in module.own_state():
                yield (f"{path}.{name}" if path else name), tensor

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copy values into the Parameters and buffers of the same names.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
            Arrays and tensors of other libraries are taken too (those that speak DLPack, such
            as PyTorch's). Values are converted to the module's dtypes and devices.
        strict : bool
            Whether the names have to be the same; if not, those that both have are loaded.

        Returns
        -------
        LoadResult
            `missing_keys` and `unexpected_keys`.

        Raises
        ------
        StateDictError
            If names (when strict) or shapes differ. It lists all of them, and nothing was
            loaded.
        """
        own = dict(self._named_state())
        optional = {
            f"{path}.{name}" if path else name
            for path, module in self.named_modules(remove_duplicate=False)
            for name in module.optional_state
        }
        missing = [key for key in own if key not in state_dict and key not in optional]
        unexpected = [key for key in state_dict if key not in own]
        given = {key: as_tensor(state_dict[key]) for key in own if key in state_dict}
        misshaped = [
            (key, own[key].shape, value.shape)
            for key, value in given.items()
            if own[key].shape != value.shape
        ]
        if misshaped or (strict and (missing or unexpected)):
            name = type(self).__name__
            raise StateDictError(
                name, missing if strict else (), unexpected if strict else (), misshaped
            )
        with no_grad():
            for key, value in given.items():
                own[key].copy_(value.to(own[key].device))
        return LoadResult(missing, unexpected)


def as_tensor(value: Any) -> Tensor:
    """Return a value of a state_dict as a Tensor, on the same memory where that can be."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, np.ndarray) or not hasattr(value, "__dlpack__"):
        return Tensor(value)
    return from_dlpack(value.detach() if hasattr(value, "detach") else value)
