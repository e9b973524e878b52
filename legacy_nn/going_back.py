"""The backward half of containers: what each module is asked, in which order.

Torch7 goes through the modules one by one, and each is given tensors that are fields of others:
an in-place module writes into what its neighbour will read. Containers state their way back
in `back`, so that the same things happen in the same order here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .errors import InputTypeError, ModuleError, module_place, not_stated, tell_place
from .gradients import Gradients, refilled
from .nesting import nested
from .order import added_later
from .steps import pull_through
from .tree import known
from .values import as_input, as_torch, replace_contents

Ask = Callable[[int, Any, Any], Any]
"""Asks module i, given its input and gradOutput, and returns the gradient for that input."""

Method = Callable[[Any, Any, Any], Any]
"""What a module is asked: takes (module, input, gradOutput)."""


class GoingBack(Gradients):
    """The backward half of nn.Container. Source: torch/nn Container.lua."""

    if TYPE_CHECKING:  # what Container has beside this
        modules: Table
        t7_typename: str

        def inside(self) -> list[Any]: ...
        def _flow(self, input: Any, run: Callable[[Any, Any], Any]) -> Any: ...

    # -- what a class states ------------------------------------------------------------

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        """Return the gradient for `input`, after asking the modules; `ask(i, x, g)` asks one.

        By default the flow is run again, with modules as steps that stand for the outputs
        they have.
        """

        def method(module: Any, x: Any, g: Any) -> Any:
            return ask(self._index(module), x, g)

        return pull_through(self, self._flow, input, gradOutput, method)

    def _index(self, module: Any) -> int:
        return next((i for i, m in enumerate(self.inside(), 1) if m is module), 0)

    # -- Torch's protocol ---------------------------------------------------------------

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self._pull(input, gradOutput, ask_gradient)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self._visit(input, gradOutput, lambda m, x, g: ask_parameters(m, x, g, scale))

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self._visit(input, gradOutput, lambda m, x, g: m.accUpdateGradParameters(x, g, lr))

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def backward_at_once(self, input: Any, gradOutput: Any, scale: float) -> Any:
        """Do what `backward` does, each module both halves in its turn."""
        return self._pull(input, gradOutput, lambda m, x, g: m.backward(x, g, scale))

    @nested
    def _pull(self, input: Any, gradOutput: Any, method: Method) -> Any:
        with as_torch():
            input, gradOutput = as_input(input), as_input(gradOutput)
            result = self.back(input, gradOutput, self._asking(method))
            self.gradInput = self.keep_gradient(input, gradOutput, result)
        return self.gradInput

    def visit(self, input: Any, gradOutput: Any, ask: Ask) -> None:
        """Ask the modules in turn, where the gradients that they have are what counts."""
        self.back(input, gradOutput, ask)

    @nested
    def _visit(self, input: Any, gradOutput: Any, method: Method) -> None:
        def visited(module: Any, x: Any, g: Any) -> Any:
            method(module, x, g)
            return module.gradInput

        with as_torch():
            self.visit(as_input(input), as_input(gradOutput), self._asking(visited))

    def _asking(self, method: Method) -> Ask:
        """Return `method` for module i, with errors that say which one they come from."""

        def ask(i: int, x: Any, g: Any) -> Any:
            try:
                return method(known(self.modules[i]), x, g)
            except Exception as error:
                tell_place(error, module_place(i, self.t7_typename))
                raise

        return ask

    def rethrowErrors(self, module: Any, moduleIndex: int, funcName: str, *args: Any) -> Any:
        """Return what a method of a module returns; errors say which module it was.

        For containers of one's own, as in Torch7.

        Raises
        ------
        ModuleError
            If `module` is not the one at `moduleIndex`, from 1.
        """
        if module is not self.modules[moduleIndex]:
            raise ModuleError("mismatch between moduleIndex and self.modules in rethrowErrors")
        try:
            return getattr(known(module), funcName)(*args)
        except Exception as error:
            tell_place(error, module_place(moduleIndex, self.t7_typename))
            raise


def ask_gradient(module: Any, input: Any, gradOutput: Any) -> Any:
    """Call `updateGradInput` inside of `as_torch`, and less around it where it is nn.Module's."""
    if (
        getattr(type(module), "updateGradInput", None) is Gradients.updateGradInput
        and "updateGradInput" not in module.__dict__
    ):
        return module.renew_gradient(as_input(input), as_input(gradOutput))
    return known(module).updateGradInput(input, gradOutput)


