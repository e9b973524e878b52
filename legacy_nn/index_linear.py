"""nn.IndexLinear: a linear map of inputs given by keys and values.

Source: torch/nn IndexLinear.lua, lib/THNN/generic/IndexLinear.c.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import arange, empty, zeros
from rekindle.core.dtypes import int64
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.tensor import Tensor

from .fields import add_parameter, uniform_bound
from .module import InputTypeError, Module, ModuleError, as_parameter, as_torch, torch_class
from .torch7 import random
from .values import as_input

LARGEST, INVERSE, PACE, SHIFT = range(4)
"""What the first four columns of the weight of a normalising module hold for each key."""


class Entries(NamedTuple):
    """The keys and values of a batch, one after the other, and how many each sample has."""

    keys: Tensor
    values: Tensor
    sizes: np.ndarray[Any, Any]
    flat: bool
    single: bool

    @property
    def samples(self) -> Tensor:
        """Which sample each entry is of, from 0."""
        return Tensor(np.repeat(np.arange(len(self.sizes)), self.sizes), device=self.keys.device)


@torch_class("nn.IndexLinear")
class IndexLinear(Module):
    """y = sum of value * W[key] over the keys of a sample, plus b.

    Parameters
    ----------
    inputSize, outputSize : int
    doGradInput : bool, default False
        Whether going back computes a gradient for the input: keys and values for all keys.
    keysOffset : int, default 0
        Added to keys; they start from 1 - keysOffset.
    weight, bias : Tensor, optional
        To share with another module; else zeros.
    normalize : bool, default False
        Whether values are divided by the largest magnitude that their key ever had in training,
        and shifted by a number that is learned. The weight has four columns more for it.

    Attributes
    ----------
    weight : Parameter, shape (inputSize, outputSize [+ 4])
    bias : Parameter, shape (outputSize,)
    running : Table
        The gradients since they were last set to 0, in place of a gradWeight: `keys`,
        `gradWeight` (a row for each key) and `cumSumSizes` of each call, and `counter`, the
        number of calls plus 1.

    Notes
    -----
    The input is a table {keys, values} of one sample, the same of tables of tensors, a batch, or
    {keys, values, sizes} of a batch put one after the other.
    """

    parameter_fields = (("weight", "running"), ("bias", "gradBias"))

    normalize: int = 0
    offset: int = -1
    weightDecay: float = 0  # type: ignore[assignment]  # hides the method, as in Lua
    doGradInput: bool = False
    running: Table
    gradBias: Tensor
    outputSize: int

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        doGradInput: bool | None = None,
        keysOffset: int | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        normalize: bool | None = None,
    ) -> None:
        super().__init__()
        self.normalize = 4 if normalize else 0
        add_parameter(self, "bias", "gradBias", outputSize)
        self.bias.detach().zero_()
        if bias is not None:
            self.bias = bias
        shape = (inputSize, outputSize + self.normalize)
        self.weight = as_parameter(zeros(shape, self.dtype)) if weight is None else weight
        self.inputSize = self.weight.shape[0]
        self.outputSize = self.weight.shape[1] - self.normalize
        for name in ("gradWeight", "gradWeightBuffer", "valuesBuffer", "normalizedValues"):
            setattr(self, name, empty(0, self.dtype))
        self.running = Table({"cumSumSizes": Table(), "keys": Table(), "gradWeight": Table()})
        self.running["counter"] = 1
        self.sizesCache, self.cumSumSizesCache = Table(), Table()
        self.weightDecay = 0
        self.doGradInput = bool(doGradInput)
        self.offset = keysOffset - 1 if keysOffset else -1

    def reset(self, stdv: float | None = None) -> None:
        """Draw a new weight, uniformly with deviation `stdv`, and a bias a million times less."""
        bound = uniform_bound(stdv, self.weight.shape[1])
        random.uniform(self.weight, -bound, bound)
        random.uniform(self.bias, -bound, bound)
        self.bias.detach().mul_(0.000001)
        if self.normalize:
            self.weight.detach()[:, : self.normalize] = 0

    # -- forward ------------------------------------------------------------------------

    def entries(self, input: Any) -> Entries:
        """Return what is in a batch, whatever form it has.

        Raises
        ------
        InputTypeError, ShapeError
            If the input has none of the forms, or keys and values do not go together.
        """
        parts = input.array() if isinstance(input, Table) else []
        if len(parts) == 3:
            keys, values, sizes = parts
            counts = sizes.to("cpu").numpy() if isinstance(sizes, Tensor) else np.array([sizes])
            found = Entries(keys, values, counts.astype(np.int64).ravel(), True, False)
        elif len(parts) == 2 and all(isinstance(part, Table) for part in parts):
            lists = [part.array() for part in parts]
            keys, values = (ops.concat(part, axis=0) for part in lists)
            found = Entries(keys, values, np.array([len(k) for k in lists[0]]), False, False)
        elif len(parts) == 2 and all(isinstance(part, Tensor) for part in parts):
            found = Entries(parts[0], parts[1], np.array([parts[0].size]), False, True)
        else:
            raise InputTypeError(
                f"{self.t7_typename}: Wrong input format: it takes a table of keys and values, of "
                f"tables of them, or of keys, values and sizes; given {input!r:.60}"
            )
        if found.keys.ndim != 1 or found.keys.shape != found.values.shape:
            raise ShapeError(
                f"{self.t7_typename}: keys and values should be 1D and of the same size; given "
                f"{found.keys.shape} and {found.values.shape}"
            )
        return found

    def _places(self, keys: Tensor) -> Tensor:
        places = ops.astype(keys, int64) + int(self.offset)
        size = self.weight.shape[0]
        if places.size and not 0 <= ops.min(places).item() <= ops.max(places).item() < size:
            raise BoundsError(
                f"{self.t7_typename} takes keys from {-self.offset} to {size - 1 - self.offset}; "
                f"given {ops.min(keys).item()} to {ops.max(keys).item()}"
            )
        return places

    def prepare(self, input: Any) -> None:
        entries = self.entries(as_input(input))
        places = self._places(entries.keys)
        counter = int(self.running["counter"])
        self.running["keys"][counter] = ops.astype(entries.keys, int64)
        total = np.cumsum(entries.sizes)
        self.running["cumSumSizes"][counter] = Tensor(total, device=places.device)
        if self.normalize:
            self.normalizedValues = self._normalized(places, entries.values)

    def _normalized(self, places: Tensor, values: Tensor) -> Tensor:
        """Return values as they count; in training keep the largest magnitude of each key."""
        index, x = (t.detach().to("cpu").numpy() for t in (places, values))
        known = self.weight.detach()[places].to("cpu").numpy()
        magnitude = np.abs(x)
        largest, inverse = known[:, LARGEST].copy(), known[:, INVERSE].copy()
        if self.train:
            # Each entry is divided by the largest of its key up to itself.
            for key in np.unique(index):
                there = np.flatnonzero(index == key)
                so_far = np.maximum.accumulate(np.maximum(magnitude[there], largest[there[0]]))
                grown = so_far > largest[there[0]]
                inverse[there] = np.where(grown, 1 / so_far, inverse[there])
                largest[there] = so_far
                row = self.weight.detach()[int(key)]
                row[LARGEST], row[INVERSE] = float(so_far[-1]), float(inverse[there[-1]])
                row[PACE] = 1
        scaled = np.where(magnitude > largest, np.sign(x), x * inverse) + known[:, SHIFT]
        return Tensor(scaled.astype(x.dtype), device=values.device)

    def compute(self, input: Any) -> Tensor:
        entries = self.entries(as_input(input))
        rows = ops.embedding(self.weight, self._places(entries.keys))
        values = entries.values
        if self.normalize:
            shift = rows[:, SHIFT]
            values = self._tensor("normalizedValues") + (shift - shift.detach())
            rows = rows[:, self.normalize :]
        terms = rows * ops.unsqueeze(values, 1)
        count = len(entries.sizes)
        y = ops.add(ops.embedding_gradient(terms, entries.samples, rows=count), self.bias)
        return y[0] if entries.single else y

    def _tensor(self, name: str) -> Tensor:
        value = vars(self)[name]
        assert isinstance(value, Tensor)
        return value

    def check_input(self, input: Any) -> None:
        """Check the values; keys are integers."""
        super().check_input(self.entries(as_input(input)).values)

    # -- backward -----------------------------------------------------------------------

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            self.gradInput = Table()
            if self.doGradInput:
                self._dense_gradient(self.entries(as_input(input)), gradOutput)
        return self.gradInput

    def _dense_gradient(self, entries: Entries, gradOutput: Tensor) -> None:
        if self.normalize:
            raise ModuleError("updateGradInput is not implemented in max-normalize mode")
        rows = ops.reshape(gradOutput, (-1, self.outputSize))
        g = ops.matmul(rows, ops.transpose(self.weight, 0, 1))
        keys = arange(1, self.weight.shape[0] + 1, device=g.device)
        if entries.flat:
            self.gradInput = Table([ops.tile(ops.unsqueeze(keys, 0), (g.shape[0], 1)), g])
        elif entries.single:
            self.gradInput = Table([keys, g[0]])
        else:
            count = range(g.shape[0])
            each = Table([ops.clone(keys) for _ in count]), Table([g[i] for i in count])
            self.gradInput = Table(list(each))

    def _counted(self, entries: Entries) -> Tensor:
        return self._tensor("normalizedValues") if self.normalize else entries.values

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            entries = self.entries(as_input(input))
            g = ops.reshape(gradOutput, (-1, self.outputSize)) * scale
            each = ops.embedding(g, entries.samples)
            found = each * ops.unsqueeze(self._counted(entries), 1)
            if self.normalize:
                found = ops.concat([each, found], axis=1)
            counter = int(self.running["counter"])
            self.running["gradWeight"][counter] = found
            self.gradBias.add_(ops.sum(g, axis=0))
            self.running["counter"] = counter + 1

    # -- parameters ---------------------------------------------------------------------

    def zeroGradParameters(self) -> None:
        self.gradBias.detach().zero_()
        self.running["counter"] = 1

    def updateParameters(self, learningRate: float) -> None:
        calls = range(1, int(self.running["counter"]))
        if not calls:
            return
        with as_torch():
            self.bias.sub_(self.gradBias * learningRate)
        for call in calls:
            gradients = self.running["gradWeight"][call].to("cpu").numpy()
            places = self._places(self.running["keys"][call]).to("cpu").numpy()
            self._step(places, gradients, learningRate)

    def _step(self, places: Any, gradients: Any, lr: float) -> None:
        """Step at these rows of the weight against gradients, one after the other."""
        if not places.size:
            return
        weight = self.weight.detach()
        touched, row_of = np.unique(places, return_inverse=True)
        index = Tensor(touched, device=weight.device)
        rows = weight[index].to("cpu").numpy()
        if self.normalize or self.weightDecay:
            for i, g in zip(row_of, gradients, strict=True):
                rows[i] = self._stepped(rows[i], g, lr)
        else:
            order = np.argsort(row_of, kind="stable")
            starts = np.searchsorted(row_of, np.arange(touched.size), sorter=order)
            rows = rows - np.add.reduceat(gradients[order], starts, axis=0) * lr
        weight[index] = Tensor(rows, dtype=weight.dtype, device=weight.device)

    def _stepped(self, row: Any, g: Any, lr: float) -> Any:
        """Return the row of the weight of one key after a step against its gradient."""
        row, decay = row.copy(), self.weightDecay
        if not self.normalize:
            return row - row * decay - g * lr
        lr, decay = lr * row[PACE], decay * row[PACE]
        count = self.outputSize
        weights = row[self.normalize :]
        row[SHIFT] -= (g[:count] * weights).sum() * lr
        if count == 1:
            decay = -decay  # as Torch7 has it for a single output
        row[self.normalize :] = weights - weights * decay - g[count:] * lr
        return row

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """Take a step along the gradients for this input, key by key."""
        with as_torch():
            entries = self.entries(as_input(input))
            g = ops.reshape(gradOutput, (-1, self.outputSize)) * lr
            self.bias.sub_(ops.sum(g, axis=0))
            each = ops.embedding(g, entries.samples).to("cpu").numpy()
            values = self._counted(entries).to("cpu").numpy()
            places = self._places(entries.keys).to("cpu").numpy()
            found = each * values[:, None]
            if self.normalize:
                found = np.concatenate([each, found], axis=1)
            self._step(places, found, 1)
            if self.normalize and self.outputSize == 1:
                self.weight.detach()[Tensor(places), PACE] = 0

    def parameters(self) -> tuple[list[Tensor], list[Any]]:
        """Return weight and bias, and for their gradients the table `running` and a tensor."""
        return [self.weight, self.bias], [self.running, self.gradBias]

    def clearState(self) -> Any:
        """Empty what the last calls left, the gradients of the weight among it."""
        self.running["keys"], self.running["gradWeight"] = Table(), Table()
        return super().clearState()
