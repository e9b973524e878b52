"""Module: the base of all layers, of containers, and of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from ..tensor import Tensor
from .conversion import Converting
from .hooks import Hooks
from .printing import tree
from .registration import Registration
from .state_dict import Stateful


class Module(Registration, Stateful, Converting, Hooks):
    """A function with state: Parameters that are trained, buffers, and modules inside.

    Subclasses assign these to attributes in their constructor, after `super().__init__()`,
    and override `forward`; the module is called like a function.

    Attributes
    ----------
    training : bool
        Whether dropout drops and batch norm uses the batch; see `train` and `eval`.

    Examples
    --------
    >>> import rekindle
    >>> class Net(rekindle.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = rekindle.nn.Linear(4, 8)
    ...         self.out = rekindle.nn.Linear(8, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> Net()(rekindle.zeros((3, 4))).shape
    (3, 2)
    """

    training: bool

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_modules", "_hooks"):
            object.__setattr__(self, name, {})
        self._not_saved = set()
        self.training = True

    def train(self, mode: bool = True) -> Self:
        """Set training mode, or with False evaluation mode, here and below; return the module."""
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode here and below; return the module."""
        return self.train(False)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on all modules inside and then on this one; return the module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the Parameters here and below are trained; return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all Parameters here and below.

        Parameters
        ----------
        set_to_none : bool
            Whether `grad` becomes None; if not, it stays the same tensor, of zeros.
        """
        for module in self.modules():
            module.zero_own_grad(set_to_none)

    def zero_own_grad(self, set_to_none: bool) -> None:
        """Forget the gradients of the Parameters that this module itself holds."""
        for _, parameter in self.own_parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                grad = parameter.grad
                parameter.grad = (grad if grad.is_leaf else grad.detach()).zero_()

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of the module's text."""
        return ""

    def __repr__(self) -> str:
        return tree(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes that copies and pickles have.

        Tensors that a hook computes before every forward, such as the weight of `weight_norm`,
        are computed again there.
        """
        state = self.__dict__.copy()
        for hook in self._hooks.values():
            name = getattr(hook.function, "derived", "")
            if isinstance(state.get(name), Tensor):
                del state[name]
        return state
