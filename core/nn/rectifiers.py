"""Nonlinearities with a kink or a threshold: rectifiers and what limits or shrinks values."""

from __future__ import annotations

from typing import Any

from ..backend import Device
from ..tensor import Parameter, Tensor
from . import functional as F
from . import init
from .activation import _Activation, _InPlace
from .fields import new_parameter
from .module import Module


class ReLU(_InPlace):
    """x where it is positive, else 0."""

    function = staticmethod(F.relu)


class ReLU6(_InPlace):
    """x limited to [0, 6]."""

    function = staticmethod(F.relu6)


class Hardtanh(_Activation):
    """x limited to [min_val, max_val]."""

    function = staticmethod(F.hardtanh)
    options = ("min_val", "max_val", "inplace")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class Threshold(_Activation):
    """x where it exceeds `threshold`, else `value`."""

    function = staticmethod(F.threshold)
    options = ("threshold", "value", "inplace")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class LeakyReLU(_Activation):
    """x where it is positive, else `negative_slope` * x."""

    function = staticmethod(F.leaky_relu)
    options = ("negative_slope", "inplace")

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class RReLU(_Activation):
    """x where it is not negative, else times a slope: drawn in training, else their mean."""

    function = staticmethod(F.rrelu)
    options = ("lower", "upper", "inplace")

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return the function of the input."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """x where it is positive, else `weight` * x.

    Parameters
    ----------
    num_parameters : int
        1, or one for each channel of (N, C, ...).
    init : float
        What they start as.
    device, dtype
        Of the weight.
    """

    weight: Parameter

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = new_parameter(num_parameters, dtype, device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Return the function of the input."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.num_parameters}"


class ELU(_Activation):
    """x where it is positive, else alpha * (exp(x) - 1)."""

    function = staticmethod(F.elu)
    options = ("alpha", "inplace")

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class CELU(ELU):
    """x where it is positive, else alpha * (exp(x / alpha) - 1)."""

    function = staticmethod(F.celu)


class SELU(_InPlace):
    """A scaled ELU whose results keep mean 0 and variance 1."""

    function = staticmethod(F.selu)


class Hardswish(_InPlace):
    """x * clamp(x + 3, 0, 6) / 6."""

    function = staticmethod(F.hardswish)


class Hardsigmoid(_InPlace):
    """clamp(x + 3, 0, 6) / 6."""

    function = staticmethod(F.hardsigmoid)


class Hardshrink(_Activation):
    """x where its magnitude exceeds `lambd`, else 0."""

    function = staticmethod(F.hardshrink)
    options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd


class Softshrink(Hardshrink):
    """x moved towards 0 by `lambd`, and 0 where it would pass it."""

    function = staticmethod(F.softshrink)
