"""Products of two inputs: nn.MM, MV and DotProduct."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import two_tensors
from .fields import empty_pair
from .module import Module, torch_class


@torch_class("nn.MM")
class MM(Module):
    """The product of two matrices, or of two batches of them.

    Parameters
    ----------
    transA, transB : bool, default False
        Whether the first or the second is transposed before.

    Source: torch/nn MM.lua.
    """

    def __init__(self, transA: bool | None = None, transB: bool | None = None) -> None:
        super().__init__()
        self.transA = bool(transA)
        self.transB = bool(transB)
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> Tensor:
        a, b = two_tensors(self, input, "input must be a pair of minibatch matrices")
        words = ""
        if a.ndim not in (2, 3):
            words = "input tensors must be 2D or 3D"
        elif b.ndim != a.ndim:
            words = f"second input tensor must be {a.ndim}D"
        elif a.shape[:-2] != b.shape[:-2]:
            words = "inputs must contain the same number of minibatches"
        if words:
            raise ShapeError(
                f"{words}: nn.MM takes two matrices, or two batches of as many matrices; "
                f"given shapes {a.shape} and {b.shape}"
            )
        a = ops.transpose(a, -2, -1) if self.transA else a
        b = ops.transpose(b, -2, -1) if self.transB else b
        if a.shape[-1] != b.shape[-2]:
            raise ShapeError(f"matrix sizes do not match: nn.MM is given {a.shape} and {b.shape}")
        return ops.matmul(a, b)


@torch_class("nn.MV")
class MV(Module):
    """The product of a matrix and a vector, or of batches of them.

    Parameters
    ----------
    trans : bool, default False
        Whether the matrix is transposed before.

    Source: torch/nn MV.lua.
    """

    def __init__(self, trans: bool | None = None) -> None:
        super().__init__()
        self.trans = bool(trans)
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> Tensor:
        m, v = two_tensors(self, input, "input must be a pair of minibatch matrices")
        words = ""
        if m.ndim not in (2, 3):
            words = "input matrix must be 2D or 3D"
        elif v.ndim != m.ndim - 1:
            words = f"vector must be {'1D' if m.ndim == 2 else '2D (batch dimension)'}"
        elif m.shape[:-2] != v.shape[:-1]:
            words = "inputs must contain the same number of minibatches"
        if words:
            raise ShapeError(
                f"{words}: nn.MV takes a matrix and a vector, or batches of as many; "
                f"given shapes {m.shape} and {v.shape}"
            )
        m = ops.transpose(m, -2, -1) if self.trans else m
        if m.shape[-1] != v.shape[-1]:
            raise ShapeError(
                "matrix row count and vector length do not match: "
                f"nn.MV is given {m.shape} and {v.shape}"
            )
        return ops.squeeze(ops.matmul(m, ops.unsqueeze(v, v.ndim)), axis=-1)


@torch_class("nn.DotProduct")
class DotProduct(Module):
    """The dot product of two vectors, or of the rows of two matrices.

    Source: torch/nn DotProduct.lua.
    """

    scratch = ("buffer",)

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> Tensor:
        a, b = rows_of_two(self, input)
        return ops.sum(a * b, axis=1)


def rows_of_two(module: Module, input: Any) -> tuple[Tensor, Tensor]:
    """Return two tensors of one shape as matrices; vectors become one row.

    Raises
    ------
    ShapeError
        If they are not two vectors or two matrices of one shape.
    """
    a, b = two_tensors(module, input)
    if a.ndim not in (1, 2) or a.shape != b.shape:
        raise ShapeError(
            f"input must be vector or matrix: {module.t7_typename} takes two of one shape; "
            f"given shapes {a.shape} and {b.shape}"
        )
    if a.ndim == 1:
        return ops.unsqueeze(a, 0), ops.unsqueeze(b, 0)
    return a, b
