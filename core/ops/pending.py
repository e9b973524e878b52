"""Convolutions and linear maps that wait for what follows them.

Batch normalisation with given moments, an addition and ReLU cost a pass over memory each, and
nothing where they are part of the convolution before them. So under a `Fuser` (fusing.py) a
convolution returns a `Pending` tensor, and what may follow it returns another one; the first
operation that needs the values computes them, all in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import backend
from ..autograd.versions import Cell, version_of
from ..backend import Device
from ..dtypes import Dtype, int64
from ..errors import UseError
from ..kernels import convolution, pooling, products
from ..kernels.announced import announce
from ..storage import Storage
from ..tensor import Tensor


@dataclass(slots=True)
class Work:
    """A convolution or a linear map, and what follows it. It is not changed once it is made.

    Parameters
    ----------
    kind : str
        "convolution", "transposed convolution" or "linear map".
    params : dict
        What the kernel takes beside arrays.
    x : array
        The input.
    written : tuple of (cell, int)
        Memory that must stay as it is until then, and its version.
    weight : Tensor
    bias : Tensor or None
    shape : tuple of int
        Of the result.
    place : int
        Names the weights among all others of the model.
    folded : bool
        Whether batch normalisation is part of weight and bias.
    residual : Tensor or None
        Added to the result.
    rectify : bool
        Whether ReLU comes last.
    """

    kind: str
    params: dict[str, Any]
    x: Any
    written: tuple[tuple[Cell, int], ...]
    weight: Tensor
    bias: Tensor | None
    shape: tuple[int, ...]
    place: int
    folded: bool = False
    residual: Tensor | None = None
    rectify: bool = False

    @property
    def dtype(self) -> Dtype:
        """Of the result."""
        dtype: Dtype = self.x.dtype
        return dtype

    @property
    def stage(self) -> tuple[Any, ...]:
        """What there is so far."""
        return self.place, self.folded, self.residual is not None, self.rectify

    @property
    def plain(self) -> bool:
        """Whether nothing but batch normalisation follows yet."""
        return self.residual is None and not self.rectify

    def normalised(self, weight: Tensor, bias: Tensor) -> Work:
        """Return the work with other weights, that batch normalisation is part of."""
        start = self.kind, self.params, self.x, self.written
        return Work(*start, weight, bias, self.shape, self.place, True)

    def plus(self, residual: Tensor) -> Work:
        """Return the work with a tensor added to the result."""
        watched = residual._version
        written = (*self.written, (watched, version_of(watched)))
        start = self.kind, self.params, self.x, written, self.weight, self.bias
        return Work(*start, self.shape, self.place, self.folded, residual)

    def rectified(self) -> Work:
        """Return the work with ReLU behind it."""
        start = self.kind, self.params, self.x, self.written, self.weight, self.bias
        return Work(*start, self.shape, self.place, self.folded, self.residual, True)

    def run(self) -> Any:
        """Return the result.

        Raises
        ------
        UseError
            If an operand was overwritten since.
        """
        unwritten(self.kind, self.written)
        weight = self.weight.array
        bias = None if self.bias is None else self.bias.array
        residual = None if self.residual is None else self.residual.array
        if self.kind == "convolution":
            announce(weight, self.weight._version)
            return convolution.convolution(
                np, self.x, weight, bias, residual, rectify=self.rectify, **self.params
            )
        if self.kind == "linear map":
            last = self.rectify and residual is None
            y = products.linear(np, self.x, weight, bias, rectify=last)
            if last:
                return y
        else:
            announce(weight, self.weight._version)
            y = convolution.convolution_input_gradient(np, self.x, weight, **self.params)
            if bias is not None:
                y += bias.reshape(-1, *(1,) * (y.ndim - 2))
        if residual is not None:
            y += residual
        return np.maximum(y, 0, out=y) if self.rectify else y


@dataclass(slots=True)
class Places:
    """Where the maxima of max pooling are, which is seldom asked.

    Parameters
    ----------
    params : dict
        Of the pooling.
    x : array
        The input.
    written : tuple of (cell, int)
        As of `Work`.
    shape : tuple of int
    start : int
        The number of the first place.
    """

    params: dict[str, Any]
    x: Any
    written: tuple[tuple[Cell, int], ...]
    shape: tuple[int, ...]
    start: int = 0

    @property
    def dtype(self) -> Dtype:
        """Of the result."""
        return int64

    @property
    def stage(self) -> tuple[Any, ...]:
        """What tells this pooling from others."""
        return "places", self.x.shape, *self.params.values()

    def run(self) -> Any:
        """Return the result; as of `Work`."""
        unwritten("max pooling", self.written)
        return pooling.max_pool(np, self.x, **self.params)[1] + self.start


def unwritten(kind: str, written: tuple[tuple[Cell, int], ...]) -> None:
    """Check that memory is as it was.

    Raises
    ------
    UseError
        If it was overwritten since.
    """
    for cell, version in written:
        if version_of(cell) != version:
            raise UseError(
                f"an optimised model waits with a {kind} until its result is needed, and "
                f"{cell['by']} has written into its input before: use the model itself"
            )


class Pending(Tensor):
    """A tensor whose values are computed when they are first needed.

    Parameters
    ----------
    work : Work or Places
    reused : set
        Is told the stages of results that were needed although something followed them.
    """

    __slots__ = ("followed", "reused", "work")

    work: Work | Places | None

    def __init__(self, work: Work | Places, reused: set[Any]) -> None:
        self._array = self._node = None
        self._version = {}
        self.work = work
        self.reused = reused
        self.followed = False

    @property
    def array(self) -> Any:
        """The array, computed now if it was not before."""
        if self._array is None:
            work = self.work
            assert work is not None
            if self.followed:
                self.reused.add(work.stage)
            self._array = work.run()
            self.work = None
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        work = self.work
        return self._array.shape if work is None else work.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def dtype(self) -> Dtype:
        """Type of the elements."""
        work = self.work
        return self._array.dtype if work is None else work.dtype

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return backend.CPU

    def stride(self) -> tuple[int, ...]:
        """Return the distance between neighbours in each dimension, in elements."""
        return tuple(s // self.array.itemsize for s in self.array.strides)

    def storage(self) -> Storage:
        """Return the storage that this tensor views."""
        self.array  # noqa: B018  # computes it
        return super().storage()

    def settled(self) -> Tensor:
        """Return an ordinary tensor with the values."""
        return Tensor._wrap(self.array)


def taken_over(target: Tensor, value: Any) -> bool:
    """Make a pending result that is to be written into a pending tensor what that tensor is.

    Return whether it was so.
    """
    if (
        type(target) is not Pending
        or type(value) is not Pending
        or target.work is None
        or target.shape != value.shape
        or target.dtype is not value.dtype
    ):
        return False
    target.work, target._array, target.followed = value.work, value._array, False
    return True
