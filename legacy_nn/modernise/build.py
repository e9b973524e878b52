"""From a plan to modules of core.nn."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import nn, ops
from rekindle.core.nn import ArgumentError
from rekindle.core.tensor import Parameter, Tensor

from .expressions import run_operation
from .plan import CALLS, Block, Expr, Layer, Value, at, in_order, leaves, map_value, paths


def build(plan: Block) -> nn.Module:
    """Return the module that a plan says, on the memory of the legacy model."""
    return Building().block(plan)


class Building:
    """Builds the modules of one plan: each layer once, and each Parameter once."""

    def __init__(self) -> None:
        self._layers: dict[int, nn.Module] = {}
        self._parameters: dict[Any, Parameter] = {}
        self._ranges: dict[int, list[tuple[int, int]]] = {}

    def part(self, part: Layer | Block) -> nn.Module:
        """Return a layer or a block as a module."""
        return self.layer(part) if isinstance(part, Layer) else self.block(part)

    def layer(self, layer: Layer) -> nn.Module:
        """Return a layer as a module with the legacy module's parameters."""
        if id(layer) not in self._layers:
            made: nn.Module = nn.utils.skip_init(getattr(nn, layer.kind), **layer.arguments)
            assert all(p is None or n in layer.state for n, p in made._parameters.items())
            for name, tensor in layer.state.items():
                if name in made._parameters:
                    setattr(made, name, self.parameter(tensor))
                else:
                    setattr(made, name, tensor)
            dtype = next((t.dtype for t in layer.state.values()), None)
            if dtype is not None:
                made.to(dtype)  # buffers that the legacy module does not have
            for name in layer.frozen:
                getattr(made, name).requires_grad_(False)
            self._layers[id(layer)] = made
        return self._layers[id(layer)]

    def block(self, block: Block) -> nn.Module:
        """Return a block as a module: a Sequential where it is a chain."""
        if (alone := lone_layer(block)) is not None:
            return self.layer(alone)
        children = {name: self.part(child) for name, child in block.children.items()}
        if is_chain(block):
            return nn.Sequential(children)
        return Translated(block, children, self)

    def parameter(self, tensor: Tensor) -> Parameter:
        """Return a tensor as a Parameter: the same one for tensors that are one."""
        key = (id(tensor.storage()), tensor.storage_offset(), tensor.shape, tensor.stride())
        if key not in self._parameters:
            start = tensor.storage_offset()
            end = start + tensor.size
            ranges = self._ranges.setdefault(id(tensor.storage()), [])
            overlaps = any(start < b and a < end for a, b in ranges)
            ranges.append((start, end))
            if isinstance(tensor, Parameter) and not overlaps:
                self._parameters[key] = tensor
            else:
                # Two views of the same elements, as a decoder's that is the encoder's turned
                # round: each has a gradient of its own, or steps would be taken twice.
                self._parameters[key] = Parameter(tensor.detach())
        return self._parameters[key]


def lone_layer(block: Block) -> Layer | None:
    """Return the one layer that a block is, if it is no more than one."""
    output = block.output
    if not isinstance(output, Expr) or output.op != "call" or output.args[0] is not block.input:
        return None
    child = block.children[output.attrs["child"]]
    return child if isinstance(child, Layer) and output.attrs["child"] == "" else None


def is_chain(block: Block) -> bool:
    """Whether a block hands its one input through its children, each once, in order."""
    several = isinstance(block.output, tuple) or isinstance(block.input, tuple)
    if several or not block.children or "" in block.children:
        return False
    names = []
    expr, first = block.output, block.input
    while isinstance(expr, Expr) and expr.op == "call":
        names.append(expr.attrs["child"])
        expr = _whole(expr.args[0])
    return expr is _whole(first) and names[::-1] == list(block.children)


def _whole(value: Value) -> Any:
    """Return what a value is all of: the call whose items it is, in order."""
    if not isinstance(value, tuple):
        return value
    found = [leaf.args[0] for leaf in leaves(value) if isinstance(leaf, Expr) and leaf.op == "item"]
    where = [leaf.attrs["path"] for leaf in leaves(value) if leaf.op == "item"]
    one = bool(found) and all(call is found[0] for call in found)
    return found[0] if one and where == [path for path, _ in paths(value)] else value


