"""optim.adam and optim.adamax. Source: Kingma and Ba 2014, "Adam"."""

from __future__ import annotations

import math

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros
from rekindle.core.tensor import Tensor

from .state import Objective, Settings, buffer, decayed, evaluated, optimiser, option, tables


@optimiser
def adam(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of Adam.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        learningRate (1e-3), learningRateDecay (0), beta1 (0.9), beta2 (0.999), epsilon (1e-8),
        weightDecay (0).
    state : dict or Table, optional
        t, m, v, denom; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.

    Source: torch/optim adam.lua; epsilon is added before the bias is corrected.
    """
    config, state = tables(config, state)
    beta1, beta2 = option(config, "beta1", 0.9), option(config, "beta2", 0.999)
    fx, dfdx = evaluated(opfunc, x)
    dfdx = decayed(dfdx, x, option(config, "weightDecay", 0))
    t = option(state, "t", 0)
    rate = option(config, "learningRate", 0.001)
    rate /= 1 + t * option(config, "learningRateDecay", 0)
    t += 1
    m = buffer(state, "m", dfdx).mul_(beta1).add_(dfdx * (1 - beta1))
    v = buffer(state, "v", dfdx).mul_(beta2).add_(dfdx * dfdx * (1 - beta2))
    denom = buffer(state, "denom", dfdx).copy_(ops.sqrt(v) + option(config, "epsilon", 1e-8))
    step = rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    x.add_(m * -step / denom)
    state["t"] = t
    return x, Table([fx])


@optimiser
def adamax(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of AdaMax.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        learningRate (2e-3), beta1 (0.9), beta2 (0.999), epsilon (1e-38), weightDecay (0).
    state : dict or Table, optional
        t, m, u, max; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.

    Source: torch/optim adamax.lua.
    """
    config, state = tables(config, state)
    beta1, beta2 = option(config, "beta1", 0.9), option(config, "beta2", 0.999)
    fx, dfdx = evaluated(opfunc, x)
    dfdx = decayed(dfdx, x, option(config, "weightDecay", 0))
    m, u = buffer(state, "m", dfdx), buffer(state, "u", dfdx)
    if state.get("max") is None:
        state["max"] = zeros((2, *dfdx.shape), x.dtype, x.device)
    t = option(state, "t", 0) + 1
    m.mul_(beta1).add_(dfdx * (1 - beta1))
    both = state["max"]
    both[0] = u.reshape(dfdx.shape) * beta2
    both[1] = ops.abs(dfdx) + option(config, "epsilon", 1e-38)
    u.set_(both.max(axis=0, keepdims=True))  # Torch7's max keeps the dimension
    x.add_(m * (-option(config, "learningRate", 0.002) / (1 - beta1**t)) / u[0])
    state["t"] = t
    return x, Table([fx])
