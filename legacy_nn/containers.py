"""Containers: modules made of modules, and nn.Sequential.

A container states once how its input flows through its modules; the base class runs that
flow in either protocol. Source: torch/nn Container.lua, Sequential.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from sys import getrefcount
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.autograd import is_grad_enabled
from rekindle.core.checkpoint import Table
from rekindle.core.ops.adoption import HELD_HERE, adopted, became
from rekindle.core.tensor import Tensor

from .clearing import drop
from .errors import module_place, tell_place
from .going_back import Ask, GoingBack
from .module import (
    ArgumentError,
    Module,
    ModuleError,
    as_input,
    as_torch,
    both_protocols,
    tensors_in,
    torch_class,
)
from .nesting import far_inside, nested
from .texts import indented
from .through_torch import call_through_torch, torch_only
from .tree import Tree, as_legacy
from .tree import how_to_register as how_to_register
from .tree import known as known

Step = Callable[[int, Any], Any]
"""Runs module i on an input, in the protocol that the outermost call chose."""


def run_torch(module: Any, input: Any) -> Any:
    """Run a module inside a container in Torch's protocol."""
    if (
        getattr(type(module), "updateOutput", None) is Module.updateOutput
        and "updateOutput" not in module.__dict__
    ):
        return module.renew_output(as_input(input))
    return known(module).updateOutput(input)


def run_fresh(module: Any, input: Any) -> Any:
    """Run a module inside a container in the framework's protocol.

    In-place modules write into their input here too: whoever else reads it, as the other
    end of a skip connection does, is to see what Torch7 saw. What Torch7 copied they do not
    change: an input that comes out as it is, as of Dropout in evaluation, is a tensor of its own.
    """
    module = known(module)
    if module.inplace and (target := module.written(input)) is not None:
        if getattr(module, "reads_input", False) and input.requires_grad and is_grad_enabled():
            input = ops.clone(input)  # what its own gradient reads is not overwritten
        result = module._fresh(input)
        alone = getrefcount(result) == HELD_HERE
        if not (alone and (adopted(target, result) or became(target, result))):
            target.copy_(result)
        return target
    result = module._fresh(input)
    passed_on = result is input or (
        isinstance(input, Table) and any(result is part for part in tensors_in(input))
    )
    if passed_on and getattr(type(module), "keep", None) is Module.keep:
        return ops.clone(result)
    return result


@torch_class("nn.Container")
class Container(GoingBack, Module):
    """A module with modules inside, in the 1-based Table `modules`.

    Source: torch/nn Container.lua.
    """

    modules: Table

    def __init__(self) -> None:
        super().__init__()
        self.modules = Table()

    def add(self, module: Any) -> Self:
        """Append `module`, which may be one of core.nn too, and return the container."""
        self.modules[len(self.modules) + 1] = as_legacy(module)
        return self

    def get(self, index: int) -> Any:
        """Return module `index`, from 1, or None where there is none."""
        return self.modules.get(index)

    def size(self) -> int:
        """Return the number of modules."""
        return len(self.modules)

    # -- what is inside -----------------------------------------------------------------

    def children(self) -> Iterator[tuple[str, Any]]:
        return ((f"modules[{i}]", m) for i, m in enumerate(self.inside(), 1))

    def inside(self) -> list[Any]:
        return self.modules.array()

    def put(self, index: int, module: Any) -> None:
        self.modules[index] = module

    @nested
    def applyToModules(self, func: Callable[[Any], Any]) -> None:
        """Call `func` on each of the modules."""
        for module in self.inside():
            func(known(module))

    @nested
    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        weights: list[Tensor] = []
        gradients: list[Tensor] = []
        for module in self.inside():
            w, g = known(module).parameters()
            weights += w
            gradients += g
        return weights, gradients

    def zeroGradParameters(self) -> None:
        self.applyToModules(lambda module: module.zeroGradParameters())

    def updateParameters(self, learningRate: float) -> None:
        self.applyToModules(lambda module: module.updateParameters(learningRate))

    def reset(self, stdv: float | None = None) -> Any:
        """Draw new parameters in all modules."""
        self.applyToModules(lambda module: module.reset(stdv))

    @nested
    def share(self, mlp: Any, *names: str) -> Self:
        """Let the modules share fields with those of another container; see Module.share."""
        for module, other in zip(self.inside(), mlp.inside(), strict=True):
            known(module).share(other, *names)
        return self

    @nested
    def clearState(self) -> Self:
        """Empty what the last calls left, here and below; return the container.

        Its own output and gradInput are replaced: they may be the input, or a module's.
        """
        drop(self, "output", "gradInput")
        self.applyToModules(lambda module: module.clearState())
        return self

    def check_input(self, input: Any) -> None:
        """Leave it to the modules inside."""

    # -- forward ------------------------------------------------------------------------

    def flow(self, input: Any, step: Step) -> Any:
        """Return the output for `input`; `step(i, x)` runs module i on x."""
        raise ModuleError(f"{self.t7_typename} defines no forward pass")

    def _step(self, run: Callable[[Any, Any], Any]) -> Step:
        def step(i: int, input: Any) -> Any:
            try:
                return run(self.modules[i], input)
            except Exception as error:
                tell_place(error, module_place(i, self.t7_typename))
                raise

        return step

    @both_protocols
    @nested
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self.output = self.keep(input, self.flow(input, self._step(run_torch)))
        return self.output

    def keep(self, input: Any, result: Any) -> Any:
        """Return what `self.output` becomes; by default the modules' own output objects."""
        return result

    def written(self, input: Any) -> Tensor | None:
        """Return None: whatever a field `inplace` says, it is the modules that write."""
        return None

    def _outermost(self, input: Any) -> Any:
        """Return the output for `input`, which stays as it is, whatever is inside."""
        if writes(self):
            input = _cloned(input)
        return self._fresh(input)

    @nested
    def _fresh(self, input: Any) -> Any:
        if torch_only(self):
            return call_through_torch(self, input)
        return self.flow(input, self._step(run_fresh))

    def _flow(self, input: Any, run: Callable[[Any, Any], Any]) -> Any:
        """Return the output for `input`, with `run(module, x)` in place of the modules."""
        return self.flow(input, self._step(run))

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Pickle follows what it finds as deep as it goes, unless it has met it before.
        reduced: Any = super().__reduce_ex__(protocol)
        function, arguments, *state = reduced
        if not (first := far_inside(self)):
            return function, arguments, *state
        return _made_after, (first, function, arguments), *state

    # -- text ---------------------------------------------------------------------------

    def _branches(self) -> str:
        """Return the text of a container whose modules stand side by side."""
        modules = self.modules.array()
        lines = [f"{self.t7_typename} {{", "  input"]
        for i, module in enumerate(modules, 1):
            last = i == len(modules)
            arrow, margin = ("   `-> ", "       ") if last else ("  |`-> ", "  |    ")
            lines.append(f"  {arrow}({i}): {indented(module, f'  {margin}')}")
        return "\n".join([*lines, "     ... -> output", "}"])


