"""What rules build with: expressions, layers and children of one block."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..naming import WRAPPERS
from ..paths import Path
from ..unknown_classes import typename
from .builder_tools import holes_in as holes
from .errors import Refusal
from .plan import Block, Expr, Layer, Value, at, call, leaves, map_value, paths
from .stepping import each_step

if TYPE_CHECKING:
    from .translate import Translation


def hole() -> Expr:
    """Return what stands for the output of a module that was refused."""
    return Expr("hole")


class Builder:
    """What a rule builds its block with.

    Attributes
    ----------
    expected : int or None
        How many parts the output has, where a graph says so.
    stepped : bool
        Whether its values are sequences, of which its module takes one step at a time.
    wires : dict
        What modules inside hand each other past containers, as it is now; see wires.py.
    written : dict
        For values that an in-place module wrote over: what is there now.
    """

    def __init__(
        self,
        translation: Translation,
        module: Any,
        block: Block,
        path: Path,
        expected: int | None = None,
        stepped: bool = False,
    ) -> None:
        self.translation = translation
        self.module = module
        self.block = block
        self.path = path
        self.expected = expected
        self.stepped = stepped
        self.wires: dict[int, tuple[Expr, ...]] = {}
        self.written: dict[int, Expr] = {}

    @property
    def seen(self) -> Any:
        """The module's output for the example, or None where there is none."""
        return getattr(self.module, "output", None) if self.translation.traced else None

    @property
    def memory(self) -> tuple[Expr, ...] | None:
        """The states that the block's module starts from, or None where these are zeros."""
        return self.wires.get(id(self.module))

    def remember(self, states: Iterable[Expr]) -> None:
        """Keep the states that the block's module has now."""
        self.wires[id(self.module)] = tuple(states)

    def op(self, name: str, *args: Value, ndim: int | None = None, **attrs: Any) -> Expr:
        """Return an expression; without `ndim` it has the dimensions of its first argument."""
        if ndim is None and args:
            ndim = getattr(next(leaves(args[0]), None), "ndim", None)
        return Expr(name, args, attrs, ndim)

    def layer(self, name: str, layer: Layer, value: Value, ndim: int | None = None) -> Expr:
        """Return what a layer makes of a value.

        With "" as its name, the layer's parameters are the block's own.
        """
        self.block.children[name] = layer
        made: Expr = call(
            layer, name, value, getattr(value, "ndim", None) if ndim is None else ndim
        )
        return made

    def child(
        self,
        module: Any,
        name: str,
        value: Value,
        keys: Path,
        *,
        hint: str = "",
        expected: int | None = None,
        stepped: bool | None = None,
    ) -> Value:
        """Return what a module inside makes of a value.

        Parameters
        ----------
        name : str
            Of the child in the block: "0" for the first of a container.
        keys : tuple
            The Lua keys that lead to it: ("modules", 1).
        hint : str
            What the model's makers called it.
        expected : int, optional
            How many parts it returns, where that is known.
        stepped : bool, optional
            Whether it takes one step of the value at a time; by default each module of a
            stepped block does, in the way that `each_step` knows.
        """
        value = self.current(value)
        if holes(value):
            return hole()
        if stepped is None and self.stepped:
            return each_step(self, module, name, value, keys)
        while typename(module) in WRAPPERS:
            module, keys = module.modules[1], (*keys, "modules", 1)
        path = (*self.path, *keys)
        part, inner = self.translation.part(module, value, path, expected, bool(stepped))
        self.block.children[name] = part
        if hint:
            self.block.hints[name] = hint
        if isinstance(part, Block) and holes(part.output):
            return hole()
        wires = self.translation.wires
        read, filled = wires.read_in(module), wires.filled_in(module)
        if any(key not in self.wires for key in read):
            self.refuse("it reads the maxima of a pooling module that has not run before it")
        if read:
            value = (value, *(carried for key in read for carried in self.wires[key]))
        result = call(part, name, value, getattr(value, "ndim", None))
        if isinstance(part, Layer):
            result.ndim = OUTPUT_NDIM.get(part.kind, result.ndim)
        if not filled:
            self._learn(module, result)
        if isinstance(part, Block):
            result = _passed_on(part, value, result)
        if filled:
            result, *carried = result
            for key in filled:
                count = wires.width(key)
                self.wires[key], carried = tuple(carried[:count]), carried[count:]
            self._learn(module, result)
        if getattr(module, "inplace", False):
            self._write(value[0] if isinstance(value, tuple) else value, result)
        elif inner is not None:
            self._write_through(part, inner, name, value)
        return result

    # -- in-place modules: what reads their input later reads their output ---------------

    def current(self, value: Value) -> Value:
        """Return a value with what in-place modules have written over it since."""

        def now(leaf: Any) -> Any:
            while id(leaf) in self.written:
                leaf = self.written[id(leaf)]
            if isinstance(leaf, Expr) and leaf.op == "overwritten":
                self.refuse(
                    "an in-place module writes over its input, which is read again, in a way "
                    "that expressions do not show"
                )
            return leaf

        return map_value(now, value)

    def _write(self, target: Any, result: Any) -> None:
        if isinstance(target, Expr) and target is not result:
            self.written[id(target)] = result

    def _write_through(self, part: Layer | Block, inner: Builder, name: str, value: Value) -> None:
        """Note what a block's modules wrote over the block's input."""
        assert isinstance(part, Block)
        for path, leaf in paths(part.input):
            if id(leaf) in inner.written:
                found = inner.written[id(leaf)]
                while id(found) in inner.written:
                    found = inner.written[id(found)]
                target = at(value, path)
                self._write(target, self._again(found, leaf, target, part, name))

    def _again(self, found: Expr, leaf: Expr, target: Expr, part: Block, name: str) -> Expr:
        """Return what a chain of layers inside a block makes of its input, computed out here."""
        if found is leaf:
            return target
        child = part.children.get(found.attrs.get("child", "")) if found.op == "call" else None
        if not isinstance(child, Layer) or child.state or not isinstance(found.args[0], Expr):
            return Expr("overwritten")
        inner = self._again(found.args[0], leaf, target, part, name)
        if inner.op == "overwritten":
            return inner
        again: Expr = self.layer(f"{name}_{found.attrs['child']}", child, inner)
        return again

    # ------------------------------------------------------------------------------------

    def _learn(self, module: Any, value: Value) -> None:
        """Note the shapes that the example shows."""
        output = getattr(module, "output", None) if self.translation.traced else None
        for path, leaf in paths(value):
            found = output
            for i in path:
                found = found.get(i + 1) if isinstance(found, Table) else None
            if isinstance(found, Tensor) and isinstance(leaf, Expr):
                leaf.ndim, leaf.shape = found.ndim, found.shape

    def parameter(self, name: str, tensor: Tensor) -> Expr:
        """Return a Parameter of the block itself, on the memory of the legacy one."""
        self.block.parameters[name] = tensor
        return Expr("parameter", (), {"name": name}, tensor.ndim)

    def buffer(self, name: str, tensor: Tensor) -> Expr:
        """Return a tensor of the block itself that is not trained."""
        self.block.buffers[name] = tensor
        return Expr("parameter", (), {"name": name}, tensor.ndim)

    def index(self, value: Value) -> Expr:
        """Return numbers of rows or classes, from 0, for those that come in."""
        if not isinstance(value, Expr):
            self.refuse("it takes one tensor of indices")
        return self.op("index", value, base=0 if self.translation.zero_based else 1)

    def tensor(self, value: Value) -> Expr:
        """Return a value that must be one tensor."""
        if not isinstance(value, Expr):
            raise Refusal("it takes one tensor here and is given several")
        return value

    def parts(self, value: Value, count: int | None = None) -> tuple[Value, ...]:
        """Return the parts of a value that must be a tuple, of `count` parts or any number."""
        if isinstance(value, Expr) and value.op == "hole":
            return tuple(hole() for _ in range(count or 2))
        if isinstance(value, Expr) and value.steps and count:
            ndim = None if value.ndim is None else value.ndim - 1
            turned = value.op == "transpose" and value.attrs["first"] == 0
            whole, dim = (value.args[0], value.attrs["second"]) if turned else (value, 0)
            return tuple(
                self.op("select", whole, dim=dim, index=i, ndim=ndim) for i in range(count)
            )
        if not isinstance(value, tuple) or (count is not None and len(value) < count):
            wanted = f"{count} values" if count else "several values"
            self.refuse(f"it takes {wanted} here; translate with an example input")
        parts: tuple[Value, ...] = value
        return parts

    def refuse(self, reason: str) -> NoReturn:
        """Stop: the module has no translation."""
        raise Refusal(reason)


def _passed_on(block: Block, value: Value, result: Value) -> Value:
    """Return the result of a block's call, with the arguments that it passes on themselves."""
    inputs = {id(leaf): at(value, path) for path, leaf in paths(block.input)}

    def own(path_leaf: tuple[Any, Any]) -> Any:
        path, leaf = path_leaf
        return inputs.get(id(leaf), at(result, path))

    found = {path: own((path, leaf)) for path, leaf in paths(block.output)}
    return _arranged(block.output, found)


def _arranged(value: Value, found: dict[Path, Any], where: Path = ()) -> Value:
    if isinstance(value, tuple):
        return tuple(_arranged(part, found, (*where, i)) for i, part in enumerate(value))
    return found[where]


OUTPUT_NDIM = {
    **dict.fromkeys(("Conv2d", "ConvTranspose2d", "BatchNorm2d", "MaxPool2d", "AvgPool2d"), 4),
    **dict.fromkeys(("Conv3d", "ConvTranspose3d", "BatchNorm3d", "MaxPool3d", "AvgPool3d"), 5),
}
"""The dimensions of what a layer returns for batches."""
