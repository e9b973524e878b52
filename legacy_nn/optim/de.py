"""optim.de: differential evolution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.creation import empty, zeros
from rekindle.core.tensor import Tensor

from ..torch7 import random
from ..torch7.generator import Generator
from .state import OptimError, Settings, optimiser

Array = np.ndarray[Any, Any]


@optimiser
def de(
    opfunc: Callable[[Tensor], Any], x: Tensor, config: Settings, state: Settings = None
) -> tuple[Tensor, Tensor]:
    """Minimise without gradients by differential evolution.

    Parameters
    ----------
    opfunc : callable
        Returns f(x); a gradient beside it is not used.
    x : Tensor, shape (n,)
        Only its size and type matter: the first generation is drawn from the region.
    config : dict or Table
        maxFEs, scaleFactor and crossoverRate, which have no defaults in Torch7 either; popsize
        (10 n), minRegion (-30), maxRegion (30).
    state
        Not used, as in Torch7.

    Returns
    -------
    x : Tensor, shape (n,)
        The best point found.
    fs : Tensor, shape (maxFEs,)
        f at each point that was tried, in order; 0 where fewer than maxFEs were.

    Raises
    ------
    OptimError
        If an option without a default is missing, if fewer than three points cannot give
        differences, or if the generations do not fit into maxFEs.

    Notes
    -----
    Draws from a random stream of its own, seeded with 1, as in Torch7.

    Source: torch/optim de.lua; Storn and Price 1997, "Differential Evolution".
    """
    settings: Any = config
    missing = [n for n in ("maxFEs", "scaleFactor", "crossoverRate") if settings.get(n) is None]
    if missing:
        raise OptimError(f"de needs {' and '.join(missing)} in its config")
    n, most, scale = x.size, int(settings["maxFEs"]), settings["scaleFactor"]
    count = int(_or(settings.get("popsize"), 10 * n))
    _check(count, most)
    stream = Generator(1)
    whole = empty((count, n), x.dtype)
    region = _or(settings.get("minRegion"), -30), _or(settings.get("maxRegion"), 30)
    random.uniform(whole, *region, generator=stream)
    points = whole.numpy()
    children = np.empty_like(points)
    tried: list[Any] = []

    def value(point: Array) -> Any:
        result = opfunc(Tensor(point, device=x.device))
        tried.append(x.dtype.type(float(result[0] if isinstance(result, tuple) else result)))
        return tried[-1]

    values = [value(point) for point in points]
    least = max(values)  # as in Torch7: the search starts from the worst point
    best = points[values.index(least)].copy()
    while len(tried) + 1 < most:
        for i in range(count):
            first = _draw(stream, count, i)
            second = _draw(stream, count, i, first)
            chosen = int(stream.integers(1, 1, n)[0])
            for j in range(n):
                # Torch7 compares the number of the point, not that of the coordinate.
                if stream.uniform(1)[0] < settings["crossoverRate"] or i + 1 == chosen:
                    step = float(points[first, j]) - float(points[second, j])
                    children[i, j] = float(best[j]) + scale * step
                else:
                    children[i, j] = points[i, j]
            value(children[i])
        for i, f in enumerate(tried[-count:]):
            if f <= values[i]:
                points[i] = children[i]
                values[i] = f
                if f < least:
                    least = f
                    best = children[i].copy()
    fs = zeros(most, x.dtype)
    fs.numpy()[: len(tried)] = tried
    return Tensor(best, device=x.device), fs


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _check(count: int, most: int) -> None:
    generations = max(1, math.ceil((most - 1) / count)) if count > 0 else 0
    if count < 3 or generations * count > most:
        raise OptimError(
            f"de tries whole generations of at least 3 points: {generations} generations of "
            f"{count} do not fit into a maxFEs of {most}; give a multiple of popsize"
        )


def _draw(stream: Generator, count: int, *others: int) -> int:
    """Draw the place of a point, from 0, that is none of `others`."""
    while True:
        place = int(stream.integers(1, 1, count)[0]) - 1
        if place not in others:
            return place