def _made_after(first: list[Any], function: Callable[..., Any], arguments: Any) -> Any:
    return function(*arguments)


def writes(module: Any) -> bool:
    """Whether this module, or one inside, writes into its input."""
    pending = [module]
    seen = {id(module)}
    for module in pending:
        if not isinstance(module, Tree):
            continue
        if getattr(module, "inplace", False):
            return True
        walk = type(module).children
        if walk is Tree.children:
            continue
        plain = walk is Container.children
        for child in module.inside() if plain else [m for _, m in module.children()]:
            if id(child) not in seen:
                seen.add(id(child))
                pending.append(child)
    return False


def _cloned(input: Any) -> Any:
    if isinstance(input, Tensor):
        return ops.clone(input)
    if isinstance(input, Table):
        return Table({key: _cloned(value) for key, value in input.items()})
    return input


@torch_class("nn.Sequential")
class Sequential(Container):
    """Feeds each module with the output of the one before.

    Source: torch/nn Sequential.lua.
    """

    def add(self, module: Any) -> Self:
        """Append `module` and return the container."""
        return self.insert(module, len(self.modules) + 1)

    def insert(self, module: Any, index: int | None = None) -> Self:
        """Put `module` before module `index`, from 1, or at the end; return the container.

        Raises
        ------
        ArgumentError
            If there is no such place.
        """
        modules = self.modules.array()
        place = len(modules) + 1 if index is None else index
        if not 1 <= place <= len(modules) + 1:
            raise ArgumentError(
                "index should be contiguous to existing modules: "
                f"a module can be inserted at 1 to {len(modules) + 1} here; given {index}"
            )
        modules.insert(place - 1, as_legacy(module))
        return self._replace(modules)

    def remove(self, index: int | None = None) -> Self:
        """Take module `index`, from 1, or the last one out; return the container.

        Raises
        ------
        ArgumentError
            If there is no such module.
        """
        modules = self.modules.array()
        place = len(modules) if index is None else index
        if not 1 <= place <= len(modules):
            raise ArgumentError(
                f"index out of range: there are modules 1 to {len(modules)} here; given {index}"
            )
        del modules[place - 1]
        return self._replace(modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __bool__(self) -> bool:
        return True  # as every object in Lua, whatever its length

    def _replace(self, modules: list[Any]) -> Self:
        """Hold these modules from now on; `output` is the last's and `gradInput` the first's."""
        for i in range(1, max(len(self.modules), len(modules)) + 1):
            self.modules[i] = modules[i - 1] if i <= len(modules) else None
        ends = (modules[-1], modules[0]) if modules else (Module(), Module())
        for name, module in zip(("output", "gradInput"), ends, strict=True):
            value = getattr(module, name, None)
            if value is None:
                vars(self).pop(name, None)
            else:
                setattr(self, name, value)
        return self

    def flow(self, input: Any, step: Step) -> Any:
        for i in range(1, len(self.modules) + 1):
            input = step(i, input)
        return input

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        count = len(self.modules)
        if count == 0:
            raise ModuleError("an empty nn.Sequential has no module to go back through: add() one")
        for i in range(count, 1, -1):
            gradOutput = ask(i, self.modules[i - 1].output, gradOutput)
            self.modules[i].gradInput = gradOutput  # also where a class did not keep it
        return ask(1, input, gradOutput)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return result

    def visit(self, input: Any, gradOutput: Any, ask: Ask) -> None:
        if len(self.modules) == 0:
            self.back(input, gradOutput, ask)
        for i in range(len(self.modules), 0, -1):
            given = input if i == 1 else self.modules[i - 1].output
            ask(i, given, gradOutput)
            gradOutput = self.modules[i].gradInput

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        return self.backward_at_once(input, gradOutput, scale)

    def __repr__(self) -> str:
        modules = self.modules.array()
        chain = " -> ".join(["input", *(f"({i})" for i in range(1, len(modules) + 1)), "output"])
        lines = ["nn.Sequential {", f"  [{chain}]"]
        lines += (f"  ({i}): {indented(module, '  ')}" for i, module in enumerate(modules, 1))
        return "\n".join([*lines, "}"])
