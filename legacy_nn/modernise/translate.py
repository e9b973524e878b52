"""From a legacy model to its plan."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..criterion.base import Criterion
from ..module import Module, as_input
from ..naming import WRAPPERS, root_place, walk
from ..paths import Path, format_path
from ..unknown_classes import looks_like_module, typename
from ..unsupported import stored_methods
from ..values import map_tensors
from .errors import Refusal, TranslationError, Untranslated
from .inputs import structure_of
from .not_translated import reason
from .plan import (
    Block,
    Expr,
    Layer,
    Value,
    at,
    call,
    in_order,
    inputs_like,
    leaves,
    map_value,
    paths,
)
from .registry import LAYERS, OF_INPUT, RULES, known


def plan_of(model: Any, input: Any = None, *, zero_based: bool = False) -> Block:
    """Return the plan of a legacy module or criterion.

    Parameters
    ----------
    model : legacy Module or Criterion
    input : Tensor or Table, optional
        An example, where the model alone does not say how many tensors or dimensions there
        are. The model runs on it once, in evaluation mode.
    zero_based : bool
        Whether indices of rows and classes that come in count from 0 in the translation.

    Raises
    ------
    TranslationError
        If something in it has no translation; the error lists everything.
    """
    found = _without_rule(model)
    if found:
        raise TranslationError(found)
    if input is not None:
        input = as_input(input)
        if isinstance(model, Module):
            _run(model, input)
    translation = Translation(
        zero_based=zero_based, traced=isinstance(model, Module) and input is not None
    )
    value = structure_of(model, input)
    while typename(model) in WRAPPERS:
        model = model.modules[1]
    block, _ = translation.block(model, value, ())
    if translation.refused:
        raise TranslationError(translation.refused)
    return block


def _without_rule(model: Any) -> list[Untranslated]:
    """Return the modules inside that no rule is for, and those that carry methods of their own."""
    found = []
    for place in walk(root_place(model)):
        value, name = place.value, typename(place.value)
        if isinstance(value, Module) and stored_methods(value):
            own = ", ".join(stored_methods(value))
            found.append(Untranslated(place.lua_path, str(name), f"it carries methods: {own}"))
        elif name is not None and not _has_rule(name) and _is_module(value):
            unknown = "the class is not one of Torch7's, or not known here"
            why = reason(name, type(value)) or unknown
            found.append(Untranslated(place.lua_path, name, why))
    return found


def _has_rule(name: str) -> bool:
    return known(name) or name in WRAPPERS


def _is_module(value: Any) -> bool:
    return isinstance(value, (Module, Criterion)) or looks_like_module(value)


def _run(model: Module, input: Any) -> None:
    """Run a model in evaluation mode, so that its modules' outputs show their shapes."""
    places = [p.value for p in walk(root_place(model)) if isinstance(p.value, Module)]
    before = [(module, module.train) for module in places]
    model.evaluate()
    try:
        with no_grad():
            model.forward(map_tensors(ops.clone, input))  # in-place modules write into theirs
    finally:
        for module, train in before:
            if module.train != train:
                module.train = train


