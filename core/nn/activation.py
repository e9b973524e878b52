"""Nonlinearities as modules; the formulas are in functional/activation.py and softmax.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..backend import Device
from ..tensor import Parameter, Tensor
from . import functional as F
from . import init
from .fields import new_parameter
from .module import Module


class _Activation(Module):
    """A function of one tensor and of options that the constructor takes.

    Attributes
    ----------
    options : tuple of str
        Names of the attributes that the function is given.
    """

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()

    def forward(self, input: Tensor) -> Tensor:
        """Return the function of the input."""
        given = {name: getattr(self, name) for name in self.options}
        result: Tensor = type(self).function(input, **given)
        return result

    def extra_repr(self) -> str:
        """Return the options; `inplace` only where it is True."""
        shown = [(name, getattr(self, name)) for name in self.options]
        return ", ".join(f"{name}={value!r}" for name, value in shown if name != "inplace" or value)


class _InPlace(_Activation):
    """A function without options but `inplace`: whether the input itself is changed."""

    options = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(_InPlace):
    """x where it is positive, else 0."""

    function = staticmethod(F.relu)


class ReLU6(_InPlace):
    """x limited to [0, 6]."""

    function = staticmethod(F.relu6)


class SELU(_InPlace):
    """A scaled ELU whose results keep mean 0 and variance 1."""

    function = staticmethod(F.selu)


class SiLU(_InPlace):
    """x * sigmoid(x)."""

    function = staticmethod(F.silu)


class Mish(_InPlace):
    """x * tanh(softplus(x))."""

    function = staticmethod(F.mish)


class Hardswish(_InPlace):
    """x * clamp(x + 3, 0, 6) / 6."""

    function = staticmethod(F.hardswish)


class Hardsigmoid(_InPlace):
    """clamp(x + 3, 0, 6) / 6."""

    function = staticmethod(F.hardsigmoid)


class Tanh(_Activation):
    """The hyperbolic tangent."""

    function = staticmethod(F.tanh)


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    function = staticmethod(F.sigmoid)


class LogSigmoid(_Activation):
    """log(sigmoid(x))."""

    function = staticmethod(F.logsigmoid)


class Softsign(_Activation):
    """x / (1 + |x|)."""

    function = staticmethod(F.softsign)


class Tanhshrink(_Activation):
    """x - tanh(x)."""

    function = staticmethod(F.tanhshrink)


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


class GELU(_Activation):
    """x * P(normal < x), with approximate="tanh" by an approximation."""

    function = staticmethod(F.gelu)
    options = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class GLU(_Activation):
    """The first half along `dim` times the sigmoid of the second half."""

    function = staticmethod(F.glu)
    options = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


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


class Softplus(_Activation):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x exceeds `threshold`."""

    function = staticmethod(F.softplus)
    options = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Softmax(_Activation):
    """exp(x) / sum(exp(x)) along `dim`; name it, for the default depends on the shape."""

    function = staticmethod(F.softmax)
    options = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmin(Softmax):
    """The softmax of -x."""

    function = staticmethod(F.softmin)


class LogSoftmax(Softmax):
    """The logarithm of the softmax."""

    function = staticmethod(F.log_softmax)


class Softmax2d(Module):
    """The softmax over the channels of images (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the probabilities of channels at each pixel."""
        return F.softmax(input, -3)
