"""Another floating type for all that a loaded object holds, as Torch's `type` does."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import Dtype, float16, float32, float64, is_floating
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.naming import Place, root_place
from rekindle.legacy_nn.paths import entries
from rekindle.legacy_nn.unknown_classes import typename

TYPENAMES = {
    float16: "torch.HalfTensor",
    float32: "torch.FloatTensor",
    float64: "torch.DoubleTensor",
}


def cast_floats(root: Any, dtype: Dtype) -> None:
    """Give every floating tensor below `root` the type `dtype`, in place.

    A storage is converted once for all its tensors, so that what is shared stays shared.
    Modules' `_type` follows.
    """
    storages: dict[int, tuple[Storage, Storage]] = {}
    pending: list[Place] = [root_place(root)]
    seen: set[int] = set()
    while pending:
        value = pending.pop().value
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            if is_floating(value.dtype) and value.dtype != dtype:
                _cast(value, dtype, storages)
            continue
        for key, child in list(entries(value)):
            if key == "_type" and isinstance(child, str) and not isinstance(value, Table):
                value._type = TYPENAMES[dtype]
            elif isinstance(child, (Tensor, Table)) or typename(child) is not None:
                pending.append(root_place(child))


def _cast(tensor: Tensor, dtype: Dtype, storages: dict[int, tuple[Storage, Storage]]) -> None:
    old = tensor.storage()
    if id(old) not in storages:
        storages[id(old)] = (old, Storage(old.raw.astype(dtype)))
    view = (tensor.storage_offset(), tensor.shape, tensor.stride())
    tensor.set_(storages[id(old)][1], *view)
