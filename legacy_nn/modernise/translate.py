"""From a legacy model to its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rekindle.core import ops
from rekindle.core.autograd import no_grad

from ..criterion.base import Criterion
from ..module import Module, as_input
from ..naming import WRAPPERS, root_place, walk
from ..paths import Path, format_path
from ..rnn.abstract_sequencer import AbstractSequencer
from ..rnn.sequence_layer import SequenceLayer
from ..unknown_classes import looks_like_module, typename
from ..unsupported import stored_methods
from ..values import map_tensors
from .builder import OUTPUT_NDIM, Builder, hole
from .errors import Refusal, TranslationError, Untranslated
from .inputs import structure_of
from .memory import STATES, remembering
from .not_translated import NOT_TRANSLATED
from .plan import CALLS, Block, Layer, Value, in_order, inputs_like
from .registry import EVALUATED, LAYERS, OF_INPUT, RULES, SEQUENCES, known
from .stepping import WIRES
from .wires import Wires


def plan_of(model: Any, input: Any = None, *, zero_based: bool = False) -> Block:
    """Return the plan of a legacy module or criterion.

    Parameters
    ----------
    model : legacy Module or Criterion
    input : Tensor or Table, optional
        An example, where the model alone does not say how many tensors or dimensions there
        are. The model runs on it once, in evaluation mode, and forgets its sequences.
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
        zero_based=zero_based,
        traced=isinstance(model, Module) and input is not None,
        wires=Wires(model),
        sequences=any(
            isinstance(p.value, AbstractSequencer) or typename(p.value) in STATES
            for p in walk(root_place(model))
        ),
    )
    value = structure_of(model, input)
    while typename(model) in WRAPPERS:
        model = model.modules[1]
    block, _ = translation.block(model, value, ())
    if translation.refused:
        raise TranslationError(translation.refused)
    return block


DRAWS = "it draws in training; what it does in evaluation is translated: call evaluate() first"


def _without_rule(model: Any) -> list[Untranslated]:
    """Return the modules inside that no rule is for, and those that carry methods of their own."""
    found = []
    for place in walk(root_place(model)):
        value, name = place.value, typename(place.value)
        if isinstance(value, Module) and stored_methods(value):
            own = ", ".join(stored_methods(value))
            found.append(Untranslated(place.lua_path, str(name), f"it carries methods: {own}"))
        elif name in EVALUATED and value.train:
            found.append(Untranslated(place.lua_path, name, DRAWS))
        elif name is not None and not _has_rule(name) and _is_module(value):
            unknown = "the class is not one of Torch7's, or not known here"
            why = NOT_TRANSLATED.get(name) or unknown
            found.append(Untranslated(place.lua_path, name, why))
    return found


def _has_rule(name: str) -> bool:
    return known(name) or name in WRAPPERS or name == "nn.Recursor"


def _is_module(value: Any) -> bool:
    return isinstance(value, (Module, Criterion)) or looks_like_module(value)


def _run(model: Module, input: Any) -> None:
    """Run a model in evaluation mode, so that its modules' outputs show their shapes.

    What it remembers of sequences is forgotten then.
    """
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
        for module in remembering(model).values():
            module.resetStates() if isinstance(module, SequenceLayer) else module.forget()


class Translation:
    """The translation of one model.

    Attributes
    ----------
    refused : list of Untranslated
    zero_based, traced : bool
        As `plan_of` was asked; whether the modules' outputs show their shapes.
    wires : Wires
        What modules hand each other past the containers between them.
    sequences : bool
        Whether something in the model takes tables as sequences.
    """

    def __init__(self, *, zero_based: bool, traced: bool, wires: Wires, sequences: bool) -> None:
        self.refused: list[Untranslated] = []
        self.zero_based = zero_based
        self.traced = traced
        self.wires = wires
        self.sequences = sequences
        self._layers: dict[tuple[int, Any], Layer | None] = {}
        self._made: dict[int, Layer] = {}

    def once(self, module: Any, make: Callable[[], Layer]) -> Layer:
        """Return the layer made for a module, the same wherever the module is used."""
        if id(module) not in self._made:
            self._made[id(module)] = make()
        return self._made[id(module)]

    @contextmanager
    def untraced(self) -> Iterator[None]:
        """Look at no outputs: modules inside saw single steps, and get whole sequences here."""
        before, self.traced = self.traced, False
        try:
            yield
        finally:
            self.traced = before

    def part(
        self,
        module: Any,
        value: Value,
        path: Path,
        expected: int | None = None,
        stepped: bool = False,
    ) -> tuple[Layer | Block, Builder | None]:
        """Return a module as a layer, or as a block for a value like this one."""
        if stepped:
            return self.block(module, value, path, expected, True)
        try:
            layer = self._layer(module, value)
        except Refusal:
            layer = None  # refused as a block, with its path
        if layer is not None:
            return layer, None
        return self.block(module, value, path, expected)

    def _layer(self, module: Any, value: Value) -> Layer | None:
        """Return the layer that a module is, the same for the same module; None if it is none."""
        make = None if self.wires.is_read(module) else LAYERS.get(typename(module) or "")
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
        self,
        module: Any,
        value: Value,
        path: Path,
        expected: int | None = None,
        stepped: bool = False,
    ) -> tuple[Block, Builder]:
        """Return a module as a block for a value like this one, and what built it.

        What wires bring comes in behind the value, and what they take goes out behind the output.
        """
        name = typename(module) or ""
        x = inputs_like(value)
        block = Block(name, x)
        builder = Builder(self, module, block, path, expected, stepped)
        for key in (keys := self.wires.read_in(module)):
            builder.wires[key] = self.wires.inputs(key)
        if keys:
            block.input = (x, *(value for key in keys for value in builder.wires[key]))
        try:
            y = builder.current(self._output(name, module, x, builder))
            keys = self.wires.filled_in(module)
            more = [value for key in keys for value in builder.wires[key]]
            block.output = (y, *more) if keys else y
        except Refusal as refusal:
            self.refuse(module, path, str(refusal))
            block.output = hole()
        used = {e.attrs["child"] for e in in_order(block.output) if e.op in CALLS}
        block.children = {n: c for n, c in block.children.items() if n in used}
        return block, builder

    def _output(self, name: str, module: Any, x: Value, builder: Builder) -> Value:
        if builder.stepped:
            if name in SEQUENCES:
                return SEQUENCES[name](module, x, builder)
            if name not in WIRES:
                builder.refuse("modules inside it keep states, and it does not hand on steps")
            return RULES[name](module, x, builder)
        layer = self._layer(module, x)
        if layer is not None:
            return builder.layer("", layer, x, OUTPUT_NDIM.get(layer.kind))
        if name in RULES:
            return RULES[name](module, x, builder)
        if name in SEQUENCES:
            builder.refuse("it takes one step at a time, and its first step is another module")
        builder.refuse("it takes one tensor, and is given several here")
        return hole()

    def refuse(self, module: Any, path: Path, reason: str) -> None:
        """Note that a module has no translation."""
        where = Untranslated(format_path(path), typename(module) or type(module).__name__, reason)
        if where not in self.refused:
            self.refused.append(where)


BATCHED = frozenset({"LocalResponseNorm", "Upsample", "BatchNorm2d", "PReLU"})
"""Layers of images that would take a sample alone for something else."""


OF_SEVERAL = frozenset({"nn.Bilinear"})
"""Classes of layers that take several tensors."""
