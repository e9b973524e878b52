"""Noise contrastive estimation: nn.NCEModule and nn.NCECriterion.

Source: Element-Research/dpnn NCEModule.lua, NCECriterion.lua; Mnih, Teh 2012, "A fast and simple
algorithm for training neural probabilistic language models".
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros_like
from rekindle.core.dtypes import int64
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import two_tensors
from ..classes import torch_class
from ..conversion import Cache
from ..criterion.base import Criterion
from ..errors import ArgumentError, InputTypeError
from ..fields import empty_pair, given, remove
from ..gradients import Gradients
from ..linear import Linear
from ..torch7 import random
from ..torch7.types import default_dtype
from .alias_multinomial import AliasMultinomial

TINY = 0.0000001
"""Keeps denominators from being 0."""


@torch_class("nn.NCEModule")
class NCEModule(Linear):
    """Takes {x (N, inputSize), classes (N,)}, and compares them with `k` classes drawn as noise.

    Gives {P(class) (N,), P(noise classes) (N, k), noise probabilities of both}, where P is
    exp(x W' + b) / Z. In evaluation with `normalized` it gives the softmax over all classes.

    Parameters
    ----------
    inputSize, outputSize : int
    k : int
    unigrams : Tensor, shape (outputSize,)
        How often each class is drawn as noise; divided by its sum.
    Z : float, optional
        Without, or negative, it is estimated in the first batch.

    Attributes
    ----------
    batchnoise : bool
        Whether all samples of a batch share their noise; True at first.
    normalized, logsoftmax : bool
        Whether evaluation gives probabilities of all classes, and their logarithms.
    """

    scratch: ClassVar[tuple[str, ...]] = (
        *("sampleidx", "sampleprob", "_noiseidx", "_noiseprob", "_tgradOutput", "_gradOutput"),
        *("_weight", "_gradWeight"),
    )
    shared_fields: ClassVar[tuple[str, ...]] = ("weight", "bias", "unigrams", "Z")
    parameter_gradients = Gradients.parameter_gradients
    input_gradient = Gradients.input_gradient

    batchnoise: bool = True
    normalized: bool = False
    logsoftmax: bool = False
    sampleidx: Any = None

    def __init__(
        self, inputSize: int, outputSize: int, k: int, unigrams: Tensor, Z: float | None = None
    ) -> None:
        super().__init__(inputSize, outputSize)
        if not isinstance(unigrams, Tensor) or unigrams.size != outputSize:
            raise ArgumentError(
                f"nn.NCEModule takes unigrams for each of {outputSize} classes; given {unigrams!r}"
            )
        self.k, self.unigrams = k, unigrams
        self.Z = empty(1, default_dtype())
        self.Z[0] = given(Z, -1)
        self.batchnoise = True
        self.fastNoise()
        self.output = Table([empty(0, self.dtype) for _ in range(4)])
        self.gradInput = empty_pair(self)

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters and return the module; biases that suit Z = 1 without `stdv`."""
        outputs, inputs = self.weight.shape
        bound = 1 / math.sqrt(inputs) if stdv is None else stdv
        random.uniform(self.weight, -bound, bound)
        if stdv is None:
            self.bias.detach().fill_(-math.log(outputs))
        else:
            random.uniform(self.bias, -stdv, stdv)
        return self

    def fastNoise(self) -> None:
        """Prepare drawing from the unigrams."""
        self.unigrams.copy_(self.unigrams / ops.sum(self.unigrams).item())
        self.aliasmultinomial = AliasMultinomial(self.unigrams)

    def noiseSample(self, sampleidx: Tensor, batchsize: int, k: int) -> Tensor:
        """Fill a tensor with classes drawn as noise, shape (batchsize, k), and return it."""
        drawn = self.aliasmultinomial.batchdraw(empty((batchsize, k), int64))
        sampleidx.set_(ops.astype(drawn, sampleidx.dtype))
        return sampleidx

    # -- forward ------------------------------------------------------------------------

    def _normalises(self) -> bool:
        return not self.train and bool(self.normalized)

    def _given(self, input: Any) -> tuple[Tensor, Tensor]:
        x, target = two_tensors(self, input)
        if x.ndim != 2 or target.shape != (x.shape[0],):
            raise ShapeError(
                "nn.NCEModule takes {rows of features, a class for each}; given shapes "
                f"{x.shape} and {target.shape}"
            )
        return x, ops.astype(target.detach(), int64)

    def prepare(self, input: Any) -> None:
        if self._normalises():
            return
        x, target = self._given(input)
        count = x.shape[0]
        if self.batchnoise:
            noise = self.noiseSample(empty(0, int64), 1, int(self.k))
            self.sampleidx = ops.concat([ops.reshape(noise, (-1,)), target])
        else:
            noise = self.noiseSample(empty(0, int64), count, int(self.k))
            self.sampleidx = ops.concat([ops.reshape(target, (-1, 1)), noise], axis=1)
        if self.Z.item() <= 0:
            of_target, of_noise = self._scores(x)
            scores = of_noise if self.batchnoise else ops.concat([of_target, of_noise], axis=1)
            self.Z[0] = ops.mean(ops.exp(scores)).item() * self.weight.shape[0]
            print(f"normalization constant Z approximated to {self.Z.item():.14g}")

    def _scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x W' + b for each sample's class, (N, 1), and for the noise, (N, k)."""
        rows = self.sampleidx - 1
        k = int(self.k)
        if self.batchnoise:
            noise, target = rows[:k], rows[k:]
            weight = ops.take(self.weight, target, axis=0)
            of_target = ops.sum(x * weight, axis=1) + ops.take(self.bias, target, axis=0)
            weight, bias = (ops.take(p, noise, axis=0) for p in (self.weight, self.bias))
            return ops.reshape(of_target, (-1, 1)), ops.linear(x, weight, bias)
        flat = ops.reshape(rows, (-1,))
        weight = ops.reshape(ops.take(self.weight, flat, axis=0), (*rows.shape, -1))
        bias = ops.reshape(ops.take(self.bias, flat, axis=0), rows.shape)
        products = ops.matmul(weight, ops.reshape(x, (*x.shape, 1)))
        found = ops.reshape(products, rows.shape) + bias
        return found[:, :1], found[:, 1:]

    def compute(self, input: Any) -> Any:
        x, _ = self._given(input)
        if self._normalises():
            scores = ops.linear(x, self.weight, self.bias)
            return (ops.log_softmax if self.logsoftmax else ops.softmax)(scores, axis=1)
        of_target, of_noise = (ops.exp(s) / self.Z.item() for s in self._scores(x))
        rows = self.sampleidx - 1
        flat = ops.take(ops.astype(self.unigrams, x.dtype), ops.reshape(rows, (-1,)), axis=0)
        k, count = int(self.k), x.shape[0]
        if self.batchnoise:
            of_class = flat[k:]
            of_drawn = ops.expand(ops.reshape(flat[:k], (1, k)), (count, k))
        else:
            both = ops.reshape(flat, rows.shape)
            of_class, of_drawn = both[:, 0], both[:, 1:]
        return Table([ops.reshape(of_target, (-1,)), of_noise, of_class, of_drawn])

    # -- fields -------------------------------------------------------------------------

    def multicuda(self, device1: int, device2: int) -> Self:
        """Convert to single precision on a GPU, and return the module.

        The two devices, which had half of the weight each, are one here.
        """
        return self.cuda()

    def convert_fields(self, typename: str, cache: Cache) -> None:
        remove(self, *self.scratch, "_metaidx")
        kept = {name: vars(self).pop(name) for name in ("unigrams", "aliasmultinomial")}
        super().convert_fields(typename, cache)
        vars(self).update(kept)


@torch_class("nn.NCECriterion")
class NCECriterion(Criterion):
    """The loss of what nn.NCEModule gives: whether each class is the sample's own, or noise.

    The gradient is that of the loss without the small number in its denominators, as Torch7's.
    """

    _COUNT = 4

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True
        self.gradInput = Table([empty(0, default_dtype()) for _ in range(self._COUNT)])

    def _parts(self, input: Any) -> tuple[Tensor, ...]:
        if not isinstance(input, Table) or len(input) != self._COUNT:
            raise InputTypeError(
                "nn.NCECriterion takes the four tensors that nn.NCEModule gives; given "
                f"{type(input).__name__}"
            )
        return tuple(input.array())

    def compute(self, input: Any, target: Any) -> Tensor:
        of_target, of_noise, noise_target, noise = self._parts(input)
        k = of_noise.shape[1]
        model = of_target / (of_target + noise_target * k + TINY)
        drawn = noise * k / (of_noise + noise * k + TINY)
        total = ops.negative(ops.sum(ops.log(model)) + ops.sum(ops.log(drawn)))
        return self.averaged(total, of_target.shape[0])

    def gradient(self, input: Any, target: Any) -> Table:
        of_target, of_noise, noise_target, noise = self._parts(input)
        k = of_noise.shape[1]
        model = noise_target * -k / (of_target + noise_target * k + TINY) / (of_target + TINY)
        drawn = of_noise / (of_noise + noise * k + TINY) / (of_noise + TINY)
        count = of_target.shape[0]
        found = [self.averaged(g, count) for g in (model, drawn)]
        return Table([*found, zeros_like(noise_target), zeros_like(noise)])
