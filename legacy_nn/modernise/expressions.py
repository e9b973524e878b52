"""The operations of expressions: what each computes, and how it is written in both languages.

A text is a Python expression over `a`, `b`, `c` (the arguments), `parts` (all of them) and the
names of the attributes. Texts that differ between the two are told apart by `torch`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import ones, zeros
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor

from .plan import BATCH


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of expression.

    Attributes
    ----------
    run : callable
        `run(*arguments, **attributes)` computes it with Rekindle's operations.
    text : str
        For Rekindle.
    torch : str
        For PyTorch, where that differs.
    repeats : bool
        Whether the text has an argument twice, which then must be a name.
    keywords : bool
        Whether all attributes are arguments of the call that the text is, by their names.
    helper, torch_helper : str
        A function that the texts call, to be written before them.
    """

    run: Callable[..., Any]
    text: str
    torch: str = ""
    repeats: bool = False
    keywords: bool = False
    helper: str = ""
    torch_helper: str = ""


def _shape(x: Tensor, shape: Sequence[Any]) -> list[int]:
    return [x.shape[0] if n == BATCH else n for n in shape]


def _select(x: Tensor, *, dim: int, index: int) -> Tensor:
    return ops.select(x, dim, index)


def _replicate(x: Tensor, *, dim: int, times: int) -> Tensor:
    return ops.stack([x] * times, axis=dim)


def _index(x: Tensor, *, base: int) -> Tensor:
    whole = ops.astype(x.detach(), "int64")
    return whole - base if base else whole


def _pad(x: Tensor, *, pad: Sequence[int], value: float = 0.0) -> Tensor:
    return F.pad(x, pad, value=value)


def _depth_cat(*parts: Tensor, dim: int) -> Tensor:
    largest = [max(sizes) for sizes in zip(*(x.shape for x in parts), strict=True)]
    return ops.concat([_centred(x, largest, dim) for x in parts], axis=dim)


