"""Torch's backward protocol, made of a module's `compute`.

`updateGradInput`, `accGradParameters` and `backward` are functions of their arguments and of
the fields when they are called: `compute` is evaluated again on a graph that lives only as
long as the call. Classes whose Torch7 code reads something else, such as the output that an
earlier forward pass left, override `input_gradient` and `parameter_gradients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sys import getrefcount
from typing import TYPE_CHECKING, Any, ClassVar

from rekindle.core.autograd import enable_grad, grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros, zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.core.ops.adoption import HELD_HERE, adopted
from rekindle.core.ops.inplace import increased
from rekindle.core.ops.owing import owed
from rekindle.core.tensor import Tensor

from .errors import ModuleError
from .order import in_any_order, marked
from .values import (
    as_input,
    as_torch,
    map_tensors,
    paired,
    replace_contents,
    tensors_in,
)

if TYPE_CHECKING:
    from rekindle.core.dtypes import Dtype


class Gradients:
    """The backward half of nn.Module. Source: torch/nn Module.lua."""

    gradInput: Any
    parameter_fields: ClassVar[tuple[tuple[str, str], ...]]

    if TYPE_CHECKING:  # what Module has beside this

        @property
        def dtype(self) -> Dtype: ...
        def compute(self, input: Any) -> Any: ...
        def parameters(self) -> tuple[list[Tensor], list[Tensor]]: ...

    # -- what a class states ------------------------------------------------------------

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        """Return the gradient for `input`: of its shape, a Table for a Table."""
        if not any(_has(t) for t in tensors_in(input)):
            return self._arranged(input, iter(()))
        leaves, result = self._on_graph(input)
        found = _pulled(self, result, gradOutput, [t for t in tensors_in(leaves) if _has(t)])
        return self._arranged(leaves, iter(found))

    def _arranged(self, leaves: Any, found: Iterator[Tensor]) -> Any:
        """Return the gradients of `leaves` as they are arranged, zeros for integers."""

        def one(leaf: Tensor) -> Tensor:
            return next(found) if _has(leaf) else zeros(leaf.shape, self.dtype, leaf.device)

        return map_tensors(one, leaves)

    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        """Return the gradient of each of `parameter_fields`, None where there is none."""
        present = self._present()
        if not present:
            return [None] * len(self.parameter_fields)
        _, result = self._on_graph(input)
        found = _pulled(self, result, gradOutput, [getattr(self, n) for n in present])
        by_name = dict(zip(present, found, strict=True))
        return [by_name.get(n) for n, _ in self.parameter_fields]

    def _present(self) -> list[str]:
        """Return which of the fields that can be trained are there."""
        return [n for n, _ in self.parameter_fields if _has(getattr(self, n, None))]

    def _on_graph(self, input: Any) -> tuple[Any, Any]:
        """Return leaves in place of the input's tensors, and the recorded output for them."""
        if marked(self.compute) or marked(getattr(self, "compute_batch", None)):
            input = in_any_order(input)
        with enable_grad():
            leaves = map_tensors(_leaf, input)
            result = self.compute(leaves)
        return leaves, result[0] if isinstance(result, tuple) else result

    # -- Torch's protocol ---------------------------------------------------------------

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Compute the gradient for `input`, keep it in `self.gradInput` and return it.

        A module whose `gradInput` was removed, as models do with their first one to spare the
        work, has none to compute and returns None.

        Parameters
        ----------
        input : Tensor or Table
            What forward was given.
        gradOutput : Tensor or Table
            The gradient of the loss with respect to the output.
        """
        with as_torch():
            self.renew_gradient(as_input(input), as_input(gradOutput))
        return self.gradInput

    def renew_gradient(self, input: Any, gradOutput: Any) -> Any:
        """Do what `updateGradInput` does inside of `as_torch`, for tensors or Tables."""
        own = self.gradInput
        if own is None or not self.goes_back():
            return own
        if (
            type(input) is type(own) is Tensor
            and not is_floating(input.dtype)
            and type(self).input_gradient is Gradients.input_gradient
            and own.shape == input.shape
            and own.dtype == self.dtype
        ):
            return own.zero_()  # whole numbers have no gradients
        kept = self.keep_gradient(input, gradOutput, self.input_gradient(input, gradOutput))
        if kept is not self.gradInput:
            self.gradInput = kept
        return kept

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        """Return what `self.gradInput` becomes: the same tensors, with the result in them."""
        own = self.gradInput
        if getrefcount(result) == HELD_HERE and (adopted(own, result) or owed(own, result)):
            return own
        return refilled(self.gradInput, result)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """Add `scale` times the gradients of the parameters to their gradient fields.

        Raises
        ------
        ModuleError
            If a parameter has no gradient field, as in models saved without them.
        """
        with as_torch():
            self.add_gradients(as_input(input), as_input(gradOutput), scale)

    def add_gradients(self, input: Any, gradOutput: Any, scale: float) -> None:
        """Do what `accGradParameters` does inside of `as_torch`, for tensors or Tables."""
        if self.goes_back() and self._present():
            self._accumulate(self.parameter_gradients(input, gradOutput), scale)

    def _accumulate(self, found: Sequence[Tensor | None], scale: float) -> None:
        for (field, name), g in zip(self.parameter_fields, found, strict=True):
            if g is None:
                continue
            if (kept := getattr(self, name, None)) is None:
                raise ModuleError(
                    f"{self!r} has {field!r} and no {name!r} to add its gradient to; it was "
                    f"removed, perhaps before saving: set it to zeros of shape {g.shape}"
                )
            step = g if scale == 1 else g * scale
            if not increased(kept, step):
                kept.add_(step)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        """Do `updateGradInput` and `accGradParameters`; return the gradient for `input`."""
        if self._derives_both():
            with as_torch():
                self._backward_at_once(as_input(input), as_input(gradOutput), scale)
        else:
            self.updateGradInput(input, gradOutput)
            self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def goes_back(self) -> bool:
        """Whether the class says how gradients go back: a `compute` to differentiate, or a rule.

        One that only has an `updateOutput` behaves as in Torch7: its gradInput stays as it is,
        empty to begin with.
        """
        return True

    def _derives_both(self) -> bool:
        """Whether both halves of `backward` are derivatives of `compute`, as stated here."""
        cls = type(self)
        return (
            cls.input_gradient is Gradients.input_gradient
            and cls.parameter_gradients is Gradients.parameter_gradients
            and getattr(self.updateGradInput, "__func__", None) is Gradients.updateGradInput
            and getattr(self.accGradParameters, "__func__", None) is Gradients.accGradParameters
            and self.gradInput is not None
            and self.goes_back()
        )

    def _backward_at_once(self, input: Any, gradOutput: Any, scale: float) -> None:
        present = self._present()
        leaves, result = self._on_graph(input)
        inputs = [t for t in tensors_in(leaves) if _has(t)]
        found = _pulled(self, result, gradOutput, [*inputs, *(getattr(self, n) for n in present)])
        self.gradInput = self.keep_gradient(
            input, gradOutput, self._arranged(leaves, iter(found[: len(inputs)]))
        )
        by_name = dict(zip(present, found[len(inputs) :], strict=True))
        self._accumulate([by_name.get(n) for n, _ in self.parameter_fields], scale)

    def backwardUpdate(self, input: Any, gradOutput: Any, lr: float) -> Any:
        """Do `updateGradInput` and `accUpdateGradParameters`; return the gradient for `input`."""
        self.updateGradInput(input, gradOutput)
        self.accUpdateGradParameters(input, gradOutput, lr)
        return self.gradInput

    # -- parameters ---------------------------------------------------------------------

    def zeroGradParameters(self) -> None:
        """Set the gradients of all parameters to zero."""
        for g in self.parameters()[1]:
            g.detach().zero_()

    def updateParameters(self, learningRate: float) -> None:
        """Take a step of `learningRate` against the gradients."""
        for p, g in zip(*self.parameters(), strict=True):
            p.detach().sub_(g.detach() * learningRate)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """Take a step along the gradients for this input."""
        if getattr(self, "shared", False):
            self.sharedAccUpdateGradParameters(input, gradOutput, lr)
        else:
            self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def defaultAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """Take a step along the gradients for this input, leaving `gradWeight` as it is."""
        own = vars(self)
        kept = {name: own.get(name) for _, name in self.parameter_fields}
        for field, name in self.parameter_fields:
            if isinstance(value := own.get(field), Tensor):
                own[name] = value.detach()
        try:
            self.accGradParameters(input, gradOutput, -lr)
        finally:
            for name, value in kept.items():
                if value is None:
                    own.pop(name, None)
                else:
                    own[name] = value

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """Take a step for this input where parameters are shared."""
        if self.parameters()[0]:
            self.zeroGradParameters()
            self.accGradParameters(input, gradOutput, 1)
            self.updateParameters(lr)


def _has(value: Any) -> bool:
    return isinstance(value, Tensor) and is_floating(value.dtype)


def _leaf(tensor: Tensor) -> Tensor:
    leaf = tensor.detach()
    return leaf.requires_grad_() if is_floating(tensor.dtype) else leaf


def _pulled(module: Any, result: Any, gradOutput: Any, targets: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients of `targets`, zeros where the result does not depend on them."""
    pairs = paired(module, result, in_any_order(gradOutput))
    if not pairs or not targets:
        return [zeros_like(t) for t in targets]
    found = grad([y for y, _ in pairs], list(targets), [g for _, g in pairs], allow_unused=True)
    return [zeros_like(t) if g is None else g for t, g in zip(targets, found, strict=True)]


def refilled(target: Any, value: Any) -> Any:
    """Put `value` into `target` tensor by tensor, keeping tables and tensors themselves."""
    if not isinstance(value, Table):
        return replace_contents(target, value)
    table = target if isinstance(target, Table) else Table()
    entries, parts = table._map, value._map
    for key in [k for k in entries if k not in parts]:
        del entries[key]
    for key, part in parts.items():
        entries[key] = refilled(entries.get(key), part)
    return table
