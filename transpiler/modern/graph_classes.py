"""Classes for the functions of a file that build graphs of nngraph."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .. import ast
from ..scope import FileScope, Variable
from .graph_kinds import NODE, TABLE, Kinds
from .graph_pieces import Choice, Code, Loop, Piece, Remark, Setting, live, stands
from .graph_statics import FORWARD, INIT, Refused, Static, brackets, statics_in
from .graph_writer import Writer
from .nodes import NN, Line, Nothing, Part, Suite, Template, Whole, like
from .optimizers import is_simple

_ACRONYMS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "vae": "VAE", "gan": "GAN", "cnn": "CNN"}
_RUNTIME = ("Table", "G", "TableObject", "TorchObject", "Cell")
_VERBS = ("create", "define", "build", "make", "new", "get", "g")


@dataclass(slots=True)
class Class:
    """What is known of a class while, and after, it is written.

    Attributes
    ----------
    name, attribute : str
        The class, and what a layer of it is called.
    captured : list of Variable
        What the function sees of those around it.
    used : set of Variable or None
        The numbers that it needs; None while it is not known.
    writer : Writer or None
    """

    name: str
    attribute: str
    captured: list[Variable] = field(default_factory=list)
    used: set[Variable] | None = None
    writer: Writer | None = None
    suite: Suite | None = None

    @property
    def fields(self) -> list[str]:
        """The fields of a method's object that it is given."""
        return [] if self.writer is None else list(self.writer.fields)

    @property
    def owner(self) -> Variable | None:
        """The `self` of the method."""
        return None if self.writer is None else self.writer.owner

    def needs(self, name: ast.Name) -> bool:
        """Whether the class is given a parameter of the function, a number."""
        return self.used is None or name.variable in self.used


class Classes:
    """The classes of one file.

    Parameters
    ----------
    block : ast.Block
    scopes : FileScope
    taken : set of str
        Names of the program.
    reads_names : bool
        The program looks for nodes by their annotations.
    """

    def __init__(
        self, block: ast.Block, scopes: FileScope, taken: set[str], reads_names: bool
    ) -> None:
        self.kinds = Kinds(block, scopes)
        self.scopes = scopes
        self.taken = taken
        self.reads_names = reads_names
        self.found: dict[int, Class] = {}
        self.finished: list[Class] = []
        self.mains: set[int] = set()
        self.names: dict[int, str] = {}
        """What functions are called in Lua."""

    def outermost(self, function: ast.Function) -> int:
        """Return the id of the outermost function around one that builds a graph too."""
        scope = self.scopes.scopes[id(function)]
        found = id(function)
        while scope is not None and scope.function is not None:
            if id(scope.function) in self.mains or id(scope.function) in self.kinds.functions:
                found = id(scope.function)
            assert scope.parent is not None
            scope = scope.parent
        return found

    def new_name(self, name: str) -> str:
        """Return a name for the class of a function."""
        words = [w for w in re.split(r"_+|(?<=[a-z0-9])(?=[A-Z])", name) if w]
        while len(words) > 1 and words[0].lower() in _VERBS:
            words = words[1:]
        base = "".join(_ACRONYMS.get(w.lower(), w[:1].upper() + w[1:]) for w in words) or "Graph"
        base = base if base.isidentifier() else f"Graph{base}"
        found, count = base, 1
        while found in self.taken or found in _RUNTIME:
            count += 1
            found = f"{base}Model" if count == 2 else f"{base}{count}"
        self.taken.add(found)
        return found

    def of(self, function: ast.Function) -> Class:
        """Return the class of a function that builds a part of a graph."""
        known = self.found.get(id(function))
        if known is not None:
            return known
        own = self.names.get(id(function), "part")
        made = Class(self.new_name(own), re.sub(r"\W|^new_", "", own).lower() or "part")
        self.found[id(function)] = made
        writer = Writer(self, function)
        if function.vararg:
            raise Refused(function, "a function that builds a part of it takes any arguments")
        for name in function.parameters:
            if name.variable is not None and self.kinds.kind(name) == TABLE:
                writer.tables[name.variable] = 1
        writer.block(function.body.statements, tail=True)
        nodes = [n for n in function.parameters if self.kinds.kind(n) in (NODE, TABLE)]
        made.writer = writer
        self.finish(made, nodes, function)
        return made

    def finish(self, made: Class, nodes: list[ast.Name], function: ast.Function) -> None:
        """Write the text of a class whose function has been gone through."""
        writer = made.writer
        assert writer is not None
        inner = [n for n in function.parameters if n not in nodes]
        made.used = live(writer.init) | live(writer.forward)
        around = [v for v in made.used if v.scope is not writer.scope and writer.owns(v)]
        seen = [*writer.captured, *sorted(around, key=lambda v: v.declared)]
        seen = [v for v in seen if v.kind != "self"]  # its fields are given one by one
        made.captured = [v for v in dict.fromkeys(seen) if v in self.kinds.nodes or v in made.used]
        given = [writer.name(n.variable) for n in nodes if n.variable is not None]
        if writer.inputs is not None:
            given = ["*inputs"]
        elif writer.input_names:
            given = [
                writer.entry_name(v.name) if v.name in writer.first_layers else writer.name(v)
                for v in writer.input_names
            ]
        given += [writer.name(v) for v in made.captured if v in self.kinds.nodes]
        render = _Rendering(writer)
        forward = render.body(writer.forward, FORWARD)
        init = render.body(writer.init, INIT)
        numbers = [writer.name(n.variable) for n in inner if n.variable in made.used]
        numbers += [writer.name(v) for v in made.captured if v not in self.kinds.nodes]
        numbers += list(writer.fields)
        made.suite = _class(made.name, numbers, given, writer.stored, init, forward)
        self.finished.append(made)


