"""rekindle.optimise: a model, of core or of LuaTorch, for inference."""

from __future__ import annotations

import copy
from typing import Any

from rekindle.core import nn
from rekindle.core.errors import UseError
from rekindle.core.nn.optimise import Optimised

from .module import Module


def optimise(model: Any) -> Optimised:
    """Return a copy of a model that computes the same in evaluation mode, and does so faster.

    Batch normalisation becomes part of the convolution or linear map before it, and so do a
    sum and ReLU that follow, whatever modules or functions they are computed by.

    Parameters
    ----------
    model : rekindle.nn.Module or rekindle.legacy_nn.Module
        Stays as it is.

    Returns
    -------
    Optimised
        Called like the model. It records no gradients and keeps no `output` fields.

    Raises
    ------
    UseError
        For anything else.

    Examples
    --------
    >>> import rekindle
    >>> from rekindle import nn
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    >>> fast = rekindle.optimise(model)
    >>> fast(rekindle.zeros((1, 3, 8, 8))).shape
    (1, 8, 6, 6)
    >>> fast.fused
    {'batch normalisation': 1, 'ReLU': 1}
    """
    if isinstance(model, Module):
        return Optimised(model.clone().evaluate())
    if isinstance(model, nn.Module):
        return Optimised(copy.deepcopy(model).eval())
    raise UseError(f"optimise takes a model of rekindle; given {type(model).__name__}")
