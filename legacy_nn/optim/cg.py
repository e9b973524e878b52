"""optim.cg: nonlinear conjugate gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .state import Objective, Settings, buffer, dot, evaluated, optimiser, option, ratio, tables


@dataclass(slots=True)
class _Point:
    """A point on the line: f there, the slope, and its distance from the current one."""

    f: float
    d: float
    z: float


@optimiser
def cg(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table, int]:
    """Minimise by conjugate gradients with Polak and Ribiere's update.

    Parameters
    ----------
    opfunc, x
        As for `sgd`; the gradient is not changed.
    config : dict or Table, optional
        maxEval (1.25 maxIter) calls of `opfunc`, maxIter (20) in each line search, rho (0.01),
        sig (0.5), int (0.1), ext (3), ratio (100).
    state : dict or Table, optional
        Buffers df0 to df3, x0 and s; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f after each line search that succeeded.
    evaluations : int

    Source: torch/optim cg.lua; Rasmussen's minimize.m.
    """
    config, state = tables(config, state)
    rho, sig = option(config, "rho", 0.01), option(config, "sig", 0.5)
    inner, outer = option(config, "int", 0.1), option(config, "ext", 3.0)
    most = option(config, "maxIter", 20)
    most_evaluations = option(config, "maxEval", most * 1.25)
    df1, df2, _, s, x0, df0 = (buffer(state, n, x) for n in ("df1", "df2", "df3", "s", "x0", "df0"))
    f1, gradient = evaluated(opfunc, x)
    df1.copy_(gradient)
    history, evaluations = [f1], 1
    s.copy_(-df1)
    d1 = -dot(s, s)
    z1 = 1 / (1 - d1)
    while evaluations < abs(most_evaluations):
        x0.copy_(x)
        df0.copy_(df1)
        f0 = f1

        def move(z: float) -> _Point:
            nonlocal evaluations
            x.add_(s * z)
            f, gradient = evaluated(opfunc, x)
            df2.copy_(gradient)
            evaluations += 1
            return _Point(f, dot(df2, s), z)

        two, three, limit = move(z1), _Point(f1, d1, -z1), -1.0
        left = min(most, most_evaluations - evaluations)
        success = False
        while True:
            while (two.f > f1 + z1 * rho * d1 or two.d > -sig * d1) and left > 0:
                limit = z1
                z2 = _inside(f1, two, three)
                z2 = max(min(z2, inner * three.z), (1 - inner) * three.z)
                z1 += z2
                two = move(z2)
                left -= 1
                three.z -= z2
            if two.f > f1 + z1 * rho * d1 or two.d > -sig * d1:
                break
            if two.d > sig * d1:
                success = True
                break
            if left == 0:
                break
            z2 = _beyond(two, three, z1, limit, inner, outer)
            three = _Point(two.f, two.d, -z2)
            z1 += z2
            two = move(z2)
            left -= 1
        if not success:
            # The original goes on with steepest descent after a first failure; in Lua its
            # flag, 0, is true, so that Torch7 always ends here.
            x.copy_(x0)
            df1.copy_(df0)
            f1 = f0
            break
        f1 = two.f
        history.append(f1)
        s.mul_((dot(df2, df2) - dot(df2, df1)) / dot(df1, df1)).sub_(df2)
        swapped = df1.clone()
        df1.copy_(df2)
        df2.copy_(swapped)
        d2 = dot(df1, s)
        if d2 > 0:
            s.copy_(-df1)
            d2 = -dot(s, s)
        z1 *= min(option(config, "ratio", 100), d1 / (d2 - 1e-320))
        d1 = d2
    return x, Table(history), evaluations


def _inside(f1: float, two: _Point, three: _Point) -> float:
    """Return the step to the minimum of a quadratic or cubic between two points."""
    z = three.z
    if two.f > f1:
        step = z - ratio(0.5 * three.d * z * z, three.d * z + two.f - three.f)
    else:
        a, b = _cubic(two, three)
        step = ratio(_root(b * b - a * two.d * z * z) - b, a)
    return step if math.isfinite(step) else z / 2


def _beyond(
    two: _Point, three: _Point, z1: float, limit: float, inner: float, outer: float
) -> float:
    """Return the step to the extrapolated minimum of a cubic, kept within bounds."""
    z = three.z
    a, b = _cubic(two, three)
    step = ratio(-two.d * z * z, b + _root(b * b - a * two.d * z * z))
    bounded = limit > -0.5
    if not math.isfinite(step) or step < 0:
        return (limit - z1) / 2 if bounded else z1 * (outer - 1)
    if bounded and step + z1 > limit:
        return (limit - z1) / 2
    if not bounded and step + z1 > z1 * outer:
        return z1 * (outer - 1)
    if step < -z * inner:
        return -z * inner
    if bounded and step < (limit - z1) * (1 - inner):
        return (limit - z1) * (1 - inner)
    return step


def _cubic(two: _Point, three: _Point) -> tuple[float, float]:
    a = ratio(6 * (two.f - three.f), three.z) + 3 * (two.d + three.d)
    return a, 3 * (three.f - two.f) - three.z * (three.d + 2 * two.d)


def _root(value: float) -> float:
    """Return the square root, nan below 0, as C does."""
    return math.sqrt(value) if value >= 0 else math.nan