def _class(
    name: str,
    numbers: list[str],
    inputs: list[str],
    stored: dict[str, str],
    init: list[ast.Statement],
    forward: list[ast.Statement],
) -> Suite:
    methods: list[ast.Statement] = []
    if init or numbers:
        first = [
            _line("super().__init__()"),
            *(_line(f"self.{a} = {n}") for n, a in stored.items()),
        ]
        header = f"def __init__({', '.join(['self', *numbers])})"
        methods.append(Suite(0, 0, _text(header), ast.Block([*first, *init])))
    header = f"def forward({', '.join(['self', *inputs])})"
    methods.append(Suite(0, 0, _text(header), ast.Block(forward)))
    methods[-1].blank_before = True
    return Suite(0, 0, _text(f"class {name}(nn.Module)", NN), ast.Block(methods))


def _text(text: str, *imports: tuple[str, str]) -> Template:
    return Template(0, 0, [text], imports=tuple(imports))


def _line(text: str) -> Line:
    return Line(0, 0, _text(text))


class _Rendering:
    """Turns pieces into statements of the tree."""

    def __init__(self, writer: Writer) -> None:
        self.w = writer
        self.told: set[int] = set()
        """Statements whose comments stand already."""

    def body(self, pieces: list[Piece], where: str) -> list[ast.Statement]:
        used = live(pieces)
        found = self._pieces(pieces if where == FORWARD else self._lists(pieces, used), where, used)
        if found:
            found[0].blank_before = False
        return found

    def _pieces(self, pieces: list[Piece], where: str, used: set[Variable]) -> list[ast.Statement]:
        found = [s for p in pieces for s in self._piece(p, where, used)]
        return [] if all(isinstance(s, Nothing) for s in found) else found

    def _lists(self, pieces: list[Piece], used: set[Variable]) -> list[Piece]:
        """Write loops that fill one list of layers, and do nothing else, as `ModuleList(...)`."""
        found: list[Piece] = []
        for piece in pieces:
            filled = self._filled(found[-1], piece, used) if found else None
            if filled is not None:
                found[-1] = filled
            elif isinstance(piece, Remark) or stands(piece, used):
                found.append(piece)
        return found

    def _filled(self, made: Piece, piece: Piece, used: set[Variable]) -> Code | None:
        if not isinstance(made, Code) or not isinstance(piece, Loop):
            return None
        body = [p for p in piece.body if stands(p, used) or isinstance(p, Remark)]
        line = made.parts[0] if len(made.parts) == 1 else None
        start = str(line.parts[0]) if isinstance(line, Template) else ""
        name = start.removesuffix(" = nn.ModuleList()")
        only = body[0] if len(body) == 1 else None
        if name == start or not isinstance(only, Code) or only.parts[0] != f"{name}.append(":
            return None
        if only.statement is not None and (only.statement.before or only.statement.after):
            return None
        counter = self.w.name(piece.variable) if piece.variable in statics_in(only.parts) else "_"
        head = Template(0, 0, [f"{name} = nn.ModuleList("], imports=(NN,))
        turns = self._range(piece, INIT)
        parts = [head, *only.parts[1:-1], f" for {counter} in range(", *turns, "))"]
        return Code(parts, piece.statement)

    def _range(self, piece: Loop, where: str) -> list[Part]:
        start = self.w.statics.parts(Static(piece.start, 1), where)
        stop = self.w.statics.parts(Static(piece.stop), where)
        return [*([] if start == ["0"] else [*start, ", "]), *stop]

    def _piece(self, piece: Piece, where: str, used: set[Variable]) -> list[ast.Statement]:
        if isinstance(piece, Remark):
            return [] if id(piece.statement) in self.told else [self._told(Nothing(0, 0), piece)]
        if not stands(piece, used):
            return []
        match piece:
            case Code():
                return [self._told(Line(0, 0, self._template(piece.parts, where)), piece)]
            case Setting():
                name = self.w.static_name(piece.variable, INIT)
                value = self.w.statics.parts(Static(piece.value), where)
                simple = is_simple(piece.value) or where == INIT
                if where == FORWARD and piece.variable.kind == "parameter":
                    raise Refused(piece.statement, f"{name} is given anew")  # type: ignore[arg-type]
                if not simple:
                    reason = f"{name}, which the graph is shaped by, is computed"
                    raise Refused(piece.statement, reason)  # type: ignore[arg-type]
                line = Line(0, 0, self._template([f"{name} = ", *value], where))
                return [self._told(line, piece)]
            case Loop():
                return [self._loop(piece, where, used)]
            case Choice():
                return self._choice(piece, where, used)
        return []

    def _loop(self, piece: Loop, where: str, used: set[Variable]) -> ast.Statement:
        name = self.w.name(piece.variable)
        turns = self._range(piece, where)
        header = self._template([f"for {name} in range(", *turns, ")"], where)
        body = self._pieces(piece.body, where, used)
        return self._told(Suite(0, 0, header, ast.Block(body)), piece)

    def _choice(self, piece: Choice, where: str, used: set[Variable]) -> list[ast.Statement]:
        found: list[ast.Statement] = []
        last = max(i for i, (_, b) in enumerate(piece.branches) if any(stands(p, used) for p in b))
        for position, (test, body) in enumerate(piece.branches[: last + 1]):
            statements = self._pieces(body, where, used)
            word = "elif " if position else "if "
            parts: list[Part] = ["else"]
            if test is not None:
                parts = [word, *brackets(self.w.statics.test(test, where), 0)]
            suite = Suite(0, 0, self._template(parts, where), ast.Block(statements))
            found.append(suite if position else self._told(suite, piece))
        return found

    def _told(self, new: ast.Statement, piece: Piece) -> ast.Statement:
        old = piece.statement
        if old is None or id(old) in self.told:
            return new
        self.told.add(id(old))
        return like(new, old)

    def _template(self, parts: list[Part], where: str) -> Template:
        imports: list[tuple[str, str]] = []
        found = self._flat(parts, where, imports)
        return Template(0, 0, found, imports=tuple(dict.fromkeys(imports)))

    def _flat(self, parts: list[Part], where: str, imports: list[Any]) -> list[Part]:
        found: list[Part] = []
        for part in parts:
            match part:
                case str():
                    found.append(part)
                case Template():
                    imports += part.imports
                    found += self._flat(part.parts, where, imports)
                case Static():
                    found += self.w.statics.parts(part, where)
                case Whole():
                    found += self.w.statics.parts(Static(part.inner, size=True), where)
                case ast.Name() if part.variable is None and not hasattr(part, "parts"):
                    found.append(part)
                case ast.Node():
                    found += self.w.statics.parts(Static(part), where)
        return found
