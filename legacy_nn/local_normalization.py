"""Normalisation of images by the mean and deviation around each pixel.

Source: torch/nn SpatialSubtractiveNormalization.lua, SpatialDivisiveNormalization.lua,
SpatialContrastiveNormalization.lua.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full, zeros
from rekindle.core.tensor import Tensor

from .checks import one_tensor, remembered
from .containers import Sequential
from .convolution import SpatialConvolution
from .convolution_map import SpatialConvolutionMap
from .elementwise import Sqrt, Square
from .fields import long_storage, set_field
from .layout import Replicate
from .module import ArgumentError, as_torch, both_protocols, torch_class
from .rectifiers import Threshold
from .spatial import SpatialModule
from .spatial_padding import SpatialZeroPadding
from .table_arithmetic import CDivTable, CSubTable
from .tables import oneToOne


class LocalNormalization(SpatialModule):
    """What the modules below share: averages around each pixel, over all planes.

    Parameters
    ----------
    nInputPlane : int
        1 by default.
    kernel : Tensor, shape (kH, kW) or (k,)
        Weights of the average, odd sizes; one dimension means its outer product with itself.
        It is scaled in place. 9 x 9 ones by default.

    Raises
    ------
    ArgumentError
        For a kernel of other dimensions or an even size.
    """

    scratch = ("ones", "_coef")

    inner: ClassVar[tuple[str, ...]] = ("meanestimator", "stdestimator")
    """Fields of the modules that hold the weights."""

    nInputPlane: int
    kernel: Tensor
    meanestimator: Any
    coef: Tensor
    localstds: Tensor

    def __init__(self, nInputPlane: int | None = None, kernel: Tensor | None = None) -> None:
        super().__init__()
        self.nInputPlane = 1 if nInputPlane is None else nInputPlane
        self.kernel = full((9, 9), 1, self.dtype) if kernel is None else kernel
        if self.kernel.ndim not in (1, 2) or any(n % 2 == 0 for n in self.kernel.shape):
            raise ArgumentError(
                f"<{self.t7_typename.removeprefix('nn.')}> averaging kernel must "
                f"{'have ODD dimensions' if self.kernel.ndim in (1, 2) else 'be 2D or 1D'}; "
                f"given shape {self.kernel.shape}"
            )

    def clearState(self) -> Self:
        for _, module in self.children():
            module.clearState()
        vars(self).pop("_inpsz", None)
        return super().clearState()

    def children(self) -> Iterator[tuple[str, Any]]:
        return ((name, vars(self)[name]) for name in self.inner if name in vars(self))

    def estimator(self) -> Sequential:
        """Return modules that average around each pixel, without their weights."""
        height, width = self.kernel.shape[0], self.kernel.shape[-1]
        planes = self.nInputPlane
        chain = Sequential()
        chain.add(SpatialZeroPadding(width // 2, width // 2, height // 2, height // 2))
        if self.kernel.ndim == 2:
            chain.add(SpatialConvolution(planes, 1, width, height))
        else:
            chain.add(SpatialConvolutionMap(oneToOne(planes), height, 1))
            chain.add(SpatialConvolution(planes, 1, 1, height))
        return chain.add(Replicate(planes, 1, 3))

    def set_kernel(self, chain: Sequential) -> None:
        """Give the convolutions of an estimator the kernel as their weights."""
        for _, module in chain.children():
            if module.weight is not None:
                weight = module.weight
                kernel = ops.reshape(self.kernel, weight.shape[-2:])
                weight.detach().copy_(ops.expand(kernel, weight.shape))
                module.bias.detach().zero_()

    def kept_coefficient(self, input: Tensor) -> Tensor:
        """Return how much of the kernel lies inside each image; computed once for each size."""
        ones = full(input.shape[-3:], 1, input.dtype, input.device)
        set_field(self, "ones", ones)
        set_field(self, "_coef", self.meanestimator.updateOutput(ones))
        coefficient: Tensor = vars(self)["_coef"]
        if input.ndim == 3:
            return coefficient
        image = ops.reshape(coefficient, input.shape[-3:])
        return ops.expand(image, (input.shape[0], *image.shape))

    def image(self, input: Any) -> Tensor:
        """Return `input`, which must be an image or a batch of them, of the module's type."""
        self.check_input(input)
        return one_tensor(self, input, 3, 4)

    def coefficient(self, input: Tensor) -> Tensor:
        """Return how much of the kernel lies inside the image, for each pixel of one image."""
        image = input.shape[-3:]
        return ops.reshape(self.meanestimator(full(image, 1, input.dtype, input.device)), image)


