"""The outputs of the plain modules of a graph in Torch's protocol, as functions of values.

Where the module's output has the size already that it will have, the values are computed right
into its memory, as Torch7 does. A function returns NotImplemented where anything else is not as
usual: then the module itself is called.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from rekindle.core import ops
from rekindle.core.autograd.versions import count_write
from rekindle.core.dtypes import Dtype
from rekindle.core.kernels.chains import LARGE
from rekindle.core.ops.adoption import HELD_HERE, adopted
from rekindle.core.tensor import Tensor

from ..identity import Identity
from ..linear import Linear
from ..module import replace_contents
from ..shape import Reshape, View
from ..softmax import LogSoftMax, SoftMax
from ..table import SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh
from .steps import slices

Renewal = Callable[..., Any]
"""Takes the values that a node receives, by position; returns the `output` of its module, or
NotImplemented."""

_BYTES = 4 * LARGE
"""Bytes from which on operations have ways of their own; see core/ops/fast.py."""


def _sigmoid_into(x: Any, out: Any) -> None:
    np.negative(x, out)
    np.exp(out, out)
    np.add(1, out, out)
    np.divide(1, out, out)


def _of_one(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Dtype], Renewal]:
    def make(module: Any, dtype: Dtype) -> Renewal:
        def renew(x: Any) -> Any:
            own = module.output
            if not type(x) is type(own) is Tensor:
                return NotImplemented
            a, out = x._array, own.array
            if not (
                type(a) is type(out) is ndarray
                and a.dtype is out.dtype is dtype
                and a.shape == out.shape
                and out.flags.carray
                and out.nbytes < _BYTES
            ):
                return NotImplemented
            compute(a, out)
            count_write(own._version, "copy_")
            return own

        return renew

    return make


def _of_two(compute: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Dtype], Renewal]:
    def make(module: Any, dtype: Dtype) -> Renewal:
        def renew(x: Any, y: Any) -> Any:
            own = module.output
            if module.inplace or not type(x) is type(y) is type(own) is Tensor:
                return NotImplemented
            a, b, out = x._array, y._array, own.array
            if not (
                type(a) is type(b) is type(out) is ndarray
                and a.dtype is b.dtype is out.dtype is dtype
                and a.shape == b.shape == out.shape
                and out.flags.carray
                and out.nbytes < _BYTES
            ):
                return NotImplemented
            compute(a, b, out)
            count_write(own._version, "copy_")
            return own

        return renew

    return make


def _linear(module: Any, dtype: Dtype) -> Renewal:
    compute = ops.linear.forward

    def renew(x: Any) -> Any:
        if type(x) is not Tensor or type(a := x._array) is not ndarray or a.dtype is not dtype:
            return NotImplemented
        w, bias = module.weight.array, module.bias
        if a.ndim != 2 or type(w) is not ndarray or a.shape[1] != w.shape[1]:
            return NotImplemented
        b = None if bias is None else bias.array
        return _taken(module, Tensor._wrap(compute(np, a, w, b)))

    return renew


def _computed(module: Any, dtype: Dtype) -> Renewal:
    def renew(x: Any) -> Any:
        if type(x) is not Tensor or x.dtype is not dtype:
            return NotImplemented
        return _taken(module, module.compute(x))

    return renew


def _taken(module: Any, result: Any) -> Any:
    """Return the module's `output` with a fresh result in it, which the caller lets go."""
    output = module.output
    if getrefcount(result) == HELD_HERE and adopted(output, result):
        return output
    kept = replace_contents(output, result)
    if kept is not output:
        module.__dict__["output"] = kept
    return kept


def _viewed(module: Any, dtype: Dtype) -> Renewal:
    def renew(x: Any) -> Any:
        own = module.output
        if (
            type(x) is type(own) is Tensor
            and own._version is x._version
            and own.shape == tuple(module.shape_for(x))
            and is_whole(own._array, x._array)
        ):
            return own
        kept = module.__dict__["output"] = module.keep(x, module.compute(x))
        return kept

    return renew


def is_whole(part: Any, array: Any) -> bool:
    """Whether an array without gaps is all of the memory of another one, which owns it."""
    return (
        type(part) is type(array) is ndarray
        and part.base is array
        and part.nbytes == array.nbytes
        and part.flags.c_contiguous
        and array.flags.c_contiguous
    )


def _split(module: Any, dtype: Dtype) -> Renewal:
    def renew(x: Any) -> Any:
        if type(x) is not Tensor or type(x.array) is not ndarray:
            return NotImplemented
        output = module.__dict__["output"] = slices(x, module.axis(x.ndim))
        return output

    return renew


def _itself(module: Any, dtype: Dtype) -> Renewal:
    def renew(x: Any) -> Any:
        if x is None:
            return NotImplemented
        module.__dict__["output"] = x
        return x

    return renew


RENEWALS: dict[type, Callable[[Any, Dtype], Renewal]] = {
    Sigmoid: _of_one(_sigmoid_into),
    Tanh: _of_one(np.tanh),
    CAddTable: _of_two(np.add),
    CMulTable: _of_two(np.multiply),
    Linear: _linear,
    SoftMax: _computed,
    LogSoftMax: _computed,
    View: _viewed,
    Reshape: _viewed,
    SplitTable: _split,
    Identity: _itself,
}
"""What makes the function of a module, given its dtype."""
