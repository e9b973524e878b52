"""The fields of modules: which are trained, and how they come from files and go there.

Source: torch/nn Module.lua.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import is_floating
from rekindle.core.tensor import Parameter, Tensor

from .torch7.types import cpu_typename

CHANGES: Final = [0]
"""How often an attribute of `WHAT_IT_DOES` was set on a module; graphs look again when it grows."""

METHODS: Final = ("compute", "updateOutput", "updateGradInput", "accGradParameters")

WHAT_IT_DOES: Final = frozenset((*METHODS, "_type", "__class__"))


class State:
    """The part of nn.Module that keeps its fields.

    A tensor assigned to a field that is trained becomes a Parameter, and the tensor in the
    field of its gradient is the Parameter's `grad`, whichever is assigned first.
    """

    parameter_fields: ClassVar[tuple[tuple[str, str], ...]] = (
        ("weight", "gradWeight"),
        ("bias", "gradBias"),
    )
    """Fields that are trained, each with the field of its gradient."""

    buffer_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that belong to the model's state and are not trained."""

    _pairs: ClassVar[dict[str, tuple[str, str]]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._pairs = {name: pair for pair in cls.parameter_fields for name in pair}

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in self._pairs:
            self._tie(*self._pairs[name])
        elif name in WHAT_IT_DOES:
            CHANGES[0] += 1

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in self._pairs:
            self._tie(*self._pairs[name])
        elif name in WHAT_IT_DOES:
            CHANGES[0] += 1

    def _tie(self, name: str, gradient: str) -> None:
        """Make a field a Parameter and the field of its gradient its `grad`."""
        tensor = vars(self).get(name)
        if isinstance(tensor, Tensor) and is_floating(tensor.dtype) and tensor.is_leaf:
            found = vars(self).get(gradient)
            kept = found if isinstance(found, Tensor) else None
            if isinstance(tensor, Parameter):
                tie(tensor, kept)
            else:
                as_parameter(tensor, kept)

    def take_copy(self, fields: dict[str, Any]) -> None:
        """Become a copy whose fields are `fields`."""
        vars(self).update(fields)
        for pair in self.parameter_fields:
            self._tie(*pair)

    # -- parameters ---------------------------------------------------------------------

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the trained tensors and their gradients, in Torch7's order.

        Gradients that were removed are missing from the second list, as nil is in Lua.
        """
        weights: list[Tensor] = []
        gradients: list[Tensor] = []
        for name, gradient in self.parameter_fields:
            if isinstance(value := getattr(self, name, None), Tensor):
                weights.append(value)
                if (found := getattr(self, gradient, None)) is not None:
                    gradients.append(found)
        return weights, gradients

    def reset(self, stdv: float | None = None) -> Any:
        """Draw new parameters, where the class says how."""

    # -- reading and writing ------------------------------------------------------------

    def t7_restore(self, version: int, fields: Table) -> None:
        """Become the object that a file holds: its fields, upgraded from old versions."""
        take_fields(self, fields)
        self.upgrade(version)
        for pair in self.parameter_fields:
            self._tie(*pair)

    def upgrade(self, version: int) -> None:
        """Turn fields of an older version of the class into today's."""

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them."""
        return Table(self.__dict__)


def take_fields(owner: Any, fields: Table) -> None:
    """Make the fields of a file the attributes of a module or criterion.

    Their strings become text where the file was read with bytes (encoding=None), for they
    are names of types, modes and the like; GPU types become those of the CPU.
    """
    for name, value in fields.items():
        is_bytes = isinstance(value, bytes)
        owner.__dict__[name] = value.decode("utf-8", "surrogateescape") if is_bytes else value
    if "_type" in owner.__dict__:
        owner._type = cpu_typename(owner._type)


def as_parameter(tensor: Tensor, gradient: Tensor | None = None) -> Parameter:
    """Make a tensor the Parameter it is in its module, keeping its identity.

    Tensors are shared between modules by identity, so a new object would break the tie.
    """
    tensor.__class__ = Parameter
    tensor.requires_grad = True
    assert isinstance(tensor, Parameter)
    tie(tensor, gradient)
    return tensor


class TiedParameter(Parameter):
    """A Parameter whose `grad` is a field of its module, and stays that tensor.

    Setting it to None, as optimisers do to clear it, sets it to zeros; setting it to another
    tensor copies its values. So `gradWeight` goes on being the gradient, and a view of the flat
    one that `getParameters` gave.
    """

    __slots__ = ()

    @property
    def grad(self) -> Tensor | None:
        """The gradient field of the module."""
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        kept = self.grad
        if kept is None:
            self._grad = value
        elif value is None:
            kept.detach().zero_()
        elif value is not kept:
            kept.detach().copy_(value.detach())

    @grad.deleter
    def grad(self) -> None:
        self.grad = None


def tie(parameter: Parameter, gradient: Tensor | None) -> None:
    """Make `gradient`, a field of the parameter's module, its `grad`; or untie it with None."""
    if type(parameter) in (Parameter, TiedParameter):
        parameter.__class__ = Parameter if gradient is None else TiedParameter
    parameter._grad = gradient
