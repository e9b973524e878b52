"""Nodes of a graph as expressions of `forward`, and the layers that they need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import ast
from ..scope import Variable
from ..walk import plain
from .chains import chain_of
from .classes import class_of
from .criterions import LOSSES
from .graph_kinds import NODE, TABLE
from .graph_layers import LOSSES_IN_GRAPHS, Made, Makers
from .graph_operations import OPERATIONS
from .graph_pieces import Code
from .graph_statics import Refused
from .graph_values import Value, annotation
from .nodes import FROM_ZERO, OVERWRITTEN, Part, Template

if TYPE_CHECKING:
    from .graph_writer import Writer

_ACTIVATIONS = ("ReLU", "LeakyReLU", "cudnn.ReLU")
_IN_PLACE = {
    "ReLU": 0, "LeakyReLU": 1, "cudnn.ReLU": 0, "ELU": 1, "Threshold": 2, "HardTanh": 2,
    "Dropout": 2, "AddConstant": 1, "MulConstant": 1,
}  # fmt: skip
"""Layers that may write over what they are given, and which argument says so."""


class Nodes:
    """Writes the nodes of one function.

    Parameters
    ----------
    writer : Writer
    """

    def __init__(self, writer: Writer) -> None:
        self.w = writer
        self.makers = Makers(writer)
        self.ranks: dict[Variable, str | None] = {}
        self.after: dict[Variable, frozenset[str]] = {}
        self.layers: dict[Variable, Any] = {}
        """Variables of layers: what makes the layer, or where it is once it was made."""
        self.layer_ranks: dict[Variable, str | None] = {}
        self.overwritten: dict[Variable, str] = {}
        """Nodes over which an activation has written, and what that is called."""
        self.inline: dict[Variable, Value] = {}
        """Nodes that are written where they are used."""
        self.used: set[Variable] = set()

    # -- variables ------------------------------------------------------------------------------

    def assigned(self, variable: Variable, value: Value) -> None:
        """Note what a variable holds from here on."""
        self.ranks[variable] = value.rank
        self.after[variable] = value.after
        self.overwritten.pop(variable, None)
        self.layers.pop(variable, None)

    def merge(self, before: dict[Variable, str | None]) -> None:
        """Forget what is only known of one branch."""
        for variable, rank in list(self.ranks.items()):
            if before.get(variable, rank) != rank:
                self.ranks[variable] = None

    def keep_layer(self, variable: Variable, value: Any) -> None:
        """Note that a variable holds a layer, which is made here."""
        if variable in self.layers or self.w.frames:
            raise Refused(value, f"the layer {variable.name} is made in branches or a loop")
        base, _ = chain_of(value)
        if class_of(base) in OPERATIONS:
            self.layers[variable] = value
        else:
            place = self.makers.reserve()
            made = self.makers.code(value, None)
            self.layers[variable] = self.makers.place(made, variable.name, place)
            self.layer_ranks[variable] = made.rank

    def is_input(self, node: Any) -> bool:
        """Whether a node is `nn.Identity()()`."""
        node = plain(node)
        if isinstance(node, ast.MethodCall) and node.method == "annotate":
            return self.is_input(node.object)
        if isinstance(node, ast.Unary) and node.operator == "-":
            return class_of(plain(node.operand)) == "Identity"
        return (
            isinstance(node, ast.Call)
            and not node.arguments
            and class_of(plain(node.function)) == "Identity"
        )

    def forget_name(self, node: ast.MethodCall) -> None:
        """Leave the remarks at a node out, which a program may look for."""
        if self.w.classes.reads_names:
            raise Refused(node, "the program looks for nodes by their annotations")

    # -- values -----------------------------------------------------------------------------------

    def value(self, node: Any, hint: str | None = None) -> Value:
        """Return a node as an expression; `hint` is what its layer may be called."""
        node = plain(node)
        match node:
            case ast.Name(variable=variable) if variable is not None:
                return self._variable(node, variable)
            case ast.Index():
                return self._element(node)
            case ast.MethodCall(method="annotate"):
                return self._annotated(node, hint)
            case ast.Unary(operator="-"):
                return self._applied([node.operand], self._entered(node, hint), hint)
            case ast.Binary(operator="-"):
                layers: list[Any] = []
                while isinstance(node, ast.Binary) and node.operator == "-":
                    layers.append(node.right)
                    node = plain(node.left)
                if isinstance(node, ast.Unary) and node.operator == "-":
                    layers.append(node.operand)
                    return self._applied(layers[::-1], self._entered(node, hint), hint)
                return self._applied(layers[::-1], node, hint)
            case ast.Call() if self.w.kinds.kind(node) == NODE:
                return self._called(node, hint)
        raise Refused(node, "a node of the graph comes from something unknown")

    def _entered(self, node: Any, hint: str | None) -> Value:
        """Return the input of a graph that starts with a layer instead of a node of its own."""
        names = [v.name for v in self.w.input_names]
        if hint not in names or self.w.frames:
            raise Refused(node, "a node without input is none of the graph's inputs")
        self.w.first_layers.add(hint)
        return Value([self.w.entry_name(hint)])

    def _variable(self, node: ast.Name, variable: Variable) -> Value:
        if variable in self.w.kinds.tables or variable not in self.w.kinds.nodes:
            raise Refused(node, f"{node.name} is no node of the graph")
        if variable in self.inline:
            return self.inline[variable]
        name = self.w.name(variable)
        after = self.after.get(variable, frozenset()) | {name}
        if variable in self.overwritten:
            raise Refused(node, f"what an activation wrote over, {name}, is used in other ways")
        self.used.add(variable)
        return Value([name], rank=self.ranks.get(variable), after=after)

    def _element(self, node: ast.Index) -> Value:
        owner, key = plain(node.table), plain(node.key)
        variable = owner.variable if isinstance(owner, ast.Name) else None
        if variable is None or (variable not in self.w.tables and variable is not self.w.inputs):
            raise Refused(node, "what is in a table of nodes is not known")
        name = "inputs" if variable is self.w.inputs else self.w.name(variable)
        counted = plain(key.operand) if isinstance(key, ast.Unary) and key.operator == "#" else None
        if isinstance(counted, ast.Name) and counted.variable is variable:
            return Value([name, "[-1]"], after=frozenset([name]))
        base = self.w.tables.get(variable, 1)
        return Value([name, "[", self.w.static(key, base), "]"], after=frozenset([name]))

    def _annotated(self, node: ast.MethodCall, hint: str | None) -> Value:
        name, by_number = annotation(node, self.w)
        if name is None:
            self.forget_name(node)
            return self.value(node.object, hint)
        before = set(self.w.attributes)
        found = self.value(node.object, name)
        fits = self.makers.last == (name, by_number) and name not in before
        if self.w.classes.reads_names and not fits:
            self.forget_name(node)
        return found

    def table(self, node: Any) -> Value:
        """Return a table of nodes: names of one, or a tuple of what is written out."""
        node = plain(node)
        if isinstance(node, ast.Name) and node.variable is not None:
            variable = node.variable
            if variable is self.w.inputs:
                return Value(["inputs"])
            if variable in self.w.tables or variable in self.w.kinds.nodes:
                return Value([self.w.name(variable)], after=frozenset([self.w.name(variable)]))
        if not isinstance(node, ast.TableConstructor):
            raise Refused(node, "what is in a table of nodes is not known")
        only = plain(node.fields[0].value) if len(node.fields) == 1 else None
        if isinstance(only, ast.MethodCall) and only.method == "split":
            return self.split(only, None)
        items = tuple(self._item(f.value, node) for f in node.fields)
        parts: list[Part] = []
        for item in items:
            parts += [*item.parts, ", "]
        if len(items) > 1:
            parts = parts[:-1]
        elif parts:
            parts[-1] = ","
        after = frozenset[str]().union(*(i.after for i in items))
        return Value(["(", *parts, ")"], fixed=True, items=items, after=after)

    def _item(self, node: Any, table: ast.TableConstructor) -> Value:
        """Return an element of a table, which may be what an activation has written over."""
        inner = plain(node)
        variable = inner.variable if isinstance(inner, ast.Name) else None
        if variable is None or variable not in self.overwritten:
            return self.value(node)
        active = self.overwritten[variable]
        others = [plain(f.value) for f in table.fields if f.value is not node]
        known = [
            self.after.get(o.variable, frozenset())
            for o in others
            if isinstance(o, ast.Name) and o.variable is not None
        ]
        if not any(active in after for after in known):
            raise Refused(node, f"{variable.name}, which an activation writes over, is used again")
        name = self.w.name(variable)
        code = Template(
            inner.line, inner.column, [f"overwritten({name}, {active})"], imports=(OVERWRITTEN,)
        )
        return Value([code], rank=self.ranks.get(variable))

    def split(self, node: Any, count: int | None) -> Value:
        """Return the parts of what `x:split(n)`, or a function of the program, gives."""
        node = plain(node)
        if isinstance(node, ast.MethodCall) and node.method == "split":
            found = self.value(node.object)
            if found.gates is not None:
                parts, whole = found.gates
                return replace(whole, parts=parts, rank="features")
            return replace(found, rank=None)
        if isinstance(node, ast.Call) and self.w.kinds.function_of(node.function) is not None:
            return replace(self._called(node, None), rank=None)
        raise Refused(node, "several values are assigned at once")

    # -- layers -----------------------------------------------------------------------------------

    def _called(self, node: ast.Call, hint: str | None) -> Value:
        """Return what a layer, or a function that builds a part of the graph, gives."""
        function = self.w.kinds.function_of(node.function)
        if function is not None:
            return self._helped(node, function, hint)
        if len(node.arguments) != 1:
            raise Refused(node, "a node without input is none of the graph's inputs")
        return self._applied([node.function], node.arguments[0], hint)

    def _helped(self, node: ast.Call, function: ast.Function, hint: str | None) -> Value:
        made = self.w.classes.of(function)
        statics: list[Part] = []
        given: list[Part] = []
        place = self.makers.reserve()
        for position, name in enumerate(function.parameters):
            value = node.arguments[position] if position < len(node.arguments) else None
            if self.w.kinds.kind(name) in (NODE, TABLE):
                found = self._given(value, node)
                given += [", " if given else "", *found.parts]
            elif made.needs(name):
                part = "None" if value is None else self.w.static(value)
                statics += [", " if statics else "", part]
        for variable in made.captured:
            name_node = ast.Name(node.line, node.column, variable.name, variable)
            if variable in self.w.kinds.nodes:
                given += [", " if given else "", *self.value(name_node).parts]
            else:
                statics += [", " if statics else "", self.w.static(name_node)]
        for key in made.fields:
            owner = ast.Name(node.line, node.column, "self", made.owner)
            field = ast.Index(node.line, node.column, owner, ast.String(0, 0, key))
            statics += [", " if statics else "", self.w.static(field)]
        code = Made([f"{made.name}(", *statics, ")"], True, made.attribute)
        layer = self.makers.place(code, hint, place)
        return Value([*layer, "(", *given, ")"])

    def _given(self, value: Any, node: ast.Node) -> Value:
        if value is None:
            raise Refused(node, "a function is called without one of its nodes")
        return self.table(value) if self.w.kinds.kind(value) == TABLE else self.value(value)

    def _applied(self, layers: list[Any], given: Any, hint: str | None) -> Value:
        """Return what layers give, one after the other, for a node, a table or a value."""
        first = plain(layers[0])
        known: str | None = None
        if isinstance(first, ast.Name):
            variable = first.variable
            first = None if variable is None else self.layers.get(variable)
            known = None if variable is None else self.layer_ranks.get(variable)
            if first is None:
                raise Refused(layers[0], "a layer that is applied to a node is not known")
        name = None if isinstance(first, list) else class_of(chain_of(first)[0])
        operation = OPERATIONS.get(str(name))
        place = self.makers.reserve()
        if isinstance(given, Value):
            found = given
        elif self.w.kinds.kind(given) == TABLE:
            found = self.table(given)
        else:
            self.w.taken_apart = self.w.taken_apart or name == "SplitTable"
            own = hint if operation and len(layers) == 1 else None
            written = self._written_over(given, first, name)
            found = self._activated(written, first) if written else self.value(given, own)
            if written is not None:
                return self._rest(layers, found, hint)
        if isinstance(first, list):
            given = Value(self._call(first, found), rank=known, after=found.after)
            return self._rest(layers, given, hint)
        if operation is not None:
            result = operation(self.w, chain_of(first)[0], found)
            if result is not None:
                return self._rest(layers, result, hint)
        if name == "LookupTable":
            found = self._words(found, first)
        if name in LOSSES_IN_GRAPHS:
            found = self._compared(found, first, str(name))
        if len(layers) > 1:
            code, rank = self.makers.chain(layers, found.rank)
            layer = self.makers.place(code, hint, place)
        else:
            made = self.makers.code(first, found.rank)
            layer, rank = self.makers.place(made, hint, place), made.rank
        return Value(self._call(layer, found), rank=rank, after=found.after)

    def _words(self, found: Value, node: Any) -> Value:
        """Return the numbers of words, which count from 0 in core."""
        if found.fixed:
            raise Refused(node, "words are looked up in a table of nodes")
        parts: list[Part] = ["from_zero(", *found.parts, ")"]
        return Value([Template(node.line, node.column, parts, imports=(FROM_ZERO,))])

    def _compared(self, found: Value, node: Any, name: str) -> Value:
        """Return a prediction and its target, which has no gradient; classes count from 0."""
        if len(found.items) != 2:
            raise Refused(node, "a criterion takes a table that is not written out")
        output, target = (list(item.parts) for item in found.items)
        if LOSSES[name].classes:
            parts: list[Part] = ["from_zero(", *target, ")"]
            target = [Template(node.line, node.column, parts, imports=(FROM_ZERO,))]
        else:
            target.append(".detach()")
        return replace(found, parts=["(", *output, ", ", *target, ")"])

    def _rest(self, layers: list[Any], found: Value, hint: str | None) -> Value:
        return found if len(layers) == 1 else self._applied(layers[1:], found, hint)

    def _call(self, layer: list[Part], found: Value) -> list[Part]:
        inside = found.parts[1:-1] if found.fixed else found.parts
        if found.fixed and len(found.items) == 1:
            inside = found.items[0].parts
        star = "" if found.fixed or not self._is_table(found) else "*"
        return [*layer, f"({star}", *inside, ")"]

    def _is_table(self, found: Value) -> bool:
        names = {self.w.name(v) for v in self.w.tables} | {"inputs"}
        only = found.parts[0] if len(found.parts) == 1 else None
        return isinstance(only, str) and only in names

    def _written_over(self, given: Any, layer: Any, name: str | None) -> Variable | None:
        """Return the node that an activation writes over, if it is used again."""
        node = plain(given)
        variable = node.variable if isinstance(node, ast.Name) else None
        place = _IN_PLACE.get(str(name))
        if variable is None or place is None or self.w.reads[variable] < 2:
            return None
        base, _ = chain_of(layer)
        flag = plain(base.arguments[place]) if place < len(base.arguments) else None
        if not isinstance(flag, ast.Boolean) or not flag.value:
            return None
        if variable in self.used or self.w.frames or str(name) not in _ACTIVATIONS:
            raise Refused(given, f"a layer writes over {variable.name}, which is used elsewhere")
        return variable

    def _activated(self, variable: Variable, layer: Any) -> Value:
        """Name an activation that writes over a node."""
        node = ast.Name(layer.line, layer.column, variable.name, variable)
        found = self.value(node)
        active = f"{self.w.name(variable)}_active"
        code = self.makers.code(layer, found.rank)
        made = self.makers.place(code, None, self.makers.reserve())
        self.w.forward_now.append(Code([f"{active} = ", *self._call(made, found)]))
        self.overwritten[variable] = active
        return Value([active], rank=found.rank, after=found.after | {active})
