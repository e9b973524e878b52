"""saved_tensors_hooks: what operations save for the backward pass, kept in another form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import GraphError
from .modes import Packing, setting

if TYPE_CHECKING:
    from ..tensor import Tensor
    from .node import Node


class saved_tensors_hooks(setting):
    """Keep what operations inside the block save as `pack` returns it: shorter, or elsewhere.

    Parameters
    ----------
    pack : callable
        Takes each tensor when it is saved. It may not change it; what it returns is kept.
    unpack : callable
        Takes that, in each backward pass that needs it, and returns a tensor of the same values,
        shape and dtype.

    Notes
    -----
    That a value is overwritten after it was packed is not noticed: `pack` decides whether what
    it returns follows. Only the innermost of nested blocks counts.
    """

    def __init__(self, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> None:
        super().__init__(packing=(pack, unpack))


class Packed:
    """In place of what a node saved."""

    __slots__ = ("_unpack", "_values")

    def __init__(self, saved: tuple[Any, ...], packing: Packing) -> None:
        pack, self._unpack = packing
        with setting(grad=False):
            self._values = _each(saved, lambda array: PackedArray(array, pack))

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """Return again what `node` saved."""
        result: tuple[Any, ...] = _each(self._values, lambda p: p.unpacked(self._unpack, node.name))
        return result


class PackedArray:
    """One array that was saved."""

    __slots__ = ("_dtype", "_shape", "_value")

    def __init__(self, array: Any, pack: Callable[[Tensor], Any]) -> None:
        from ..tensor import Tensor

        given = Tensor(array)
        self._shape, self._dtype = array.shape, array.dtype
        self._value = pack(given)
        if given.version:
            raise GraphError(
                "the pack hook of saved_tensors_hooks wrote into the tensor that it was given, "
                "which is the one in use; clone() it first"
            )

    def unpacked(self, unpack: Callable[[Any], Tensor], name: str) -> Any:
        """Return the array again; `name` is that of the operation that saved it.

        Raises
        ------
        GraphError
            If `unpack` gives something else than was saved.
        """
        from ..tensor import Tensor

        with setting(grad=False):
            tensor = unpack(self._value)
        if not isinstance(tensor, Tensor):
            raise GraphError(
                f"the unpack hook of saved_tensors_hooks returned a {type(tensor).__name__} for "
                f"what {name} saved; return a tensor"
            )
        if tensor.shape != self._shape or tensor.dtype != self._dtype:
            raise GraphError(
                f"the unpack hook of saved_tensors_hooks returned {tensor.dtype} of shape "
                f"{tensor.shape} for what {name} saved, which was {self._dtype} of shape "
                f"{self._shape}"
            )
        return tensor.array


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return `value` with every array, or packed array, in it changed."""
    if type(value) is tuple:
        return tuple(_each(v, change) for v in value)
    if isinstance(value, PackedArray) or hasattr(value, "__array_interface__"):
        return change(value)
    return change(value) if hasattr(value, "__cuda_array_interface__") else value
