"""The layers of a graph: attributes of the class, lists of them where a loop makes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..text import words
from ..walk import plain
from .chains import chain_of
from .classes import class_of
from .constructors import Arguments, Unclear
from .criterions import loss_code
from .graph_pieces import Code, Piece
from .graph_statics import Refused, Static, statics_in
from .layers import LAYERS
from .nodes import NN, Part, Template

if TYPE_CHECKING:
    from .graph_writer import Writer


@dataclass(slots=True)
class Made:
    """The construction of a layer.

    Attributes
    ----------
    parts : list of Part
    has_parameters : bool
        It learns, or may.
    attribute : str
        What it is called if nothing else gives it a name.
    rank : str or None
        What comes out of it.
    """

    parts: list[Part]
    has_parameters: bool
    attribute: str
    rank: str | None = None


LOSSES_IN_GRAPHS = frozenset(
    words(
        """
        MSECriterion AbsCriterion SmoothL1Criterion ClassNLLCriterion CrossEntropyCriterion
        """
    )
)
"""Criterions that a graph may have, of a table of two nodes."""


class Makers:
    """Writes the layers of one function.

    Parameters
    ----------
    writer : Writer
    """

    def __init__(self, writer: Writer) -> None:
        self.w = writer
        self.last: tuple[str, bool] = ("", False)
        """The name of the layer that was made last, and whether it is in a list."""
        self._shared: dict[str, str] = {}

    def code(self, node: Any, rank: str | None) -> Made:
        """Return what makes a layer: core's, or Torch's where core has none."""
        base, calls = chain_of(node)
        name = class_of(base)
        kept = [c for c in calls if c.method not in ("cuda", "float", "double")]
        if name in LAYERS:
            methods = {c.method: c.arguments for c in kept}
            arguments = Arguments(base, list(base.arguments), rank, methods)
            known = set(methods) <= {"noBias", "ceil"} or name in ("View", "cudnn.View")
            try:
                layer = LAYERS[str(name)](arguments) if known else None
            except Unclear:
                layer = None
            if layer is not None and not layer.note and not layer.helper:
                attribute = _snake(str(layer.code.parts[0]).removeprefix("nn.").rstrip("("))
                return Made([layer.code], layer.has_parameters, attribute, layer.rank)
        if name is not None and name.endswith("Criterion"):
            if name not in LOSSES_IN_GRAPHS or calls or base.arguments:
                raise Refused(node, "a criterion is a part of the graph")
            loss = loss_code(base, name, summed=False)
            assert loss is not None  # it has no arguments
            return Made([loss], False, "criterion")
        function = plain(base.function) if isinstance(base, ast.Call) else None
        if name is None and not isinstance(function, (ast.Name, ast.Index)):
            raise Refused(node, "a layer that is applied to a node is not known")
        if name is not None or calls or not isinstance(base, ast.Call):
            return Made([node], True, _snake((name or "layer").removeprefix("cudnn.")))
        own: Any = function.name if isinstance(function, ast.Name) else getattr(function, "key", "")
        parts: list[Part] = [function, "("]
        for position, argument in enumerate(base.arguments):
            parts += [", " if position else "", Static(argument)]
        return Made([*parts, ")"], True, _snake(str(getattr(own, "value", own))))

    def chain(self, layers: list[Any], rank: str | None) -> tuple[Made, str | None]:
        """Return what makes several layers that follow one another."""
        parts: list[Part] = []
        learns = False
        for position, node in enumerate(layers):
            if position and class_of(chain_of(node)[0]) == "LookupTable":
                raise Refused(node, "words are looked up behind another layer")
            made = self.code(node, rank)
            parts += [", " if parts else "", *made.parts]
            rank, learns = made.rank, learns or made.has_parameters
        code = Template(
            layers[0].line, layers[0].column, ["nn.Sequential(", *parts, ")"], imports=(NN,)
        )
        return Made([code], learns, "layers", rank), rank

    def reserve(self) -> tuple[list[Piece], int]:
        """Return the present place in the method that makes layers."""
        return self.w.init_now, len(self.w.init_now)

    def place(self, made: Made, hint: str | None, at: tuple[list[Piece], int]) -> list[Part]:
        """Put a layer into an attribute, or a list that is one; return where it is."""
        w, (pieces, position) = self.w, at
        own = {v for v in statics_in(made.parts) if w.owns(v)}
        loops = [f for f in w.frames if f.counter is not None]
        fixed = all(v.kind == "parameter" or v.scope is not w.scope for v in own)
        if not made.has_parameters and fixed:
            return self._shared_layer(made)
        inner = w.frames[w.frames.index(loops[-1]) + 1 :] if loops else []
        if not loops or any(f.once for f in inner):
            if len(loops) > 1:
                raise Refused(loops[-1].piece.statement, _NESTED)  # type: ignore[arg-type]
            name = w.attribute(_named(hint, made))
            self.last = name, False
            pieces.insert(position, Code([f"self.{name} = ", *made.parts]))
            return [f"self.{name}"]
        if len(loops) > 1 or inner or loops[0].start != 1:
            raise Refused(loops[-1].piece.statement, _NESTED)  # type: ignore[arg-type]
        name = w.attribute(_named(hint, made))
        self.last = name, True
        before = w.init.index(w.frames[0].piece) if w.frames[0] is loops[0] else None
        if before is None:
            raise Refused(loops[-1].piece.statement, _NESTED)  # type: ignore[arg-type]
        line = Template(0, 0, [f"self.{name} = nn.ModuleList()"], imports=(NN,))
        w.init.insert(before, Code([line]))
        pieces.insert(position, Code([f"self.{name}.append(", *made.parts, ")"]))
        counter = loops[0].counter
        assert counter is not None
        return [f"self.{name}[{w.name(counter)}]"]

    def _shared_layer(self, made: Made) -> list[Part]:
        """Make a layer without parameters once, before the loops and branches around it."""
        w = self.w
        text = repr([_bare(p) for p in made.parts])
        if text not in self._shared:
            self._shared[text] = w.attribute(made.attribute)
            before = w.init.index(w.frames[0].piece) if w.frames else len(w.init)
            w.init.insert(before, Code([f"self.{self._shared[text]} = ", *made.parts]))
        self.last = self._shared[text], False
        return [f"self.{self._shared[text]}"]


_NESTED = "layers that learn are made in branches of a loop, or in loops inside of loops"


def _bare(part: Any) -> str:
    """Return a part without its place in the file."""
    return re.sub(r"(line|column)=\d+", "", repr(part))


def _named(hint: str | None, made: Made) -> str:
    return hint if hint is not None and hint.isidentifier() else made.attribute


def _snake(name: str) -> str:
    """Return "conv2d" for "Conv2d", "log_softmax" for "LogSoftmax"."""
    known = {"Dropout": "drop", "BatchNorm2d": "norm", "BatchNorm1d": "norm", "Conv2d": "conv"}
    if name in known:
        return known[name]
    name = name.replace("ReLU", "Relu").replace("ELU", "Elu")
    found = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return found if found.isidentifier() else "layer"
