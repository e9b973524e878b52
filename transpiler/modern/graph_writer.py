"""A function that builds a graph, as the two methods of a class: its layers, and what they do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..scope import Variable
from ..syntax import dotted
from ..walk import names_in, number, plain, walk
from .graph_kinds import LAYER, NODE, TABLE, inserts
from .graph_names import ClassNames
from .graph_nodes import Nodes
from .graph_operations import takes_apart
from .graph_pieces import Choice, Code, Loop, Piece, Remark, Setting
from .graph_statics import Refused, Static, Statics
from .graph_values import Value
from .nodes import Part

if TYPE_CHECKING:
    from .graph_classes import Classes


@dataclass(slots=True)
class Frame:
    """A loop or branch that is being written.

    Attributes
    ----------
    counter : Variable or None
        What a loop counts; None for a branch.
    once : bool
        A branch for one turn of a loop.
    piece : Piece
        In the method that makes the layers.
    start : int
    """

    counter: Variable | None
    once: bool
    piece: Piece
    start: int = 1


class Writer(ClassNames):
    """Writes one function.

    Parameters
    ----------
    classes : Classes
        The classes of the file.
    function : ast.Function
    own : bool
        The function is a method: `self` stands for numbers.

    Attributes
    ----------
    init, forward : list of Piece
        The bodies of the methods.
    counters : set of Variable
    """

    def __init__(self, classes: Classes, function: ast.Function) -> None:
        super().__init__(classes, function)
        self.statics = Statics(self)
        self.nodes = Nodes(self)
        self.init: list[Piece] = []
        self.forward: list[Piece] = []
        self.init_now, self.forward_now = self.init, self.forward
        self.frames: list[Frame] = []
        self.counters: set[Variable] = set()
        self.tables: dict[Variable, int] = {}
        """Where tables of nodes start to count."""
        self.inputs: Variable | None = None
        """The table of the graph's inputs."""
        self.first_layers: set[str] = set()
        """Inputs that are layers of their own: `- nn.Linear(2, 3)`."""
        self.taken_apart = False
        """What is being written is taken apart by a SplitTable."""
        self.reads = Counter(
            {n.variable: n.variable.reads for n in names_in(function.body) if n.variable}
        )

    # -- statements -----------------------------------------------------------------------------

    def block(self, statements: list[ast.Statement], tail: bool = False) -> None:
        """Write statements; `tail` says that the function ends behind them."""
        for position, statement in enumerate(statements):
            self.statement(statement, tail and position == len(statements) - 1)

    def statement(self, node: ast.Statement, tail: bool = False) -> None:
        """Write a statement.

        Raises
        ------
        Refused
            If it has no counterpart in a class.
        """
        match node:
            case ast.Local() | ast.Assign():
                self._assignment(node)
            case ast.LocalFunction() | ast.FunctionStatement():
                if id(node.function) not in self.kinds.functions:
                    raise Refused(node, "a function is defined in it that gives no nodes")
            case ast.CallStatement():
                self._call(node)
            case ast.If():
                self._choice(node, tail)
            case ast.NumericFor():
                self._loop(node)
            case ast.Return() if tail:
                found = [self.result(v) for v in node.values]
                parts: list[Part] = []
                for value in found:
                    parts += [", " if parts else "return ", *value.parts]
                self.forward_now.append(Code(parts, node))
            case ast.Do():
                self.block(node.body.statements)
            case _:
                raise Refused(node, "its statements are of a kind that a class cannot have")

    def remark(
        self, node: ast.Statement, pieces: list[Piece] | None = None, place: int | None = None
    ) -> None:
        """Keep the comments of a statement that has no line, in `forward` or at a place."""
        if node.before or node.after:
            pieces = self.forward_now if pieces is None else pieces
            pieces.insert(len(pieces) if place is None else place, Remark(node))

    def result(self, node: Any) -> Value:
        """Return a node or table of nodes that is given back."""
        if self.kinds.kind(node) == TABLE:
            found = self.nodes.table(node)
            return Value(["tuple(", *found.parts, ")"]) if not found.fixed else found
        return self.nodes.value(node)

    def _assignment(self, node: ast.Local | ast.Assign) -> None:
        targets: list[Any] = list(node.names if isinstance(node, ast.Local) else node.targets)
        values = node.values
        if len(targets) > 1 and len(values) == 1:
            self._several(node, targets, plain(values[0]))
            return
        for position, target in enumerate(targets):
            value = plain(values[position]) if position < len(values) else None
            self._one(target, value, node)

    def _one(self, target: Any, value: Any, node: ast.Statement) -> None:
        variable = target.variable if isinstance(target, ast.Name) else None
        if isinstance(value, ast.Function) and id(value) in self.kinds.functions:
            return
        if isinstance(target, ast.Index):
            self._element(target, value, node)
            return
        if variable is None:
            raise Refused(node, "a global is assigned in it")
        nothing = value is None or isinstance(value, ast.Nil)
        kind = None if nothing else self.kinds.kind(value)
        if kind == LAYER:
            place = len(self.init_now)
            self.nodes.keep_layer(variable, value)
            made = isinstance(self.nodes.layers[variable], list)
            self.remark(node, *((self.init_now, place) if made else ()))
        elif kind == NODE:
            if variable in self.input_names and self.nodes.is_input(value):
                self.remark(node)
                return
            self.taken_apart = apart = self._is_taken_apart(variable)
            found = self.nodes.value(value, None if variable.writes else target.name)
            self.taken_apart = False
            if apart and found.gates is not None:
                self.nodes.inline[variable] = found
                self.remark(node)
                return
            self.forward_now.append(Code([self.name(variable), " = ", *found.parts], node))
            self.nodes.assigned(variable, found)
        elif variable in self.kinds.tables:
            self._table(variable, value, node)
        elif nothing or variable in self.kinds.nodes:
            if not nothing:
                raise Refused(node, f"{target.name} is a node of the graph, and something else")
        else:
            setting = Setting(variable, value, node)
            self.init_now.append(setting)
            self.forward_now.append(setting)

    def _is_taken_apart(self, variable: Variable) -> bool:
        """Whether all that is done with a node is `nn.SplitTable(2)(node)`."""
        given = [
            plain(n.arguments[0])
            for n in walk(self.function.body)
            if takes_apart(n) and len(n.arguments) == 1
        ]
        uses = [n for n in given if isinstance(n, ast.Name) and n.variable is variable]
        return len(uses) == variable.reads > 0

    def _several(self, node: Any, targets: list[Any], value: Any) -> None:
        """Write `a, b = f(...)`."""
        if self.kinds.kind(value) != NODE or not all(isinstance(t, ast.Name) for t in targets):
            raise Refused(node, "several values are assigned at once")
        found = self.nodes.split(value, len(targets))
        names = ", ".join(self.name(t.variable) for t in targets)
        self.forward_now.append(Code([names, " = ", *found.parts], node))
        for target in targets:
            self.nodes.assigned(target.variable, found)

    def _table(self, variable: Variable, value: Any, node: ast.Statement) -> None:
        """Write the definition of a table of nodes: a list."""
        if not isinstance(value, ast.TableConstructor) or self.frames:
            raise Refused(node, f"what is put into the table {variable.name} is not known")
        if variable is self.inputs:
            if value.fields:
                raise Refused(node, "its inputs are put into a table in several ways")
            self.remark(node)
            return
        base = 1
        for entry in value.fields:
            if entry.key is not None:
                if number(entry.key) != 0 or len(value.fields) != 1:
                    raise Refused(node, f"the table {variable.name} has keys")
                base = 0
        self.tables[variable] = base
        found = self.nodes.table(value)
        parts = ["[", *found.parts[1:-1], "]"] if found.fixed else found.parts
        if found.fixed and len(value.fields) == 1 and parts[-2:] == [",", "]"]:
            parts[-2:] = ["]"]
        self.forward_now.append(Code([self.name(variable), " = ", *parts], node))

    def _element(self, target: ast.Index, value: Any, node: ast.Statement) -> None:
        """Write `t[i] = node` of a table that is filled in order."""
        owner = plain(target.table)
        variable = owner.variable if isinstance(owner, ast.Name) else None
        if variable not in self.kinds.tables or variable is None or value is None:
            raise Refused(node, "a field is assigned in it")
        if variable not in self.tables or self.kinds.kind(value) != NODE:
            raise Refused(node, f"what is put into the table {variable.name} is not known")
        place, key = number(target.key), plain(target.key)
        loops = [f for f in self.frames if f.counter is not None]
        counted = isinstance(key, ast.Name) and loops and key.variable is loops[-1].counter
        first = place == 0 and self.tables[variable] == 1 and not self.frames
        if not first and not (counted and len(loops) == 1 and loops[-1].start == 1):
            raise Refused(node, f"the table {variable.name} is not filled in order")
        if first:
            self.tables[variable] = 0
        found = self.nodes.value(value)
        self.forward_now.append(Code([f"{self.name(variable)}.append(", *found.parts, ")"], node))

    def _call(self, node: ast.CallStatement) -> None:
        call = node.call
        if inserts(call) and self.kinds.kind(call.arguments[0]) == TABLE:
            owner = plain(call.arguments[0])
            variable = owner.variable if isinstance(owner, ast.Name) else None
            if variable is not None and variable is self.inputs:
                if not self.nodes.is_input(call.arguments[1]):
                    raise Refused(node, "its inputs are computed")
                self.remark(node)
                return
            if variable not in self.tables or variable is None:
                raise Refused(node, "what is in a table of nodes is not known")
            found = self.nodes.value(call.arguments[1])
            code: list[Part] = [f"{self.name(variable)}.append(", *found.parts, ")"]
            self.forward_now.append(Code(code, node))
            return
        if isinstance(call, ast.MethodCall) and call.method == "annotate":
            self.nodes.forget_name(call)
            self.remark(node)
            return
        if isinstance(call, ast.Call) and (dotted(call.function) or "").startswith("graph.dot"):
            return
        raise Refused(node, "something is called in it for its effect")

    def _choice(self, node: ast.If, tail: bool) -> None:
        blocks = [(t, b.statements) for t, b in node.branches]
        if node.otherwise is not None:
            blocks.append((None, node.otherwise.statements))  # type: ignore[arg-type]
        init, forward = Choice(statement=node), Choice(statement=node)
        outer = self.init_now, self.forward_now
        self.init_now.append(init)
        self.forward_now.append(forward)
        before = dict(self.nodes.ranks)
        for test, statements in blocks:
            self.init_now, self.forward_now = [], []
            init.branches.append((test, self.init_now))
            forward.branches.append((test, self.forward_now))
            self.frames.append(Frame(None, self._is_in_one_turn(test), init))
            self.block(statements, tail)
            self.frames.pop()
        self.init_now, self.forward_now = outer
        self.nodes.merge(before)

    def _is_in_one_turn(self, test: Any) -> bool:
        """Whether a test holds in one turn of the innermost loop."""
        test = plain(test)
        loops = [f.counter for f in self.frames if f.counter is not None]
        if not isinstance(test, ast.Binary) or test.operator != "==" or not loops:
            return False
        left = plain(test.left)
        varying = {n.variable for n in names_in(test.right)} & set(loops)
        return isinstance(left, ast.Name) and left.variable is loops[-1] and not varying

    def _loop(self, node: ast.NumericFor) -> None:
        start, variable = number(node.start), node.name.variable
        if node.step is not None or not isinstance(start, int) or start < 1 or variable is None:
            raise Refused(node, "a loop in it does not count up from a number")
        init = Loop(variable, node.start, node.stop, statement=node)
        forward = Loop(variable, node.start, node.stop, statement=node)
        outer = self.init_now, self.forward_now
        self.init_now.append(init)
        self.forward_now.append(forward)
        self.init_now, self.forward_now = init.body, forward.body
        self.counters.add(variable)
        self.frames.append(Frame(variable, False, init, start))
        before = dict(self.nodes.ranks)
        self.block(node.body.statements)
        self.frames.pop()
        self.init_now, self.forward_now = outer
        self.nodes.merge(before)

    # -- the graph itself -------------------------------------------------------------------------

    def take_inputs(self, node: Any) -> None:
        """Note what the inputs of a graph are, before its function is written."""
        node = plain(node)
        if isinstance(node, ast.Name) and node.variable is not None:
            self.inputs = node.variable
            return
        if isinstance(node, ast.TableConstructor):
            names = [plain(f.value) for f in node.fields if f.key is None]
            if len(names) == len(node.fields) and all(
                isinstance(n, ast.Name) and n.variable and self._is_once(n.variable) for n in names
            ):
                self.input_names = [n.variable for n in names]
                self.reads.subtract(self.input_names)
                return
        raise Refused(node, "its inputs are not variables")

    def _is_once(self, variable: Variable) -> bool:
        """Whether a variable of the function is one node all the time."""
        made = [v for v in variable.values if not isinstance(plain(v), ast.Nil)]
        return variable.scope is self.scope and len(made) == 1 and not variable.several

    def give(self, node: Any, statement: ast.Statement) -> None:
        """Write the end of the graph, its outputs."""
        node = plain(node)
        if isinstance(node, ast.Name) and node.variable in self.kinds.tables:
            found = [Value(["tuple(", self.name(node.variable), ")"])]
        elif isinstance(node, ast.TableConstructor):
            found = [self.result(f.value) for f in node.fields]
        else:
            raise Refused(node, "its outputs are not written out")
        parts: list[Part] = []
        for value in found:
            parts += [", " if parts else "return ", *value.parts]
        blank = ast.Return(statement.line, statement.column, [])
        self.forward_now.append(Code(parts, blank))

    def reads_again(self, value: Value) -> bool:
        """Whether a node is a variable that is read in several places."""
        return len(value.parts) == 1 and any(
            self._names.get(v) == value.parts[0] and count > 1 for v, count in self.reads.items()
        )

    def static(self, node: Any, less: int = 0, size: bool = False) -> Static:
        """Return a number as a part of a line."""
        return Static(node, less, size)
