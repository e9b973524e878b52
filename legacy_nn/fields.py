"""Fields as Torch7's constructors make them: parameters, their bounds, sizes, empty tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, tensor, zeros
from rekindle.core.dtypes import int64
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .module import Module, as_parameter, replace_contents


def add_parameter(module: Module, name: str, gradient: str, shape: int | Sequence[int]) -> None:
    """Give `module` a parameter `name`, not yet drawn, and its gradient of zeros."""
    grad = zeros(shape, module.dtype)
    setattr(module, gradient, grad)
    setattr(module, name, as_parameter(empty(shape, module.dtype), grad))


def remove(module: Module, *names: str) -> None:
    """Take fields away where the module has them, as assigning nil does in Lua."""
    for name in names:
        if name in vars(module):
            delattr(module, name)


def given(value: Any, default: Any) -> Any:
    """Return a constructor's argument, or `default` where it is None, which is nil in Lua."""
    return default if value is None else value


def set_unless_nil(module: Module, **fields: Any) -> None:
    """Set the fields that are not None: a nil field is no field in Lua."""
    for name, value in fields.items():
        if value is not None:
            setattr(module, name, value)


def uniform_bound(stdv: float | None, fan_in: int) -> float:
    """Return the b of the uniform numbers in [-b, b) that `reset` draws.

    Their deviation is `stdv`; by default b is 1 / sqrt(fan_in).
    """
    return 1 / math.sqrt(fan_in) if stdv is None else stdv * math.sqrt(3)


def long_storage(sizes: Sequence[Any]) -> Storage:
    """Return constructor arguments as the torch.LongStorage that keeps them.

    Parameters
    ----------
    sizes : sequence
        Sizes one by one, or one LongStorage, list or Table of them.
    """
    values = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], (int, float)) else sizes
    if isinstance(values, Table):
        values = values.array()
    return tensor([int(n) for n in values], dtype=int64).storage()


def empty_pair(module: Module) -> Table:
    """Return the table of two empty tensors that is `gradInput` of a module of two inputs."""
    return Table([empty(0, module.dtype), empty(0, module.dtype)])


def set_field(owner: Any, name: str, value: Tensor) -> None:
    """Put `value` into the field `name`: into the tensor that is there, or a new one."""
    setattr(owner, name, replace_contents(vars(owner).get(name), value))
