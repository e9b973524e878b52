"""Weight normalisation: a weight as its length times its direction."""

from __future__ import annotations

from ... import ops
from ...tensor import Parameter, Tensor
from ..module import Module
from .reparametrised import M, Reparametrised, install, own_parameter, uninstall


class WeightNorm(Reparametrised):
    """Computes `name` = g * v / |v|, norms being over all dimensions but `dim`."""

    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = dim

    def length(self, v: Tensor) -> Tensor:
        """Return |v|, of a shape that broadcasts to that of v; without `dim`, one number."""
        if self.dim is None:
            return ops.norm(v)
        others = tuple(a for a in range(v.ndim) if a != self.dim % v.ndim)
        return ops.norm(v, axis=others, keepdims=True)

    def compute(self, module: Module) -> Tensor:
        """Return the weight."""
        g, v = (own_parameter(module, f"{self.derived}_{part}") for part in "gv")
        return v * (g / self.length(v))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Train a weight's length and direction instead of the weight; return the module.

    Parameters
    ----------
    module : Module
    name : str
        Of the Parameter, which `name_g` (lengths) and `name_v` (directions) replace.
    dim : int, optional
        The dimension whose slices have a length each; None for one of the whole.

    Notes
    -----
    Source: Salimans and Kingma 2016, "Weight Normalization"
    """
    weight = own_parameter(module, name)
    hook = WeightNorm(name, dim)
    delattr(module, name)
    length = hook.length(weight.detach()).clone()
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.detach().clone()))
    install(module, hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight a Parameter again, with the value it has; return the module."""
    weight = uninstall(module, WeightNorm, name)
    delattr(module, f"{name}_g")
    delattr(module, f"{name}_v")
    module.register_parameter(name, Parameter(weight))
    return module
