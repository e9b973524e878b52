"""torch.MultiCudaTensor of the package torchx: a tensor whose parts were on several GPUs.

nn.NCEModule has two after `multicuda`. In a file each part is its own tensor; here they become
one again. Source: nicholas-leonard/torchx MultiCudaTensor.lua.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import RecordReader, Table, register
from rekindle.core.tensor import Tensor


def read(record: RecordReader) -> Generator[None, Any, Tensor]:
    """Read a record: the fields, the number of parts, and each part after its device."""
    fields = yield
    count = yield
    parts = []
    for _ in range(int(count) if isinstance(count, (int, float)) else 0):
        yield  # the device
        parts.append((yield))
    dim = fields.get("catdim") if isinstance(fields, Table) else None
    if not parts or not all(isinstance(p, Tensor) for p in parts) or not isinstance(dim, int):
        raise record.fail("a torch.MultiCudaTensor without its dimension and parts")
    return ops.concat(parts, axis=dim - 1)


register("torch.MultiCudaTensor", read=read)