def _fits(wanted: Value, given: Any) -> bool:
    if not isinstance(wanted, tuple):
        return not isinstance(given, tuple)
    same = isinstance(given, tuple) and len(wanted) == len(given)
    return same and all(map(_fits, wanted, given))


def _of_one(value: Value) -> bool:
    return isinstance(value, tuple) and len(value) == 1


def _described(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_described, value))})"
    return "a tensor"


def scanned(
    cell: nn.Module, sequence: Tensor, states: tuple[Tensor, ...], with_start: bool
) -> tuple[Tensor, ...]:
    """Return the first state after each step, and all of them after the last."""
    outputs = [states[0]] if with_start else []
    for step in sequence[1:] if with_start else sequence:
        found = cell(step, *states)
        states = found if isinstance(found, tuple) else (found,)
        outputs.append(states[0])
    return (ops.stack(outputs), *states)


def _advice(wanted: Value) -> str:
    if isinstance(wanted, tuple) and any(isinstance(x, Expr) and x.word for x in wanted):
        return (
            "it remembers, and takes its states behind its input: those that it returned with its "
            "last output, or zeros (1, N, H) for a layer and (N, H) for a cell"
        )
    return "translate it with an example of its input"


class Translated(nn.Module):
    """A block of a plan as a module, whose forward computes its expressions.

    It takes as many arguments as the legacy module's table has entries.
    """

    def __init__(self, block: Block, children: dict[str, nn.Module], building: Building) -> None:
        super().__init__()
        object.__setattr__(self, "_block", block)
        object.__setattr__(self, "_order", in_order(block.output))
        for name, tensor in block.parameters.items():
            self.register_parameter(name, building.parameter(tensor))
        for name, tensor in block.buffers.items():
            self.register_buffer(name, tensor)
        for name, child in children.items():
            if name:
                self.add_module(name, child)
                continue
            # A layer without a name: its parameters are this module's own.
            object.__setattr__(self, "_layer", child)
            for own, parameter in child._parameters.items():
                self.register_parameter(own, parameter)

    def train(self, mode: bool = True) -> Self:
        """Set training mode, or with False evaluation mode, here and below."""
        if "_layer" in self.__dict__:
            self._layer.train(mode)
        return super().train(mode)

    def forward(self, *inputs: Any) -> Any:
        """Return the value of the block for its inputs."""
        block: Block = self._block
        alone = len(inputs) == 1 and (not _of_one(block.input) or isinstance(inputs[0], tuple))
        value: Any = inputs[0] if alone else inputs
        if not _fits(block.input, value):
            raise ArgumentError(
                f"{block.typename} was translated for {_described(block.input)}; given "
                f"{_described(value)}: {_advice(block.input)}"
            )
        known = {id(leaf): at(value, path) for path, leaf in paths(block.input)}
        for expr in self._order:
            if expr.op != "input":
                known[id(expr)] = self._compute(expr, known)
        return map_value(lambda leaf: known[id(leaf)], block.output)

    def _compute(self, expr: Expr, known: dict[int, Any]) -> Any:
        arguments = [
            map_value(lambda leaf: known[id(leaf)] if isinstance(leaf, Expr) else leaf, arg)
            for arg in expr.args
        ]
        if expr.op == "parameter":
            return getattr(self, expr.attrs["name"])
        if expr.op == "item":
            return at(arguments[0], expr.attrs["path"])
        if expr.op in CALLS:
            name = expr.attrs["child"]
            child = self._modules[name] if name else self._layer
            assert child is not None
            if expr.op == "scan":
                return scanned(child, arguments[0], tuple(arguments[1:]), expr.attrs["with_start"])
            value = arguments[0]
            return child(*value) if isinstance(value, tuple) else child(value)
        return run_operation(expr.op, arguments, expr.attrs)

    @property
    def legacy_class(self) -> str:
        """Torch7's name of the class of what it translates."""
        name: str = self._block.typename
        return name

    def extra_repr(self) -> str:
        """Return the legacy class."""
        return self.legacy_class
