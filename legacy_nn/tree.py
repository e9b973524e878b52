"""Walking the modules inside a module.

Source: torch/nn Module.lua, Container.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

from .errors import ModuleError
from .nesting import nested


class Tree:
    """The part of nn.Module that knows of the modules inside."""

    train: bool

    def as_core_module(self) -> Any:
        """Return this module as one of core.nn, which asks for it when it is assigned there."""
        from .core_module import LegacyModule

        module: Any = self
        return LegacyModule(module)

    def children(self) -> Iterator[tuple[str, Any]]:
        """Yield the modules inside this one, each with its Lua path (`modules[1]`)."""
        return iter(())

    def inside(self) -> list[Any]:
        """Return the modules that Torch7's walks reach from here: those of `modules`."""
        return []

    def named_modules(self, path: str = "") -> Iterator[tuple[str, Any]]:
        """Yield this module and all below it, each once, with its Lua path.

        Objects of unknown classes are yielded too.
        """
        pending: list[tuple[str, Any]] = [(path, self)]
        seen: set[int] = set()
        while pending:
            path, module = pending.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            if isinstance(module, Tree):
                below = [(f"{path}.{name}" if path else name, m) for name, m in module.children()]
                pending.extend(reversed(below))

    @nested
    def training(self) -> Self:
        """Set training mode here and below."""
        for _, module in self.children():
            if isinstance(module, Tree):
                module.training()
        self.train = True
        return self

    @nested
    def evaluate(self) -> Self:
        """Set evaluation mode here and below."""
        for _, module in self.children():
            if isinstance(module, Tree):
                module.evaluate()
        self.train = False
        return self

    @nested
    def apply(self, callback: Callable[[Any], Any]) -> None:
        """Call `callback` on this module and then on those inside, as often as they are there."""
        callback(self)
        for module in self.inside():
            known(module).apply(callback)

    @nested
    def replace(self, callback: Callable[[Any], Any]) -> Any:
        """Return what `callback` makes of this module; put the same in place of those inside.

        `callback` is called on a module before it is on those inside, and these are replaced
        in the module that it was called on.
        """
        result = callback(self)
        for i, module in enumerate(self.inside(), 1):
            self.put(i, known(module).replace(callback))
        return result

    def put(self, index: int, module: Any) -> None:
        """Put `module` in the place of module `index`, from 1."""
        raise ModuleError(f"{type(self).__name__} has no modules inside")

    @nested
    def findModules(self, typename: str, container: Any = None) -> tuple[list[Any], list[Any]]:
        """Return the modules of a class here and below, and the container of each.

        Parameters
        ----------
        typename : str
            In full: "nn.Linear". Classes derived from it are not found.
        container : Module, optional
            What stands for the container of this module itself; by default the module.
        """
        found: tuple[list[Any], list[Any]] = ([], [])
        if getattr(self, "t7_typename", None) == typename:
            found[0].append(self)
            found[1].append(self if container is None else container)
        for module in self.inside():
            for known_so_far, more in zip(
                found, known(module).findModules(typename, self), strict=True
            ):
                known_so_far += more
        return found

    @nested
    def listModules(self) -> list[Any]:
        """Return this module and all below it, in order, as often as they are there."""
        modules = [self]
        for module in self.inside():
            modules += known(module).listModules()
        return modules


def as_legacy(module: Any) -> Any:
    """Return `module` as containers hold it: one of core.nn inside a CoreModule."""
    if isinstance(module, Tree) or not hasattr(type(module), "load_state_dict"):
        return module
    from .core_module import CoreModule

    return CoreModule(module)


def known(module: Any) -> Any:
    """Return `module`, if its class is one that can run.

    Raises
    ------
    ModuleError
        If it is an object of a class that nobody registered.
    """
    if isinstance(module, Tree):
        return module
    name = getattr(module, "t7_typename", type(module).__name__)
    if hasattr(type(module), "load_state_dict"):
        raise ModuleError(
            f"{name} is a module of core.nn: add() it to a container, or put "
            "legacy_nn.core_module.CoreModule(module) here"
        )
    raise ModuleError(f"{name} is not a class that Rekindle can run; {how_to_register(name)}")


def how_to_register(typename: str) -> str:
    """Return what to do about a class that nobody registered."""
    return (
        "write it in Python as a subclass of rekindle.legacy_nn.Module "
        f"and rekindle.register({typename!r}, cls) it"
    )
