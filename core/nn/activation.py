"""Nonlinearities as modules; the formulas are in functional/activation.py and softmax.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..tensor import Tensor
from . import functional as F
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


class SiLU(_InPlace):
    """x * sigmoid(x)."""

    function = staticmethod(F.silu)


class Mish(_InPlace):
    """x * tanh(softplus(x))."""

    function = staticmethod(F.mish)


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