@torch_class("nn.SpatialSubtractiveNormalization")
class SpatialSubtractiveNormalization(LocalNormalization):
    """Subtracts from each pixel the average around it; see LocalNormalization."""

    def __init__(self, nInputPlane: int | None = None, kernel: Tensor | None = None) -> None:
        super().__init__(nInputPlane, kernel)
        self.kernel.div_(self.kernel.sum() * self.nInputPlane)
        self.meanestimator = self.estimator()
        self.set_kernel(self.meanestimator)
        self.subtractor = CSubTable()
        self.divider = CDivTable()
        self.coef = zeros((1, 1, 1), self.dtype)

    def compute_batch(self, input: Tensor) -> Tensor:
        mean = ops.reshape(self.meanestimator(input), input.shape)
        return input - mean / self.coefficient(input)

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            x = self.image(input)
            sizes = vars(self).get("_inpsz")
            if sizes is None or tuple(sizes.tolist()) != x.shape:
                self._inpsz = long_storage(x.shape)
                self.coef = self.kept_coefficient(x)
            self.localsums = self.meanestimator.updateOutput(x)
            self.adjustedsums = self.divider.updateOutput(Table([self.localsums, self.coef]))
            self.output = self.subtractor.updateOutput(Table([x, self.adjustedsums]))
        return self.output

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        sums, adjusted = remembered(self, "localsums", "adjustedsums")
        direct = self.subtractor.updateGradInput(Table([input, adjusted]), gradOutput)
        of_sums = self.divider.updateGradInput(Table([sums, self.coef]), direct[2])
        result: Tensor = direct[1] + self.meanestimator.updateGradInput(input, of_sums[1])
        return result


@torch_class("nn.SpatialDivisiveNormalization")
class SpatialDivisiveNormalization(LocalNormalization):
    """Divides each pixel by the deviation around it.

    Parameters
    ----------
    nInputPlane, kernel
        As for LocalNormalization.
    threshold, thresval : float
        A deviation that is not above `threshold` (1e-4) counts as `thresval` (`threshold`).
    """

    def __init__(
        self,
        nInputPlane: int | None = None,
        kernel: Tensor | None = None,
        threshold: float | None = None,
        thresval: float | None = None,
    ) -> None:
        super().__init__(nInputPlane, kernel)
        self.threshold = 1e-4 if threshold is None else threshold
        self.thresval = self.threshold if thresval is None else thresval
        self.meanestimator = self.estimator()
        self.stdestimator = Sequential()
        for module in (Square(), *self.estimator().modules.array(), Sqrt()):
            self.stdestimator.add(module)
        planes = self.nInputPlane if self.kernel.ndim == 2 else sqrt(self.nInputPlane)
        self.kernel.div_(self.kernel.sum() * planes)
        self.set_kernel(self.meanestimator)
        self.set_kernel(self.stdestimator)
        self.normalizer = CDivTable()
        self.divider = CDivTable()
        self.thresholder = Threshold(self.threshold, self.thresval)
        self.coef = zeros((1, 1, 1), self.dtype)

    def compute_batch(self, input: Tensor) -> Tensor:
        deviation = ops.reshape(self.stdestimator(input), input.shape) / self.coefficient(input)
        return ops.divide(input, self.thresholder(deviation))

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            x = self.image(input)
            self.localstds = self.stdestimator.updateOutput(x)
            if self.coef.shape != self.localstds.shape:
                self.coef = self.kept_coefficient(x)
            self.adjustedstds = self.divider.updateOutput(Table([self.localstds, self.coef]))
            self.thresholdedstds = self.thresholder.updateOutput(self.adjustedstds)
            self.output = self.normalizer.updateOutput(Table([x, self.thresholdedstds]))
        return self.output

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        names = ("localstds", "adjustedstds", "thresholdedstds")
        deviations, adjusted, thresholded = remembered(self, *names)
        direct = self.normalizer.updateGradInput(Table([input, thresholded]), gradOutput)
        of_adjusted = self.thresholder.updateGradInput(adjusted, direct[2])
        of_deviations = self.divider.updateGradInput(Table([deviations, self.coef]), of_adjusted)
        result: Tensor = direct[1] + self.stdestimator.updateGradInput(input, of_deviations[1])
        return result


@torch_class("nn.SpatialContrastiveNormalization")
class SpatialContrastiveNormalization(LocalNormalization):
    """SpatialSubtractiveNormalization, then SpatialDivisiveNormalization.

    Parameters
    ----------
    nInputPlane, kernel, threshold, thresval
        As for SpatialDivisiveNormalization.
    """

    inner = ("normalizer",)

    def __init__(
        self,
        nInputPlane: int | None = None,
        kernel: Tensor | None = None,
        threshold: float | None = None,
        thresval: float | None = None,
    ) -> None:
        super().__init__(nInputPlane, kernel)
        self.threshold = 1e-4 if threshold is None else threshold
        self.thresval = self.threshold if thresval is None else thresval
        self.normalizer = Sequential()
        self.normalizer.add(SpatialSubtractiveNormalization(self.nInputPlane, self.kernel))
        self.normalizer.add(
            SpatialDivisiveNormalization(
                self.nInputPlane, self.kernel, self.threshold, self.thresval
            )
        )

    def compute(self, input: Any) -> Any:
        return self.normalizer(input)

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        self.output = self.normalizer.updateOutput(input)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.gradInput = self.normalizer.backward(input, gradOutput)
        return self.gradInput
