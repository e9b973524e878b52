"""The way from a legacy model to core.nn in one call."""

from __future__ import annotations

from typing import Any

from rekindle.core import nn

from .build import build
from .translate import plan_of


def modernise(model: Any, input: Any = None, *, zero_based: bool = False) -> nn.Module:
    """Return a legacy module or criterion as a module of core.nn that shares its parameters.

    Parameters
    ----------
    model : legacy Module or Criterion
    input : Tensor or Table, optional
        An example input, where the model alone does not say how many tensors it takes or how
        many dimensions they have; batches are meant where nothing says so. The model runs on
        it once, in evaluation mode, and forgets what it remembers of sequences.
    zero_based : bool
        Whether the indices of rows and classes that the module takes count from 0. By default
        they count from 1, as the legacy model's: what ran with it runs with its translation.

    Returns
    -------
    nn.Module
        In training or evaluation mode as the model is. A table of inputs becomes arguments, a
        table that comes out a tuple. Parameters are the same objects, or views of the same
        memory where a layer has them in another shape.

    Raises
    ------
    TranslationError
        If something has no translation; the error lists all that has none.

    Examples
    --------
    >>> from rekindle import legacy_nn
    >>> old = legacy_nn.Sequential().add(legacy_nn.Linear(3, 4)).add(legacy_nn.Tanh())
    >>> modernise(old)
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): Tanh()
    )
    """
    made = build(plan_of(model, input, zero_based=zero_based))
    return made.train(bool(getattr(model, "train", True)))
