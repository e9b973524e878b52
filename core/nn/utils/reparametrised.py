"""What weight norm and spectral norm share: a weight that is computed before every forward."""

from __future__ import annotations

from typing import Any, TypeVar

from ...tensor import Parameter, Tensor
from ..errors import ArgumentError
from ..module import Module

M = TypeVar("M", bound=Module)


class Reparametrised:
    """A forward pre-hook that computes a weight from other Parameters of the module.

    Parameters
    ----------
    derived : str
        Name of the weight; copies of the module compute it again.
    """

    def __init__(self, derived: str) -> None:
        self.derived = derived

    def compute(self, module: Module) -> Tensor:
        """Return the weight."""
        raise NotImplementedError(f"{type(self).__name__} has to define compute(module)")

    def __call__(self, module: Module, inputs: Any) -> None:
        """Set the weight, before a forward."""
        object.__setattr__(module, self.derived, self.compute(module))


def own_parameter(module: Module, name: str) -> Parameter:
    """Return a Parameter that a module itself holds.

    Raises
    ------
    ArgumentError
        If it holds none of this name.
    """
    parameter = module._parameters.get(name)
    if parameter is None:
        raise ArgumentError(f"{type(module).__name__} has no Parameter {name!r} of its own")
    return parameter


def install(module: Module, hook: Reparametrised) -> None:
    """Compute the weight now and before every forward."""
    module.register_forward_pre_hook(hook)
    hook(module, ())


def uninstall(module: Module, kind: type[Reparametrised], name: str) -> Tensor:
    """Take the hook off and return the weight as it is now.

    Raises
    ------
    ArgumentError
        If the module has no such hook.
    """
    for key, hook in list(module._hooks.items()):
        if isinstance(hook.function, kind) and hook.function.derived == name:
            del module._hooks[key]
            weight = hook.function.compute(module).detach().clone()
            module.__dict__.pop(name, None)
            return weight
    raise ArgumentError(f"{name!r} of {type(module).__name__} is not normed by {kind.__name__}")
