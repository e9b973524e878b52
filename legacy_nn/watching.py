"""Modules that watch over others: nn.NaN, Profile and PrintSize."""

from __future__ import annotations

import itertools
import time
from typing import Any

from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.tensor import Tensor

from .decorator import Decorator
from .errors import ModuleError
from .fields import given
from .module import Module, both_protocols, torch_class
from .values import as_torch, tensors_in

_ids = itertools.count(1)


@torch_class("nn.NaN")
class NaN(Decorator):
    """Raises an error if outputs or gradients of the module inside are not numbers.

    Parameters
    ----------
    module : Module
    id : int, optional
        What errors call it; by default the next number.

    Source: torch/nn NaN.lua.
    """

    id: int

    def __init__(self, module: Any, id: int | None = None) -> None:
        super().__init__(module)
        self.id = self.newId() if id is None else id

    @staticmethod
    def newId() -> int:
        """Return the next number: 1, 2, ..."""
        return next(_ids)

    def recursiveIsNaN(self, tensor: Any) -> bool:
        """Whether a tensor, or one of a table, has an element that is no number."""
        with as_torch():
            return any(bool((t.sum() != t.sum()).item()) for t in tensors_in(tensor))

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        return self._checked(input, super().updateOutput(input))

    def _fresh(self, input: Any) -> Any:
        return self._checked(input, super()._fresh(input))

    def _checked(self, input: Any, output: Any) -> Any:
        parameters = Table(self.parameters()[0])
        self._check(output=output, parameters=parameters, input=input)
        return output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        super().updateGradInput(input, gradOutput)
        self._check(gradInput=self.gradInput, gradOutput=gradOutput)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        super().accGradParameters(input, gradOutput, scale)
        self._check(gradParameters=Table(self.parameters()[1]))

    def _check(self, **values: Any) -> None:
        """Raise an error if the first value has nan, naming the last one that has."""
        if self.recursiveIsNaN(next(iter(values.values()))):
            source = next(n for n in reversed(values) if self.recursiveIsNaN(values[n]))
            raise ModuleError(f"NaN found in {source} of module :\n{self!r}")

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.id}) @ {self.modules[1]!r}"


@torch_class("nn.Profile")
class Profile(Decorator):
    """Measures how long the module inside takes, and prints it now and then.

    Parameters
    ----------
    module : Module
    print_interval : int, default 100
        After how many passes, forward and backward each.
    name : str, optional
        What the text calls it; by default the module's class.

    Source: torch/nn Profile.lua.
    """

    print_interval: int
    name: str

    def __init__(
        self, module: Any, print_interval: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(module)
        self.print_interval = given(print_interval, 100)
        self.name = given(name, module.t7_typename)
        self.module = module
        self.numFwds = self.numBwds = 0
        self.summedFwdTime = self.summedBwdTime = 0.0
        self.timer = TorchObject("torch.Timer")

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        start = time.perf_counter()
        super().updateOutput(input)
        self._count("Fwd", "forward", start)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        start = time.perf_counter()
        super().updateGradInput(input, gradOutput)
        self._count("Bwd", "backward", start)
        return self.gradInput

    def _count(self, kind: str, word: str, start: float) -> None:
        own = vars(self)
        own[f"summed{kind}Time"] += time.perf_counter() - start
        own[f"num{kind}s"] += 1
        if own[f"num{kind}s"] % self.print_interval == 0:
            seconds = own[f"summed{kind}Time"]
            print(f"{self.name} took {seconds:.3f} seconds for {self.print_interval} {word} passes")
            own[f"num{kind}s"] = own[f"summed{kind}Time"] = 0


@torch_class("nn.PrintSize")
class PrintSize(Module):
    """Passes on its input and its gradient, and prints their sizes.

    Parameters
    ----------
    prefix : str, default "PrintSize"
        What the lines begin with.

    Source: torch/nn PrintSize.lua.
    """

    aliases = True

    prefix: str

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__()
        self.prefix = given(prefix, "PrintSize")

    def check_input(self, input: Any) -> None:
        """Take every type, as Torch7 does."""

    def prepare(self, input: Any) -> None:
        print(f"{self.prefix}:input\n\t{_size(input)}")

    def compute(self, input: Any) -> Any:
        return input

    def keep(self, input: Any, result: Any) -> Any:
        return input

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        print(f"{self.prefix}:gradOutput\n\t{_size(gradOutput)}")
        return gradOutput

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return gradOutput


def _size(value: Any) -> str:
    """Return the size of a tensor as Torch7 prints a LongStorage; that of a table as a table."""
    if value is None:
        return "missing size"
    if not isinstance(value, Tensor):
        return repr(value)
    width = max((len(str(n)) for n in value.shape), default=0) + 1
    lines = "".join(f"{n:{width}d}\n" for n in value.shape)
    return f"{lines}[torch.LongStorage of size {value.ndim}]\n"
