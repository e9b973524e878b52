"""Models whose `forward` was a graph of nngraph, as that graph, on the same parameters.

`as_graph(model)` runs `forward` once, on nodes in place of tensors: an operator, a method or a
layer gives the node of the module of Torch that computes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from rekindle import legacy_nn as legacy
from rekindle.core import nn, ops
from rekindle.core.dtypes import is_floating
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.core_module import LegacyModule
from rekindle.legacy_nn.torch7 import types

from .as_torch import TYPES, Translation, undrawn
from .modern import from_zero

_made: WeakKeyDictionary[nn.Module, Any] = WeakKeyDictionary()
"""The graphs of models that were asked for before."""

_MOST = 4096
"""More inputs than any graph has."""


class GraphError(RekindleError, TypeError):
    """A `forward` does something that has no node in a graph."""


def as_graph(model: nn.Module) -> Any:
    """Return a module of core as Torch's gModule, which shares its parameters.

    Programs that build their models with nngraph find in it what they look for: `forwardnodes`
    with the names of the layers, `parameters`, `backward` of tables; `torch.save` writes it.

    Parameters
    ----------
    model : core.nn.Module
        Its `forward` uses layers, operators and the methods `sigmoid`, `tanh`, `chunk` and such.

    Returns
    -------
    legacy_nn.gModule

    Raises
    ------
    GraphError
        If `forward` does something else.
    """
    found = _made.get(model)
    if found is None:
        floats = [p.dtype for p in model.parameters() if is_floating(p.dtype)]
        dtype = floats[0] if floats else types.default_dtype()
        kind = f"torch.{TYPES[dtype.name]}Tensor"
        with undrawn():
            found = _graph(model, Translation(kind)).type(kind)
        _made[model] = found
    found.train = model.training
    return found


def overwritten(x: Tensor, y: Tensor) -> Tensor:
    """Return `y`, which an activation of Torch wrote over `x`, as what is used in place of `x`.

    Its gradient goes to `x` itself, past the activation, as it does in Torch.

    Parameters
    ----------
    x, y : Tensor
        Of one shape.
    """
    if isinstance(x, _Node):
        x.change(y)
        return x
    return y.detach() + (x - x.detach())


def _graph(model: nn.Module, translation: Translation) -> Any:
    """Return the graph of a module, with as many inputs as its `forward` reads."""
    counted = _parameters(model)
    for count in range(1, _MOST) if counted is None else [counted]:
        inputs = [_Node(legacy.Identity()(), translation) for _ in range(count)]
        try:
            found = _View(model, translation)(*inputs)
        except IndexError:
            if counted is None:
                continue
            raise
        outputs = found if isinstance(found, tuple) else (found,)
        return legacy.gModule([i.node for i in inputs], [_node(o, translation) for o in outputs])
    raise GraphError(f"{type(model).__name__}.forward reads inputs without end")


def _parameters(model: nn.Module) -> int | None:
    """Return how many inputs `forward` has, None for any number: `*inputs`."""
    code = type(model).forward.__code__
    return None if code.co_flags & 4 else code.co_argcount - 1


class _Node:
    """A node in place of a tensor."""

    def __init__(self, node: Any, translation: Translation) -> None:
        self.node = node
        self.translation = translation

    def through(self, module: Any, *others: _Node) -> _Node:
        """Return what a module of Torch gives."""
        nodes = [self.node, *(o.node for o in others)]
        return _Node(module(nodes if others else nodes[0]), self.translation)

    def change(self, active: Any) -> None:
        """Let an activation write over what it is given, as in Torch."""
        active.node.data.module.inplace = True

    def __add__(self, other: Any) -> _Node:
        if isinstance(other, _Node):
            return self.through(legacy.CAddTable(), other)
        return self.through(legacy.AddConstant(other))

    def __radd__(self, other: float) -> _Node:
        return self + other

    def __mul__(self, other: Any) -> _Node:
        if isinstance(other, _Node):
            return self.through(legacy.CMulTable(), other)
        return self.through(legacy.MulConstant(other))

    def __rmul__(self, other: float) -> _Node:
        return self * other

    def __sub__(self, other: Any) -> _Node:
        return (
            self.through(legacy.CSubTable(), other) if isinstance(other, _Node) else self + -other
        )

    def __rsub__(self, other: float) -> _Node:
        return -self + other

    def __truediv__(self, other: Any) -> _Node:
        return self.through(legacy.CDivTable(), other)

    def __neg__(self) -> _Node:
        return self * -1

    def __getitem__(self, place: int) -> _Node:
        return self.through(legacy.SelectTable(place + 1))

    def __iter__(self) -> Iterator[_Node]:
        raise GraphError("how many elements a table has is not known here; read them by number")

    def detach(self) -> _Node:
        """Return the target of a loss, whose gradient is 0 in Torch."""
        return self

    def sigmoid(self) -> _Node:
        return self.through(legacy.Sigmoid())

    def tanh(self) -> _Node:
        return self.through(legacy.Tanh())

    def relu(self) -> _Node:
        return self.through(legacy.ReLU())

    def exp(self) -> _Node:
        return self.through(legacy.Exp())

    def log(self) -> _Node:
        return self.through(legacy.Log())

    def sqrt(self) -> _Node:
        return self.through(legacy.Sqrt())

    def abs(self) -> _Node:
        return self.through(legacy.Abs())

    def square(self) -> _Node:
        return self.through(legacy.Square())

    def log_softmax(self, *, axis: int = -1) -> _Node:
        return self.through({-1: legacy.LogSoftMax, -3: legacy.SpatialLogSoftMax}[axis]())

    def softmax(self, *, axis: int = -1) -> _Node:
        return self.through({-1: legacy.SoftMax, -3: legacy.SpatialSoftMax}[axis]())

    def narrow(self, axis: int, start: int, length: int) -> _Node:
        return self.through(legacy.Narrow(axis + 1, start + 1, length))

    def chunk(self, chunks: int, *, axis: int) -> tuple[_Node, ...]:
        if axis != -1:
            raise GraphError(f"chunk takes rows apart here, along axis -1; given {axis}")
        rows = self.through(legacy.View(chunks, -1).setNumInputDims(1))
        parts = rows.through(legacy.SplitTable(2)).node.split(chunks)
        return tuple(_Node(part, self.translation) for part in parts)


class _View:
    """A module in place of `self`, whose layers give nodes."""

    def __init__(self, model: Any, translation: Translation, name: str = "") -> None:
        self._model = model
        self._translation = translation
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return self._seen(getattr(self._model, name), name)

    def __getitem__(self, place: int) -> Any:
        return self._seen(self._model[place], f"{self._name}_{place + 1}")

    def _seen(self, value: Any, name: str) -> Any:
        return _View(value, self._translation, name) if isinstance(value, nn.Module) else value

    def __call__(self, *inputs: Any) -> Any:
        model, kind = self._model, type(self._model)
        own = isinstance(model, (nn.Sequential, LegacyModule))
        if own or kind.__module__.startswith("rekindle."):
            module = self._translation.module(model, fresh=not list(model.parameters()))
            nodes = [_node(i, self._translation) for i in inputs]
            node = module(nodes if len(nodes) > 1 else nodes[0])
            return _Node(node.annotate({"name": self._name}), self._translation)
        forward = kind.forward
        names = {**forward.__globals__, **_replaced(forward.__globals__)}
        run = FunctionType(forward.__code__, names, forward.__name__, forward.__defaults__)
        return run(self, *inputs)


def _node(value: Any, translation: Translation) -> Any:
    """Return the node of an output: a tuple is a table."""
    if isinstance(value, tuple):
        return legacy.Identity()([_node(v, translation) for v in value])
    if not isinstance(value, _Node):
        raise GraphError(f"a graph gives nodes; a {type(value).__name__} is none")
    return value.node


class _Ops:
    """`ops` for nodes."""

    @staticmethod
    def concat(parts: tuple[_Node, ...], axis: int) -> _Node:
        first, *others = parts
        return first.through(legacy.JoinTable(axis + 1), *others)


_FOR_NODES: dict[int, Any] = {id(ops): _Ops, id(from_zero): lambda numbers: numbers}
"""What stands for something in the globals of a `forward`; Torch's layers count from 1."""


def _replaced(names: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    return {n: _FOR_NODES[id(v)] for n, v in names.items() if id(v) in _FOR_NODES}
