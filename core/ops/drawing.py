"""Random numbers into tensors that are there: `x.uniform_()` and `x.normal_()`."""

from __future__ import annotations

from .. import random
from ..random import Generator
from ..tensor import Tensor
from .inplace import assign
from .methods import install_method


def uniform_(
    x: Tensor, low: float = 0.0, high: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill x with numbers spread evenly over [low, high), and return it.

    Parameters
    ----------
    x : Tensor, floating
        No gradient passes on to what it held.
    low, high : float
    generator : Generator, optional
        By default the default one of the device.

    Raises
    ------
    RandomError
        If high is not above low, or x is not where the generator draws.
    DtypeError
        If x is not floating.
    InplaceError
        If x is a leaf that requires gradients, outside of `no_grad`.
    """
    drawn = random.uniform(x.shape, low, high, dtype=x.dtype, device=x.device, generator=generator)
    return assign(x, ..., drawn, "uniform_")


def normal_(
    x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill x with normally distributed numbers, and return it.

    Parameters
    ----------
    x : Tensor, floating
        No gradient passes on to what it held.
    mean, std : float
    generator : Generator, optional
        By default the default one of the device.

    Raises
    ------
    RandomError, DtypeError, InplaceError
        As `uniform_`.
    """
    drawn = random.normal(x.shape, mean, std, dtype=x.dtype, device=x.device, generator=generator)
    return assign(x, ..., drawn, "normal_")


for _method in (uniform_, normal_):
    install_method(_method.__name__, _method)
