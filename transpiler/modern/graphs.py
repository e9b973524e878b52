"""Functions that give `nn.gModule(inputs, outputs)`: classes with layers and a `forward`.

The function stays, and gives the class's module as Torch's graph, on the same parameters, to those
who call it. Read graph_kinds.py (what holds nodes), then graph_writer.py (statements),
graph_nodes.py (expressions), graph_layers.py and graph_operations.py, and graph_classes.py for the
text.
"""

from __future__ import annotations

from typing import Any

from .. import ast
from ..diagnostics import Kept
from ..kinds import MODULE
from ..scope import Variable
from ..walk import names_in, package_member, plain, walk
from .chains import chain_of
from .files import File
from .graph_classes import Class, Classes
from .graph_kinds import graph_call
from .graph_pieces import Setting
from .graph_statics import Refused
from .graph_writer import Writer
from .nodes import AS_GRAPH, NN, Suite, Template
from .optimizers import is_simple


def graphs_as_classes(
    file: File, taken: set[str], reads_names: bool, suffix: str, imports: Any
) -> list[Kept]:
    """Rewrite the functions of a file that build graphs, in place.

    Parameters
    ----------
    file : File
        Its names have their variables.
    taken : set of str
        Names of the program, to which those of classes are added.
    reads_names : bool
        The program looks for nodes by their annotations.
    suffix : str
        What gives a module of core the program's type of tensors, such as ".double()".
    imports : sequence of (str, str)
        What the suffix needs.

    Returns
    -------
    list of Kept
        The functions that stay as they are.
    """
    kept: list[Kept] = []
    functions = {id(n): n for n in walk(file.block) if isinstance(n, ast.Function)}
    refused: set[int] = set()
    while True:
        classes = Classes(file.block, file.scopes, set(taken), reads_names)
        classes.names = _names_of(file.block)
        mains = [f for f in functions.values() if _graphs_in(f.body) and id(f) not in refused]
        classes.mains = {id(f) for f in mains}
        made: list[tuple[ast.Function, list[ast.Statement], int]] = []
        changed = False
        for function in mains:
            start = len(classes.finished)
            try:
                body = _Main(classes, function, suffix, imports).body()
            except Refused as error:
                refused.add(id(function))
                name = classes.names.get(id(function), "nn.gModule")
                kept.append(Kept(error.node.line or function.line, name, error.reason))
                changed = True
                break
            made.append((function, body, start))
        if not changed:
            break
    outside = "it is built outside of a function"
    kept += [Kept(call.line, "nn.gModule", outside) for call in _graphs_in(file.block)]
    ends = [start for _, _, start in made[1:]] + [len(classes.finished)] * bool(made)
    for (function, body, start), end in zip(made, ends, strict=True):
        function.body.statements = body
        _insert(file.block, function, classes.finished[start:end])
    if made:
        taken |= classes.taken
        _drop_parts(file, classes)
    return kept


def _graphs_in(block: ast.Block) -> list[Any]:
    """Return the calls of `nn.gModule` in a block, but not in functions inside."""
    found: list[Any] = []
    stack: list[Any] = list(block.statements)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Function):
            continue
        if isinstance(node, ast.Call) and package_member(node.function, "nn") == "gModule":
            found.append(node)
        stack += _inside(node)
    return found


def _inside(node: Any) -> list[Any]:
    """Return what is directly inside a node."""
    from dataclasses import fields, is_dataclass

    if isinstance(node, (list, tuple)):
        return list(node)
    if not is_dataclass(node) or isinstance(node, (ast.Comment, Variable)):
        return []
    names = [f.name for f in fields(node) if f.name not in ("variable", "before", "after")]
    return [v for v in (getattr(node, n) for n in names) if not isinstance(v, (str, int, float))]


