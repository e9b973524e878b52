"""Short-hands for several modules: nn.Maxout, LayerNormalization, GatedLinearUnit, CReLU."""

from __future__ import annotations

import math
from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .affine import Add, CMul
from .branches import ConcatTable
from .checks import axis_of, one_tensor
from .constant import MulConstant
from .containers import Sequential, Step
from .fields import given, set_unless_nil
from .going_back import Ask
from .identity import Identity
from .layout import Replicate
from .linear import Linear
from .module import Module, share_memory, torch_class
from .normalize import Normalize
from .rectifiers import ReLU
from .reduce import Max, Mean
from .shape import View
from .table import JoinTable
from .table_arithmetic import CSubTable


@torch_class("nn.Maxout")
class Maxout(Sequential):
    """The largest of `maxoutNumber` linear maps, for each output.

    Parameters
    ----------
    inputSize, outputSize, maxoutNumber : int
    preprocess : Module, optional
        Runs on what the linear maps return, shape (..., maxoutNumber, outputSize).

    Source: torch/nn Maxout.lua.
    """

    def __init__(
        self, inputSize: int, outputSize: int, maxoutNumber: int, preprocess: Any = None
    ) -> None:
        super().__init__()
        self.add(Linear(inputSize, outputSize * maxoutNumber))
        self.add(View(maxoutNumber, outputSize).setNumInputDims(1))
        if preprocess is not None:
            self.add(preprocess)
        self.add(Max(1, 2))


@torch_class("nn.LayerNormalization")
class LayerNormalization(Sequential):
    """Gives the features of each sample mean 0 and variance 1.

    Parameters
    ----------
    nOutput : int
        Features.
    bias : float, default 0
        What the learned bias starts from.
    eps : float, default 1e-10
        Added to the sum of squares.
    affine : bool, default True
        Whether learned factors and a bias follow.

    Source: torch/nn LayerNormalization.lua.
    """

    def __init__(
        self,
        nOutput: int,
        bias: float | None = None,
        eps: float | None = None,
        affine: bool | None = None,
    ) -> None:
        super().__init__()
        mean = Sequential().add(Mean(1, 1)).add(Replicate(nOutput, 1, 1))
        self.add(ConcatTable().add(Identity()).add(mean))
        self.add(CSubTable())
        self.add(Normalize(2, eps))
        self.add(MulConstant(math.sqrt(nOutput)))
        if given(affine, True):
            shift = Add(nOutput, False)
            shift.bias.detach().fill_(given(bias, 0))
            gain = CMul(nOutput)
            gain.weight.detach().fill_(1)
            self.add(gain).add(shift)


@torch_class("nn.GatedLinearUnit")
class GatedLinearUnit(Module):
    """The first half of the input times the sigmoid of the second.

    Parameters
    ----------
    dim : int, optional
        Which dimension is halved, from 1; by default the last.

    Source: torch/nn GatedLinearUnit.lua, THNN GatedLinearUnit.c.
    """

    dim: int | None = None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        set_unless_nil(self, dim=dim)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        axis = axis_of(self, given(self.dim, -1), x.ndim)
        half, odd = divmod(x.shape[axis], 2)
        if odd:
            raise ShapeError(
                f"Halving dimension must be even. Dim {axis + 1} is size {x.shape[axis]}: "
                f"{self.t7_typename} is given shape {x.shape}"
            )
        gate = ops.sigmoid(ops.narrow(x, axis, half, half))
        return ops.multiply(ops.narrow(x, axis, 0, half), gate)


@torch_class("nn.CReLU")
class CReLU(Sequential):
    """The positive parts of the features, and then those of the negated features.

    Parameters
    ----------
    nInputDims : int
        Dimensions of one sample, of which the first is doubled.
    inplace : bool, default False
        Whether the rectifier inside overwrites its input.

    Source: torch/nn CReLU.lua.
    """

    def __init__(self, nInputDims: int, inplace: bool | None = None) -> None:
        super().__init__()
        self.nInputDims = nInputDims
        self.inplace = bool(inplace)
        self.add(ConcatTable().add(Identity()).add(MulConstant(-1)))
        self.add(JoinTable(2)).add(ReLU(self.inplace))

    def flow(self, input: Any, step: Step) -> Any:
        x = one_tensor(self, input)
        axis = int(self._batched(x))
        y = super().flow(self._rows(x, x), step)
        return ops.reshape(y, (*x.shape[:axis], 2 * x.shape[axis], *x.shape[axis + 1 :]))

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        x, g = (self._rows(t, input) for t in (input, gradOutput))
        return ops.reshape(super().back(x, g, ask), input.shape)

    def _batched(self, input: Tensor) -> bool:
        """Whether the input has one dimension more than a sample; all others are samples."""
        return input.ndim == self.nInputDims + 1

    def _rows(self, tensor: Tensor, input: Tensor) -> Tensor:
        return ops.reshape(tensor, (input.shape[0] if self._batched(input) else 1, -1))

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return share_memory(self.gradInput, result)

    def __repr__(self) -> str:
        return "CReLU()"
