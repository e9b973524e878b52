"""Modules that add noise in training, drawn from Torch7's stream.

Source: torch/nn, the file of each class.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.autograd import is_grad_enabled
from rekindle.core.creation import empty
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import fitted, left_behind, one_tensor
from .fields import set_unless_nil
from .inplace import InPlace
from .module import ArgumentError, Module, ModuleError, replace_contents, torch_class
from .torch7 import random


def drawn(noise: Tensor) -> Tensor:
    """Return the noise as it is kept for backward: a copy, as the next draw overwrites it."""
    return ops.clone(noise) if is_grad_enabled() else noise


def only_in_training(module: Module) -> None:
    """Refuse to go back in evaluation mode.

    Raises
    ------
    ModuleError
        If the module is in evaluation mode.
    """
    if not module.train:
        raise ModuleError(f"{module.t7_typename}: backprop only defined while training")


@torch_class("nn.Dropout")
class Dropout(InPlace):
    """Sets elements to 0, each with probability `p`.

    The kept ones are multiplied by 1 / (1 - p) in training; in version 1 everything is
    multiplied by 1 - p in evaluation instead.

    Parameters
    ----------
    p : float, default 0.5
        At least 0 and below 1.
    v1 : bool, default False
        Be version 1.
    inplace : bool, optional
        Change the input itself.
    stochasticInference : bool, default False
        Drop in evaluation too.

    Attributes
    ----------
    v2 : bool
        False in files from before version 2.
    noise : Tensor
        The mask of the last forward pass that dropped, scaled as the output was.
    lazy : bool
        Whether the mask stays the same until gradients go back, as in the package rnn.
    mono : bool
        Whether a lazy mask is one for all samples of a batch.
    flag : bool
        Whether a lazy mask is drawn again.

    Raises
    ------
    ArgumentError
        If `p` is out of range.

    Source: torch/nn Dropout.lua; Srivastava et al. 2014, "Dropout: A Simple Way to Prevent
    Neural Networks from Overfitting".
    """

    scratch = ("noise",)

    p: float
    v2: bool = False
    stochastic_inference: bool = False
    lazy: bool = False
    mono: bool = False
    flag: bool = True
    noise: Any = None

    def __init__(
        self,
        p: float | None = None,
        v1: bool = False,
        inplace: bool | None = None,
        stochasticInference: bool = False,
    ) -> None:
        super().__init__()
        self.p = 0.5 if p is None else p
        self.train = True
        set_unless_nil(self, inplace=inplace)
        self.stochastic_inference = bool(stochasticInference)
        self.v2 = not v1
        if not 0 <= self.p < 1:
            raise ArgumentError(
                "<Dropout> illegal percentage, must be 0 <= p < 1: "
                f"{self.t7_typename} is given {self.p}"
            )
        self.noise = empty(0, self.dtype)

    def setp(self, p: float) -> None:
        """Set the probability of dropping."""
        self.p = p

    def _drops(self) -> bool:
        return self.p > 0 and (self.train or self.stochastic_inference)

    def prepare(self, input: Any) -> None:
        if self._drops() and (self.flag or not self.lazy):
            shape = one_tensor(self, input).shape
            shape = (1, *shape[1:]) if self.mono else shape
            kept = random.bernoulli(empty(shape, self.dtype, input.device), 1 - self.p)
            self.noise = replace_contents(self.noise, kept / (1 - self.p) if self.v2 else kept)
            if self.lazy:
                self.flag = False

    def compute(self, input: Any) -> Any:
        if self._drops():
            return ops.multiply(input, drawn(self.noise))
        return input if self.v2 or self.p == 0 else ops.multiply(input, 1 - self.p)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        # In evaluation Torch7 passes over the mask of a stochastic inference.
        if self.lazy:
            self.flag = True
        if self.train and self.p > 0:
            if self.mono:
                return gradOutput * self.noise
            noise, g = left_behind(self, "noise", gradOutput)
            return g * noise
        return gradOutput if self.train or self.v2 or self.p == 0 else gradOutput * (1 - self.p)

    def clearState(self) -> Self:
        if self.lazy:
            self.flag = True
        return super().clearState()

    def __repr__(self) -> str:
        if "lazy" in vars(self):
            return f"{self.t7_typename}({self.p:.1f}, {'lazy' if self.lazy else 'busy'})"
        return f"{self.t7_typename}({self.p:f})"


def lazy_dropout(p: float, mono: bool) -> Dropout:
    """Return a Dropout that drops the same until gradients go back: rnn's fourth argument."""
    made = Dropout(p)
    vars(made).update(inplace=False, lazy=True, mono=mono, flag=True)
    return made


