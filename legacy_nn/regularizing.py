"""What the package dpnn adds to every module: constraints, momentum, rewards, sizes.

Source: Element-Research/dpnn Module.lua, Container.lua.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.creation import empty
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .errors import ModuleError
from .torch7 import random

MEDIUM = ("output", "gradInput", "momGradParams", "dpnn_input")
LIGHT = ("gradWeight", "gradBias")
"""Fields that nn.Serial writes empty."""


class Regularizing:
    """The part of nn.Module that the package dpnn adds for training."""

    if TYPE_CHECKING:  # what Module has beside this
        scratch: ClassVar[tuple[str, ...]]

        def inside(self) -> list[Any]: ...
        def parameters(self) -> tuple[list[Tensor], list[Tensor]]: ...
        def updateOutput(self, input: Any) -> Any: ...

    momGradParams: Table | None = None
    dpnn_online: bool = False

    def outside(self, insize: Any) -> Any:
        """Return the size of the output for an input of a size, by running a random one.

        Parameters
        ----------
        insize : sequence, Table, Storage or int

        Returns
        -------
        tuple of int
        """
        sizes = insize.array() if isinstance(insize, Table) else insize
        if isinstance(sizes, Storage):
            sizes = sizes.tolist()
        shape = tuple(int(n) for n in ([sizes] if isinstance(sizes, (int, float)) else sizes))
        return self.updateOutput(random.normal(empty(shape, "float64"))).shape

    def accept(self, visitor: Any) -> None:
        """Call `visitor.visit(self)`."""
        visitor.visit(self)

    # -- constraints --------------------------------------------------------------------

    def maxParamNorm(self, maxOutNorm: float | None = None, maxInNorm: float | None = None) -> None:
        """Scale rows, and columns, of weights of two dimensions or more down to a largest norm.

        Parameters
        ----------
        maxOutNorm : float, optional
            For rows, which belong to an output.
        maxInNorm : float, optional
            For columns. Fields of these names in a module count for it instead.
        """
        most_out, most_in = self._own("maxOutNorm", maxOutNorm), self._own("maxInNorm", maxInNorm)
        if most_out is None and most_in is None:
            return
        if self._contains():
            for module in self.inside():
                module.maxParamNorm(most_out, most_in)
            return
        for weight in self.parameters()[0]:
            if weight.ndim > 1:
                limit(weight, 0, most_out)
                limit(weight, weight.ndim - 1, most_in)

    def gradParamClip(self, cutoffNorm: float, moduleLocal: bool | None = None) -> float | None:
        """Scale the gradients down to a largest norm; return the norm they had.

        Parameters
        ----------
        cutoffNorm : float
        moduleLocal : bool, default False
            Whether each module inside is scaled by itself.
        """
        cutoff = self._own("cutoffNorm", cutoffNorm)
        if cutoff <= 0:
            return None
        if self._own("moduleLocal", moduleLocal) and self._contains():
            norms = [m.gradParamClip(cutoff, True) or 0 for m in self.inside()]
            return math.sqrt(sum(n * n for n in norms))
        gradients = [g.detach() for g in self.parameters()[1]]
        norm = math.sqrt(sum(ops.norm(g, p=2).item() ** 2 for g in gradients if g.size))
        if norm > cutoff:
            for g in gradients:
                g.mul_(cutoff / norm)
        return norm

    def weightDecay(self, wdFactor: float, wdMinDim: int | None = None) -> None:
        """Add `wdFactor` times each parameter of `wdMinDim` (2) dimensions to its gradient."""
        factor = self._own("wdFactor", wdFactor)
        if factor <= 0:
            return
        least = self._own("wdMinDim", wdMinDim) or 2
        if self._contains():
            for module in self.inside():
                module.weightDecay(factor, least)
            return
        for weight, gradient in zip(*self.parameters(), strict=True):
            if weight.ndim >= least:
                gradient.detach().add_(weight.detach() * factor)

    def updateGradParameters(
        self, momFactor: float, momDamp: float | None = None, momNesterov: bool | None = None
    ) -> None:
        """Put momentum into the gradients.

        Parameters
        ----------
        momFactor : float
        momDamp : float, optional
            What the new gradient is weakened by; by default `momFactor`.
        momNesterov : bool, default False
        """
        factor = self._own("momFactor", momFactor)
        if factor <= 0:
            return
        damp = self._own("momDamp", momDamp)
        damp = factor if damp is None else damp
        nesterov = self._own("momNesterov", momNesterov)
        if self._contains():
            for module in self.inside():
                module.updateGradParameters(factor, damp, nesterov)
            return
        momenta = self.momentumGradParameters()
        if momenta is None:
            return
        for momentum, kept in zip(momenta.array(), self.parameters()[1], strict=True):
            gradient = kept.detach()
            momentum.mul_(factor).add_(gradient * (1 - damp))
            if nesterov:
                gradient.add_(momentum * factor)
            else:
                gradient.copy_(momentum)

    def momentumGradParameters(self) -> Table | None:
        """Return the moving gradients, which begin as copies of those of now."""
        if self.momGradParams is None or len(self.momGradParams) == 0:
            gradients = self.parameters()[1]
            if not gradients:
                return None
            self.momGradParams = Table([g.detach().clone() for g in gradients])
        return self.momGradParams

    def checkParameters(self) -> None:
        """Check that no parameter is nan.

        Raises
        ------
        ModuleError
            If one is.
        """
        for i, weight in enumerate(self.parameters()[0], 1):
            if math.isnan(ops.sum(weight).item()):
                raise ModuleError(f"NaN Error for param at index{i}: of {self!r}")

    def sparseParameters(self) -> Any:
        """Return what `parameters` does; modules of which few rows change return those alone."""
        return self.parameters()

    def extrapolateType(self) -> str | None:
        """Return the tensor type that most parameters have; None where there are none."""
        counts = Counter(tensor_class(w.dtype) for w in self.parameters()[0])
        return counts.most_common(1)[0][0] if counts else None

    def reinforce(self, reward: Any) -> None:
        """Hand a reward to all modules inside that learn from one."""
        for module in self.inside():
            module.reinforce(reward)

    # -- single samples -----------------------------------------------------------------

    def toBatch(self, tensor: Tensor, nDim: int, batchDim: int | None = None) -> Tensor:
        """Return a tensor as a batch: one of `nDim` dimensions gets another, at `batchDim`."""
        self.dpnn_online = tensor.ndim == nDim
        return ops.unsqueeze(tensor, (batchDim or 1) - 1) if self.dpnn_online else tensor

    def fromBatch(self, tensor: Tensor, batchDim: int | None = None) -> Tensor:
        """Undo what `toBatch` did last."""
        return ops.squeeze(tensor, axis=(batchDim or 1) - 1) if self.dpnn_online else tensor

    # -- what nn.Serial writes ----------------------------------------------------------

    def serialMode(self, empty: Any) -> Self:
        """Set the names of the fields that nn.Serial writes empty, here and inside."""
        vars(self)["dpnn_serialEmpty"] = empty if isinstance(empty, Table) else Table(empty)
        for module in self.inside():
            module.serialMode(empty)
        return self

    def heavySerial(self) -> Self:
        """Have nn.Serial write everything."""
        return self.serialMode(())

    def mediumSerial(self) -> Self:
        """Have nn.Serial leave out what the last calls left."""
        return self._serial(())

    def lightSerial(self) -> Self:
        """Have nn.Serial leave out gradients too."""
        return self._serial(LIGHT)

    def _serial(self, more: tuple[str, ...]) -> Self:
        vars(self)["dpnn_serialEmpty"] = Table([*MEDIUM, *self.scratch, *more])
        for module in self.inside():
            module._serial(more)
        return self

    def Serial(self, tensortype: str | None = None) -> Any:
        """Return this module inside an nn.Serial."""
        from .dpnn import Serial

        return Serial(self, tensortype)

    # -- helpers ------------------------------------------------------------------------

    def _own(self, name: str, given: Any) -> Any:
        """Return this module's own setting of a name, or what is given."""
        found = vars(self).get(name)
        return given if found is None else found

    def _contains(self) -> bool:
        return isinstance(vars(self).get("modules"), Table)


def limit(weight: Tensor, axis: int, norm: float | None) -> None:
    """Scale the slices of a weight along an axis down to a largest norm, in place."""
    if norm is not None and norm > 0:
        plain = weight.detach()
        plain.copy_(ops.renorm(plain, p=2, axis=axis, limit=norm))
