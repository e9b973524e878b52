"""optim.lbfgs: limited-memory BFGS."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros
from rekindle.core.dtypes import float64
from rekindle.core.tensor import Tensor

from .state import Objective, Settings, buffer, dot, evaluated, optimiser, option, tables

_KEPT = ("old_dirs", "old_stps", "Hdiag", "g_old", "f_old", "t", "d")
"""What a later call goes on from."""


@optimiser
def lbfgs(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table, int]:
    """Take several steps of L-BFGS.

    Parameters
    ----------
    opfunc, x
        As for `sgd`; the gradient is not changed.
    config : dict or Table, optional
        maxIter (20), maxEval (1.25 maxIter), tolFun (1e-5), tolX (1e-9), nCorrection (100),
        lineSearch (a function such as `lswolfe`; without one steps have a fixed size),
        lineSearchOptions, learningRate (1), verbose (false).
    state : dict or Table, optional
        Goes on from where an earlier call ended: funcEval, nIter, d, t, old_dirs, old_stps,
        Hdiag, g_old, f_old and buffers; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f at every point that was kept.
    evaluations : int
        Number of calls of `opfunc`.

    Source: torch/optim lbfgs.lua; Schmidt's minFunc.
    """
    config, state = tables(config, state)
    most = int(option(config, "maxIter", 20))
    most_evaluations = option(config, "maxEval", most * 1.25)
    tol_f, tol_x = option(config, "tolFun", 1e-5), option(config, "tolX", 1e-9)
    corrections = int(option(config, "nCorrection", 100))
    search, rate = config.get("lineSearch"), option(config, "learningRate", 1)
    say = _speaker(option(config, "verbose", False))
    f, g = evaluated(opfunc, x)
    history, evaluations = [f], 1
    state["funcEval"] = option(state, "funcEval", 0) + 1
    state["nIter"] = option(state, "nIter", 0)
    scratch = buffer(state, "tmp1", g)
    if _magnitude(scratch.copy_(ops.abs(g))) <= tol_f:
        say("optimality condition below tolFun")
        return x, Table(history), evaluations
    if state.get("dir_bufs") is None:
        say("creating recyclable direction/step/history buffers")
        for name in ("dir_bufs", "stp_bufs"):
            state[name] = Table(list(zeros((corrections + 1, g.size), g.dtype, g.device)))
    kept: list[Any] = [state.get(n) for n in _KEPT]
    directions, steps, hdiag, g_old, f_old, t, d = kept
    for iteration in range(1, most + 1):
        state["nIter"] += 1
        if state["nIter"] == 1:
            d, hdiag = -g, 1
            directions, steps = Table(), Table()
        else:
            y, s = _popped(state["dir_bufs"]), _popped(state["stp_bufs"])
            y.copy_(g - g_old)
            s.copy_(d * t)
            curvature = dot(y, s)
            if curvature > 1e-10:
                if len(directions) == corrections:
                    _pushed(state["dir_bufs"], _popped(directions, 1))
                    _pushed(state["stp_bufs"], _popped(steps, 1))
                _pushed(directions, s)
                _pushed(steps, y)
                hdiag = curvature / dot(y, y)
            else:
                _pushed(state["dir_bufs"], y)
                _pushed(state["stp_bufs"], s)
            d.copy_(_direction(g, directions, steps, hdiag, scratch, state, corrections))
        g_old = g.clone() if g_old is None else g_old.copy_(g)
        f_old = f
        slope = dot(g, d)
        if slope > -tol_x:
            break
        t = rate
        if state["nIter"] == 1:
            t = min(1, 1 / _magnitude(scratch.copy_(ops.abs(g)))) * rate
        used = 0
        if callable(search):
            f, g, x, t, used = search(opfunc, x, t, d, f, g, slope, config.get("lineSearchOptions"))
            history.append(f)
        else:
            x.add_(d * t)
            if iteration != most:
                f, g = evaluated(opfunc, x)
                used = 1
                history.append(f)
        evaluations += used
        state["funcEval"] += used
        if iteration == most:
            say("reached max number of iterations")
        elif evaluations >= most_evaluations:
            say("max nb of function evals")
        elif _magnitude(scratch.copy_(ops.abs(g))) <= tol_f:
            say("optimality condition below tolFun")
        elif _magnitude(scratch.copy_(ops.abs(d * t))) <= tol_x:
            say("step size below tolX")
        elif abs(f - f_old) < tol_x:
            say("function value changing less than tolX")
        else:
            continue
        break
    for name, value in zip(_KEPT, (directions, steps, hdiag, g_old, f_old, t, d), strict=True):
        state[name] = value
    return x, Table(history), evaluations


def _direction(
    g: Tensor,
    directions: Table,
    steps: Table,
    hdiag: float,
    q: Tensor,
    state: Any,
    corrections: int,
) -> Tensor:
    """Return minus the inverse Hessian's estimate times g, by the two-loop recursion."""
    if state.get("ro") is None:
        state["ro"] = zeros(corrections, float64)
    if state.get("al") is None:
        state["al"] = zeros(corrections, float64)
    ro, al = state["ro"].numpy(), state["al"].numpy()
    k = len(directions)
    for i in range(1, k + 1):
        ro[i - 1] = 1 / dot(steps[i], directions[i])
    q.copy_(-g)
    for i in range(k, 0, -1):
        al[i - 1] = dot(directions[i], q) * ro[i - 1]
        q.add_(steps[i] * -float(al[i - 1]))
    r = q * hdiag
    for i in range(1, k + 1):
        be = dot(steps[i], r) * ro[i - 1]
        r.add_(directions[i] * float(al[i - 1] - be))
    return r


def _speaker(verbose: bool) -> Any:
    if verbose:
        return lambda text: print("<optim.lbfgs> ", text, sep="\t")
    return lambda text: None


def _magnitude(t: Tensor) -> float:
    return float(t.sum())


def _popped(table: Table, position: int | None = None) -> Any:
    """Take an element, by default the last, out of a list."""
    elements = table.array()
    value = elements.pop(len(elements) - 1 if position is None else position - 1)
    for i in range(1, len(elements) + 2):
        table[i] = elements[i - 1] if i <= len(elements) else None
    return value


def _pushed(table: Table, value: Any) -> None:
    table[len(table) + 1] = value
