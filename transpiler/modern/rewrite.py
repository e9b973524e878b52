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
from ..diagnostics import Kept
from ..kinds import NUMBER, TENSOR
from ..scope import Variable
from ..syntax import blocks_of
from . import calls
from .branches import REDUCERS
from .chains import added, added_at_once, is_container, start_of
from .effects import effect
from .facts import Facts
from .fields import assignment, presence, sums_up
from .files import File
from .items import Child
from .loops import over_modules
from .models import Models
from .nodes import NO_GRAD, ClassNumbers, Line, Suite, Template, at, like
from .steps import find_steps
from .training import Training
from .variables import Key
from .walk import number, plain, walk

_LOOPS = (ast.While, ast.Repeat, ast.NumericFor, ast.GenericFor)


class Rewriter:
    """One attempt at a program.

    Parameters
    ----------
    files : list of File
    facts : Facts
    double : bool
        The default type of tensors is DoubleTensor.

    Attributes
    ----------
    path : str
        The file that is being rewritten.
    refused : list of (list of anchors, path, Kept)
    notes : list of (path, Kept)
        What stays as it is without more.
    classes : set of str
        Classes that the file needs beside core's.
    """

    def __init__(self, files: list[File], facts: Facts, double: bool) -> None:
        self.files = files
        self.path = ""
        self.facts = facts
        self.models = Models(self, double)
        self.training = Training(self)
        self.refused: list[tuple[list[Any], str, Kept]] = []
        self.notes: list[tuple[str, Kept]] = []
        self.classes: set[str] = set()
        self.classes_of: dict[str, set[str]] = {}
        self.visible: list[dict[str, Variable]] = []
        self.expressions: dict[int, Callable[[], Any]] = {}
        self.planned_values: dict[int, Any] = {}
        self.replaced: dict[int, Callable[[], list[ast.Statement]]] = {}
        self.retained: set[int] = set()
        self.last_backward: dict[Any, ast.Statement] = {}
        self.targets: list[Key] = []
        self.functions: list[Key] = []
        self.loops = 0
        self.may_guard = False
        self.guarded = False
        self.used: set[str] = set()
        self.following: list[ast.Statement] = []
        self.taken: set[int] = set()
        self.owners: dict[int, Key] = {}

    def run(self) -> None:
        """Rewrite the files."""
        for file in self.files:
            self.path = file.path
            self.visible, self.classes = [], set()
            self.used.clear()
            self.block(file.block)
            self.classes_of[file.path] = self.classes

    # -- refusing ---------------------------------------------------------------------------

    def refuse_keys(self, node: ast.Node, keys: Iterable[Key | None], reason: str) -> None:
        """Leave the groups of variables as they are."""
        found = [k for k in keys if k is not None]
        plain_names = (k.lstrip(".") if isinstance(k, str) else k.name for k in found)
        kept = Kept(node.line, ", ".join(dict.fromkeys(plain_names)), reason)
        self.refused.append(([self.facts.anchor(k) for k in found], self.path, kept))

    def refuse_all(self, node: Any, reason: str) -> None:
        """Leave all variables of an expression as they are."""
        self.refuse_keys(
            node, [*self.facts.keys_in(node), *self.targets, *self.functions[-1:]], reason
        )

    def note(self, node: ast.Node, what: str, reason: str) -> None:
        """Say that a part stays as it is, inside of what is core's."""
        self.notes.append((self.path, Kept(node.line, what, reason)))

    def join(self, *keys: Key | None) -> None:
        """Let variables share a fate."""
        self.facts.groups.join(self.facts.anchor(k) for k in keys if k is not None)

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
            taken = self._definition(found, position)
            if taken is not None:
                new, position = taken
                out += new
                continue
            if isinstance(statement, _LOOPS) and not self.loops:
                out += self.training.descent.before_loop(statement)
            if id(statement) in self.taken:
                position += 1
                continue
            self.following = found[position + 1 :]
            out += self.statement(statement)
            position += 1
        return _merged(out)

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

    def _definition(
        self, found: list[ast.Statement], position: int
    ) -> tuple[list[ast.Statement], int] | None:
        """Rewrite a model's or criterion's definition with the statements that belong to it."""
        statement = found[position]
        target = self._only_target(statement)
        key = self.facts.key(target)
        role = None if key is None else self.facts.roles.get(key)
        if key is None or role not in ("model", "criterion") or id(statement) in self.replaced:
            return None
        assert isinstance(statement, (ast.Local, ast.Assign))
        if not statement.values or isinstance(plain(statement.values[0]), ast.Nil):
            return None
        position += 1
        value = plain(statement.values[0])
        self.targets.append(key)
        for other in self.facts.keys_in(value):
            self.join(key, other)
        if role == "criterion":
            summed = position < len(found) and sums_up(self, found[position], key)
            statement.values = [self.models.criterion(value, summed)]
            position += summed
        elif is_container(value):
            children: list[Child] = [(child, None) for child in added_at_once(value)]
            while position < len(found) and (more := added(found[position])) is not None:
                base, parts = more
                if self.facts.key(base) != key or any(
                    self.facts.key(n) == key for n in walk(parts) if isinstance(n, ast.Name)
                ):
                    break
                owners: list[ast.Statement | None] = [None] * len(parts)
                owners[0] = found[position]
                children += list(zip(parts, owners, strict=True))
                position += 1
            start = start_of(value)
            made: Any = self.models.containers.made(start, children, key)
            statement.values = [made]
        else:
            statement.values = [self.models.expression(value, key)]
        self.targets.pop()
        self.declare(statement)
        return [statement], position

    def _only_target(self, statement: ast.Statement) -> Any:
        if isinstance(statement, ast.Local) and len(statement.names) == len(statement.values) == 1:
            return statement.names[0]
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            return statement.targets[0] if len(statement.values) == 1 else None
        return None

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
            case ast.Local() | ast.Assign():
                self.may_guard, self.guarded = True, False
                if isinstance(node, ast.Assign):
                    changed = assignment(self, node)
                    if changed is not None:
                        return [changed]
                    node.targets = [self.target(t) for t in node.targets]
                targets = node.names if isinstance(node, ast.Local) else node.targets
                node.values = [
                    self._value(targets[i] if i < len(targets) else None, v)
                    for i, v in enumerate(node.values)
                ]
                return self._guard(node)
            case ast.CallStatement():
                done = effect(self, node)
                if done is not None:
                    return done
                self.may_guard, self.guarded = True, False
                call = self.expression(node.call)
                if isinstance(call, Template):
                    return self._guard(like(Line(node.line, node.column, call), node))
                node.call = call
                return self._guard(node)
            case ast.Return():
                node.values = [self._returned(v, i) for i, v in enumerate(node.values)]
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
                self._compound(node)
        return [node]

    def _compound(self, node: ast.Statement) -> None:
        match node:
            case ast.While():
                node.condition = self.expression(node.condition)
            case ast.Repeat():
                self.loops += 1
                self.visible.append({})
                node.body.statements = self.statements(node.body.statements)
                node.condition = self.expression(node.condition)
                self.visible.pop()
                self.loops -= 1
                return
            case ast.If():
                node.branches = [
                    (presence(self, t) or self.expression(t), b) for t, b in node.branches
                ]
            case ast.NumericFor():
                node.start, node.stop = self.expression(node.start), self.expression(node.stop)
                node.step = None if node.step is None else self.expression(node.step)
            case ast.GenericFor():
                node.values = [self.expression(v) for v in node.values]
        is_loop = isinstance(node, _LOOPS)
        self.loops += is_loop
        names: list[ast.Name] = []
        if isinstance(node, ast.NumericFor):
            names = [node.name]
        elif isinstance(node, ast.GenericFor):
            names = node.names
        for block in blocks_of(node):
            self.block(block, names)
        self.loops -= is_loop

    def _value(self, target: Any, value: Any) -> Any:
        key = self.facts.key(target) if isinstance(plain(target), ast.Name) else None
        if isinstance(plain(value), ast.Function) and isinstance(target, (ast.Name, ast.Index)):
            owner = self.facts.function_key(target)
            if owner is not None:
                self.owners[id(plain(value))] = owner
        role = None if key is None else self.facts.roles.get(key)
        if key is not None and role == "model" and not isinstance(plain(value), ast.Nil):
            self.targets.append(key)
            for other in self.facts.keys_in(value):
                self.join(key, other)
            found = self.models.expression(value, key)
            self.targets.pop()
            return found
        if role == "criterion" and not isinstance(plain(value), ast.Nil):
            return self.models.criterion(value, summed=False)
        return self.expression(value)

    def _returned(self, value: Any, position: int) -> Any:
        function = self.functions[-1] if self.functions else None
        if function is None and self.functions:
            return self.expression(value)
        role = self.facts.role_of(value)
        if function is not None:
            roles = self.facts.builders.get(function, ())
            role = roles[position] if position < len(roles) else None
            for key in self.facts.keys_in(value) if role is not None else ():
                self.join(key, function)
        elif self.facts.key(value) in self.facts.builders:
            return value
        if role == "model":
            return self.models.expression(value, None)
        return self.models.criterion(value, False) if role else self.expression(value)

    def next_children(self, key: Key) -> list[Any]:
        """Take the statements behind this one that add to the same model too."""
        found = []
        while self.following and (more := added(self.following[0])) is not None:
            base, children = more
            alone = self.facts.key(base) == key and not self.following[0].before
            if not alone or self.models.containers.kind_of(children[0]) not in REDUCERS:
                break
            self.taken.add(id(self.following.pop(0)))
            found += [(child, None) for child in children]
        return found

    def target(self, node: Any) -> Any:
        """Rewrite what is assigned to."""
        if isinstance(node, ast.Index):
            node.table, node.key = self.expression(node.table), self.expression(node.key)
            return node
        key = self.facts.key(node)
        if key is not None and self.facts.roles.get(key) in ("params", "grads", "sums", "loss"):
            self.refuse_keys(node, [key], "it is assigned anew")
        return node

    def _guard(self, node: ast.Statement) -> list[ast.Statement]:
        """Put a statement that runs a model without training it into `with no_grad()`."""
        self.may_guard = False
        if not self.guarded:
            return [node]
        self.guarded = False
        header = at(node, "with no_grad()", imports=[NO_GRAD])
        suite = Suite(node.line, node.column, header, ast.Block([node]))
        suite.before, node.before = node.before, []
        suite.blank_before, node.blank_before = node.blank_before, False
        return [suite]

    def function(self, node: ast.Function, key: Key | None = None) -> None:
        """Rewrite a function's body."""
        state = self.loops, self.may_guard, self.guarded
        self.loops, self.may_guard, self.guarded = 0, False, False
        self.functions.append(key)  # type: ignore[arg-type]  # None: nobody's
        self.block(node.body, node.parameters)
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
        special = calls.value(self, node)
        return self.inside(node) if special is None else special

    def inside(self, node: Any) -> Any:
        """Rewrite the parts of an expression."""
        if isinstance(node, ast.TableConstructor):
            for entry in node.fields:
                entry.key = None if entry.key is None else self.expression(entry.key)
                entry.value = self.expression(entry.value)
        elif isinstance(node, (Template, ClassNumbers)):
            pass  # its parts have been rewritten
        elif isinstance(node, ast.Node):
            self._explain(node)
            for f in fields(node):
                value = getattr(node, f.name)
                if isinstance(value, ast.Node):
                    setattr(node, f.name, self.expression(value))
                elif isinstance(value, list):
                    setattr(node, f.name, [self.expression(v) for v in value])
        return node

    def _explain(self, node: ast.Node) -> None:
        """Say what about something with a role has no counterpart in core."""
        if isinstance(node, ast.MethodCall):
            owner, what = node.object, f"the method {node.method}"
        elif isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            owner, what = node.table, f"the field {node.key.value}"
        else:
            return
        if self.facts.role(owner) not in (None, "loss", "output"):
            self.refuse_all(owner, f"{what} of the {_CALLED[str(self.facts.role(owner))]}")

    def _name(self, node: ast.Name) -> Any:
        key = self.facts.key(node)
        role = None if key is None else self.facts.roles.get(key)
        if role is None or key is None:
            return node
        if role == "loss":
            return at(node, self.name(key, node), ".item()", kind=NUMBER)
        if role == "output":
            return at(node, self.name(key, node), ".detach()", kind=TENSOR)
        self.refuse_keys(node, [key], _MISFITS.get(role, "it is used as a value"))
        return node


_CALLED = {
    "model": "model",
    "criterion": "criterion",
    "params": "vector of parameters",
    "grads": "vector of gradients",
    "state": "table of options",
    "sums": "losses that the optimiser returns",
}

_MISFITS = {
    "model": "the model is kept in a table, or given away",
    "criterion": "the criterion is kept in a table, or given away",
    "params": "the vector of parameters is used as one tensor",
    "grads": "the vector of gradients is used as one tensor",
    "state": "the table of options is used beside the optimiser",
    "sums": "of the losses that the optimiser returns more is used than the first",
}


def _merged(found: list[ast.Statement]) -> list[ast.Statement]:
    """Return statements with neighbours under one `with`."""
    out: list[ast.Statement] = []
    for statement in found:
        last = out[-1] if out else None
        if (
            isinstance(statement, Suite)
            and isinstance(last, Suite)
            and not statement.names
            and not last.names
            and statement.header.parts == last.header.parts
            and not statement.blank_before
        ):
            first = statement.body.statements[0]
            first.before = statement.before
            last.body.statements += statement.body.statements
        else:
            out.append(statement)
    return out
