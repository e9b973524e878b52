"""A function, recorded once at its arguments: what reverse and forward mode both start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.alias import alias, zeros_for
from ..autograd.forward import pushed
from ..autograd.modes import MODE, setting
from ..autograd.node import Node
from ..autograd.reverse import grad
from ..autograd.versions import next_order
from ..autograd.views import View, parent_of
from ..tensor import Tensor
from .errors import TransformError
from .tree import Structure, flatten, mapped, same_structure, unflatten

ARGUMENT = "is an argument of a transform"


class Recording:
    """The graph of one call of a function, from some of its arguments to its results.

    Attributes
    ----------
    inputs : list of Tensor
        The leaves of the differentiated arguments, as the function was given them.
    structure : Structure
        Of the differentiated arguments, a tuple.
    outputs : list of Tensor
        The leaves of what it returned.
    form : Structure
        Of what it returned.
    aux : Any
        What it returned beside, with `has_aux`.
    depends : bool
        Whether a result depends on what somebody outside differentiates by. Then, or if a
        cotangent or tangent does, derivatives are recorded too; if not, gradients are computed
        on arrays alone.
    """

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: Sequence[Any],
        chosen: Sequence[int],
        has_aux: bool,
        kwargs: dict[str, Any],
    ) -> None:
        outside = MODE.get().grad
        start = next_order()
        leaves, self.structure = flatten(tuple(args[i] for i in chosen))
        with setting(grad=True):
            self.inputs = [_begun(name, x) for x in leaves]
            given = [*args]
            parts = unflatten(self.structure, self.inputs)
            for i, part in zip(chosen, parts, strict=True):
                given[i] = part
            result = f(*given, **kwargs)
        aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TransformError(
                    f"{name}: with has_aux the function returns (result, aux); it returned "
                    f"{_described(result)}"
                )
            result, aux = result
        self.outputs, self.form = flatten(result)
        for y in self.outputs:
            if not isinstance(y, Tensor):
                raise TransformError(
                    f"{name}: the function returns tensors, in containers or not; it returned a "
                    f"{type(y).__name__}"
                )
        others = [x for x in flatten(aux)[0] if isinstance(x, Tensor)]
        self.depends = _reaches_outside([*self.outputs, *others], start)
        self._graph = outside and self.depends
        self.aux = mapped(self._released, aux)

    def check_not_empty(self, name: str) -> None:
        """Check that there is something to differentiate, and something to differentiate by.

        Raises
        ------
        TransformError
            If there is no tensor.
        """
        for what, tensors in (("results", self.outputs), ("arguments", self.inputs)):
            if not tensors:
                raise TransformError(f"{name}: there are no tensors among the {what}")

    def value(self) -> Any:
        """Return what the function returned, without a history that ends here."""
        return unflatten(self.form, [self._released(y) for y in self.outputs])

    def _released(self, y: Any) -> Any:
        return y.detach() if isinstance(y, Tensor) and not self._graph else y

    def pulled(self, gradients: Sequence[Tensor], again: bool) -> list[Tensor]:
        """Return the gradient of each input for those of the outputs.

        Parameters
        ----------
        again : bool
            Whether the recording is used again after this.
        """
        pairs = [(y, g) for y, g in zip(self.outputs, gradients, strict=True) if y.requires_grad]
        found: Sequence[Tensor | None] = [None] * len(self.inputs)
        graph = self._recorded(gradients)
        if pairs and self.inputs:
            found = grad(
                [y for y, _ in pairs],
                self.inputs,
                [g for _, g in pairs],
                create_graph=graph,
                retain_graph=again or graph or self.depends,
                allow_unused=True,
            )
        return [zeros_for(x) if g is None else g for x, g in zip(self.inputs, found, strict=True)]

    def pushed(self, tangents: Sequence[Tensor]) -> list[Tensor]:
        """Return the tangent of each output for those of the inputs."""
        with setting(grad=self._recorded(tangents)):
            return pushed(self.outputs, self.inputs, tangents)

    def _recorded(self, directions: Sequence[Tensor]) -> bool:
        """Whether a derivative in these directions is recorded."""
        moving = self.depends or any(t.requires_grad for t in directions)
        return MODE.get().grad and moving


def _begun(name: str, x: Any) -> Tensor:
    """Return an argument as a tensor on which differentiation begins."""
    if not isinstance(x, Tensor):
        try:
            x = Tensor(x)
        except Exception as error:
            raise TransformError(
                f"{name}: arguments that are differentiated are tensors, arrays and numbers, in "
                f"containers or not; given {_described(x)}"
            ) from error
    if x.dtype.kind != "f":
        raise TransformError(
            f"{name}: arguments that are differentiated are floating; given one of {x.dtype}"
        )
    result = alias(x)
    above = x._node
    node = result._node
    assert isinstance(node, Node)
    # A write into it would change the caller's tensor and not its history: View refuses it.
    result._node = View(above.base if isinstance(above, View) else x, None, node, ARGUMENT)
    return result


def _described(x: Any) -> str:
    return f"{type(x).__name__} {x!r:.60}"


def _reaches_outside(tensors: Sequence[Tensor], start: int) -> bool:
    """Whether some tensor depends on what asked for gradients before the node numbered `start`."""
    seen: set[int] = set()
    pending = [parent_of(y) for y in tensors]
    while pending:
        node = pending.pop()
        if node is None or id(node) in seen:
            continue
        if isinstance(node, Tensor) or node.order > start:
            return True  # a leaf, or where a differentiation around this one begins
        seen.add(id(node))
        pending.extend(node.parents)
    return False


def leaves_like(name: str, what: str, given: Any, like: Sequence[Tensor], form: Structure) -> Any:
    """Return tangents or cotangents as a list, after checking that they fit.

    Raises
    ------
    TreeError, TransformError
        If containers, shapes or types differ.
    """
    leaves = same_structure(f"{name}: the {what}", given, form)
    found = []
    for t, x in zip(leaves, like, strict=True):
        t = t if isinstance(t, Tensor) else Tensor(t, x.dtype)
        if t.shape != x.shape:
            raise TransformError(f"{name}: a {what} has shape {t.shape}; needed is {x.shape}")
        found.append(t if t.dtype == x.dtype or x.dtype.kind != "f" else t.astype(x.dtype))
    return found


def chosen_arguments(name: str, argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    """Return which positional arguments are differentiated, from 0.

    Raises
    ------
    TransformError
        If there is no such argument, or one is named twice.
    """
    wanted = tuple(argnums) if isinstance(argnums, Sequence) else (argnums,)
    if not all(isinstance(i, int) for i in wanted):
        raise TransformError(f"{name}: argnums is an int or a sequence of int; given {argnums!r}")
    if any(not -count <= i < count for i in wanted):
        raise TransformError(f"{name}: argnums {argnums} for {count} positional arguments")
    places = tuple(i % count for i in wanted)
    if len({*places}) != len(places):
        raise TransformError(f"{name}: argnums {argnums} name an argument twice")
    return places
