"""What a module holds: Parameters, buffers and modules, registered when they are assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tensor import Parameter, Tensor
from .errors import AssignmentError, ModuleError

if TYPE_CHECKING:
    from .module import Module

KINDS = ("_parameters", "_buffers", "_modules")


class Registration:
    """The part of Module that looks after its attributes.

    A Parameter or module that is assigned to an attribute is registered under its name; one
    that offers `as_core_module()`, as the modules of other families do, is adapted by it. A
    Tensor is a plain attribute unless `register_buffer` made it part of the state.
    """

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _not_saved: set[str]

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        module = as_module(value)
        if isinstance(value, Parameter) or module is not None:
            if "_modules" not in own:
                raise ModuleError(
                    f"{type(self).__name__}: call super().__init__() before {name!r} is assigned"
                )
            kind = "_parameters" if module is None else "_modules"
            own.pop(name, None)
            for other in KINDS:
                if other != kind:
                    own[other].pop(name, None)
            own[kind][name] = value if module is None else module
            return
        for kind in KINDS:
            if name in own.get(kind, ()):
                self._check_fits(kind, name, value)
                own[kind][name] = value
                return
        object.__setattr__(self, name, value)

    def _check_fits(self, kind: str, name: str, value: Any) -> None:
        if value is None or (kind == "_buffers" and isinstance(value, Tensor)):
            return
        wanted = {"_parameters": "Parameter", "_buffers": "Tensor", "_modules": "Module"}[kind]
        raise AssignmentError(
            f"{type(self).__name__}.{name} holds a {wanted} or None; given "
            f"{type(value).__name__}: write into it with copy_(), or delete it first"
        )

    def __getattr__(self, name: str) -> Any:
        for kind in KINDS:
            found = self.__dict__.get(kind, {})
            if name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for kind in KINDS:
            if name in self.__dict__.get(kind, ()):
                del self.__dict__[kind][name]
                self._not_saved.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a Parameter, or None where there is none: `weight` of a layer without.

        Raises
        ------
        AssignmentError
            If it is something else, or the name is taken or no name.
        """
        self._check_name("_parameters", name)
        self._parameters[name] = None
        self._check_registered(name, param, Parameter)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a Tensor that belongs to the module's state and is not trained.

        Parameters
        ----------
        name : str
        tensor : Tensor or None
        persistent : bool
            Whether it is part of the state_dict.

        Raises
        ------
        AssignmentError
            If it is no Tensor, or the name is taken or no name.
        """
        self._check_name("_buffers", name)
        self._check_registered(name, tensor, Tensor)
        self._buffers[name] = tensor
        (self._not_saved.discard if persistent else self._not_saved.add)(name)

    def add_module(self, name: str, module: Any) -> None:
        """Register a module under a name; see also `register_module`.

        Raises
        ------
        AssignmentError
            If it is no module, or the name is taken or no name.
        """
        self._check_name("_modules", name)
        self._modules[name] = None if module is None else required_module(module)

    register_module = add_module

    def _check_name(self, kind: str, name: str) -> None:
        own = self.__dict__
        if kind not in own:
            raise ModuleError(
                f"{type(self).__name__}: call super().__init__() before {name!r} is registered"
            )
        taken = name not in own[kind] and hasattr(self, name)
        if not isinstance(name, str) or not name or "." in name or taken:
            why = "is an attribute already" if taken else "is no name: text without a dot"
            raise AssignmentError(f"{type(self).__name__}: {name!r} {why}")

    def _check_registered(self, name: str, value: Any, wanted: type[Tensor]) -> None:
        if value is not None and not isinstance(value, wanted):
            raise AssignmentError(
                f"{type(self).__name__}.{name} is to be a {wanted.__name__} or None; "
                f"given {type(value).__name__}"
            )


def as_module(value: Any) -> Module | None:
    """Return `value` as a module: itself, or what its `as_core_module()` gives; or None."""
    if isinstance(value, Registration):
        return value  # type: ignore[return-value]  # Module is the only class made of it
    adapt = getattr(type(value), "as_core_module", None)
    return None if adapt is None else adapt(value)


def required_module(value: Any) -> Module:
    """Return `value` as a module.

    Raises
    ------
    AssignmentError
        If it is none.
    """
    module = as_module(value)
    if module is None:
        raise AssignmentError(
            f"a module is expected here: an object of a subclass of core.nn.Module; "
            f"given {type(value).__name__}"
        )
    return module
