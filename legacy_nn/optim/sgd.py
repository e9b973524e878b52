"""optim.sgd and optim.nag: steepest descent, with momentum."""

from __future__ import annotations

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .state import (
    Objective,
    OptimError,
    Settings,
    buffer,
    decayed,
    evaluated,
    optimiser,
    option,
    tables,
)


@optimiser
def sgd(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of stochastic gradient descent.

    Parameters
    ----------
    opfunc : callable
        Returns f(x) and its gradient, which is changed.
    x : Tensor, shape (n,)
        The parameters, changed in place.
    config : dict or Table, optional
        learningRate (1e-3), learningRateDecay (0), weightDecay (0), momentum (0), dampening
        (momentum), nesterov (false), learningRates and weightDecays (tensors of shape (n,)).
    state : dict or Table, optional
        evalCounter, dfdx; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.

    Raises
    ------
    OptimError
        For Nesterov momentum without momentum, or with dampening.

    Source: torch/optim sgd.lua.
    """
    config, state = tables(config, state)
    momentum = option(config, "momentum", 0)
    dampening = option(config, "dampening", momentum)
    nesterov = option(config, "nesterov", False)
    rates, decays = config.get("learningRates"), config.get("weightDecays")
    count = option(state, "evalCounter", 0)
    if nesterov and not (momentum > 0 and dampening == 0):
        raise OptimError("Nesterov momentum requires a momentum and zero dampening")
    fx, dfdx = evaluated(opfunc, x)
    weight_decay = option(config, "weightDecay", 0)
    if weight_decay == 0 and decays is not None:
        dfdx.add_(buffer(state, "decayParameters", x).copy_(decays).mul_(x))
    dfdx = decayed(dfdx, x, weight_decay)
    if momentum != 0:
        if state.get("dfdx") is None:
            state["dfdx"] = dfdx.clone()
        else:
            state["dfdx"].mul_(momentum).add_(dfdx * (1 - dampening))
        dfdx = dfdx.add_(state["dfdx"] * momentum) if nesterov else state["dfdx"]
    rate = option(config, "learningRate", 1e-3)
    rate /= 1 + count * option(config, "learningRateDecay", 0)
    if rates is not None:
        dfdx = buffer(state, "deltaParameters", x).copy_(rates).mul_(dfdx)
    x.add_(dfdx * -rate)
    state["evalCounter"] = count + 1
    return x, Table([fx])


@optimiser
def nag(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of Nesterov's accelerated gradient.

    Parameters
    ----------
    opfunc, x, state
        As for `sgd`.
    config : dict or Table, optional
        learningRate (1e-3), learningRateDecay (0), weightDecay (0), momentum (0.9),
        learningRates.

    Returns
    -------
    x : Tensor
    fs : Table
        f where the gradient was taken, ahead of x.

    Raises
    ------
    OptimError
        If the momentum is not positive.

    Source: torch/optim nag.lua.
    """
    config, state = tables(config, state)
    momentum = option(config, "momentum", 0.9)
    rates = config.get("learningRates")
    count = option(state, "evalCounter", 0)
    if momentum <= 0:
        raise OptimError("Momentum must be positive for Nesterov Accelerated Gradient")
    if state.get("dfdx") is not None:
        x.add_(state["dfdx"] * momentum)
    fx, dfdx = evaluated(opfunc, x)
    dfdx = decayed(dfdx, x, option(config, "weightDecay", 0))
    rate = option(config, "learningRate", 1e-3)
    rate /= 1 + count * option(config, "learningRateDecay", 0)
    velocity = buffer(state, "dfdx", dfdx).mul_(momentum)
    if rates is not None:
        dfdx = buffer(state, "deltaParameters", x).copy_(rates).mul_(dfdx)
    step = dfdx * -rate
    x.add_(step)
    velocity.add_(step)
    state["evalCounter"] = count + 1
    return x, Table([fx])
