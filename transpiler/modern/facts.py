"""What the variables of a file hold that the modern pass is about: models, criterions, states.

A variable has a role where everything it is ever given has it. Roles belong to groups: what
flows from one variable into another must stay of one kind, either core's or legacy_nn's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .. import ast
from ..scope import FileScope, Variable
from ..syntax import returns
from ..text import words
from .criterions import LOSSES
from .layers import LAYERS
from .optimizers import METHODS
from .walk import package_member, plain, walk

Key = Variable | str
"""A local variable, or the name of a global."""

CHAIN = frozenset(words("add cuda float double clone noBias ceil floor setNumInputDims get"))
"""Methods of modules that give modules."""

PACKAGES = ("nn", "cudnn")


def class_of(node: Any) -> str | None:
    """Return "X" for `nn.X(...)`, "cudnn.X" for those of cudnn that differ in nothing."""
    if not isinstance(node, ast.Call):
        return None
    name = package_member(node.function, *PACKAGES)
    if name is None:
        return None
    assert isinstance(node.function, ast.Index)
    owner = node.function.table
    assert isinstance(owner, ast.Name)
    return name if owner.name == "nn" else f"cudnn.{name}"


def method_of(node: Any) -> str | None:
    """Return "sgd" for a call of `optim.sgd`."""
    return package_member(node.function, "optim") if isinstance(node, ast.Call) else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a group stays as it is."""

    line: int
    what: str
    reason: str


@dataclass(slots=True)
class Groups:
    """Sets of anchors that share a fate."""

    parents: dict[Any, Any] = field(default_factory=dict)

    def root(self, anchor: Any) -> Any:
        """Return the representative of an anchor's set."""
        while (above := self.parents.get(anchor, anchor)) != anchor:
            anchor = above
        return anchor

    def join(self, anchors: Iterable[Any]) -> None:
        """Make one set of several."""
        first = None
        for anchor in anchors:
            root = self.root(anchor)
            if first is None:
                first = root
            else:
                self.parents[root] = first


def anchor(key: Key) -> Any:
    """Return what names a variable in every parse of the file."""
    if isinstance(key, str):
        return key
    return key.name, key.line, key.kind, key.depth


