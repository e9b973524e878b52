"""Losses as modules; the formulas are operations (core/ops) and in functional/losses.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..tensor import Tensor
from . import functional as F
from .module import Module


class _Loss(Module):
    """A loss of some tensors, and of options that the constructor takes.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
        What becomes of the losses of all elements.
    """

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()
    tensors: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, *tensors: Tensor) -> Tensor:
        """Return the loss; arguments are those of the function of the same name."""
        names = (*self.tensors, *self.options)
        given = {name: getattr(self, name) for name in names}
        result: Tensor = type(self).function(*tensors, **given, reduction=self.reduction)
        return result

    def extra_repr(self) -> str:
        """Return the options."""
        parts = [f"{name}={getattr(self, name)!r}" for name in self.options]
        return ", ".join([*parts, f"reduction={self.reduction!r}"])

    def _weigh(self, **tensors: Tensor | None) -> None:
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)


class L1Loss(_Loss):
    """|input - target|."""

    function = staticmethod(F.l1_loss)


class MSELoss(_Loss):
    """(input - target) ** 2."""

    function = staticmethod(F.mse_loss)


class SmoothL1Loss(_Loss):
    """Absolute differences less beta / 2, made smooth below `beta`."""

    function = staticmethod(F.smooth_l1_loss)
    options = ("beta",)

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta


class HuberLoss(_Loss):
    """Halved squares of differences that go on linearly beyond `delta`."""

    function = staticmethod(F.huber_loss)
    options = ("delta",)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta


class NLLLoss(_Loss):
    """Minus the logarithms of the probabilities of the right classes; see F.nll_loss."""

    function = staticmethod(F.nll_loss)
    options = ("ignore_index",)
    tensors = ("weight",)

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self._weigh(weight=weight)
        self.ignore_index = ignore_index


class CrossEntropyLoss(_Loss):
    """`NLLLoss` of the logarithm of softmax; see F.cross_entropy."""

    function = staticmethod(F.cross_entropy)
    options = ("ignore_index", "label_smoothing")
    tensors = ("weight",)

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self._weigh(weight=weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing


class BCELoss(_Loss):
    """Minus the logarithms of the probabilities of yes or no."""

    function = staticmethod(F.binary_cross_entropy)
    tensors = ("weight",)

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self._weigh(weight=weight)


class BCEWithLogitsLoss(_Loss):
    """`BCELoss` of the sigmoid, exact for large logits."""

    function = staticmethod(F.binary_cross_entropy_with_logits)
    tensors = ("weight", "pos_weight")

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(reduction=reduction)
        self._weigh(weight=weight, pos_weight=pos_weight)


class KLDivLoss(_Loss):
    """The terms of the divergence of the target from the input, which holds logarithms."""

    function = staticmethod(F.kl_div)
    options = ("log_target",)

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target


class PoissonNLLLoss(_Loss):
    """Minus the logarithm of the probability of counts."""

    function = staticmethod(F.poisson_nll_loss)
    options = ("log_input", "full", "eps")

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps


class GaussianNLLLoss(_Loss):
    """Minus the logarithm of a normal density: loss(input, target, var)."""

    function = staticmethod(F.gaussian_nll_loss)
    options = ("full", "eps")

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps
