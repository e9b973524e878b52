"""What operations are compared with: Python's own arithmetic, one element or row at a time.

Families whose files are in `OWN_TESTS` are compared with their references there.
"""

import itertools
import math
import operator
import statistics

import numpy as np
from scipy import linalg

OWN_TESTS = {
    "activation": "test_activation.py",
    "average_pooling": "test_pooling.py",
    "batch_normalization": "test_normalization.py",
    "classification_losses": "test_losses.py",
    "convolution": "test_convolution.py",
    "convolution_gradient": "test_convolution.py",
    "contraction": "test_einsum.py",
    "factorization": "test_factorization.py",
    "gated_activation": "test_activation.py",
    "gathering": "test_gathering.py",
    "indexing": "test_indexing.py",
    "interpolation": "test_interpolation.py",
    "layer_normalization": "test_normalization.py",
    "normalization": "test_normalization.py",
    "padding": "test_padding.py",
    "pooling": "test_pooling.py",
    "softmax": "test_softmax.py",
    "softmax_loss": "test_losses.py",
    "solving": "test_solving.py",
    "sorting": "test_sorting.py",
    "spectral": "test_factorization.py",
}


def each(function):
    """Return the elementwise version of a function of Python numbers; operands broadcast."""

    def elementwise(*arrays):
        rows = np.broadcast_arrays(*arrays)
        values = [
            function(*numbers) for numbers in zip(*(r.ravel().tolist() for r in rows), strict=True)
        ]
        return np.array(values).reshape(rows[0].shape)

    return elementwise


def rows(function):
    """Return the reduction that applies a function of a list of Python numbers."""

    def reduced(x, *, axis=None, keepdims=False, **params):
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        axes = [a % x.ndim for a in axes]
        kept = [a for a in range(x.ndim) if a not in axes]
        shape = [x.shape[a] for a in kept]
        flat = x.transpose(kept + axes).reshape(math.prod(shape), -1)
        values = np.array([function(row, **params) for row in flat.tolist()]).reshape(shape)
        return np.expand_dims(values, tuple(axes)) if keepdims else values

    return reduced


def lines(function):
    """Return the function of lists of Python numbers, applied along one axis."""

    def along(x, *, axis):
        return np.apply_along_axis(lambda row: list(function(row.tolist())), axis, x)

    return along


def variance(row, correction=0.0):
    return statistics.pvariance(row) * len(row) / (len(row) - correction)


def linear(x, weight, bias):
    y = np.einsum("...i,oi->...o", x, weight)
    return y if bias is None else y + bias


def matmul(x, y):
    if x.ndim == 1 or y.ndim == 1:
        return np.tensordot(x, y, (-1, max(y.ndim - 2, 0)))
    return np.einsum("...ij,...jk->...ik", x, y)


def flatten(x, *, start=0, end=-1):
    shape = list(x.shape)
    shape[start : shape.index(shape[end]) + 1] = [-1]
    return np.array(x.ravel().tolist()).reshape(shape)


def replaced(x, value, index):
    whole = x.tolist()
    if isinstance(index, tuple):
        rows, column = index
        for i in range(rows.start, rows.stop):
            whole[i][column] = value
    else:
        for i, row in zip(index.tolist(), value.tolist(), strict=True):
            whole[i] = row
    return np.array(whole)


def polygamma(v, n):
    """Return derivative n of digamma: steps to large v, then the asymptotic series there."""
    total = 0.0
    while v < 30:
        total -= 1 / v if n == 0 else (-1) ** n * math.factorial(n) / v ** (n + 1)
        v += 1
    bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66]
    if n == 0:
        series = [b / (2 * k * v ** (2 * k)) for k, b in enumerate(bernoulli, 1)]
        return total + math.log(v) - 1 / (2 * v) - sum(series)
    series = [
        b * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * v ** (2 * k + n))
        for k, b in enumerate(bernoulli, 1)
    ]
    leading = math.factorial(n - 1) / v**n + math.factorial(n) / (2 * v ** (n + 1))
    return total + (-1) ** (n + 1) * (leading + sum(series))


def rolled(x, shift, axis):
    if axis is None:
        return rolled(x.ravel(), shift, 0).reshape(x.shape)
    if isinstance(axis, int):
        n = x.shape[axis]
        return np.take(x, [(i - shift) % n for i in range(n)], axis)
    return rolled(rolled(x, shift[0], axis[0]), shift[1:], axis[1:]) if axis else x


