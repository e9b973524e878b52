"""nn.DontCast: a module that keeps its type when the model around it changes type.

Source: torch/nn DontCast.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor

from .containers import Container
from .conversion import Cache
from .decorator import Decorator
from .fields import set_unless_nil
from .gradients import refilled
from .module import ArgumentError, torch_class
from .torch7.types import cpu_typename, dtype_of
from .values import map_tensors, tensors_in


@torch_class("nn.DontCast")
class DontCast(Decorator):
    """Does what the module inside does, which no change of type reaches.

    Parameters
    ----------
    module : Module
    castin : bool, optional
        Whether inputs are converted to the module's type, and its gradInput back.
    castout : bool, optional
        Whether outputs are converted from the module's type, and gradOutput to it; by default
        as `castin`.
    moduleType : str, optional
        The type of the module's tensors, "torch.FloatTensor"; by default that of its output,
        or of its parameters.

    Raises
    ------
    ArgumentError
        If tensors are to be converted and there is no telling what the module's type is.
    """

    castin: bool | None = None
    castout: bool | None = None
    moduleType: str | None = None

    def __init__(
        self,
        module: Any,
        castin: bool | None = None,
        castout: bool | None = None,
        moduleType: str | None = None,
    ) -> None:
        super().__init__(module)
        castout = castin if castout is None else castout
        if (castin or castout) and moduleType is None:
            tensors = [*tensors_in(module.output), *module.parameters()[0]]
            if not tensors:
                raise ArgumentError("Cannot extrapolate moduleType: give it as argument 4")
            moduleType = tensor_class(tensors[0].dtype)
        set_unless_nil(self, castin=castin, castout=castout, moduleType=moduleType)

    def flow(self, input: Any, step: Callable[[int, Any], Any]) -> Any:
        if self.castin:
            assert self.moduleType is not None
            input = _cast(input, dtype_of(self.moduleType))
        y = step(1, input)
        return _cast(y, self._outer(self.output)) if self.castout else y

    back = Container.back
    accUpdateGradParameters = Container.accUpdateGradParameters
    """Through the conversions of the flow, both."""

    def _outer(self, field: Any) -> Dtype:
        """Return the type that `output` or `gradInput` has."""
        return next((t.dtype for t in tensors_in(field)), self.dtype)

    def keep(self, input: Any, result: Any) -> Any:
        return refilled(self.output, result) if self.castout else result

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if self.castin:
            return refilled(self.gradInput, _cast(result, self._outer(self.gradInput)))
        return self.modules[1].gradInput

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        """Convert `output` and `gradInput` where they are cast; the module stays as it is."""
        if type is None:
            return self._type
        dtype = dtype_of(cpu_typename(type))
        if self.castout:
            self.output = _cast(self.output, dtype)
        if self.castin:
            self.gradInput = _cast(self.gradInput, dtype)
        return self


def _cast(value: Any, dtype: Dtype) -> Any:
    def one(x: Tensor) -> Tensor:
        return x if x.dtype == dtype else ops.astype(x, dtype)

    return map_tensors(one, value)