class Translation:
    """The translation of one model.

    Attributes
    ----------
    refused : list of Untranslated
    zero_based, traced : bool
        As `plan_of` was asked; whether the modules' outputs show their shapes.
    """

    def __init__(self, *, zero_based: bool, traced: bool) -> None:
        self.refused: list[Untranslated] = []
        self.zero_based = zero_based
        self.traced = traced
        self._layers: dict[tuple[int, Any], Layer | None] = {}

    def part(
        self, module: Any, value: Value, path: Path, expected: int | None = None
    ) -> tuple[Layer | Block, Builder | None]:
        """Return a module as a layer, or as a block for a value like this one."""
        try:
            layer = self._layer(module, value)
        except Refusal:
            layer = None  # refused as a block, with its path
        if layer is not None:
            return layer, None
        return self.block(module, value, path, expected)

    def _layer(self, module: Any, value: Value) -> Layer | None:
        """Return the layer that a module is, the same for the same module; None if it is none."""
        make = LAYERS.get(typename(module) or "")
        several = isinstance(value, tuple)
        if make is None or several != (typename(module) in OF_SEVERAL):
            return None
        key = (id(module), getattr(value, "ndim", None) if make in OF_INPUT else None)
        if key not in self._layers:
            self._layers[key] = make(module, value)
        layer = self._layers[key]
        if layer is not None and layer.kind in BATCHED and getattr(value, "ndim", None) == 3:
            raise Refusal("its layer in core.nn takes batches, and it is given one sample")
        return layer

    def block(
        self, module: Any, value: Value, path: Path, expected: int | None = None
    ) -> tuple[Block, Builder]:
        """Return a module as a block for a value like this one, and what built it."""
        name = typename(module) or ""
        block = Block(name, inputs_like(value))
        builder = Builder(self, module, block, path, expected)
        try:
            layer = self._layer(module, value)
            if layer is not None:
                block.output = builder.layer("", layer, block.input, OUTPUT_NDIM.get(layer.kind))
            elif name in RULES:
                block.output = RULES[name](module, block.input, builder)
            else:
                builder.refuse("it takes one tensor, and is given several here")
            block.output = builder.current(block.output)
        except Refusal as refusal:
            self.refuse(module, path, str(refusal))
            block.output = _hole()
        used = {e.attrs["child"] for e in in_order(block.output) if e.op == "call"}
        block.children = {n: c for n, c in block.children.items() if n in used}
        return block, builder

    def refuse(self, module: Any, path: Path, reason: str) -> None:
        """Note that a module has no translation."""
        where = Untranslated(format_path(path), typename(module) or type(module).__name__, reason)
        if where not in self.refused:
            self.refused.append(where)


def _hole() -> Expr:
    return Expr("hole")


def _holes(value: Value) -> bool:
    return any(isinstance(leaf, Expr) and leaf.op == "hole" for leaf in leaves(value))


class Builder:
    """What a rule builds its block with.

    Attributes
    ----------
    expected : int or None
        How many parts the output has, where a graph says so.
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
    ) -> None:
        self.translation = translation
        self.module = module
        self.block = block
        self.path = path
        self.expected = expected
        self.written: dict[int, Expr] = {}

    @property
    def seen(self) -> Any:
        """The module's output for the example, or None where there is none."""
        return getattr(self.module, "output", None) if self.translation.traced else None

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
        """
        value = self.current(value)
        if _holes(value):
            return _hole()
        while typename(module) in WRAPPERS:
            module, keys = module.modules[1], (*keys, "modules", 1)
        part, inner = self.translation.part(module, value, (*self.path, *keys), expected)
        self.block.children[name] = part
        if hint:
            self.block.hints[name] = hint
        if isinstance(part, Block) and _holes(part.output):
            return _hole()
        result = call(part, name, value, getattr(value, "ndim", None))
        if isinstance(part, Layer):
            result.ndim = OUTPUT_NDIM.get(part.kind, result.ndim)
        self._learn(module, result)
        if isinstance(part, Block):
            result = _passed_on(part, value, result)
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
            return tuple(_hole() for _ in range(count or 2))
        if not isinstance(value, tuple) or (count is not None and len(value) < count):
            wanted = f"{count} values" if count else "several values"
            self.refuse(f"it takes {wanted} here; translate with an example input")
        parts: tuple[Value, ...] = value
        return parts

    def refuse(self, reason: str) -> None:
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


BATCHED = frozenset({"LocalResponseNorm", "Upsample", "BatchNorm2d", "PReLU"})
"""Layers of images that would take a sample alone for something else."""

OF_SEVERAL = frozenset({"nn.Bilinear"})
"""Classes of layers that take several tensors."""

OUTPUT_NDIM = {
    **dict.fromkeys(("Conv2d", "ConvTranspose2d", "BatchNorm2d", "MaxPool2d", "AvgPool2d"), 4),
    **dict.fromkeys(("Conv3d", "ConvTranspose3d", "BatchNorm3d", "MaxPool3d", "AvgPool3d"), 5),
}
"""The dimensions of what a layer returns for batches."""
