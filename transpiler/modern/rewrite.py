"""Rewrites a file's tree: what has a role becomes core's, and what does not fit refuses.

Every name with a role must stand where its meaning in core is known. One that does not is a
refusal: the variable and all that shares its group stay as they are, and the file is rewritten
anew without them, until nothing refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from .. import ast
from ..kinds import NUMBER, TENSOR
from ..scope import Variable
from ..walk import number
from .builds import BUILT
from .calls import value as value_of
from .compounds import LOOPS, compound
from .definitions import definition
from .effects import effect
from .facts import Facts
from .field_models import field_model
from .fields import assignment
from .files import File
from .held import Held
from .loops import over_modules
from .models import Models
from .nodes import ClassNumbers, Handed, Line, Template, Whole, at, like
from .refusals import MISFITS, Refusals
from .steps import find_steps
from .suites import guard, merged
from .training import Training
from .values import as_torchs, assigned, returned, target
from .variables import Key


class Rewriter(Refusals):
    """One attempt at a program.

    Parameters
    ----------
    files : list of File
    facts : Facts
    double : bool or None
        The default type of tensors is DoubleTensor; None where the program decides.

    Attributes
    ----------
    classes : set of str
        Classes that the file needs beside core's.
    """

    def __init__(self, files: list[File], facts: Facts, double: bool | None) -> None:
        super().__init__(facts)
        self.files = files
        self.models = Models(self, double)
        self.training = Training(self)
        self.held = Held(self)
        self.classes: set[str] = set()
        self.classes_of: dict[str, set[str]] = {}
        self.visible: list[dict[str, Variable]] = []
        self.expressions: dict[int, Callable[[], Any]] = {}
        self.planned_values: dict[int, Any] = {}
        self.replaced: dict[int, Callable[[], list[ast.Statement]]] = {}
        self.retained: set[int] = set()
        self.last_backward: dict[Any, ast.Statement] = {}
        self.loops = 0
        self.may_guard = False
        self.guarded = False
        self.used: set[str] = set()
        self.following: list[ast.Statement] = []
        self.taken: set[int] = set()
        self.owners: dict[int, Key] = {}
        self.bodies: list[ast.Function] = []
        self.depths: dict[Key, int] = {}
        """By model, in how many loops of its function it is defined."""
        self.searched: list[tuple[ast.Node, Key]] = []
        self.handed_calls: set[int] = set()
        """Calls of functions that were handed on, whose models are added to models of core."""
        self.foreign: set[Key] = set()
        """Models, or functions that make them, with modules of Torch inside."""
        self.native: set[Key] = set()
        """Those with layers of core inside that learn."""
        self.layered: set[Key] = set()
        """Those with layers of core inside that do something."""
        self.containers: list[tuple[ast.Node, Key]] = []
        self.made_classes: set[str] | None = None

    def run(self) -> None:
        """Rewrite the files."""
        for file in self.files:
            self.path = file.path
            self.visible, self.classes = [], set()
            self.used.clear()
            self.block(file.block)
            self.classes_of[file.path] = self.classes
        self.held.check()
        handed = self.facts.handed
        for path, builders in handed.builders.items():
            for call in handed.unknown[path]:
                known = [k for k in builders if k in self.facts.builders]
                if id(call) not in self.handed_calls and known:
                    self.path = path
                    self.refuse_keys(call, known, "what it builds is added to a model of Torch's")
        root = self.facts.groups.root
        foreign = {root(self.facts.anchor(k)) for k in self.foreign}
        for node, key in self.searched:
            if root(self.facts.anchor(key)) in foreign:
                reason = "its layers are looked for, and what it holds of Torch's may have some"
                self.refuse_keys(node, [key], reason)
        native = {root(self.facts.anchor(k)) for k in self.native}
        layered = {root(self.facts.anchor(k)) for k in self.layered}
        for node, key in self.containers:
            own = root(self.facts.anchor(key))
            if own in foreign - native or own not in layered:
                self.refuse_keys(node, [key], "what it learns is all in modules of Torch")

    # -- names ------------------------------------------------------------------------------

    def sees(self, key: Key | None) -> bool:
        """Whether a variable can be used at the present place."""
        if key is None:
            return False
        name = key if isinstance(key, str) else key.name
        found = next((s[name] for s in reversed(self.visible) if name in s), None)
        return found is None if isinstance(key, str) else found is key

    def name(self, key: Key, node: ast.Node) -> ast.Name:
        """Return a variable as an expression."""
        if isinstance(key, str):
            return ast.Name(node.line, node.column, key)
        return ast.Name(node.line, node.column, key.name, key)

    def fresh(self, base: str, otherwise: str | None = None) -> str:
        """Return a name that nothing in the file has, or another where it is taken."""
        if otherwise is not None and (base in self.facts.names or base in self.used):
            return otherwise
        name, count = base, 1
        while name in self.facts.names or name in self.used:
            count += 1
            name = f"{base}_{count}"
        self.used.add(name)
        return name

    def less_one(self, node: Any) -> Any:
        """Return a place counted from 0."""
        value = number(node)
        if value is not None and value > 0:
            return ast.Number(node.line, node.column, int(value) - 1, str(int(value) - 1))
        one = ast.Number(node.line, node.column, 1, "1")
        return ast.Binary(node.line, node.column, "-", self.expression(node), one)

    # -- blocks -----------------------------------------------------------------------------

    def block(self, block: ast.Block, names: Iterable[ast.Name] = ()) -> None:
        """Rewrite a block in place."""
        self.visible.append({n.name: n.variable for n in names if n.variable is not None})
        ranks = dict(self.models.ranks)
        block.statements = self.statements(block.statements)
        for key, rank in ranks.items():
            if self.models.ranks.get(key) != rank:
                self.models.ranks[key] = None
        self.visible.pop()

    def statements(self, found: list[ast.Statement]) -> list[ast.Statement]:
        """Rewrite statements that follow one another."""
        find_steps(self, found)
        out: list[ast.Statement] = []
        position = 0
        while position < len(found):
            statement = found[position]
            taken = definition(self, found, position) or field_model(self, found, position)
            if taken is not None:
                new, position = taken
                out += new
                continue
            if isinstance(statement, LOOPS) and not self.loops:
                out += self.training.descent.before_loop(statement)
            if id(statement) in self.taken:
                position += 1
                continue
            self.following = found[position + 1 :]
            out += self.statement(statement)
            position += 1
        return merged(out)

    def declare(self, statement: ast.Statement) -> None:
        """Make the variables of a statement visible to those behind it."""
        names: list[ast.Name] = []
        if isinstance(statement, ast.Local):
            names = statement.names
        elif isinstance(statement, ast.LocalFunction):
            names = [statement.name]
        for name in names:
            if name.variable is not None:
                self.visible[-1][name.name] = name.variable

    # -- statements ---------------------------------------------------------------------------

    def statement(self, node: ast.Statement) -> list[ast.Statement]:
        """Return what a statement becomes."""
        planned = self.replaced.get(id(node))
        found = self._statement(node) if planned is None else planned()
        self.declare(node)
        return found

    def unplanned(self, node: ast.Statement) -> list[ast.Statement]:
        """Return what a statement becomes beside what has been planned for it."""
        return self._statement(node)

    def _statement(self, node: ast.Statement) -> list[ast.Statement]:
        special = self.training.statement(node)
        if special is not None:
            return special
        match node:
            case ast.Assign(values=[Handed(inner=inner)]):
                return self._handed(node, inner)
            case ast.Local() | ast.Assign():
                self.may_guard, self.guarded = True, False
                if isinstance(node, ast.Assign):
                    changed = assignment(self, node)
                    if changed is not None:
                        return [changed]
                    node.targets = [target(self, t) for t in node.targets]
                targets = node.names if isinstance(node, ast.Local) else node.targets
                node.values = [
                    assigned(self, targets[i] if i < len(targets) else None, v)
                    for i, v in enumerate(node.values)
                ]
                return guard(self, node)
            case ast.CallStatement():
                done = effect(self, node)
                if done is not None:
                    return done
                self.may_guard, self.guarded = True, False
                call = self.expression(node.call)
                if isinstance(call, Template):
                    return guard(self, like(Line(node.line, node.column, call), node))
                node.call = call
                return guard(self, node)
            case ast.Return():
                node.values = [returned(self, v, i) for i, v in enumerate(node.values)]
            case ast.LocalFunction():
                self.visible[-1][node.name.name] = node.name.variable  # type: ignore[assignment]
                self.function(node.function, node.name.variable)
            case ast.FunctionStatement():
                name = node.target
                owner = self.facts.key(name)
                if isinstance(name, ast.Index):
                    self.expression(name.table)
                    assert isinstance(name.key, ast.String)
                    owner = f".{name.key.value}"
                self.function(node.function, owner)
            case ast.GenericFor() if (found := over_modules(self, node)) is not None:
                return found
            case _:
                compound(self, node)
        return [node]

    def _handed(self, node: ast.Assign, inner: ast.Name) -> list[ast.Statement]:
        """Return the end of a model's building, where it becomes one of Torch."""
        if isinstance(node.targets[0], ast.Index):
            node.targets = [self.expression(t) for t in node.targets]
        elif self.facts.role(inner) != "model":
            return []
        node.values = [as_torchs(self, inner)]
        return [node]

    def shows_weights(self, key: Key | None) -> bool:
        """Whether a model becomes Torch's where weights may be asked for, whose shapes differ."""
        handed = "@" in key if isinstance(key, str) else key is not None and key.kind == BUILT
        return handed and bool(self.facts.uses(".weight") + self.facts.uses(".gradWeight"))

    def function(self, node: ast.Function, key: Key | None = None) -> None:
        """Rewrite a function's body."""
        state = self.loops, self.may_guard, self.guarded
        self.loops, self.may_guard, self.guarded = 0, False, False
        self.functions.append(key)  # type: ignore[arg-type]  # None: nobody's
        self.bodies.append(node)
        self.block(node.body, node.parameters)
        self.bodies.pop()
        self.functions.pop()
        self.loops, self.may_guard, self.guarded = state

    # -- expressions --------------------------------------------------------------------------

    def expression(self, node: Any) -> Any:
        """Return what an expression becomes."""
        if id(node) in self.planned_values:
            return self.planned_values.pop(id(node))
        planned = self.expressions.get(id(node))
        if planned is not None:
            return planned()
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Function):
            self.function(node, self.owners.pop(id(node), None))
            return node
        special = value_of(self, node)
        return self.inside(node) if special is None else special

    def inside(self, node: Any) -> Any:
        """Rewrite the parts of an expression."""
        if isinstance(node, ast.TableConstructor):
            for entry in node.fields:
                entry.key = None if entry.key is None else self.expression(entry.key)
                entry.value = self.expression(entry.value)
        elif isinstance(node, (Template, ClassNumbers, Whole)):
            pass  # its parts have been rewritten
        elif isinstance(node, ast.Node):
            self.explain(node)
            for f in fields(node):
                value = getattr(node, f.name)
                if isinstance(value, ast.Node):
                    setattr(node, f.name, self.expression(value))
                elif isinstance(value, list):
                    setattr(node, f.name, [self.expression(v) for v in value])
        return node

    def _name(self, node: ast.Name) -> Any:
        key = self.facts.key(node)
        role = None if key is None else self.facts.roles.get(key)
        if role is None or key is None:
            return node
        if role == "loss":
            return at(node, self.name(key, node), ".item()", kind=NUMBER)
        if role == "output":
            return at(node, self.name(key, node), ".detach()", kind=TENSOR)
        self.refuse_keys(node, [key], MISFITS.get(role, "it is used as a value"))
        return node
