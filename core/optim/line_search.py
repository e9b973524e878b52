"""A line search for the strong Wolfe conditions, by cubic interpolation.

Source: Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6; Schmidt's
minFunc, from which Torch7's lswolfe and PyTorch's search derive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Evaluate = Callable[[float], "Point"]


@dataclass(frozen=True)
class Point:
    """A place on the line: the step, the loss, the gradient, and its slope along the line."""

    t: float
    f: float
    g: Any
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Return where the cubic through two points with slopes is least, within bounds."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    if a.t <= b.t:
        place = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        place = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(place, low), high)


def strong_wolfe(
    evaluate: Evaluate,
    start: Point,
    t: float,
    length: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
    max_iter: int = 25,
) -> tuple[Point, int]:
    """Find a step that lowers the loss enough and flattens it enough.

    Parameters
    ----------
    evaluate : callable
        Returns the `Point` of a step.
    start : Point
        That of step 0.
    t : float
        The first step to try.
    length : float
        The largest element of the direction, of which `tolerance` is a multiple.
    c1, c2 : float
        The constants of the two conditions.

    Returns
    -------
    tuple of Point and int
        The point found, and how often the loss was computed.
    """

    def falls(p: Point) -> bool:
        return p.f <= start.f + c1 * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -c2 * start.slope

    point = evaluate(t)
    count, tries = 1, 0
    previous = start
    while tries < max_iter:
        if not falls(point) or (tries > 1 and point.f >= previous.f):
            bracket = [previous, point]
            break
        if flat(point):
            return point, count
        if point.slope >= 0:
            bracket = [previous, point]
            break
        bounds = point.t + 0.01 * (point.t - previous.t), point.t * 10
        following = cubic_minimum(previous, point, bounds)
        previous, point = point, evaluate(following)
        count += 1
        tries += 1
    else:
        bracket = [start, point]
    low, high = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
    slow = False
    while tries < max_iter:
        left, right = sorted(p.t for p in bracket)
        if (right - left) * length < tolerance:
            break
        t = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        point = evaluate(t)
        count += 1
        tries += 1
        if not falls(point) or point.f >= bracket[low].f:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
        else:
            if flat(point):
                bracket[low] = point
                break
            if point.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
    return bracket[low], count
