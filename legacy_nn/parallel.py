"""Modules that spread work over GPUs, unwrapped to run on one processor.

Source: torch/cunn DataParallelTable.lua, torch/nn GPU.lua, fbcunn AbstractParallel.lua.
"""

from __future__ import annotations

from typing import Any, Self

from rekindle.core.checkpoint import Table

from .concat import Concat
from .decorator import Wrapper
from .module import as_input, torch_class
from .texts import indented


class _OnFirst(Wrapper):
    """Runs the first module on everything; the others are copies of it."""

    def inside(self) -> list[Any]:
        return super().inside()[:1]

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        return self.backward_at_once(input, gradOutput, scale)


@torch_class("nn.DataParallelTable", 3)
class DataParallelTable(_OnFirst):
    """Runs its first module on the whole batch.

    Torch7 gives a part of the batch to a copy of the module on each GPU. The copies, which
    old files hold too, have the same weights. Batch statistics are here those of the whole
    batch, and the first module is the only one that counts and is written.

    Parameters
    ----------
    dimension : int
        The dimension, from 1, along which batches are cut.
    flattenParams, usenccl : bool, default False
        How Torch7 exchanges gradients.

    Attributes
    ----------
    gpuAssignments : Table of int
        The GPU of each copy.

    Source: torch/cunn DataParallelTable.lua.
    """

    dimension: int
    gpuAssignments: Table

    def __init__(
        self, dimension: int, flattenParams: bool | None = None, usenccl: bool | None = None
    ) -> None:
        super().__init__()
        self.typeStr = "torch.CudaTensor"
        self.dimension = dimension
        self.gpuAssignments = Table()
        for name in ("inputGpu", "gradOutputGpu", "outputGpu", "gradInputGpu"):
            setattr(self, name, Table())
        self.flattenParams = bool(flattenParams)
        self.usenccl = bool(usenccl)
        self.needsSync = False

    def add(self, module: Any, gpus: Any = 1) -> Self:
        """Take the one module, for a GPU or a table of them; return the container."""
        if len(self.modules) == 0:
            self.modules[1] = module
        if isinstance(gpus, int):
            self.gpuAssignments[len(self.gpuAssignments) + 1] = gpus
        else:
            self.gpuAssignments = as_input(gpus)
        return self

    def upgrade(self, version: int) -> None:
        """Give the field of the first versions, before June 2015, its later name."""
        if "gpu_assignments" in vars(self):
            self.gpuAssignments = vars(self).pop("gpu_assignments")

    def t7_fields(self) -> Table:
        fields = super().t7_fields()
        fields["modules"] = Table(self.modules.array()[:1])
        return fields

    def __repr__(self) -> str:
        return f"DataParallelTable: {len(self.gpuAssignments)} x {indented(self.modules[1], '')}"


@torch_class("nn.DataParallel")
class DataParallel(_OnFirst):
    """Runs its first module on the whole batch, as DataParallelTable does.

    Source: fbcunn DataParallel.lua, used by imagenet-multiGPU.torch until 2015.
    """


@torch_class("nn.ModelParallelTable", 2)
class ModelParallelTable(Concat):
    """Gives every module the same input and joins the outputs along `dimension`.

    Attributes
    ----------
    gpuAssignments : Table of int
        The GPU of each module.
    """

    gpuAssignments: Table


@torch_class("nn.ModelParallel")
class ModelParallel(Concat):
    """Gives every module the same input and joins the outputs along `dimension`.

    Source: fbcunn ModelParallel.lua.
    """


@torch_class("nn.GPU")
class GPU(Wrapper):
    """Runs its module.

    Parameters
    ----------
    module : Module
    device : int
        The GPU, from 1, that Torch7 runs it on.
    outdevice : int, optional
        The GPU that the output shall be on; by default the same.

    Source: torch/nn GPU.lua.
    """

    scratch = ("_input", "_gradOutput")

    device: int
    outdevice: int

    def __init__(self, module: Any, device: int, outdevice: int | None = None) -> None:
        super().__init__()
        self.device = device
        self.outdevice = device if outdevice is None else outdevice
        self.modules[1] = module

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.device}) @ {indented(self.modules[1], '')}"
