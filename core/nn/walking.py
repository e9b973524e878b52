"""Walking what is inside a module, with names: `encoder.0.weight`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..tensor import Parameter, Tensor
from .errors import ModuleError

if TYPE_CHECKING:
    from .module import Module


class Walking:
    """The part of Module that finds what is inside."""

    _modules: dict[str, Module | None]
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _not_saved: set[str]

    def own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield the Parameters that this module itself holds, with their names."""
        yield from ((name, p) for name, p in self._parameters.items() if p is not None)

    def own_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers that this module itself holds, with their names."""
        yield from ((name, b) for name, b in self._buffers.items() if b is not None)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly inside, each once, with their names."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the modules directly inside, each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module and all inside it, a module before those inside it, with names.

        Parameters
        ----------
        prefix : str
            The name of this module.
        remove_duplicate : bool
            Whether a module that stands in several places is only yielded in the first.
        """
        pending: list[tuple[str, Any]] = [(prefix, self)]
        seen: set[int] = set()
        while pending:
            name, module = pending.pop()
            if remove_duplicate and id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            below = [(_joined(name, n), m) for n, m in module._modules.items() if m is not None]
            pending.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        """Yield this module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the Parameters here and, if `recurse`, in all modules inside, with names.

        A Parameter that stands in several places is yielded once, in the first, unless
        `remove_duplicate` is False.
        """
        seen: set[int] = set()
        for path, module in self._holders(prefix, recurse, remove_duplicate):
            for name, parameter in module.own_parameters():
                if not remove_duplicate or id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield _joined(path, name), parameter

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the Parameters here and, if `recurse`, in all modules inside, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers here and, if `recurse`, in all modules inside, with names."""
        seen: set[int] = set()
        for path, module in self._holders(prefix, recurse, remove_duplicate):
            for name, buffer in module.own_buffers():
                if not remove_duplicate or id(buffer) not in seen:
                    seen.add(id(buffer))
                    yield _joined(path, name), buffer

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers here and, if `recurse`, in all modules inside, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _holders(
        self, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        return self.named_modules(prefix, remove_duplicate) if recurse else iter([(prefix, self)])

    def get_submodule(self, target: str) -> Module:
        """Return the module of this name: `get_submodule("encoder.0")`; "" is this one.

        Raises
        ------
        ModuleError
            If there is none.
        """
        module: Any = self
        for n, part in enumerate(target.split(".") if target else []):
            found = module._modules.get(part)
            if found is None:
                place = ".".join(target.split(".")[:n]) or "the module itself"
                raise ModuleError(f"there is no module {target!r}: {place} has no {part!r}")
            module = found
        result: Module = module
        return result

    def get_parameter(self, target: str) -> Parameter:
        """Return the Parameter of this name: `get_parameter("encoder.0.weight")`.

        Raises
        ------
        ModuleError
            If there is none.
        """
        found: Parameter = _named(target, dict(self.named_parameters(remove_duplicate=False)))
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer of this name; see `get_parameter`."""
        found: Tensor = _named(target, dict(self.named_buffers(remove_duplicate=False)))
        return found


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _named(target: str, found: dict[str, Any]) -> Any:
    if target not in found:
        raise ModuleError(f"there is no {target!r} here; there are {', '.join(found) or 'none'}")
    return found[target]
