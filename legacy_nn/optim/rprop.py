"""optim.rprop and optim.asgd."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .state import Objective, Settings, buffer, evaluated, optimiser, option, tables


@optimiser
def rprop(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take steps of Rprop, which looks at the signs of gradients only.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        stepsize (0.1), etaplus (1.2), etaminus (0.5), stepsizemax (50), stepsizemin (1e-6),
        niter (1).
    state : dict or Table, optional
        delta, stepsize, sign and masks; by default kept in `config`, whose `stepsize` then
        becomes the tensor of step sizes.

    Returns
    -------
    x : Tensor
    fs : Table
        f before each step.

    Source: torch/optim rprop.lua; Riedmiller and Braun 1993.
    """
    config, state = tables(config, state, "no state table RPROP initializing")
    initial = option(config, "stepsize", 0.1)
    plus, minus = option(config, "etaplus", 1.2), option(config, "etaminus", 0.5)
    most, least = option(config, "stepsizemax", 50.0), option(config, "stepsizemin", 1e-6)
    history = []
    for _ in range(int(option(config, "niter", 1))):
        fx, dfdx = evaluated(opfunc, x)
        if state.get("delta") is None:
            buffer(state, "delta", dfdx)
            state["stepsize"] = None
            buffer(state, "stepsize", dfdx, initial)
        sign, sizes = buffer(state, "sign", dfdx), state["stepsize"]
        agreement = ops.sign(dfdx * state["delta"])
        for name, mask in (
            ("psign", agreement > 0),
            ("nsign", agreement < 0),
            ("zsign", agreement == 0),
        ):
            state[name] = mask.astype(np.uint8)
        factor = ops.where(agreement > 0, plus, ops.where(agreement < 0, minus, 1.0))
        sizes.mul_(factor.astype(sizes.dtype))
        sizes.copy_(ops.clamp(sizes, max=most))
        state["dminmax"] = (sizes < least).astype(np.uint8)
        sizes.copy_(ops.clamp(sizes, min=least))
        dfdx[agreement < 0] = 0
        sign.copy_(ops.sign(dfdx))
        x.sub_(sign * sizes)
        state["delta"].copy_(dfdx)
        history.append(fx)
    return x, Table(history)


@optimiser
def asgd(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table, Any]:
    """Take one step of averaged stochastic gradient descent.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        eta0 (1e-4), lambda (1e-4), alpha (0.75), t0 (1e6); the defaults are written into it.
    state : dict or Table, optional
        eta_t, mu_t, t, ax, tmp; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.
    ax : Tensor
        The average of the parameters.

    Source: torch/optim asgd.lua; Bottou's sgd project.
    """
    config, state = tables(config, state)
    for name, default in (("eta0", 1e-4), ("lambda", 1e-4), ("alpha", 0.75), ("t0", 1e6)):
        config[name] = option(config, name, default)
    eta, mu, t = (
        option(state, n, d) for n, d in (("eta_t", config["eta0"]), ("mu_t", 1), ("t", 0))
    )
    fx, dfdx = evaluated(opfunc, x)
    x.mul_(1 - config["lambda"] * eta)
    x.add_(dfdx * -eta)
    average, difference = buffer(state, "ax", x), buffer(state, "tmp", x)
    if mu != 1:
        average.add_(difference.copy_((x.detach() - average) * mu))
    else:
        average.copy_(x)
    t += 1
    state["t"] = t
    state["eta_t"] = config["eta0"] / (1 + config["lambda"] * config["eta0"] * t) ** config["alpha"]
    state["mu_t"] = 1 / max(1, t - config["t0"])
    return x, Table([fx]), average