def _names_of(block: ast.Block) -> dict[int, str]:
    """Return what the functions of a file are called."""
    found: dict[int, str] = {}
    for node in walk(block):
        match node:
            case ast.FunctionStatement(target=target, function=function):
                key = target.key if isinstance(target, ast.Index) else None
                own = target.name if isinstance(target, ast.Name) else "graph"
                found[id(function)] = key.value if isinstance(key, ast.String) else own
            case ast.LocalFunction():
                found[id(node.function)] = node.name.name
            case ast.Local() | ast.Assign():
                targets = node.names if isinstance(node, ast.Local) else node.targets
                for target, value in zip(targets, node.values, strict=False):
                    if isinstance(plain(value), ast.Function):
                        named = target.name if isinstance(target, ast.Name) else "graph"
                        found[id(plain(value))] = named
    return found


class _Main:
    """A function that gives a whole graph."""

    def __init__(self, classes: Classes, function: ast.Function, suffix: str, imports: Any) -> None:
        self.classes = classes
        self.function = function
        self.suffix = suffix
        self.imports = imports

    def body(self) -> list[ast.Statement]:
        """Return the statements that the function has from now on.

        Raises
        ------
        Refused
            If the function does more than a class can.
        """
        statements = self.function.body.statements
        places = [i for i, s in enumerate(statements) if _graphs_in(ast.Block([s]))]
        place = places[0]
        statement = statements[place]
        values = getattr(statement, "values", [])
        call = plain(values[0]) if len(values) == 1 else None
        if len(places) > 1 or not graph_call(call) or self.function.vararg:
            raise Refused(statement, "the graph is built in branches, or is part of something")
        base, changes = chain_of(call)
        writer = Writer(self.classes, self.function)
        name = self.classes.names.get(id(self.function), "graph")
        made = Class(self.classes.new_name(name), "graph", writer=writer)
        writer.take_inputs(base.arguments[0])
        given = {n.variable for n in self.function.parameters}
        before: list[ast.Statement] = []
        for inner in statements[:place]:
            ahead = _prepares(inner, given) or self._is_global(inner)
            if ahead and not _depends(writer, inner):
                before.append(inner)
            else:
                writer.statement(inner)
        writer.give(base.arguments[1], statement)
        self.classes.finish(made, [], self.function)
        if made.captured:
            raise Refused(statement, "it uses variables of a function around it")
        new = self._made(made, writer, call, changes)
        rest = statements[place + 1 :]
        self._check(rest, writer)
        values[0] = new
        if self._only_returned(statement, rest):
            statement = ast.Return(statement.line, statement.column, [new])
            rest = []
        if isinstance(statement, ast.Assign):
            statement = self._declared(statement, statements[:place])
        if not statement.before and isinstance(statement, ast.Return):
            statement.blank_before = False
        statement.before = []
        return [
            *before,
            *self._needed(made, statements[:place], before, [statement, *rest]),
            statement,
            *rest,
        ]

    def _is_global(self, statement: ast.Statement) -> bool:
        """Whether a statement gives numbers to globals, which stays where the graph is made."""
        if not isinstance(statement, ast.Assign):
            return False
        kind = self.classes.kinds.kind
        return all(isinstance(t, ast.Name) and not t.variable for t in statement.targets) and (
            not any(kind(v) or graph_call(v) for v in statement.values)
            and not any(isinstance(plain(v), ast.Function) for v in statement.values)
        )

    def _made(self, made: Class, writer: Writer, call: Any, changes: list[Any]) -> Any:
        """Return `as_graph(LSTM(input_size, n))`."""
        parts: list[Any] = [f"as_graph({made.name}("]
        numbers: list[Any] = [
            ast.Name(n.line, n.column, n.name, n.variable)
            for n in self.function.parameters
            if n.variable in (made.used or ())
        ]
        for key in writer.fields:
            owner = ast.Name(call.line, call.column, "self")
            numbers.append(
                ast.Index(call.line, call.column, owner, ast.String(call.line, call.column, key))
            )
        for position, value in enumerate(numbers):
            parts += [", " if position else "", value]
        types = "".join(".double()" if c.method == "double" else ".float()" for c in changes)
        parts += [")", types or self.suffix, ")"]
        imports = (AS_GRAPH, NN, *self.imports)
        return Template(call.line, call.column, parts, MODULE, imports)

    def _only_returned(self, statement: ast.Statement, rest: list[ast.Statement]) -> bool:
        """Whether a graph's variable is given back at once."""
        targets = getattr(statement, "targets", None) or getattr(statement, "names", [])
        last = rest[0] if len(rest) == 1 else None
        if not isinstance(last, ast.Return) or len(last.values) != 1 or len(targets) != 1:
            return False
        given = plain(last.values[0])
        return isinstance(given, ast.Name) and given.variable is targets[0].variable is not None

    def _check(self, rest: list[ast.Statement], writer: Writer) -> None:
        """Refuse what is done with nodes and layers behind the graph."""
        parts = self.classes.kinds.nodes | self.classes.kinds.tables | set(writer.nodes.layers)
        for name in names_in(rest):
            if name.variable in parts:
                raise Refused(name, f"{name.name} is used after the graph was built")

    def _declared(self, statement: ast.Assign, before: list[ast.Statement]) -> ast.Statement:
        """Return the graph's assignment as the definition of its variable, if it is the first."""
        target = statement.targets[0]
        variable = target.variable if isinstance(target, ast.Name) else None
        if variable is None or variable.kind != "local" or len(statement.targets) != 1:
            return statement
        own = self.classes.scopes.scopes[id(self.function)]
        if variable.scope is not own or variable.captured:
            return statement
        assert isinstance(target, ast.Name)
        new = ast.Local(statement.line, statement.column, [target], statement.values)
        new.after = statement.after
        return new

    def _needed(
        self,
        made: Class,
        statements: list[ast.Statement],
        kept: list[ast.Statement],
        rest: list[ast.Statement],
    ) -> list[ast.Statement]:
        """Return the definitions before the graph that what stands behind it needs."""
        needed = {n.variable for n in names_in(rest)}
        target = rest[0]
        own = {n.variable for n in target.names} if isinstance(target, ast.Local) else set()
        found: list[ast.Statement] = []
        for statement in reversed(statements):
            if statement in kept or not isinstance(statement, (ast.Local, ast.Assign)):
                continue
            targets = statement.names if isinstance(statement, ast.Local) else statement.targets
            defined = {t.variable for t in targets if isinstance(t, ast.Name)}
            if defined & (needed - own):
                twice = defined & (made.used or set())
                if twice and not all(is_simple(v) for v in statement.values):
                    raise Refused(statement, "what is computed in it is used behind the graph")
                found.append(statement)
                needed |= {n.variable for n in names_in(statement.values)}
        return found[::-1]