class _FeatureDropout(Module):
    """Dropout of whole feature maps; in evaluation everything is multiplied by 1 - p."""

    scratch = ("noise",)

    maps: ClassVar[tuple[str, ...]]
    """Dimensions of one feature map."""

    says: ClassVar[str]
    """What Torch7 says of inputs of other dimensions."""

    p: float
    stochastic_inference: bool = False
    noise: Any = None

    def __init__(self, p: float | None = None, stochasticInference: bool = False) -> None:
        super().__init__()
        self.p = 0.5 if p is None else p
        self.train = True
        self.stochastic_inference = bool(stochasticInference)
        self.noise = empty(0, self.dtype)

    def setp(self, p: float) -> None:
        """Set the probability of dropping."""
        self.p = p

    def prepare(self, input: Any) -> None:
        if self.train or self.stochastic_inference:
            features = one_tensor(self, input).ndim - len(self.maps)
            if features not in (1, 2):
                raise ShapeError(
                    f"{self.says}: {self.t7_typename} takes (features, {', '.join(self.maps)}) or "
                    f"a batch of them; given shape {input.shape}"
                )
            shape = (*input.shape[:features], *(1 for _ in self.maps))
            drawn = random.bernoulli(empty(shape, self.dtype, input.device), 1 - self.p)
            self.noise = replace_contents(self.noise, drawn)

    def compute(self, input: Any) -> Any:
        dropping = self.train or self.stochastic_inference
        return ops.multiply(input, drawn(self.noise) if dropping else 1 - self.p)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        only_in_training(self)
        return fitted(self, gradOutput, input) * self.noise

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.p:f})"


@torch_class("nn.SpatialDropout")
class SpatialDropout(_FeatureDropout):
    """Sets whole feature maps to 0, each with probability `p`.

    Nothing is scaled in training; in evaluation everything is multiplied by 1 - p.

    Parameters
    ----------
    p : float, default 0.5
    stochasticInference : bool, default False
        Drop in evaluation too.

    Attributes
    ----------
    noise : Tensor, shape (N, C, 1, 1) or (C, 1, 1)
        The mask of the last forward pass that dropped.

    Source: torch/nn SpatialDropout.lua; Tompson et al. 2014, "Efficient Object Localization
    Using Convolutional Networks".
    """

    maps = ("height", "width")
    says = "Input must be 4D (nbatch, nfeat, h, w) or 3D (nfeat, h, w)"


@torch_class("nn.VolumetricDropout")
class VolumetricDropout(_FeatureDropout):
    """SpatialDropout on volumes: inputs are 4-D, or 5-D for a batch.

    Source: torch/nn VolumetricDropout.lua.
    """

    maps = ("time", "height", "width")
    says = "Input must be 5D (nbatch, nfeat, t, h, w) or 4D (nfeat, t, h, w)"


@torch_class("nn.WhiteNoise")
class WhiteNoise(Module):
    """Adds normal noise in training, and its mean in evaluation.

    Parameters
    ----------
    mean : float, default 0
    std : float, default 0.1

    Attributes
    ----------
    noise : Tensor
        What the last forward pass in training added.

    Source: torch/nn WhiteNoise.lua.
    """

    scratch = ("noise",)
    keeps_results = True

    mean: float
    std: float
    noise: Any = None

    def __init__(self, mean: float | None = None, std: float | None = None) -> None:
        super().__init__()
        self.mean = 0 if mean is None else mean
        self.std = 0.1 if std is None else std
        self.noise = empty(0, self.dtype)

    def prepare(self, input: Any) -> None:
        if self.train:
            noise = empty(one_tensor(self, input).shape, self.dtype, input.device)
            drawn = random.normal(noise, self.mean, self.std)
            self.noise = replace_contents(self.noise, drawn)

    def compute(self, input: Any) -> Any:
        if self.train:
            return ops.add(input, self.noise)
        return input if self.mean == 0 else ops.add(input, self.mean)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        only_in_training(self)
        return gradOutput

    def __repr__(self) -> str:
        return f"{self.t7_typename} mean: {self.mean:f}, std: {self.std:f}"
