"""Modules as functions of their Parameters and buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..nn import Module
from ..ops import stack
from ..tensor import Tensor
from .errors import TransformError

State = Mapping[str, Any]


def functional_call(
    module: Module,
    state: State | Sequence[State],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Call a module with other tensors in the place of its Parameters and buffers.

    Parameters
    ----------
    module : Module
    state : mapping of str to Tensor, or a sequence of such
        By the names of `named_parameters` and `named_buffers`; what is not named stays as it is.
    args : tuple or Any
        The positional arguments; what is no tuple is the only one.
    kwargs : mapping, optional

    Returns
    -------
    Any
        What the module returns.

    Raises
    ------
    TransformError
        If the module has no Parameter or buffer of a name, or several mappings have it.

    Notes
    -----
    The module holds the tensors while it runs, and its own again after. Where one Parameter has
    several names, each holder of it gets the tensor given under any of them. A write into a
    buffer (running averages) goes into the tensor that was given. Source: torch.func.
    """
    mappings = [state] if isinstance(state, Mapping) else [*state]
    given: dict[str, Any] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            if name in given:
                raise TransformError(f"functional_call: {name!r} is given twice")
            given[name] = value
    positional = args if isinstance(args, tuple) else (args,)
    places = _places(module, given)
    held = [(own, name, own[name]) for own, name, _ in places]
    try:
        for own, name, value in places:
            own[name] = value
        return module(*positional, **(kwargs or {}))
    finally:
        for own, name, value in held:
            own[name] = value


def _places(module: Module, given: Mapping[str, Any]) -> list[tuple[dict[str, Any], str, Any]]:
    """Return where each tensor goes: (the dict that holds it, its name there, the tensor)."""
    held: dict[int, Any] = {}
    for path, value in given.items():
        own, name = _place(module, path)
        held[id(own[name])] = value
    return [
        (own, name, held[id(x)])
        for part in module.modules()
        for own in (part._parameters, part._buffers)
        for name, x in own.items()
        if x is not None and id(x) in held
    ]


def _place(module: Module, path: str) -> tuple[dict[str, Any], str]:
    """Return the dict that holds a Parameter or buffer, and its name there."""
    *parents, name = path.split(".")
    owner: Any = module
    for parent in parents:
        owner = getattr(owner, "_modules", {}).get(parent)
    for own in (getattr(owner, "_parameters", {}), getattr(owner, "_buffers", {})):
        if own.get(name) is not None:
            found: dict[str, Any] = own
            return found, name
    raise TransformError(
        f"functional_call: {type(module).__name__} has no Parameter or buffer {path!r}"
    )


def stack_module_state(modules: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the Parameters and the buffers of several modules, stacked: for vmap over models.

    Parameters
    ----------
    modules : sequence of Module
        Of one architecture.

    Returns
    -------
    parameters, buffers : dict of str to Tensor
        Copies, with the models along dimension 0; Parameters are leaves that ask for gradients
        where those of the modules do.

    Raises
    ------
    TransformError
        If there is no module, or their names differ.
    """
    if not modules:
        raise TransformError("stack_module_state needs at least one module")
    parameters = [dict(m.named_parameters()) for m in modules]
    buffers = [dict(m.named_buffers()) for m in modules]
    for found in (parameters, buffers):
        if any(d.keys() != found[0].keys() for d in found):
            raise TransformError("stack_module_state: the modules have other names each")
    stacked = {
        name: stack([d[name].detach() for d in parameters]).requires_grad_(x.requires_grad)
        for name, x in parameters[0].items()
    }
    return stacked, {name: stack([d[name] for d in buffers]) for name in buffers[0]}