def _prepares(statement: ast.Statement, given: set[Variable | None]) -> bool:
    """Whether a statement is `size = size or 10`, of a parameter."""
    return (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].variable in given
    )


def _depends(writer: Writer, statement: Any) -> bool:
    """Whether something of the class stands before a statement, and may see what it assigns."""
    changed = {n.variable for n in names_in(statement.targets)}
    return any(
        not isinstance(p, Setting) or changed & {n.variable for n in names_in(p.value)}
        for p in (*writer.init, *writer.forward)
    )


def _insert(block: ast.Block, function: ast.Function, made: list[Class]) -> None:
    """Put classes before the statement that defines the function that uses them."""
    place: tuple[ast.Block, int] | None = None
    for node in walk(block):
        if isinstance(node, ast.Block):
            for position, statement in enumerate(node.statements):
                if any(n is function for n in walk(statement)):
                    place = node, position
    assert place is not None
    owner, position = place
    statement = owner.statements[position]
    suites: list[Suite] = [m.suite for m in made if m.suite is not None]
    if suites:
        suites[-1].before, statement.before = statement.before, []
        suites[0].blank_before = statement.blank_before = True
    owner.statements[position:position] = suites


def _drop_parts(file: File, classes: Classes) -> None:
    """Take functions away that only built parts of graphs which are classes now."""
    names = list(names_in(file.block))
    for node in walk(file.block):
        if not isinstance(node, ast.Block):
            continue
        for statement in list(node.statements):
            if not isinstance(statement, ast.LocalFunction):
                continue
            inside = {id(n) for n in names_in(statement)}
            variable = statement.name.variable
            alone = not any(n.variable is variable and id(n) not in inside for n in names)
            if id(statement.function) in classes.found and alone:
                node.statements.remove(statement)
