"""Transfer functions that keep the positive part of their input: ReLU and its kin.

Source: torch/nn, the file of each class and lib/THNN/generic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.creation import empty, full, zeros
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import fitted, in_place_flag, left_behind, one_tensor
from .dropout import drawn
from .inplace import InPlace
from .module import ArgumentError, Module, as_parameter, replace_contents, torch_class
from .order import any_order
from .torch7 import random


@torch_class("nn.Threshold")
class Threshold(InPlace):
    """Puts `value` where the input does not exceed `threshold`.

    Parameters
    ----------
    threshold : float, default 1e-6
    value : float, default 0
    inplace : bool, default False
        Change the input itself; nan then stays nan, as in Torch7, and becomes `value`
        otherwise.

    Raises
    ------
    ArgumentError
        If an in-place module would put values above the threshold.

    Source: torch/nn Threshold.lua, lib/THNN/generic/Threshold.c.
    """

    threshold: float
    val: float

    def __init__(
        self, threshold: float | None = None, value: float | None = None, inplace: bool = False
    ) -> None:
        super().__init__()
        self.threshold = 1e-6 if threshold is None else threshold
        self.val = 0 if value is None else value
        self.inplace = in_place_flag(self, inplace)
        self.validateParameters()

    def validateParameters(self) -> None:
        """Check that an in-place module's values stay below its threshold."""
        if self.inplace and self.val > self.threshold:
            raise ArgumentError(
                f"in-place processing requires value ({self.val}) not exceed threshold "
                f"({self.threshold}): {self.t7_typename} would change what it has put there"
            )

    def prepare(self, input: Any) -> None:
        self.validateParameters()

    @any_order
    def compute(self, input: Any) -> Any:
        if self.inplace and self.threshold == self.val == 0:
            return ops.relu(input)
        if self.inplace:
            return ops.where(ops.less_equal(input, self.threshold), self.val, input)
        return ops.threshold(input, threshold=self.threshold, value=self.val)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        self.validateParameters()
        return fitted(self, gradOutput, input) * ops.greater(input, self.threshold)


