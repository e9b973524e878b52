"""optim.adagrad, adadelta and rmsprop: steps scaled by the size of past gradients."""

from __future__ import annotations

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .state import Objective, Settings, buffer, decayed, evaluated, optimiser, option, tables


@optimiser
def adagrad(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of AdaGrad.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        learningRate (1e-3), learningRateDecay (0), weightDecay (0).
    state : dict or Table, optional
        evalCounter, paramVariance, paramStd; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.

    Source: torch/optim adagrad.lua; Duchi et al. 2011.
    """
    config, state = tables(config, state, "no state table, ADAGRAD initializing")
    count = option(state, "evalCounter", 0)
    fx, dfdx = evaluated(opfunc, x)
    dfdx = decayed(dfdx, x, option(config, "weightDecay", 0))
    rate = option(config, "learningRate", 1e-3)
    rate /= 1 + count * option(config, "learningRateDecay", 0)
    variance = buffer(state, "paramVariance", dfdx).add_(dfdx * dfdx)
    deviation = buffer(state, "paramStd", dfdx).copy_(ops.sqrt(variance) + 1e-10)
    x.add_(dfdx * -rate / deviation)
    state["evalCounter"] = count + 1
    return x, Table([fx])


@optimiser
def adadelta(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of AdaDelta.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        rho (0.9), eps (1e-6), weightDecay (0).
    state : dict or Table, optional
        evalCounter, paramVariance, paramStd, delta, accDelta; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.

    Source: torch/optim adadelta.lua; Zeiler 2012.
    """
    config, state = tables(config, state, "no state table, ADADELTA initializing")
    rho, eps = option(config, "rho", 0.9), option(config, "eps", 1e-6)
    fx, dfdx = evaluated(opfunc, x)
    dfdx = decayed(dfdx, x, option(config, "weightDecay", 0))
    variance = buffer(state, "paramVariance", dfdx)
    deviation, delta, acc = (buffer(state, n, dfdx) for n in ("paramStd", "delta", "accDelta"))
    variance.mul_(rho).add_(dfdx * dfdx * (1 - rho))
    deviation.copy_(ops.sqrt(variance + eps))
    delta.copy_(ops.sqrt(acc + eps) / deviation * dfdx)
    x.sub_(delta)
    acc.mul_(rho).add_(delta * delta * (1 - rho))
    state["evalCounter"] = option(state, "evalCounter", 0) + 1
    return x, Table([fx])


@optimiser
def rmsprop(
    opfunc: Objective, x: Tensor, config: Settings = None, state: Settings = None
) -> tuple[Tensor, Table]:
    """Take one step of RMSprop.

    Parameters
    ----------
    opfunc, x
        As for `sgd`.
    config : dict or Table, optional
        learningRate (1e-2), alpha (0.99), epsilon (1e-8), initialMean (0), weightDecay (0).
    state : dict or Table, optional
        m, tmp; by default kept in `config`.

    Returns
    -------
    x : Tensor
    fs : Table
        f before the step.

    Source: torch/optim rmsprop.lua; Tieleman and Hinton 2012, lecture 6.5.
    """
    config, state = tables(config, state)
    alpha = option(config, "alpha", 0.99)
    fx, dfdx = evaluated(opfunc, x)
    dfdx = decayed(dfdx, x, option(config, "weightDecay", 0))
    m = buffer(state, "m", dfdx, option(config, "initialMean", 0))
    m.mul_(alpha).add_(dfdx * dfdx * (1 - alpha))
    deviation = buffer(state, "tmp", dfdx).copy_(ops.sqrt(m) + option(config, "epsilon", 1e-8))
    x.add_(dfdx * -option(config, "learningRate", 1e-2) / deviation)
    return x, Table([fx])
