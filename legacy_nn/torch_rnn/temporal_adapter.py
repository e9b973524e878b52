"""nn.TemporalAdapter: a module of single samples, on sequences of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..containers import Sequential, run_fresh, run_torch
from ..errors import not_stated
from ..module import Module, as_input, as_torch, both_protocols, torch_class
from ..shape import View


class AroundNet(Module):
    """A module that hands everything to the network in its field `net`.

    In Lua these are no containers: their network is not among `modules`.
    """

    net: Any

    def prepare_views(self, input: Tensor) -> None:
        """Set the sizes of the views inside for an input (N, T, ...)."""
        raise not_stated(self, "prepare_views")

    def children(self) -> Iterator[tuple[str, Any]]:
        yield "net", self.net

    def check_input(self, input: Any) -> None:
        """Leave it to the network."""

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        weights, gradients = self.net.parameters()
        return weights, gradients

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            x = one_tensor(self, as_input(input))
            self.prepare_views(x)
            self.output = run_torch(self.net, x)
        return self.output

    def _fresh(self, input: Any) -> Any:
        self.prepare_views(one_tensor(self, input))
        return run_fresh(self.net, input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.gradInput = self.net.updateGradInput(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self.net.accGradParameters(input, gradOutput, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.gradInput = self.net.backward(input, gradOutput, scale)
        return self.gradInput

    def clearState(self) -> Self:
        self.net.clearState()
        return self


def views(sizes: tuple[int, ...], dims: int) -> View:
    """Return a view whose sizes are set for each input."""
    made: View = View(*sizes).setNumInputDims(dims)
    return made


@torch_class("nn.TemporalAdapter")
class TemporalAdapter(AroundNet):
    """Runs a module that takes (N, A) on each step of (N, T, A).

    Parameters
    ----------
    module : Module

    Source: jcjohnson/torch-rnn TemporalAdapter.lua.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.view_in, self.view_out = views((1, -1), 3), views((1, -1), 2)
        self.net = Sequential().add(self.view_in).add(module).add(self.view_out)

    def prepare_views(self, input: Tensor) -> None:
        N, T = input.shape[:2]
        self.view_in.resetSize(N * T, -1)
        self.view_out.resetSize(N, T, -1)