class Facts:
    """The roles of a file's variables.

    Parameters
    ----------
    block : ast.Block
    scopes : FileScope
    foreign : collection of str
        Globals that other files use.
    faithful : set
        Anchors of variables that stay as they are.
    """

    def __init__(
        self, block: ast.Block, scopes: FileScope, foreign: frozenset[str], faithful: set[Any]
    ) -> None:
        self.scopes = scopes
        self._foreign = foreign
        self.faithful = faithful
        self.groups = Groups()
        self._given = self._arguments()
        self.variables = [v for s in (scopes.top, *scopes.scopes.values()) for v in s.variables]
        self.roles: dict[Key, str] = {}
        self.builders: set[Variable] = set()
        """Variables of functions that return models."""
        self.states: dict[Key, str] = {}
        self._find_models([*self.variables, *scopes.global_values])
        self.builders = {v for v in self.variables if self._builds(v)}
        if not self.builders and "model" not in self.roles.values():
            self.roles.clear()
        self._find_states()
        self.names = {n.name for n in walk(block) if isinstance(n, ast.Name)}
        self.layers: dict[Key, list[Any]] = {}
        """What a Sequential's definition adds: lists, variables or classes."""

    def key(self, node: Any) -> Key | None:
        """Return the variable that an expression is."""
        node = plain(node)
        if not isinstance(node, ast.Name):
            return None
        return node.variable if node.variable is not None else node.name

    def role(self, node: Any) -> str | None:
        """Return the role of the variable that an expression is."""
        key = self.key(node)
        return None if key is None else self.roles.get(key)

    def is_own(self, name: str) -> bool:
        """Whether a global is assigned by this file and used by no other."""
        return name in self.scopes.global_values and name not in self._foreign

    def class_in(self, key: Key) -> str | None:
        """Return the class of the plain layer that a variable holds."""
        values = self.values(key) or []
        bases = [v for v in values if class_of(v) is not None]
        return class_of(bases[0]) if len(bases) == len(values) == 1 else None

    # -- what variables are given ---------------------------------------------------------

    def _arguments(self) -> dict[Variable, list[Any]]:
        """Return what the parameters of functions are given that are only ever called."""
        calls: dict[Variable, list[ast.Call]] = {}
        for call in self.scopes.calls:
            if isinstance(call, ast.Call) and isinstance(call.function, ast.Name):
                variable = call.function.variable
                if variable is not None:
                    calls.setdefault(variable, []).append(call)
        found: dict[Variable, list[Any]] = {}
        self._only_called = {v for v, listed in calls.items() if len(listed) == v.reads}
        for variable, all_calls in calls.items():
            function = self.function_of(variable)
            if function is None or variable not in self._only_called:
                continue
            for call in all_calls:
                for name, value in zip(function.parameters, call.arguments, strict=False):
                    if name.variable is not None:
                        found.setdefault(name.variable, []).append(value)
        return found

    def function_of(self, variable: Variable) -> ast.Function | None:
        """Return the function that a variable always is."""
        if variable.writes or variable.unknown or variable.several or len(variable.values) != 1:
            return None
        value = variable.values[0]
        return value if isinstance(value, ast.Function) else None

    def values(self, key: Key) -> list[Any] | None:
        """Return all that a variable is given, None where that is not known."""
        if isinstance(key, str):
            found: list[Any] | None = list(self.scopes.global_values.get(key, [None]))
            if key in self._foreign:
                return None
        elif key in self._given and not key.writes:
            found = list(self._given[key])
        else:
            found = None if key.unknown or key.several else list(key.values)
        if found is None or any(v is None for v in found):
            return None
        return [v for v in map(plain, found) if not isinstance(v, ast.Nil)]

    # -- models and criterions ------------------------------------------------------------

    def _find_models(self, keys: list[Key]) -> None:
        """Give roles to models and criterions: first to all that may be, then fewer."""
        given = {k: self.values(k) for k in keys if anchor(k) not in self.faithful}
        candidates = {k: v for k, v in given.items() if v}
        self.builders.clear()
        for role, test in (("model", self.is_model), ("criterion", self.is_criterion)):
            chosen = {k for k in candidates if k not in self.roles}
            self.roles |= dict.fromkeys(chosen, role)
            while True:
                wrong = {k for k in chosen if not all(map(test, candidates[k]))}
                if not wrong:
                    break
                chosen -= wrong
                for k in wrong:
                    del self.roles[k]
            for k in chosen:
                found = [anchor(k)]
                for value in candidates[k]:
                    found += map(anchor, self.keys_in(value))
                self.groups.join(found)

    def is_model(self, node: Any) -> bool:
        """Whether an expression is a model that core may have."""
        node = plain(node)
        match node:
            case ast.Name():
                return self.role(node) == "model"
            case ast.MethodCall():
                return node.method in CHAIN and self.is_model(node.object)
            case ast.Call():
                name = class_of(node)
                if name is not None:
                    return name == "Sequential" or name in LAYERS
                owner = node.function
                variable = owner.variable if isinstance(owner, ast.Name) else None
                if self.builders:
                    return variable in self.builders
                return variable is not None and self._builds(variable)
            case ast.Binary(operator="or"):
                left = plain(node.left)
                if isinstance(left, ast.Binary) and left.operator == "and":
                    left = left.right
                return self.is_model(left) and self.is_model(node.right)
        return False

    def builder(self, node: Any) -> ast.Function | None:
        """Return the function of the file that a call calls, if it is known and returns."""
        if not isinstance(node, ast.Call) or not isinstance(node.function, ast.Name):
            return None
        variable = node.function.variable
        return None if variable is None else self.built_by(variable)

    def built_by(self, variable: Variable) -> ast.Function | None:
        """Return the function in a variable that is only called, and returns something."""
        if anchor(variable) in self.faithful or variable not in self._only_called:
            return None
        function = self.function_of(variable)
        return function if function is not None and returns(function.body) else None

    def _builds(self, variable: Variable) -> bool:
        function = self.built_by(variable)
        return function is not None and all(
            len(r.values) == 1 and self.is_model(r.values[0]) for r in returns(function.body)
        )

    def is_criterion(self, node: Any) -> bool:
        """Whether an expression is a criterion that core may have."""
        node = plain(node)
        if isinstance(node, ast.MethodCall):
            return node.method in ("cuda", "float", "double") and self.is_criterion(node.object)
        if isinstance(node, ast.Name):
            return self.role(node) == "criterion"
        return class_of(node) in LOSSES

    def keys_in(self, node: Any) -> list[Key]:
        """Return the variables whose models an expression holds or is."""
        found: list[Key] = []
        for inner in walk(node):
            if isinstance(inner, ast.Name) and self.role(inner) is not None:
                found.append(self.key(inner))  # type: ignore[arg-type]  # a name with a role
            function = self.builder(inner)
            if function is not None and self.is_model(inner):
                found.append(inner.function.variable)
                for r in returns(function.body):
                    found += [
                        self.key(n)  # type: ignore[misc]
                        for n in walk(r.values)
                        if isinstance(n, ast.Name) and self.role(n) is not None
                    ]
        return found

    # -- tables of options ------------------------------------------------------------------

    def _find_states(self) -> None:
        """Find the tables that methods of torch/optim are given."""
        methods: dict[Key, set[str]] = {}
        for call in self.scopes.calls:
            method = method_of(call)
            if method is None or len(call.arguments) < 3:
                continue
            key = self.key(call.arguments[2])
            if key is not None:
                methods.setdefault(key, set()).add(method)
        for key, found in methods.items():
            method = found.pop()
            if found or method not in METHODS or anchor(key) in self.faithful:
                continue
            values = self.values(key)
            if values is not None and len(values) == 1 and self.table_in(key, values[0]):
                self.roles[key] = "state"
                self.states[key] = method

    def table_in(self, key: Key, value: Any) -> ast.TableConstructor | None:
        """Return the table that `{...}` or `name or {...}` is."""
        value = plain(value)
        if isinstance(value, ast.Binary) and value.operator == "or":
            value = plain(value.right) if self.key(value.left) == key else None
        return value if isinstance(value, ast.TableConstructor) else None
