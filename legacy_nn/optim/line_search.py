"""optim.lswolfe and optim.polyinterp: a line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .state import Objective, Settings, dot, evaluated, optimiser, option, ratio

Point = tuple[float, float, Tensor]
"""A step length, f there, and the gradient there."""


@optimiser
def lswolfe(
    opfunc: Objective,
    x: Tensor,
    t: float,
    d: Tensor,
    f: float,
    g: Tensor,
    gtd: float,
    options: Settings = None,
) -> tuple[float, Tensor, Tensor, float, int]:
    """Find a step along `d` that decreases f enough and flattens it.

    Parameters
    ----------
    opfunc : callable
        Returns f(x) and its gradient.
    x : Tensor, shape (n,)
        Where to start; moved to the point found.
    t : float
        First length to try.
    d : Tensor, shape (n,)
        A direction of descent.
    f, g, gtd : float, Tensor, float
        f, its gradient and its slope along `d` at the start.
    options : dict or Table, optional
        c1 (1e-4), c2 (0.9), tolX (1e-9), maxIter (20), verbose (false).

    Returns
    -------
    f, g : float, Tensor
        At the point found.
    x : Tensor
    t : float
        The length of the step.
    evaluations : int

    Source: torch/optim lswolfe.lua; Nocedal and Wright, chapter 3.
    """
    options = {} if options is None else options
    c1, c2 = option(options, "c1", 1e-4), option(options, "c2", 0.9)
    most = option(options, "maxIter", 20)
    start = x.detach().clone()

    def at(t: float) -> Point:
        x.copy_(start + d * t)
        f_new, g_new = evaluated(opfunc, x)
        return t, f_new, g_new.clone()

    new = at(t)
    evaluations, iterations = 1, 0
    previous: Point = (0, f, g.clone())
    bracket: list[Point] = []
    done = False
    while iterations < most:
        slope = dot(new[2], d)
        if new[1] > f + c1 * new[0] * gtd or (iterations > 1 and new[1] >= previous[1]):
            bracket = [previous, new]
        elif abs(slope) <= -c2 * gtd:
            bracket, done = [new], True
        elif slope >= 0:
            bracket = [previous, new]
        if bracket:
            break
        least = new[0] + 0.01 * (new[0] - previous[0])
        points = [(p[0], p[1], dot(p[2], d)) for p in (previous, new)]
        previous, new = new, at(polyinterp(points, least, new[0] * 10)[0])
        evaluations += 1
        iterations += 1
    if iterations == most:
        bracket = [(0, f, g), new]
    stuck = False
    while not done and iterations < most:
        low = _lowest(bracket)
        high = 1 - low
        length = polyinterp([(p[0], p[1], dot(p[2], d)) for p in bracket])[0]
        length, stuck = _kept_inside(length, bracket[0][0], bracket[1][0], stuck)
        new = at(length)
        evaluations += 1
        iterations += 1
        slope = dot(new[2], d)
        if new[1] > f + c1 * length * gtd or new[1] >= bracket[low][1]:
            bracket[high] = new
        else:
            if abs(slope) <= -c2 * gtd:
                done = True
            elif slope * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
        width = bracket[0][0] - bracket[1][0]
        if not done and abs(width * slope) < option(options, "tolX", 1e-9):
            break
    if iterations == most and option(options, "verbose", False):
        print("<optim.lswolfe> ", "reached max number of iterations", sep="\t")
    length, f_best, g_best = bracket[_lowest(bracket)]
    x.copy_(start + d * length)
    return f_best, g_best, x, length, evaluations


def _lowest(bracket: list[Point]) -> int:
    return min(range(len(bracket)), key=lambda i: bracket[i][1])


def _kept_inside(t: float, a: float, b: float, stuck: bool) -> tuple[float, bool]:
    """Move a length away from the ends of its bracket if it comes near twice, or leaves it."""
    low, high = min(a, b), max(a, b)
    tenth = 0.1 * (high - low)
    if high == low or min(high - t, t - low) / (high - low) >= 0.1:
        return t, False
    if stuck or t >= high or t <= low:
        return (high - tenth if abs(t - high) < abs(t - low) else low + tenth), False
    return t, True


def polyinterp(
    points: Iterable[Any], low: float | None = None, high: float | None = None
) -> tuple[float, float | None]:
    """Return where the polynomial through points is smallest, and its value.

    Parameters
    ----------
    points : sequence of (x, f, slope), or Tensor of shape (n, 3)
    low, high : float, optional
        Where to look; by default between the points. Two points without bounds take the
        closed form of the cubic, which gives no value.

    Returns
    -------
    position : float
    value : float or None

    Source: torch/optim polyinterp.lua.
    """
    points = [(float(x), float(f), float(slope)) for x, f, slope in points]
    if len(points) == 2 and low is None and high is None:
        return _cubic(*sorted(points, key=lambda p: p[0])), None
    order = len(points) * 2 - 1
    where = [p[0] for p in points]
    low = min(where) if low is None else low
    high = max(where) if high is None else high
    powers = np.arange(order, -1, -1)
    rows = [x ** powers.astype(float) for x, _, _ in points]
    rows += [np.array([p * x ** (p - 1.0) if p > 0 else 0.0 for p in powers]) for x, _, _ in points]
    values = [f for _, f, _ in points] + [s for _, _, s in points]
    coefficients: Any = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    coefficients[np.abs(coefficients) <= 1e-12] = 0
    slope = coefficients[:-1] * powers[:-1]
    candidates = [low, high, *where]
    if np.isfinite(slope).all():
        slope[np.abs(slope) < 1e-12] = 0
        candidates += [r.real for r in np.roots(slope) if r.imag == 0]
    best, smallest = (low + high) / 2, math.inf
    for x in candidates:
        if low <= x <= high and (value := float(np.polyval(coefficients, x))) < smallest:
            best, smallest = float(x), value
    return best, smallest


def _cubic(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """Return the minimum between two points of the cubic that fits values and slopes."""
    if a[0] == b[0]:
        return a[0]
    d1 = a[2] + b[2] - 3 * (a[1] - b[1]) / (a[0] - b[0])
    square = d1 * d1 - a[2] * b[2]
    if not square >= 0:
        return (a[0] + b[0]) / 2
    d2 = math.sqrt(square)
    t = b[0] - (b[0] - a[0]) * ratio(b[2] + d2 - d1, b[2] - a[2] + 2 * d2)
    return a[0] if t != t else min(max(t, a[0]), b[0])
