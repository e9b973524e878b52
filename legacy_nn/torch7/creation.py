"""New tensors: constructors, zeros, ones, ranges, cat; and random numbers in tensors.

Source: torch7 generic/Tensor.c, TensorMath.lua, lib/TH/generic/THTensorMath.c, THTensorRandom.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor

from . import random
from .elements import from_table
from .errors import BadArgument, TorchError
from .functions import FLOATING, described
from .generator import Generator
from .memory import Array, dims, resize, shape, store, values, wrote
from .resizing import make_tensor


def construct(dtype: Dtype, args: Sequence[Any]) -> Tensor:
    """Return what `torch.DoubleTensor(...)` makes: of sizes, a table, a storage or a tensor."""
    if args and isinstance(args[0], (Table, list, tuple)):
        table = args[0] if isinstance(args[0], Table) else _nested(args[0])
        return from_table(dtype, table)
    return make_tensor(dtype, args)


def _nested(rows: Any) -> Any:
    return Table([_nested(row) for row in rows]) if isinstance(rows, (list, tuple)) else rows


def _filled(name: str, value: int) -> None:
    @described(name, "*res=new! sizes:sizes")
    def body(res: Tensor, sizes: Sequence[int]) -> None:
        resize(res, sizes)
        values(res)[...] = value
        wrote(res, name)


_filled("zeros", 0)
_filled("ones", 1)


@described("range", "*res=new! first:accreal last:accreal step:accreal=1")
def range_(res: Tensor, first: float, last: float, step: float) -> None:
    """Numbers from `first` to `last`, both included where they fit."""
    if step == 0:
        raise BadArgument(3, "step must be a non-null number")
    if (last - first) * step < 0:
        raise BadArgument(2, "upper bound and larger bound incoherent with step sign")
    count = int((last - first) / step + 1)
    _store_all(res, (first + np.arange(count) * step).astype(res.dtype), "range")


def _store_all(res: Tensor, array: Array, name: str) -> None:
    """Make `array` the elements of a tensor, which keeps its sizes if it has as many."""
    if res.size == array.size:
        array = array.reshape(shape(res))
    store(res, array, name)


def _spaced(res: Tensor, first: float, last: float, count: int) -> Array:
    if not (count > 1 or (count == 1 and first == last)):
        raise BadArgument(3, "invalid number of points")
    if count == 1:
        return np.full(1, first, res.dtype)
    real = res.dtype.type
    distances = np.arange(count, dtype=res.dtype) * real(last - first) / real(count - 1)
    return np.asarray(real(first) + distances)


@described("linspace", "*res=new! first:real last:real count:long=100", types=FLOATING)
def linspace(res: Tensor, first: float, last: float, count: int) -> None:
    """`count` numbers at equal distances, from `first` to `last`."""
    _store_all(res, _spaced(res, first, last, count), "linspace")


@described("logspace", "*res=new! first:real last:real count:long=100", types=FLOATING)
def logspace(res: Tensor, first: float, last: float, count: int) -> None:
    """10 to the power of `linspace`."""
    _store_all(res, np.power(res.dtype.type(10), _spaced(res, first, last, count)), "logspace")


# -- cat -----------------------------------------------------------------------------------


@described("cat", "*res=new a b dim:index=-1")
def cat(res: Tensor, a: Tensor, b: Tensor, dim: int) -> None:
    """Two tensors after each other; by default along the last dimension."""
    _cat(res, [a, b], dim)


@described("cat", "*res=new tensors:Array dim:index=-1")
def cat_table(res: Tensor, tensors: Any, dim: int) -> None:
    """Compute the tensors of a table after each other."""
    _cat(res, tensors.array() if isinstance(tensors, Table) else list(tensors), dim)


def _cat(res: Tensor, tensors: Sequence[Tensor], dim: int) -> None:
    ndim = max(dim + 1, *(dims(t) for t in tensors))
    along = max(ndim - 1, 0) if dim == -2 else dim
    if along < 0:
        raise BadArgument(4, f"invalid dimension {dim + 1}")
    filled = [t for t in tensors if t.size]
    if not filled:
        return
    parts = [values(t).reshape(shape(t) + (1,) * (ndim - dims(t))) for t in filled]
    first = list(parts[0].shape)
    for part in parts:
        sizes = list(part.shape)
        sizes[along] = first[along]
        if sizes != first:
            raise TorchError("inconsistent tensor sizes")
    if any(p.dtype != res.dtype for p in parts):
        raise TorchError("cat needs tensors of one type")
    store(res, np.concatenate(parts, axis=along), "cat")


# -- random numbers ---------------------------------------------------------------------------


def _of(generator: Generator | None) -> Generator:
    return random.default if generator is None else generator


@described("rand", "*res=new! gen:Generator=0 sizes:sizes", types=FLOATING)
def rand(res: Tensor, gen: Any, sizes: Sequence[int]) -> None:
    """Uniform numbers between 0 and 1."""
    random.uniform(resize(res, sizes), generator=_of(gen))


@described("randn", "*res=new! gen:Generator=0 sizes:sizes", types=FLOATING)
def randn(res: Tensor, gen: Any, sizes: Sequence[int]) -> None:
    """Draw normally distributed numbers."""
    random.normal(resize(res, sizes), generator=_of(gen))


@described("randperm", "*res=new! gen:Generator=0 n:long")
def randperm(res: Tensor, gen: Any, n: int) -> None:
    """Make the numbers 1 to n in random order."""
    if n <= 0:
        raise BadArgument(1, "must be strictly positive")
    store(res, _of(gen).permutation(n), "randperm")


@described("random", "gen:Generator=0 low:long high:long")
def random_between(gen: Any, low: int, high: int) -> int:
    """Return a random integer from `low` to `high`."""
    if high < low:
        raise BadArgument(2, "upper bound must be larger than lower bound")
    return int(_of(gen).integers(1, low, high).astype(np.int64)[0])


@described("random", "gen:Generator=0 high:long")
def random_to(gen: Any, high: int) -> int:
    """Return a random integer from 1 to `high`."""
    if high <= 0:
        raise BadArgument(1, "upper bound must be strictly positive")
    return int(_of(gen).integers(1, 1, high)[0])


@described("random", "gen:Generator=0")
def random_word(gen: Any) -> int:
    """Return a random integer from 0 to 2^32 - 1."""
    return int(_of(gen).words(1)[0])


@described("random", "*res gen:Generator=0 low:long high:long")
def fill_between(res: Tensor, gen: Any, low: int, high: int) -> None:
    """Random integers from `low` to `high`."""
    if high < low:
        raise BadArgument(2, "upper bound must be larger than lower bound")
    random.random(res, low, high, generator=_of(gen))


@described("random", "*res gen:Generator=0 high:long")
def fill_to(res: Tensor, gen: Any, high: int) -> None:
    """Random integers from 1 to `high`."""
    if high <= 0:
        raise BadArgument(1, "upper bound must be strictly positive")
    random.random(res, high, generator=_of(gen))


@described("random", "*res gen:Generator=0")
def fill_words(res: Tensor, gen: Any) -> None:
    """Random integers from 0 to what the type holds exactly."""
    random.random(res, generator=_of(gen))


@described("geometric", "gen:Generator=0 p:double")
def geometric_number(gen: Any, p: float) -> float:
    """How many trials of probability 1 - p until one succeeds."""
    _check_probability(p)
    return float(_of(gen).geometric(1, p)[0])


@described("geometric", "*res gen:Generator=0 p:double")
def geometric(res: Tensor, gen: Any, p: float) -> None:
    """Do the same, in a tensor."""
    _check_probability(p)
    random.geometric(res, p, generator=_of(gen))


def _check_probability(p: float) -> None:
    if not 0 < p < 1:
        raise BadArgument(1, "must be > 0 and < 1")


@described("bernoulli", "gen:Generator=0 p:double=0.5")
def bernoulli_number(gen: Any, p: float) -> float:
    """1 with probability p, else 0."""
    if not 0 <= p <= 1:
        raise BadArgument(1, "must be >= 0 and <= 1")
    return float(_of(gen).bernoulli(1, p)[0])


@described("bernoulli", "*res gen:Generator=0 p:double=0.5")
def bernoulli(res: Tensor, gen: Any, p: float) -> None:
    """Do the same, in a tensor."""
    if not 0 <= p <= 1:
        raise BadArgument(1, "must be >= 0 and <= 1")
    random.bernoulli(res, p, generator=_of(gen))


@described("bernoulli", "*res gen:Generator=0 p:FloatTensor", "*res gen:Generator=0 p:DoubleTensor")
def bernoulli_each(res: Tensor, gen: Any, p: Tensor) -> None:
    """With a probability for each element."""
    random.bernoulli(res, p, generator=_of(gen))


@described(
    "multinomial",
    "*res:LongTensor=new! gen:Generator=0 src count:int replace:boolean=false",
    types=FLOATING,
)
def multinomial(res: Tensor, gen: Any, src: Tensor, count: int, replace: bool) -> None:
    """Category numbers, from 1, drawn with the given probabilities."""
    drawn = random.multinomial(src, count, bool(replace), generator=_of(gen))
    store(res, values(drawn), "multinomial")


def _distribution(name: str, a: float, b: float) -> None:
    draw = {
        "uniform": Generator.uniform,
        "normal": Generator.normal,
        "cauchy": Generator.cauchy,
        "logNormal": Generator.log_normal,
    }[name]
    fill = {"logNormal": random.log_normal}.get(name) or getattr(random, name)

    @described(name, f"gen:Generator=0 a:double={a} b:double={b}", types=FLOATING)
    def number(gen: Any, a: float, b: float) -> float:
        return float(draw(_of(gen), 1, a, b)[0])

    @described(name, f"*res gen:Generator=0 a:real={a} b:real={b}", types=FLOATING)
    def tensor(res: Tensor, gen: Any, a: float, b: float) -> None:
        fill(res, a, b, generator=_of(gen))


for _name, _a, _b in (("uniform", 0, 1), ("normal", 0, 1), ("cauchy", 0, 1), ("logNormal", 1, 2)):
    _distribution(_name, _a, _b)


@described("exponential", "gen:Generator=0 rate:double", types=FLOATING)
def exponential_number(gen: Any, rate: float) -> float:
    """Return an exponentially distributed number of mean 1 / rate."""
    return float(_of(gen).exponential(1, rate)[0])


@described("exponential", "*res gen:Generator=0 rate:real", types=FLOATING)
def exponential(res: Tensor, gen: Any, rate: float) -> None:
    """Do the same, in a tensor."""
    random.exponential(res, rate, generator=_of(gen))
