"""Classes of fast-neural-style and texture_nets: ShaveImage, TotalVariation, InstanceNormalization.

They are no part of torch/nn, but their models are many.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty, zeros
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .fields import add_parameter, given
from .module import Module, torch_class
from .torch7 import random


@torch_class("nn.ShaveImage")
class ShaveImage(Module):
    """Cuts `size` pixels off each side of images.

    Parameters
    ----------
    size : int

    Source: jcjohnson/fast-neural-style ShaveImage.lua.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 4)
        for axis in (2, 3):
            length = x.shape[axis] - 2 * self.size
            if length < 1:
                raise ShapeError(
                    f"nn.ShaveImage takes images larger than {2 * self.size} pixels; "
                    f"given shape {x.shape}"
                )
            x = ops.narrow(x, axis, self.size, length)
        return x


@torch_class("nn.TotalVariation")
class TotalVariation(Module):
    """Returns its input; its gradient has that of `strength` times the total variation.

    Parameters
    ----------
    strength : float

    Source: jcjohnson/fast-neural-style TotalVariation.lua.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength
        self.x_diff = empty(0, self.dtype)
        self.y_diff = empty(0, self.dtype)

    def compute(self, input: Any) -> Tensor:
        return one_tensor(self, input)

    def keep(self, input: Any, result: Any) -> Any:
        return input


@torch_class("nn.InstanceNormalization")
class InstanceNormalization(Module):
    """Normalises every plane of every image, as the nn did with which the model was trained.

    Parameters
    ----------
    nOutput : int
        Planes.
    eps : float, default 1e-5
        Added to the biased variance.

    Attributes
    ----------
    weight, bias : Parameter, shape (nOutput,), or None
        Multiplied and added after. Some projects leave them out (`affine` is false).
    bn : SpatialBatchNormalization, optional
        Torch7's class does its work with it, on one image of N * nOutput planes.
    disabled : bool
        Some projects turn the module off with it.

    Notes
    -----
    Batch normalisation in torch/nn took the moments of a batch of one image like those of any
    batch, until 3 August 2017; from then on it took the running ones, which never move away
    from 0 and 1 that way. So the Torch7 of today computes x / sqrt(1 + eps) here, and the
    models that this class was made for lose their style. What a model was trained with shows
    in its file: the running mean in `bn` has moved, and then planes are normalised by their
    own moments, in training and evaluation. A module that never ran does as today's Torch7.

    Source: jcjohnson/fast-neural-style InstanceNormalization.lua, DmitryUlyanov/texture_nets,
    torch/nn commit 919eeca.
    """

    eps: float = 1e-5
    disabled: bool = False
    bn: Any = None
    running_mean: Any = None

    def __init__(self, nOutput: int, eps: float | None = None) -> None:
        super().__init__()
        self.eps = given(eps, 1e-5)
        self.nOutput = nOutput
        self.prev_N = -1
        add_parameter(self, "weight", "gradWeight", nOutput)
        add_parameter(self, "bias", "gradBias", nOutput)
        random.uniform(self.weight)
        self.bias.detach().zero_()

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 3, 4)
        if self.disabled:
            return x
        if x.shape[-3] != self.nOutput:
            raise ShapeError(
                f"nn.InstanceNormalization takes {self.nOutput} planes; given shape {x.shape}"
            )
        if not self._normalises():
            batch = ops.reshape(x, (-1, *x.shape[-3:]))
            mean = zeros(self.nOutput, x.dtype, x.device)
            y = ops.batch_norm(batch, mean, mean + 1, self.weight, self.bias, eps=self.eps)
            return ops.reshape(y, x.shape)
        per_plane = (self.nOutput, 1, 1)
        weight, bias = (
            None if p is None else ops.reshape(p, per_plane) for p in (self.weight, self.bias)
        )
        return ops.layer_norm(x, weight, bias, axes=(-2, -1), eps=self.eps)

    def _normalises(self) -> bool:
        """Whether the file shows that images were normalised one by one in training."""
        means = [getattr(self.bn, "running_mean", None), self.running_mean]
        return any(ops.any(m).item() for m in means if isinstance(m, Tensor))
