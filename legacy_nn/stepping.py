"""Modules step by step through time: what the package rnn asks of every module.

A recurrent module computes each step of a sequence with a clone of its module; the clones
share their parameters. Source: Element-Research/rnn Module.lua, dpnn Module.lua.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .copying import Sharing, copied_around
from .errors import ArgumentError
from .flatten import flatten, get_parameters
from .values import as_input, tensors_in


class Stepping(Sharing):
    """The part of nn.Module that the packages dpnn and rnn add to it for sequences."""

    dpnn_stepclone: ClassVar[bool] = False
    """Whether a clone for another step is the module itself, which counts steps of its own."""

    shared_fields: ClassVar[tuple[str, ...]] = ("weight", "bias")
    shared_gradients: ClassVar[tuple[str, ...]] = ("gradWeight", "gradBias")
    """Fields whose memory `sharedClone` shares; dpnn's dpnn_parameters, dpnn_gradParameters."""

    if TYPE_CHECKING:  # what Module has beside this

        def inside(self) -> list[Any]: ...
        def parameters(self) -> tuple[list[Tensor], list[Tensor]]: ...

    # -- clones -------------------------------------------------------------------------

    def sharedClone(
        self,
        shareParams: bool | None = None,
        shareGradParams: bool | None = None,
        stepClone: bool | None = None,
    ) -> Self:
        """Return a copy that shares the memory of its parameters with this module.

        Parameters
        ----------
        shareParams, shareGradParams : bool, default True
            Whether parameters are shared, and whether their gradients are.
        stepClone : bool, default False
            Whether recurrent modules are not copied, here and inside: they stay the same.
        """
        if stepClone and self.dpnn_stepclone:
            return self
        kept: list[Any] = []
        for module in reachable(self, stops=bool(stepClone)):
            if stepClone and module.dpnn_stepclone:
                kept.append(module)
                continue
            names = (
                *(module.shared_fields if shareParams is not False else ()),
                *(module.shared_gradients if shareGradParams is not False else ()),
            )
            found = (vars(module).get(name) for name in names)
            kept += [tensor.storage() for tensor in found if isinstance(tensor, Tensor)]
        return copied_around(self, kept)

    def stepClone(
        self, shareParams: bool | None = None, shareGradParams: bool | None = None
    ) -> Self:
        """Return a clone for another step of a sequence: see `sharedClone`."""
        return self.sharedClone(shareParams, shareGradParams, True)

    def getParameters(self) -> tuple[Tensor, Tensor]:
        """Move all parameters, and their gradients, into one flat tensor each; return the two.

        The fields stay the same tensors and become views: what is written into the flat
        tensors is seen in the modules, and the other way round. Parameters that shared a
        storage keep the order they had in it; those that overlap still do. Calling it again
        makes new flat tensors, and the ones from before are views of nothing. Modules in fields
        that share parameters follow, such as the clones of recurrent modules for each step.

        Returns
        -------
        flatParameters, flatGradParameters : Tensor, shape (n,)

        Raises
        ------
        ArgumentError
            If the gradients do not lie as the parameters do, because weights are shared
            without their gradients or gradients were removed; if types differ; if there are
            gaps inside a tensor.
        """
        weights, gradients = self.parameters()
        hidden = [module.parameters() for module in reachable(self)]
        if _steps_inside(self):
            for w, g in hidden:
                weights, gradients = weights + w, gradients + g
            return get_parameters(weights, gradients)
        known = {_place(weight) for weight in weights}
        for w, g in hidden:
            if len(w) == len(g) and w and all(_place(weight) in known for weight in w):
                weights, gradients = weights + w, gradients + g
        return get_parameters(weights, gradients)

    @staticmethod
    def flatten(parameters: Any) -> Tensor:
        """Move a list of tensors into one flat tensor, of which they become views; return it.

        Parameters
        ----------
        parameters : Table or sequence of Tensor
            Of one type. See `getParameters`, which does this for parameters and gradients.
        """
        return flatten(list(tensors_in(as_input(parameters))))

    # -- steps --------------------------------------------------------------------------

    def forget(self) -> Any:
        """Let the next input be the first of a sequence, in all recurrent modules inside."""
        for module in self.inside():
            module.forget()
        return self

    def remember(self, remember: str | None = None) -> Any:
        """Say in which modes sequences go on where the last one ended, in all modules inside.

        Parameters
        ----------
        remember : str, default "both"
            "train", "eval", "both" or "neither".
        """
        for module in self.inside():
            module.remember(remember)
        return self

    def setOutputStep(self, step: int) -> None:
        """Let `output` and `gradInput` of recurrent modules inside be those of a step, from 1."""
        for module in self.inside():
            module.setOutputStep(step)

    def maxBPTTstep(self, rho: int) -> None:
        """Set how many steps gradients go back through, in all recurrent modules inside."""
        for module in self.inside():
            module.maxBPTTstep(rho)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return the hidden state after a step: a table of those of the modules inside."""
        return _states([m.getHiddenState(step) for m in self.inside()], self)

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        """Set the hidden state after a step, as `getHiddenState` returns it."""
        for module, state in self._with_states(hiddenState):
            module.setHiddenState(step, state)

    def getGradHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return the gradient for the hidden state after a step."""
        return _states([m.getGradHiddenState(step) for m in self.inside()], self)

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        """Set the gradient for the hidden state after a step."""
        for module, state in self._with_states(gradHiddenState):
            module.setGradHiddenState(step, state)

    def _with_states(self, states: Any) -> Iterator[tuple[Any, Any]]:
        modules = self.inside()
        if modules and not isinstance(states, Table):
            raise ArgumentError(
                f"a container takes a table of hidden states, one for each module inside; "
                f"given {type(states).__name__}"
            )
        return ((m, states.get(i)) for i, m in enumerate(modules, 1))


def _states(found: list[Any], owner: Any) -> Any:
    """Return the states of the modules inside as a table; None where there are no modules."""
    if not hasattr(owner, "modules"):
        return None
    return Table({i: state for i, state in enumerate(found, 1) if state is not None})


def reachable(root: Any, stops: bool = False) -> Iterator[Any]:
    """Yield the modules that fields of modules, and tables in them, lead to; `root` first.

    Parameters
    ----------
    stops : bool, default False
        Whether recurrent modules are yielded and not looked into.
    """
    pending, seen = [root], {id(root): root}  # kept: tables of Lua are made when they are read
    while pending:
        value = pending.pop()
        if isinstance(value, Stepping):
            yield value
            if stops and value.dpnn_stepclone and value is not root:
                continue
            below = list(vars(value).values())
        else:
            below = list(value.values())
        for part in reversed(below):
            if isinstance(part, (Stepping, Table)) and id(part) not in seen:
                seen[id(part)] = part
                pending.append(part)


def _place(tensor: Tensor) -> tuple[Any, ...]:
    """Return what tells whether two tensors are the same elements."""
    return id(tensor.storage()), tensor.storage_offset(), tensor.shape


def _steps_inside(root: Any) -> bool:
    """Whether there are recurrent modules among those that Torch7's walks reach."""
    pending, seen = [root], {id(root)}
    for module in pending:
        if getattr(module, "dpnn_stepclone", False):
            return True
        for child in module.inside() if isinstance(module, Stepping) else ():
            if id(child) not in seen:
                seen.add(id(child))
                pending.append(child)
    return False
