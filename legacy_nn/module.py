"""nn.Module: fields, the two ways to call a module, and how it is read and written.

A module states its arithmetic once, in `compute`, on registered operations. The base class
makes both protocols of it: Torch's (`updateOutput`, whose `output` is the same tensor at
every call) and the framework's (`module(x)`, whose outputs are fresh).
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.creation import empty
from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.ops.adoption import HELD_HERE, adopted
from rekindle.core.ops.owing import let_go, owed, owed_in_place
from rekindle.core.tensor import Tensor

from .classes import TorchClass
from .classes import both_protocols as both_protocols
from .classes import torch_class as torch_class
from .clearing import Clearing
from .conversion import Cache, Converting
from .errors import ArgumentError as ArgumentError
from .errors import InputTypeError as InputTypeError
from .errors import ModuleError as ModuleError
from .errors import unindexed
from .gradients import Gradients
from .hessian import DiagonalHessian
from .order import row_major
from .regularizing import Regularizing
from .state import State
from .state import as_parameter as as_parameter
from .state import take_fields as take_fields
from .stepping import Stepping
from .through_torch import call_through_torch, torch_only
from .torch7.types import cpu_typename, default_dtype, dtype_of
from .tree import Tree
from .values import NOTHING, builds_graph
from .values import as_input as as_input
from .values import as_torch as as_torch
from .values import detached_copy as detached_copy
from .values import replace_contents as replace_contents
from .values import share_memory as share_memory
from .values import tensors_in as tensors_in


@torch_class("nn.Module")
class Module(
    Gradients,
    State,
    Tree,
    Stepping,
    Clearing,
    Converting,
    DiagonalHessian,
    Regularizing,
    TorchClass,
):
    """The base of all LuaTorch modules.

    The attributes in the instance's `__dict__` are exactly the Lua object's fields, with
    Lua's names; attributes of the class are the values of fields that old files lack.

    Attributes
    ----------
    output : Tensor or Table
        What the last `updateOutput` returned: the same tensor every time, its contents replaced.
    gradInput : Tensor or Table
        Likewise for `updateGradInput`.
    train : bool
        Training mode; see `training()` and `evaluate()`.

    Source: torch/nn Module.lua.
    """

    train: bool = True
    inplace: bool = False
    weight: Any = None
    bias: Any = None
    output: Any = None
    gradInput: Any = None
    _type: str = "torch.DoubleTensor"

    def __init__(self) -> None:
        dtype = default_dtype()
        self.output = empty(0, dtype)
        self.gradInput = empty(0, dtype)
        self._type = tensor_class(dtype)

    # -- the arithmetic, stated by each class -------------------------------------------

    def goes_back(self) -> bool:
        cls = type(self)
        return (
            cls.compute is not Module.compute
            or cls.input_gradient is not Gradients.input_gradient
            or cls.updateGradInput is not Gradients.updateGradInput
            or cls.updateOutput is Module.updateOutput
        )

    def prepare(self, input: Any) -> None:
        """Do what must happen before `compute`: draw noise, size buffers."""

    def compute(self, input: Any) -> Any:
        """Return the output for `input`, from operations on `input` and the fields.

        Pure: it writes no field, so that it can be evaluated again for a gradient. A tuple
        `(output, *extras)` hands the extras to `keep_extras`.
        """
        raise ModuleError(f"{self.t7_typename} defines no forward pass")

    def keep_extras(self, *extras: Any) -> None:
        """Keep what `compute` returned beside the output in the fields Torch keeps it in."""

    def _evaluate(self, input: Any) -> Any:
        self.check_input(input)
        if type(self).prepare is not Module.prepare:
            with no_grad():
                self.prepare(input)
        result = self.compute(input)
        if isinstance(result, tuple):
            result, *extras = result
            with no_grad():
                self.keep_extras(*extras)
        return result

    # -- Torch's protocol ---------------------------------------------------------------

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        """Compute the output for `input`, keep it in `self.output` and return it."""
        with as_torch():
            self.renew_output(as_input(input))
        return self.output

    def renew_output(self, input: Any) -> Any:
        """Do what `updateOutput` does inside of `as_torch`, for a tensor or a Table."""
        output = self.keep(input, self._evaluate(input))
        if output is not self.output:
            self.output = output
        return output

    def keep(self, input: Any, result: Any) -> Any:
        """Return what `self.output` becomes: the same tensor, with the result in its own memory.

        In-place modules write the result into the input, and the output views it. Classes
        whose output in Torch7 is the input itself or a view of it say so here.
        """
        alone = getrefcount(result) == HELD_HERE
        if (target := self.written(input)) is not None:
            if not (alone and owed_in_place(target, result, self.output)):
                let_go(target.copy_(result))
                let_go(self.output)
            return share_memory(self.output, target)
        if alone and (adopted(self.output, result) or owed(self.output, result)):
            return self.output
        return replace_contents(self.output, result)

    def written(self, input: Any) -> Tensor | None:
        """Return the tensor of `input` that an in-place module writes its output into."""
        return input if self.inplace and isinstance(input, Tensor) else None

    def forward(self, input: Any) -> Any:
        """Return `updateOutput(input)`."""
        return self.updateOutput(input)

    # -- the framework's protocol -------------------------------------------------------

    def __call__(self, input: Any = NOTHING) -> Any:
        """Return the output for `input` in fresh tensors; fields `output` stay as they are.

        Called on nodes of a graph, or on nothing, return a new node: see nngraph.
        """
        if builds_graph(input):
            from .nngraph.build import connect

            return connect(self, input)
        with np.errstate(all="ignore"):
            input = as_input(input)
            result = self._outermost(input)
            return result if result is input else row_major(result)

    def __neg__(self) -> Any:
        """Return a node that is an input of a graph: `-module` is `module()`."""
        return self()

    def __sub__(self, following: Any) -> Any:
        """Return the node of `following` on what this module computes: nngraph's `-`."""
        return following(self)

    def __rsub__(self, previous: Any) -> Any:
        """Return the node of this module on a table of nodes: `{a, b} - nn.JoinTable(2)`."""
        return self(previous)

    def _outermost(self, input: Any) -> Any:
        return self._fresh(input)

    def _fresh(self, input: Any) -> Any:
        if torch_only(self):
            return call_through_torch(self, input)
        return self._evaluate(input)

    # -- type ---------------------------------------------------------------------------

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        if type is None:
            return self._type
        self.convert_fields(type, {} if tensorCache is None else tensorCache)
        self._type = cpu_typename(type)
        return self

    @property
    def dtype(self) -> Dtype:
        """The dtype that belongs to the module's tensor type."""
        return dtype_of(self._type)

    def check_input(self, input: Any) -> None:
        """Check that floating inputs are of the module's own type, as Torch7 asks.

        Raises
        ------
        InputTypeError
            If a tensor of `input` has another floating dtype.
        """
        if not isinstance(input, Tensor) and (words := unindexed(input)):
            raise InputTypeError(
                f"{words}: {self.t7_typename} takes a tensor or table; given {input!r}"
            )
        own = self.dtype
        for tensor in (input,) if isinstance(input, Tensor) else tensors_in(input):
            found = tensor.dtype
            if found is not own and found != own and is_floating(found):
                raise InputTypeError(
                    f"{self.t7_typename} is of type {self._type} and takes {own} "
                    f"tensors; given {tensor.dtype} of shape {tensor.shape}: "
                    f"convert the input with .astype('{own}')"
                )
