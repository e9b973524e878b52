"""optim.FistaLS and optim.checkgrad."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros_like
from rekindle.core.tensor import Tensor

from .state import Objective, OptimError, Settings, dot, evaluated, optimiser, option


@optimiser
def FistaLS(
    f: Callable[..., Any],
    g: Callable[[Tensor], float],
    pl: Callable[[Tensor, float], Any],
    xinit: Tensor,
    params: Settings = None,
) -> tuple[Tensor, Table]:
    """Minimise f + g, with g not smooth, by FISTA with a backtracking line search.

    Parameters
    ----------
    f : callable
        `f(x)` returns the smooth part, `f(x, "dx")` also its gradient.
    g : callable
        Returns the other part.
    pl : callable
        `pl(x, L)` changes x into the minimum of the intermediate problem.
    xinit : Tensor, shape (n,)
        Where to start; changed to the solution.
    params : dict or Table, optional
        L (0.1), Lstep (1.5), maxiter (50), maxline (20), errthres (1e-4), doFistaUpdate
        (false: ISTA), verbose (false: print the progress, and keep xk and y in the history). L
        is written back.

    Returns
    -------
    y : Tensor
        The solution.
    history : Table
        For each iteration a Table with nline, L, F, Fply, Gply and Q.

    Raises
    ------
    OptimError
        If maxiter is less than 1.

    Source: torch/optim fista.lua; Beck and Teboulle 2009.
    """
    params = {} if params is None else params
    rate, grow = option(params, "L", 0.1), option(params, "Lstep", 1.5)
    most, most_lines = option(params, "maxiter", 50), option(params, "maxline", 20)
    threshold, accelerated = option(params, "errthres", 1e-4), params.get("doFistaUpdate")
    if most < 1:
        raise OptimError(f"FistaLS needs a maxiter of at least 1; given {most}")
    xk = xinit
    xkm, y, ply = (zeros_like(xk) for _ in range(3))
    params["xkm"], params["y"], params["ply"] = xkm, y, ply
    tk: float = 1
    tkp: float = 0
    history: list[Table] = []
    verbose = option(params, "verbose", False)
    g(y)
    total = math.inf
    while True:
        fy, gfy = f(y, "dx")
        lines = 0
        while True:
            ply.copy_(y - gfy * (1 / rate))
            pl(ply, rate)
            xk.copy_(ply)
            fply = _value(f(ply))
            ply.sub_(y)
            linear, square = dot(gfy, ply), rate / 2 * dot(ply, ply)
            q = fy + linear + square
            if verbose:
                print(
                    f"nline={lines} L={rate:g} fply={fply:g} Q={q:g} fy={fy:g} "
                    f"Q2={linear:g} Q3={square:g}"
                )
            lines += 1
            if fply <= q:
                break
            if lines > most_lines:
                xk.copy_(xkm)
                break
            rate *= grow
        if accelerated:
            tkp = (1 + math.sqrt(1 + 4 * tk * tk)) / 2
            xkm.sub_(xk)
            y.copy_(xk + xkm * ((1 - tk) / tkp))
            xkm.copy_(xk)
        else:
            y.copy_(xk)
        tk = tkp
        smooth, other = _value(f(y)), g(y)
        if verbose:
            print(f"iter={len(history)} eold={total:g} enew={smooth + other:g}")
        total = smooth + other
        entry = {"nline": lines, "L": rate, "F": smooth + other, "Fply": smooth, "Gply": other}
        history.append(Table({**entry, "Q": q}))
        if verbose:
            history[-1].update({"xk": xk.clone(), "y": y.clone()})
        params["L"] = rate
        close = len(history) > 1 and abs(history[-1]["F"] - history[-2]["F"]) <= threshold
        if close or len(history) >= most:
            xinit.copy_(y)
            return y, Table(history)


def _value(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


@optimiser
def checkgrad(opfunc: Objective, x: Tensor, eps: float = 1e-7) -> tuple[float, Tensor, Tensor]:
    """Compare a gradient with central differences.

    Parameters
    ----------
    opfunc : callable
        Returns f(x) and its gradient.
    x : Tensor, shape (n,)
        Where; as it was afterwards.
    eps : float
        Half the distance of the two evaluations.

    Returns
    -------
    difference : float
        Length of the difference over the length of the sum.
    dC, dC_est : Tensor, shape (n,)
        The gradient given, and the estimated one.

    Source: torch/optim checkgrad.lua.
    """
    given = evaluated(opfunc, x)[1].clone().reshape(x.shape)
    estimated = zeros_like(given)
    for i in range(x.size):
        kept = x[i].item()
        x[i] = kept + eps
        above = opfunc(x)[0]
        x[i] = x[i].item() - 2 * eps
        below = opfunc(x)[0]
        x[i] = kept
        estimated[i] = (above - below) / (2 * eps)
    difference = float((given - estimated).norm() / (given + estimated).norm())
    return difference, given, estimated
