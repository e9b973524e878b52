"""Layers that compute whole sequences, with one matrix of weights for input and state.

nn.SeqLSTM and nn.SeqGRU of rnn are of this kind, and nn.LSTM and nn.VanillaRNN of torch-rnn.
Going back, the sequence is computed again from where it started, and differentiated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.autograd import enable_grad, grad, no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros, zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..clearing import clear
from ..errors import not_stated
from ..fields import add_parameter, given, set_field
from ..module import (
    ArgumentError,
    InputTypeError,
    Module,
    as_input,
    as_torch,
    both_protocols,
    replace_contents,
)
from ..through_torch import call_through_torch, torch_only
from ..torch7 import random

States = tuple[Tensor, ...]
"""The states after a step: the output first, then the cell of an LSTM."""


class SequenceLayer(Module):
    """A layer over sequences.

    Attributes
    ----------
    weight : Parameter, shape (D + R, gates * H)
    bias : Parameter, shape (gates * H,)
    h0, c0 : Tensor, shape (N, R) and (N, H)
        Where the last sequence started.
    cell : Tensor
        The cells of an LSTM after each step.
    """

    gates: ClassVar[int]
    """How many vectors of H sums a step has."""

    state_fields: ClassVar[tuple[str, ...]] = ("h0",)
    """Where sequences start; in inputs that are tables they come in the opposite order."""

    forget_gate: ClassVar[bool] = True
    """Whether the second vector of the bias starts at 1."""

    cleared: ClassVar[tuple[str, ...]] = ()

    gradWeight: Tensor
    gradBias: Tensor
    h0: Tensor
    c0: Tensor
    recompute_backward: bool = True
    _return_grad_h0: bool = False
    _return_grad_c0: bool = False

    # -- what a class states ------------------------------------------------------------

    def step(self, sums: Tensor, states: States, weights: Sequence[Tensor]) -> States:
        """Return the states after a step.

        Parameters
        ----------
        sums : Tensor, shape (N, gates * H)
            What the input and the bias give.
        states : tuple of Tensor
        weights : sequence of Tensor
            The part of `weight` for the output before, and further parameters.
        """
        raise not_stated(self, "step")

    def sizes(self) -> tuple[int, int, int]:
        """Return the sizes of the input, of the state, and of the output."""
        raise not_stated(self, "sizes")

    def time_first(self, x: Tensor) -> Tensor:
        """Return a sequence of inputs, outputs or gradients with the time before the batch."""
        raise not_stated(self, "time_first")

    def last_states(self) -> States:
        """Return the states that the last sequence ended with."""
        raise not_stated(self, "last_states")

    def goes_on(self) -> bool:
        """Whether a sequence starts where the last one ended."""
        raise not_stated(self, "goes_on")

    def keep_sequences(self, found: States) -> None:
        """Keep the outputs, and the cells, of all steps."""
        raise not_stated(self, "keep_sequences")

    def masks(self) -> bool:
        """Whether steps of zeros give states of zeros."""
        return False

    # -- parameters ---------------------------------------------------------------------

    def add_fields(self) -> None:
        """Make the parameters and the fields that calls fill."""
        D, H, R = self.sizes()
        add_parameter(self, "weight", "gradWeight", (D + R, self.gates * H))
        add_parameter(self, "bias", "gradBias", self.gates * H)
        self.reset()
        for name in (*self.cleared, *self.state_fields, *_of_starts(self), "grad_x"):
            setattr(self, name, empty(0, self.dtype))
        starts = [getattr(self, name) for name in reversed(_of_starts(self))]
        self.gradInput = Table([*starts, self.grad_x])

    def reset(self, stdv: float | None = None) -> Self:
        """Draw the weights normally, set the bias to zeros, and return the module."""
        D, _, R = self.sizes()
        with no_grad():
            self.bias.zero_()
            if self.forget_gate:
                self.bias[R : 2 * R] = 1
            random.normal(self.weight, 0, given(stdv, 1 / math.sqrt(D + R)))
        return self

    def resetStates(self) -> None:
        """Let the next sequence start from zeros."""
        for name in self.state_fields:
            setattr(self, name, empty(0, self.dtype))

    # -- forward ------------------------------------------------------------------------

    def check_input(self, input: Any) -> None:
        super().check_input(input)
        self._unpacked(input)

    def _unpacked(self, input: Any) -> tuple[dict[str, Tensor], Tensor]:
        """Return the states that an input names, and its sequence with the time first."""
        parts = input.array() if isinstance(input, Table) else [input]
        *states, x = parts or [None]
        names = self.state_fields
        if not all(isinstance(part, Tensor) for part in parts) or len(states) > len(names):
            listed = ", ".join(reversed(names))
            raise InputTypeError(
                f"invalid input: {self.t7_typename} takes a tensor, or a table of {listed} and "
                f"it, of which the first may be missing; given {input!r:.60}"
            )
        D, H, R = self.sizes()
        if x.ndim != 3 or x.shape[2] != D:
            raise ShapeError(
                f"Only supports batch mode: {self.t7_typename} takes sequences of three dimensions "
                f"whose last is {D}; given shape {x.shape}"
            )
        x = self.time_first(x)
        found = dict(zip(names, reversed(states), strict=False))
        for name, state in found.items():
            expected = (x.shape[1], R if name == "h0" else H)
            if state.shape != expected:
                raise ShapeError(
                    f"{self.t7_typename} takes {name} of shape {expected}; given {state.shape}"
                )
        return found, x

    def start(self, named: dict[str, Tensor], x: Tensor) -> States:
        """Return where a sequence starts, and keep it where the input does not say."""
        _, H, R = self.sizes()
        N = x.shape[1]
        last: Sequence[Tensor] | None = None
        starts = []
        for i, name in enumerate(self.state_fields):
            state = named.get(name)
            if state is None:
                state = self.given_start(name)
                shape = (N, R if name == "h0" else H)
                if state is None and getattr(self, name).size and self.goes_on():
                    last = self.last_states() if last is None else last
                    state = last[i]
                    if state.shape != shape:
                        raise ShapeError(
                            "batch sizes must be constant to remember states: "
                            f"{self.t7_typename} had {state.shape}, and has now {shape}"
                        )
                if state is None:
                    state = zeros(shape, x.dtype, x.device)
                with no_grad():
                    set_field(self, name, state.detach())
                state = getattr(self, name)
            starts.append(state)
        self._return_grad_h0 = "h0" in named
        if "c0" in self.state_fields:
            self._return_grad_c0 = "c0" in named
        return tuple(starts)

    def given_start(self, name: str) -> Tensor | None:
        """Return the state that a program has set for the next sequence."""
        return None

    def sequences(self, x: Tensor, starts: States, parameters: Sequence[Tensor]) -> States:
        """Return the states after all steps, each of shape (T, N, ...)."""
        weight, bias, *more = parameters
        D = self.sizes()[0]
        T, N = x.shape[:2]
        flat = ops.matmul(ops.reshape(x, (T * N, D)), weight[:D]) + bias
        sums = ops.reshape(flat, (T, N, flat.shape[1]))
        weights = [weight[D:], *more]
        zero = ops.equal(ops.sum(ops.abs(x.detach()), axis=2), 0) if self.masks() else None
        states, steps = starts, []
        for t in range(T):
            states = self.step(sums[t], states, weights)
            if zero is not None:
                here = ops.unsqueeze(zero[t], 1)
                states = tuple(ops.where(here, zeros_like(s), s) for s in states)
            steps.append(states)
        return tuple(ops.stack(each) for each in zip(*steps, strict=True))

    def own_parameters(self) -> list[Tensor]:
        """Return the parameters, in the order of `parameter_fields`."""
        return [getattr(self, name) for name, _ in self.parameter_fields]

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self.check_input(input)
            self.recompute_backward = True
            named, x = self._unpacked(input)
            self.keep_sequences(self.sequences(x, self.start(named, x), self.own_parameters()))
        return self.output

    def _fresh(self, input: Any) -> Any:
        if torch_only(self):
            return call_through_torch(self, input)
        self.check_input(input)
        named, x = self._unpacked(input)
        kept = {name: vars(self).get(name) for name in ("output", *self.cleared)}
        found = self.sequences(x, self.start(named, x), self.own_parameters())
        with no_grad():
            vars(self).update(output=empty(0, x.dtype), **dict.fromkeys(self.cleared))
            self.keep_sequences(tuple(s.detach() for s in found))
        if not self.goes_on():
            vars(self).update(kept)
        return self.time_first(found[0])

    # -- backward -----------------------------------------------------------------------

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        """Add the gradients of the parameters; return the gradient for the input.

        Raises
        ------
        ArgumentError
            With another `scale` than 1.
        """
        if given(scale, 1) != 1:
            raise ArgumentError(f"must have scale=1: {self.t7_typename} is given {scale}")
        with as_torch():
            self.recompute_backward = False
            named, x = self._unpacked(as_input(input))
            g = self.time_first(gradOutput)
            starts = [_leaf(named.get(name, getattr(self, name))) for name in self.state_fields]
            x = _leaf(x)
            parameters = self.own_parameters()
            with enable_grad():
                found = self.sequences(x, tuple(starts), parameters)
            if g.shape != found[0].shape:
                raise ShapeError(
                    f"{self.t7_typename} has outputs of shape {found[0].shape}, with the time "
                    f"first; its gradOutput is of {g.shape}"
                )
            ends = self.beyond(found)
            outputs = [found[0], *(end for end, _ in ends)]
            seeds = [g.detach(), *(seed for _, seed in ends)]
            of_x, *rest = _gradients(outputs, [x, *starts, *parameters], seeds)
            for (_, name), gradient in zip(self.parameter_fields, rest[len(starts) :], strict=True):
                getattr(self, name).add_(gradient)
            self._keep_gradients(of_x, rest[: len(starts)])
        return self.gradInput

    def beyond(self, found: States) -> list[tuple[Tensor, Tensor]]:
        """Return states after the last step with the gradients that come from beyond it."""
        return []

    def _keep_gradients(self, of_x: Tensor, of_starts: Sequence[Tensor]) -> None:
        for name, gradient in zip(_of_starts(self), of_starts, strict=True):
            set_field(self, name, gradient)
        vars(self)["grad_x"] = replace_contents(
            vars(self).get("grad_x"), ops.contiguous(self.time_first(of_x))
        )
        wanted = []
        if self._return_grad_c0 and self._return_grad_h0 and "c0" in self.state_fields:
            wanted.append(self.grad_c0)
        if self._return_grad_h0:
            wanted.append(self.grad_h0)
        self.gradInput = Table([*wanted, self.grad_x]) if wanted else self.grad_x

    grad_h0: Tensor
    grad_c0: Tensor
    grad_x: Tensor

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.recompute_backward:
            self.backward(input, gradOutput, 1)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        if self.recompute_backward:
            self.backward(input, gradOutput, scale)

    def clearState(self) -> Self:
        clear(self, *self.cleared, *_of_starts(self), "grad_x", "output")
        return self


def _of_starts(layer: SequenceLayer) -> list[str]:
    """Return the fields of the gradients of where a sequence starts."""
    return [f"grad_{name}" for name in layer.state_fields]


def _gradients(outputs: list[Tensor], inputs: list[Tensor], seeds: list[Tensor]) -> list[Tensor]:
    """Return the gradients of `inputs`, zeros where the outputs do not depend on one."""
    found = grad(outputs, inputs, seeds, allow_unused=True)
    return [zeros_like(x.detach()) if g is None else g for x, g in zip(inputs, found, strict=True)]


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


def lstm_step(sums: Tensor, states: States, weight: Tensor) -> States:
    """Return output and cell after a step of an LSTM with gates in the order i, f, o, g."""
    h, c = states
    H = c.shape[1]
    a = sums + ops.matmul(h, weight)
    opened = ops.sigmoid(a[:, : 3 * H])
    i, f, o = opened[:, :H], opened[:, H : 2 * H], opened[:, 2 * H :]
    c = f * c + i * ops.tanh(a[:, 3 * H :])
    return o * ops.tanh(c), c
