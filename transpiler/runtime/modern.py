"""What programs translated in modern style need beside core."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import nn
from rekindle.core.creation import tensor, zeros_like
from rekindle.core.dtypes import Dtype
from rekindle.core.random import default_generator
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.core_module import LegacyModule
from rekindle.legacy_nn.torch7 import random, types


class _TorchStream:
    """What core's generator draws from once it is Torch's."""

    def __init__(self, generator: random.Generator) -> None:
        self.generator = generator

    @property
    def bit_generator(self) -> _TorchStream:
        """What has the state, which is an object of its own in NumPy's generators."""
        return self

    @property
    def state(self) -> dict[str, Any]:
        """The state that `torch.getRNGState` returns."""
        return {"torch": self.generator.get_state()}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.generator.set_state(state["torch"])

    def random(self, size: tuple[int, ...], dtype: Any = None) -> Any:
        """Return numbers from [0, 1)."""
        return self.generator.uniform(math.prod(size)).reshape(size)

    def standard_normal(self, size: tuple[int, ...], dtype: Any = None) -> Any:
        """Return normal numbers."""
        return self.generator.normal(math.prod(size)).reshape(size)

    def standard_exponential(self, size: tuple[int, ...], dtype: Any = None) -> Any:
        """Return exponentially distributed numbers."""
        return self.generator.exponential(math.prod(size), 1.0).reshape(size)

    def integers(self, low: int, high: int, size: tuple[int, ...], dtype: Any = None) -> Any:
        """Return whole numbers from [low, high)."""
        drawn = self.generator.integers(math.prod(size), low, high - 1)
        return drawn.astype(dtype).reshape(size)


def share_generator() -> None:
    """Let layers of core draw from Torch's generator, as those of Torch do.

    Weights and dropout are then those that the Lua program had for the same seed.
    """
    default_generator().stream = _TorchStream(random.default)


def reset(model: nn.Module) -> nn.Module:
    """Draw new parameters in all layers of a model, from the first to the last; return it."""
    for module in model.modules():
        if isinstance(module, LegacyModule):
            module.legacy.reset()
        elif hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model


def to_type(model: nn.Module, name: str) -> nn.Module:
    """Convert a model to a type of tensor, by Torch's name of it; return it.

    Examples
    --------
    >>> to_type(nn.Linear(2, 2), "torch.DoubleTensor").weight.dtype
    dtype('float64')
    """
    return model.to(types.dtype_of(name))


def default_dtype() -> Dtype:
    """Return the dtype that tensors of the program have now by default."""
    return types.default_dtype()


def gradients_to_vector(model: nn.Module) -> Tensor:
    """Return all gradients of a model as one vector: zeros where nothing went back so far.

    Examples
    --------
    >>> gradients_to_vector(nn.Linear(2, 1)).tolist()
    [0.0, 0.0, 0.0]
    """
    found = [zeros_like(p.detach()) if p.grad is None else p.grad for p in model.parameters()]
    return nn.utils.parameters_to_vector(found)


def from_zero(numbers: Any) -> Tensor:
    """Return numbers of classes or words, which count from 1 in Lua, as they count from 0.

    Parameters
    ----------
    numbers : Tensor or number
        Of any type.

    Returns
    -------
    Tensor
        Of int64.

    Examples
    --------
    >>> from_zero(3).item()
    2
    """
    array = numbers.numpy() if isinstance(numbers, Tensor) else np.asarray(numbers)
    return tensor(array.astype(np.int64) - 1)
