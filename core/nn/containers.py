"""Modules made of modules: Sequential, ModuleList, ModuleDict, and ParameterList."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index
from typing import Any, Self

from ..errors import BoundsError
from ..tensor import Parameter, Tensor
from .errors import AssignmentError
from .hooks import is_plain
from .linear import Linear
from .module import Module
from .rectifiers import ReLU
from .registration import required_module


class _Numbered(Module):
    """A list of modules, registered as "0", "1", ..."""

    _modules: dict[str, Module]  # type: ignore[assignment]  # none of them is None

    def _renumber(self, modules: Iterable[Any]) -> Self:
        found = [required_module(module) for module in modules]
        self._modules.clear()
        self._modules.update({str(i): module for i, module in enumerate(found)})
        return self

    def _take(self, entries: list[tuple[str, Module]]) -> Self:
        """Become what a slice of another container is."""
        return self._renumber(module for _, module in entries)

    def _place(self, idx: Any) -> int:
        place, count = index(idx), len(self._modules)
        if not -count <= place < count:
            raise BoundsError(f"{type(self).__name__} has {count} modules; given index {place}")
        return place % count

    def __len__(self) -> int:
        return len(self._modules)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, idx: Any) -> Any:
        modules = list(self._modules.values())
        if isinstance(idx, slice):
            made: _Numbered = type(self).__new__(type(self))
            Module.__init__(made)
            made.training = self.training
            return made._take(list(self._modules.items())[idx])
        return modules[self._place(idx)]

    def __setitem__(self, idx: Any, module: Any) -> None:
        names = list(self._modules)
        self._modules[names[self._place(idx)]] = required_module(module)

    def __delitem__(self, idx: Any) -> None:
        modules = list(self._modules.values())
        del modules[idx if isinstance(idx, slice) else self._place(idx)]
        self._renumber(modules)

    def append(self, module: Any) -> Self:
        """Put a module at the end; return the container."""
        return self._renumber([*self._modules.values(), module])

    def extend(self, modules: Iterable[Any]) -> Self:
        """Put modules at the end; return the container."""
        return self._renumber([*self._modules.values(), *modules])

    def insert(self, idx: int, module: Any) -> Self:
        """Put a module before another; return the container."""
        modules: list[Any] = list(self._modules.values())
        modules.insert(idx, module)
        return self._renumber(modules)

    def pop(self, idx: int = -1) -> Module:
        """Take a module out and return it."""
        module: Module = self[idx]
        del self[idx]
        return module


class Sequential(_Numbered):
    """Feeds each module with the output of the one before.

    Parameters
    ----------
    *args : Module, or one dict of str to Module
        The dict gives the modules names; they are in its order.

    Examples
    --------
    >>> import rekindle
    >>> from rekindle import nn
    >>> nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): ReLU()
      (2): Linear(in_features=3, out_features=2, bias=True)
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self._renumber(args)

    def append(self, module: Any) -> Self:
        """Put a module at the end, named by how many there are; return the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Self:
        """Put modules at the end, named by how many there are; return the container."""
        for module in modules:
            self.append(module)
        return self

    def _take(self, entries: list[tuple[str, Module]]) -> Self:
        self._modules.update(entries)
        return self

    def forward(self, input: Any) -> Any:
        """Return what the last module makes of it."""
        held = None  # a linear map, until it is known whether ReLU follows
        for module in self._modules.values():
            if held is not None:
                if type(module) is ReLU and is_plain(module):
                    input, held = held.rectified(input), None
                    continue
                input, held = held(input), None
            if type(module) is Linear and is_plain(module):
                held = module
            else:
                input = module(input)
        return input if held is None else held(input)


class ModuleList(_Numbered):
    """A list whose modules are registered; it computes nothing.

    Parameters
    ----------
    modules : iterable of Module, optional
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._renumber(modules or ())

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self.extend(other)


class ModuleDict(Module):
    """A dict whose modules are registered under their keys; it computes nothing.

    Parameters
    ----------
    modules : mapping of str to Module, optional
    """

    def __init__(self, modules: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Any]) -> None:
        """Register modules under keys; those that were there are replaced."""
        for name, module in modules.items():
            self[name] = module

    def __setitem__(self, key: str, module: Any) -> None:
        self.add_module(key, required_module(module))

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def __len__(self) -> int:
        return len(self._modules)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the names and modules."""
        return self._modules.items()

    def pop(self, key: str) -> Any:
        """Take a module out and return it."""
        return self._modules.pop(key)

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()


class ParameterList(Module):
    """A list whose Parameters are registered as "0", "1", ...; Tensors become Parameters.

    Parameters
    ----------
    values : iterable of Tensor, optional
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def append(self, value: Tensor) -> Self:
        """Put a Parameter at the end; return the list."""
        if not isinstance(value, Tensor):
            raise AssignmentError(f"ParameterList holds Tensors; given {type(value).__name__}")
        parameter = value if isinstance(value, Parameter) else Parameter(value)
        self._parameters[str(len(self))] = parameter
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Put Parameters at the end; return the list."""
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def __getitem__(self, idx: int) -> Any:
        return list(self._parameters.values())[idx]

    def __setitem__(self, idx: int, value: Tensor) -> None:
        name = list(self._parameters)[idx]
        self._parameters[name] = value if isinstance(value, Parameter) else Parameter(value)

    def extra_repr(self) -> str:
        """Return a line for each Parameter."""
        return "\n".join(
            f"({name}): Parameter of {p.dtype}, shape {p.shape}"
            for name, p in self.own_parameters()
        )