def overlapped(x, axis, step, length):
    windows = np.moveaxis(x, axis % (x.ndim - 1), 0)
    total = np.zeros((length, *windows.shape[1:-1]))
    for i, window in enumerate(windows):
        for k in range(x.shape[-1]):
            total[i * step + k] += window[..., k]
    return np.moveaxis(total, 0, axis % (x.ndim - 1))


def blocks(x, repetitions):
    return [blocks(x, repetitions[1:]) if repetitions[1:] else x] * repetitions[0]


def masked_scatter(x, mask, source):
    values = iter(source.ravel().tolist())
    return each(lambda v, m: next(values) if m else v)(x, mask)


def scattered(x, index, source, *, axis):
    result = x.tolist()
    source = np.broadcast_to(source, index.shape)
    for place in np.ndindex(index.shape):
        target = list(place)
        target[axis] = index[place]
        row = result
        for i in target[:-1]:
            row = row[i]
        row[target[-1]] = source[place]
    return np.array(result)


REFERENCES = {
    # arithmetic
    "add": each(operator.add),
    "subtract": each(operator.sub),
    "multiply": each(operator.mul),
    "divide": each(operator.truediv),
    "floor_divide": each(operator.floordiv),
    "remainder": each(operator.mod),
    "power": each(operator.pow),
    "maximum": each(max),
    "minimum": each(min),
    "negative": each(operator.neg),
    "abs": each(abs),
    "sign": each(lambda v: (v > 0) - (v < 0)),
    "square": each(lambda v: v * v),
    # comparison
    "equal": each(operator.eq),
    "not_equal": each(operator.ne),
    "less": each(operator.lt),
    "less_equal": each(operator.le),
    "greater": each(operator.gt),
    "greater_equal": each(operator.ge),
    "bitwise_and": each(operator.and_),
    "bitwise_or": each(operator.or_),
    "bitwise_xor": each(operator.xor),
    "bitwise_invert": each(lambda v: not v if isinstance(v, bool) else ~v),
    "isinf": each(math.isinf),
    "isnan": each(math.isnan),
    "isfinite": each(math.isfinite),
    "where": each(lambda c, a, b: a if c else b),
    # conversion
    "astype": lambda x, dtype: np.array(x.tolist(), dtype),
    "to": lambda x, device: x,
    # dropout
    "masked_scale": lambda x, mask, scale: np.where(mask, x * scale, 0),
    # exponential
    "sqrt": each(math.sqrt),
    "exp": each(math.exp),
    "expm1": each(math.expm1),
    "log": each(math.log),
    "log1p": each(math.log1p),
    "rsqrt": each(lambda v: 1 / math.sqrt(v)),
    "reciprocal": each(lambda v: 1 / v),
    "exp2": each(math.exp2),
    "log2": each(math.log2),
    "log10": each(math.log10),
    "logaddexp": each(lambda a, b: math.log(math.exp(a) + math.exp(b))),
    # trigonometric
    "sin": each(math.sin),
    "cos": each(math.cos),
    "tan": each(math.tan),
    "asin": each(math.asin),
    "acos": each(math.acos),
    "atan": each(math.atan),
    "atan2": each(math.atan2),
    "hypot": each(math.hypot),
    "sinh": each(math.sinh),
    "cosh": each(math.cosh),
    "asinh": each(math.asinh),
    "acosh": each(math.acosh),
    "atanh": each(math.atanh),
    # rounding
    "floor": each(lambda v: float(math.floor(v))),
    "ceil": each(lambda v: float(math.ceil(v))),
    "round": each(lambda v: float(round(v))),
    "trunc": each(lambda v: float(math.trunc(v))),
    # special
    "erf": each(math.erf),
    "erfc": each(math.erfc),
    "erfinv": each(lambda v: statistics.NormalDist().inv_cdf((v + 1) / 2) / math.sqrt(2)),
    "lgamma": each(math.lgamma),
    "digamma": each(lambda v: polygamma(v, 0)),
    "polygamma": lambda x, n: each(lambda v: polygamma(v, n))(x),
    # cumulative
    "cumsum": lines(itertools.accumulate),
    "cumprod": lines(lambda row: itertools.accumulate(row, operator.mul)),
    # masking
    "masked_select": lambda x, mask: np.array(
        [v for v, m in zip(*(a.ravel() for a in np.broadcast_arrays(x, mask)), strict=True) if m]
    ),
    "masked_fill": lambda x, mask, value: each(lambda v, m, w: w if m else v)(x, mask, value),
    "masked_scatter": masked_scatter,
    # linalg
    "matmul": matmul,
    "scaled_matmul": lambda x, y, factor: factor * matmul(x, y),
    "linear": linear,
    # reduction
    "sum": rows(math.fsum),
    "prod": rows(math.prod),
    "mean": rows(statistics.fmean),
    "var": rows(variance),
    "std": rows(lambda row, correction=0.0: math.sqrt(variance(row, correction))),
    "max": rows(max),
    "min": rows(min),
    "argmax": rows(lambda row: row.index(max(row))),
    "argmin": rows(lambda row: row.index(min(row))),
    "any": rows(any),
    "all": rows(all),
    "count_nonzero": rows(lambda row: sum(v != 0 for v in row)),
    "norm": rows(lambda row, p=2.0: linalg.norm(row, p)),
    # shape
    "clone": lambda x: x,
    "contiguous": lambda x: x,
    "reshape": lambda x, shape: np.array(x.ravel().tolist()).reshape(shape),
    "flatten": flatten,
    "transpose": lambda x, a, b: np.swapaxes(x, a, b),
    "permute": lambda x, axes: np.moveaxis(x, axes, range(x.ndim)),
    "expand": lambda x, shape: x * np.ones(shape),
    "squeeze": lambda x, axis=None: np.squeeze(x, axis),
    "unsqueeze": lambda x, axis: np.expand_dims(x, axis),
    "roll": lambda x, shift, axis=None: rolled(x, shift, axis),
    "flip": lambda x, axes: np.flip(x, axes),
    # parts
    "narrow": lambda x, axis, start, length: np.take(x, range(start, start + length), axis),
    "select": lambda x, axis, index: np.take(x, index, axis),
    "unfold": lambda x, axis, size, step: np.stack(
        [
            np.moveaxis(np.take(x, range(i, i + size), axis), axis, -1)
            for i in range(0, x.shape[axis] - size + 1, step)
        ],
        axis % x.ndim,
    ),
    "overlap_add": overlapped,
    # joining
    "concat": lambda *arrays, axis: np.concatenate(arrays, axis),
    "stack": lambda *arrays, axis: np.stack(arrays, axis),
    "tile": lambda x, repetitions: np.block(
        blocks(
            x.reshape((1,) * (len(repetitions) - x.ndim) + x.shape),
            (1,) * (x.ndim - len(repetitions)) + tuple(repetitions),
        )
    ),
    "repeat": lambda x, repeats, axis=None: np.repeat(x, repeats, axis),
    # diagonals
    "tril": lambda x, k=0: x * (np.arange(x.shape[-1]) <= np.arange(x.shape[-2])[:, None] + k),
    "triu": lambda x, k=0: x * (np.arange(x.shape[-1]) >= np.arange(x.shape[-2])[:, None] + k),
    "diagonal": lambda x, offset=0: np.diagonal(x, offset, -2, -1),
    "diag_embed": lambda x, offset=0: np.reshape(
        [np.diag(row, offset) for row in x.reshape(-1, x.shape[-1])],
        (*x.shape[:-1], x.shape[-1] + abs(offset), x.shape[-1] + abs(offset)),
    ),
    # sums
    "affine": each(lambda x, a, c: x * a + c),
    "sum_products": lambda x, y, axes: (x * y).sum(axis=tuple(axes), keepdims=True),
    "linear_combination": each(lambda x, y, a, b, c: x * a + y * b + c),
    # writing
    "converted": lambda x, source: np.broadcast_to(source, x.shape),
    "index_put": replaced,
    "index_spread": lambda x, shape, index: np.array(
        [
            sum((r for i, r in zip(index, x, strict=True) if i == k), 0 * x[0])
            for k in range(shape[0])
        ]
    ),
    "write_view": lambda x, value, chain: np.broadcast_to(value, x.shape),
    "scatter": scattered,
    "zeros_of": lambda x, shape: np.full(shape, 0.0),
}