def ask_parameters(module: Any, input: Any, gradOutput: Any, scale: float) -> None:
    """Call `accGradParameters` likewise."""
    if (
        getattr(type(module), "accGradParameters", None) is Gradients.accGradParameters
        and "accGradParameters" not in module.__dict__
    ):
        module.add_gradients(as_input(input), as_input(gradOutput), scale)
    else:
        known(module).accGradParameters(input, gradOutput, scale)


Share = tuple[int, Any, Any]
"""A module's number, its input, and the gradient of its output."""


class SideBySide(GoingBack):
    """The backward half of containers whose modules do not see each other's outputs."""

    def shares(self, input: Any, gradOutput: Any) -> Iterator[Share]:
        """Yield what each module is asked with, in order."""
        raise not_stated(self, "shares")

    def gather(self, input: Any, found: Iterator[Any]) -> Any:
        """Return the gradient for `input`, given those of the modules as they come."""
        raise not_stated(self, "gather")

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        return self.gather(input, (ask(*share) for share in self.shares(input, gradOutput)))

    def visit(self, input: Any, gradOutput: Any, ask: Ask) -> None:
        for share in self.shares(input, gradOutput):
            ask(*share)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return result


def summed(target: Any, input: Any, found: Iterable[Any]) -> Any:
    """Add up the gradients that several modules have for one input, in memory of one's own.

    Parameters
    ----------
    target : Tensor or Table
        What held the last sum: it is filled again.
    input : Tensor or Table
        Gradients for a table are tables of as many entries.
    found : iterable of Tensor, Table or None
        None counts as nothing.

    Raises
    ------
    ModuleError
        If a gradient for a table is none, or has another number of entries.
    """
    total = None
    for gradient in found:
        if isinstance(input, Table):
            if not isinstance(gradient, Table):
                raise ModuleError(
                    "currentGradInput is not a table! The input is one; "
                    f"the gradient for it is {type(gradient).__name__}"
                )
            if len(gradient) != len(input):
                raise ModuleError(
                    f"table size mismatch: {len(input)} ~= {len(gradient)}: the gradient for a "
                    "table has an entry for each of its own"
                )
        if gradient is not None:
            total = refilled(target, gradient) if total is None else added_to(total, gradient)
    return target if total is None else total


def added_to(total: Any, term: Any) -> Any:
    """Add a gradient to another one, in its tensors, and return that."""
    if isinstance(term, Tensor):
        if added_later(total, term):
            return total
        same = term if term.dtype == total.dtype else term.astype(total.dtype)
        return total.add_(same.reshape(total.shape))
    for key in [k for k in total if k not in term]:
        total[key] = None
    for key, part in term.items():
        before = total.get(key)
        total[key] = replace_contents(None, part) if before is None else added_to(before, part)
    return total


def entry(owner: Any, table: Any, index: int, what: str) -> Any:
    """Return an entry of a table that must have it.

    Raises
    ------
    InputTypeError
        If there is no table, or no such entry.
    """
    if not isinstance(table, Table) or table.get(index) is None:
        given = f"one of {len(table)}" if isinstance(table, Table) else type(table).__name__
        raise InputTypeError(
            f"{owner.t7_typename} takes a table as its {what}, with an entry for each module; "
            f"there is no {what}[{index}] in {given}"
        )
    return table[index]