def _centred(x: Tensor, sizes: list[int], dim: int) -> Tensor:
    border: list[int] = []
    for i in range(x.ndim - 1, -1, -1):
        missing = 0 if i == dim else sizes[i] - x.shape[i]
        border += [missing // 2, missing - missing // 2]
    return F.pad(x, border) if any(border) else x


def _unflatten(a: Tensor, b: Tensor) -> Tensor:
    return ops.reshape(a, (*b.shape[:2], *a.shape[1:]))


_DEPTH_CONCAT = '''
def depth_concat(tensors: list[Tensor], dim: int) -> Tensor:
    """Join tensors along a dimension; smaller ones are centred in zeros."""
    largest = [max(sizes) for sizes in zip(*(x.shape for x in tensors), strict=True)]
    padded = []
    for x in tensors:
        border: list[int] = []
        for i in reversed(range(x.ndim)):
            missing = 0 if i == dim else largest[i] - x.shape[i]
            border += [missing // 2, missing - missing // 2]
        padded.append(F.pad(x, border) if any(border) else x)
    return %s
'''


def _unpooling(ndim: int) -> dict[str, Operation]:
    """Return the operation that puts maxima of windows back, and that for padded images."""
    function = getattr(F, f"max_unpool{ndim}d")

    def run(a: Tensor, b: Tensor, c: Tensor, *, kernel: Any, padding: Any = 0) -> Tensor:
        unpooled: Tensor = function(a, b, kernel, padding=padding, output_size=c.shape[2:])
        return unpooled

    call = f"F.max_unpool{ndim}d(a, b, kernel%s, output_size=c.shape[2:])"
    return {
        f"unpool{ndim}d": Operation(run, call % ""),
        f"unpool{ndim}d_padded": Operation(run, call % ", padding=padding"),
    }


OPERATIONS: dict[str, Operation] = {
    # arithmetic
    "add": Operation(lambda a, b: a + b, "a + b"),
    "sub": Operation(lambda a, b: a - b, "a - b"),
    "mul": Operation(lambda a, b: a * b, "a * b"),
    "div": Operation(lambda a, b: a / b, "a / b"),
    "neg": Operation(lambda a: -a, "-a"),
    "pow": Operation(lambda a, b: a**b, "a**b"),
    "matmul": Operation(lambda a, b: a @ b, "a @ b"),
    "maximum": Operation(ops.maximum, "ops.maximum(a, b)", "torch.maximum(a, b)"),
    "minimum": Operation(ops.minimum, "ops.minimum(a, b)", "torch.minimum(a, b)"),
    # element by element
    "square": Operation(ops.square, "a.square()"),
    "sqrt": Operation(ops.sqrt, "a.sqrt()"),
    "exp": Operation(ops.exp, "a.exp()"),
    "log": Operation(ops.log, "a.log()"),
    "abs": Operation(ops.abs, "a.abs()"),
    "cos": Operation(ops.cos, "a.cos()"),
    "sin": Operation(ops.sin, "a.sin()"),
    "clamp": Operation(
        lambda a, *, low, high: ops.clamp(a, min=low, max=high), "a.clamp(min=low, max=high)"
    ),
    "at_least": Operation(lambda a, *, low: ops.clamp(a, min=low), "a.clamp(min=low)"),
    "less": Operation(lambda a, b: a < b, "a < b"),
    "greater": Operation(lambda a, b: a > b, "a > b"),
    "equal": Operation(lambda a, b: a == b, "a == b"),
    "where": Operation(ops.where, "ops.where(a, b, c)", "torch.where(a, b, c)"),
    # reductions
    "sum": Operation(lambda a, *, dim: ops.sum(a, axis=dim), "a.sum(axis=dim)", "a.sum(dim)"),
    "sum_kept": Operation(
        lambda a, *, dim: ops.sum(a, axis=dim, keepdims=True),
        "a.sum(axis=dim, keepdims=True)",
        "a.sum(dim, keepdim=True)",
    ),
    "sum_all": Operation(ops.sum, "a.sum()"),
    "mean": Operation(lambda a, *, dim: ops.mean(a, axis=dim), "a.mean(axis=dim)", "a.mean(dim)"),
    "mean_kept": Operation(
        lambda a, *, dim: ops.mean(a, axis=dim, keepdims=True),
        "a.mean(axis=dim, keepdims=True)",
        "a.mean(dim, keepdim=True)",
    ),
    "mean_all": Operation(ops.mean, "a.mean()"),
    "amax": Operation(lambda a, *, dim: ops.max(a, axis=dim), "a.max(axis=dim)", "a.amax(dim)"),
    "amin": Operation(lambda a, *, dim: ops.min(a, axis=dim), "a.min(axis=dim)", "a.amin(dim)"),
    "norm": Operation(
        lambda a, *, p, dim: ops.norm(a, p=p, axis=dim),
        "a.norm(p=p, axis=dim)",
        "torch.linalg.vector_norm(a, p, dim)",
    ),
    "norm_kept": Operation(
        lambda a, *, p, dim: ops.norm(a, p=p, axis=dim, keepdims=True),
        "a.norm(p=p, axis=dim, keepdims=True)",
        "torch.linalg.vector_norm(a, p, dim, keepdim=True)",
    ),
    # shapes
    "reshape": Operation(
        lambda a, *, shape: ops.reshape(a, _shape(a, shape)), "a.reshape(*shape)", repeats=True
    ),
    "reshape_like": Operation(lambda a, b: ops.reshape(a, b.shape), "a.reshape(b.shape)"),
    "flatten": Operation(
        lambda a, *, start: ops.flatten(a, start=start),
        "a.flatten(start=start)",
        "a.flatten(start)",
    ),
    "flatten_part": Operation(
        lambda a, *, start, end: ops.flatten(a, start=start, end=end),
        "a.flatten(start=start, end=end)",
        "a.flatten(start, end)",
    ),
    "unflatten": Operation(
        _unflatten,
        "a.reshape(*b.shape[:2], *a.shape[1:])",
        "a.unflatten(0, b.shape[:2])",
        repeats=True,
    ),
    "transpose": Operation(
        lambda a, *, first, second: ops.transpose(a, first, second), "a.transpose(first, second)"
    ),
    "permute": Operation(lambda a, *, order: ops.permute(a, order), "a.permute(*order)"),
    "unsqueeze": Operation(lambda a, *, dim: ops.unsqueeze(a, dim), "a.unsqueeze(dim)"),
    "squeeze": Operation(
        lambda a, *, dim: ops.squeeze(a, axis=dim), "a.squeeze(axis=dim)", "a.squeeze(dim)"
    ),
    "squeeze_all": Operation(lambda a: ops.squeeze(a), "a.squeeze()"),
    "replicate": Operation(
        _replicate,
        "ops.stack([a] * times, axis=dim)",
        "torch.stack([a] * times, dim)",
    ),
    "select": Operation(_select, "a.select(dim, index)"),
    "narrow": Operation(
        lambda a, *, dim, start, length: ops.narrow(a, dim, start, length),
        "a.narrow(dim, start, length)",
    ),
    "cut": Operation(
        lambda a, *, dim, start, less: ops.narrow(a, dim, start, a.shape[dim] - less),
        "a.narrow(dim, start, a.shape[dim] - less)",
        repeats=True,
    ),
    "halves": Operation(lambda a, *, dim: F.glu(a, dim), "F.glu(a, dim)"),
    "windows": Operation(
        lambda a, *, dim, size, step: ops.unfold(a, dim, size, step), "a.unfold(dim, size, step)"
    ),
    "cat": Operation(
        lambda *parts, dim: ops.concat(list(parts), axis=dim),
        "ops.concat([*parts], axis=dim)",
        "torch.cat([*parts], dim)",
    ),
    "stack": Operation(
        lambda *parts, dim: ops.stack(list(parts), axis=dim),
        "ops.stack([*parts], axis=dim)",
        "torch.stack([*parts], dim)",
    ),
    "for_each": Operation(
        lambda a, b: ops.expand(b, (a.shape[0], *b.shape)),
        "b.expand(a.shape[0], *b.shape)",
        repeats=True,
    ),
    "expand_as": Operation(lambda a, b: ops.expand(a, b.shape), "a.expand(b.shape)"),
    "ones_like": Operation(
        lambda a: ones(a.shape, a.dtype, a.device),
        "rekindle.ones(a.shape, a.dtype)",
        "torch.ones_like(a)",
        repeats=True,
    ),
    "mul_size": Operation(lambda a, b, *, dim: a * b.shape[dim], "a * b.shape[dim]"),
    "div_size": Operation(lambda a, b, *, dim: a / b.shape[dim], "a / b.shape[dim]"),
    "flip": Operation(lambda a, *, dim: ops.flip(a, dim), "a.flip(dim)"),
    "grid_sample": Operation(
        lambda a, b: ops.grid_sample(a, b, align_corners=True),
        "ops.grid_sample(a, b, align_corners=True)",
        "F.grid_sample(a, b, align_corners=True)",
    ),
    "depth_cat": Operation(
        _depth_cat,
        "depth_concat([*parts], dim)",
        helper=_DEPTH_CONCAT % "ops.concat(padded, axis=dim)",
        torch_helper=_DEPTH_CONCAT % "torch.cat(padded, dim)",
    ),
    **_unpooling(2),
    **_unpooling(3),
    "pad": Operation(_pad, "F.pad(a, pad)"),
    "pad_value": Operation(_pad, "F.pad(a, pad, value=value)"),
    # indices
    "index": Operation(_index, 'a.astype("int64") - base', "a.long() - base"),
    "rows": Operation(lambda a, b: F.embedding(a, b), "F.embedding(a, b)"),
    "take": Operation(
        lambda a, b, *, dim: ops.take(a, b, axis=dim),
        "a.take(b, axis=dim)",
        "a.index_select(dim, b)",
    ),
    "first": Operation(lambda a: a[0], "a[0]"),
    "argmax": Operation(
        lambda a, *, dim: ops.argmax(a, axis=dim), "a.argmax(axis=dim)", "a.argmax(dim)"
    ),
    "detach": Operation(lambda a: a.detach(), "a.detach()"),
    "masked": Operation(lambda a, b: ops.masked_select(a, b != 0), "a.masked_select(b != 0)"),
    # sequences, whose first dimension is the time
    "steps": Operation(lambda a: a, "a"),
    "state": Operation(
        lambda a, *, size: zeros((a.shape[1], size), a.dtype, a.device),
        "rekindle.zeros((a.shape[1], size), a.dtype)",
        "a.new_zeros(a.shape[1], size)",
        repeats=True,
    ),
    "any": Operation(
        lambda a, *, dim: ops.any(a != 0, axis=dim, keepdims=True),
        "(a != 0).any(axis=dim, keepdims=True)",
        "(a != 0).any(dim, keepdim=True)",
    ),
    # functions of layers
    "linear": Operation(lambda a, b, c=None: F.linear(a, b, c), "F.linear(a, b, c)"),
    "linear_no_bias": Operation(lambda a, b: F.linear(a, b), "F.linear(a, b)"),
    "sigmoid": Operation(ops.sigmoid, "a.sigmoid()"),
    "tanh": Operation(ops.tanh, "a.tanh()"),
    **{
        name: Operation(getattr(F, name), f"F.{name}(*parts)", keywords=True)
        for name in ("conv2d", "conv3d", "conv_transpose2d")
    },
    "patches": Operation(F.unfold, "F.unfold(*parts)", keywords=True),
    "softmax": Operation(
        lambda a, *, dim: ops.softmax(a, axis=dim), "a.softmax(axis=dim)", "a.softmax(dim)"
    ),
    "log_softmax": Operation(
        lambda a, *, dim: ops.log_softmax(a, axis=dim),
        "a.log_softmax(axis=dim)",
        "a.log_softmax(dim)",
    ),
}
"""By name."""


def run_operation(name: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """Return what an expression computes of the values of its arguments."""
    return OPERATIONS[name].run(*arguments, **attributes)