@torch_class("nn.ReLU")
class ReLU(Threshold):
    """max(x, 0).

    Source: torch/nn ReLU.lua.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0, 0, inplace)


@torch_class("nn.ReLU6")
class ReLU6(InPlace):
    """min(max(x, 0), 6).

    Source: torch/nn ReLU6.lua.
    """

    reads_input = True

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = in_place_flag(self, inplace)

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.clamp(input, min=0, max=6) if self.inplace else ops.hardtanh(input, min=0, max=6)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return ops.where((input <= 0) | (input >= 6), 0, fitted(self, gradOutput, input))


@torch_class("nn.LeakyReLU")
class LeakyReLU(InPlace):
    """x where it is positive, else `negval` * x.

    Parameters
    ----------
    negval : float, default 0.01
        True or False mean the default too, and nothing else: Torch7 means to read the
        in-place flag there and loses it.
    inplace : bool, default False
        Change the input itself; ignored for a negative `negval`.

    Source: torch/nn LeakyReLU.lua.
    """

    reads_input = True

    negval: float

    def __init__(self, negval: float | None = None, inplace: bool = False) -> None:
        super().__init__()
        self.negval = 1 / 100 if negval is None or isinstance(negval, bool) else negval
        self.inplace = self.negval >= 0 and bool(inplace)

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.leaky_relu(input, negative_slope=self.negval)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        g = fitted(self, gradOutput, input)
        return ops.where(input > 0, g, g * self.negval)

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.negval:g})"


@torch_class("nn.RReLU")
class RReLU(InPlace):
    """Leaky ReLU whose slopes are drawn, one for each element, from [lower, upper).

    In evaluation every slope is the middle of the two.

    Parameters
    ----------
    lower : float, default 1/8
    upper : float, default 1/3
    inplace : bool, default False

    Attributes
    ----------
    noise : Tensor
        The slopes of the last forward pass in training, 1 for positive elements.

    Source: torch/nn RReLU.lua, lib/THNN/generic/RReLU.c; Xu et al. 2015, "Empirical
    Evaluation of Rectified Activations in Convolution Network".
    """

    scratch = ("noise",)

    lower: float
    upper: float
    noise: Any = None

    def __init__(
        self, lower: float | None = None, upper: float | None = None, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = 1 / 8 if lower is None else lower
        self.upper = 1 / 3 if upper is None else upper
        if not 0 <= self.lower <= self.upper:
            raise ArgumentError(
                f"{self.t7_typename} needs 0 <= lower <= upper; given {self.lower}, {self.upper}"
            )
        self.noise = empty(0, self.dtype)
        self.train = True
        self.inplace = bool(inplace)

    def prepare(self, input: Any) -> None:
        if self.train:
            leaky = one_tensor(self, input).to("cpu").numpy() <= 0
            slopes = np.ones(input.shape, input.dtype)
            drawn = random.uniform(empty(int(leaky.sum()), input.dtype), self.lower, self.upper)
            slopes[leaky] = drawn.numpy()
            self.noise = replace_contents(self.noise, Tensor(slopes, device=input.device))

    def compute(self, input: Any) -> Any:
        if self.train:
            return ops.multiply(input, drawn(self.noise))
        return ops.leaky_relu(input, negative_slope=(self.lower + self.upper) / 2)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        if self.train and self.upper - self.lower > 1e-6:
            slopes, g = left_behind(self, "noise", gradOutput)
            return g * slopes
        g = fitted(self, gradOutput, input)
        return ops.where(input <= 0, g * ((self.lower + self.upper) / 2), g)

    def __repr__(self) -> str:
        return f"{self.t7_typename} (l:{self.lower:f}, u:{self.upper:f})"


@torch_class("nn.PReLU")
class PReLU(Module):
    """x where it is positive, else x times a slope that is learned.

    Parameters
    ----------
    nOutputPlane : int, default 0
        Number of slopes, one for each plane (dimension 2 of the input, or 1 of a vector);
        0 shares a single one.

    Source: torch/nn PReLU.lua, lib/THNN/generic/PReLU.c; He et al. 2015, "Delving Deep into
    Rectifiers".
    """

    scratch = ("gradWeightBuf", "gradWeightBuf2")

    nOutputPlane: int

    def __init__(self, nOutputPlane: int | None = None) -> None:
        super().__init__()
        self.nOutputPlane = nOutputPlane or 0
        slopes = 1 if nOutputPlane is None else nOutputPlane
        self.gradWeight = zeros(slopes, self.dtype)
        self.weight = as_parameter(full(slopes, 0.25, self.dtype), self.gradWeight)

    @any_order
    def compute(self, input: Any) -> Any:
        if self.nOutputPlane == 0:
            return ops.prelu(input, self.weight)
        planes = one_tensor(self, input).shape[min(1, input.ndim - 1)]
        if planes != self.nOutputPlane:
            raise ShapeError(
                f"Wrong number of input planes. Expected {self.nOutputPlane} but got {planes}: "
                f"{self.t7_typename} is given shape {input.shape}"
            )
        spread = (1,) * (input.ndim - 2)
        return ops.prelu(input, ops.reshape(self.weight, (planes, *spread)))


@torch_class("nn.ELU")
class ELU(InPlace):
    """x where it is positive, else `alpha` * (exp(x) - 1).

    Parameters
    ----------
    alpha : float, default 1
    inplace : bool, default False

    Source: torch/nn ELU.lua, lib/THNN/generic/ELU.c.
    """

    reads_input = True

    alpha: float

    def __init__(self, alpha: float | None = None, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = 1 if alpha is None else alpha
        self.inplace = in_place_flag(self, inplace)

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.elu(input, alpha=self.alpha)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        return ops.where(y <= 0, g * (y + self.alpha), g)

    def __repr__(self) -> str:
        return f"{self.t7_typename} (alpha:{self.alpha:f})"
