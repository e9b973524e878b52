"""What the variables of a program hold that the modern pass is about: models, criterions, states.

A variable has a role where everything it is ever given has it. Roles belong to groups: what
flows from one variable into another must stay of one kind, either core's or legacy_nn's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from keyword import iskeyword
from typing import Any

from rekindle import legacy_nn
from rekindle.core import nn

from .. import ast
from ..scope import Variable
from ..syntax import returns
from ..text import words
from ..walk import plain, walk
from .branches import REDUCERS
from .classes import CHAIN, CONTAINERS, RANKED, class_of, method_of
from .criterions import LOSSES
from .files import File
from .groups import Groups
from .handed import Handed
from .layers import LAYERS
from .optimizers import METHODS
from .seams import Seams
from .variables import Key, Variables

_OF_NN = frozenset(
    words(
        """
        weight bias gradWeight gradBias output gradInput modules train running_mean running_var
        bn affine p inplace kW kH dW dH padW padH nInputPlane nOutputPlane branches dim training
        """
    )
)


def _is_of_nn(name: str) -> bool:
    """Whether modules of Torch or of core have a field or method of a name."""
    return name in _OF_NN or hasattr(nn.Sequential, name) or hasattr(legacy_nn.Sequential, name)


class Facts(Variables):
    """The roles of a program's variables.

    Parameters
    ----------
    files : list of File
    required : callable
        Gives the path of the file that `require(name)` means, or None.
    faithful : set
        Anchors of variables that stay as they are.
    cut : set
        Anchors of functions, and paths of files, whose models go to what stays as it is.
    """

    def __init__(
        self,
        files: list[File],
        required: Callable[[str], str | None],
        faithful: set[Any],
        cut: frozenset[Any] = frozenset(),
    ) -> None:
        super().__init__(files, required)
        self.faithful = faithful
        self.seams = Seams(self, cut)
        self.handed = Handed(self)
        self.groups = Groups()
        self.layers: dict[Key, Any] = {}
        """What a container's definition adds, lists, variables or classes; or a layer's class."""
        self.roles: dict[Key, str] = {}
        self.states: dict[Key, str] = {}
        self._returns: dict[Key, list[list[Any]]] = {}
        self._find_models()
        if not {"model"} & set(self.roles.values()) and not self.builders:
            self.roles.clear()
        self._find_states()
        self.attributes = self._attributes()
        """Fields that the program adds to models, which no model of core has."""

    def _attributes(self) -> set[str]:
        found = set()
        for target in self.field_targets:
            if self.role(target.table) == "model" and isinstance(target.key, ast.String):
                name = target.key.value
                if name.isidentifier() and not iskeyword(name) and not _is_of_nn(name):
                    found.add(name)
        return found

    def role(self, node: Any) -> str | None:
        """Return the role of the variable that an expression is."""
        key = self.key(node)
        return None if key is None else self.roles.get(key)

    # -- models and criterions ------------------------------------------------------------

    def _find_models(self) -> None:
        """Give roles to models and criterions: first to all that may be, then fewer."""
        keys: list[Key] = [v for s in self._scopes for v in s.variables]
        keys += list(self._globals)
        keys = [k for k in keys if self.anchor(k) not in self.faithful]
        given: dict[Key, list[tuple[Any, int]]] = {}
        for key in keys:
            values = self.values(key)
            several = [] if isinstance(key, str) else key.several
            if several and not isinstance(key, str) and not key.unknown and key not in self._given:
                rest = [v for v in map(plain, key.values) if not isinstance(v, ast.Nil)]
                given[key] = [*((v, 0) for v in rest), *several]
            elif values:
                given[key] = [(v, 0) for v in values]
        functions: list[Key] = [k for k in self._calls_of if self._builder_in(k) is not None]
        functions += [k for k in keys if k not in self._calls_of and self._builder_in(k)]
        functions += [f".{n}" for n in self._fields if self._builder_in(f".{n}") is not None]
        self._settle(given, functions)

    def _settle(self, given: dict[Key, list[tuple[Any, int]]], functions: list[Key]) -> None:
        self.roles |= dict.fromkeys(given, "model")
        self.builders: dict[Key, tuple[str | None, ...]] = {
            k: ("model",) * len(self._returned(k)[0]) for k in functions
        }
        changed = True
        while changed:
            changed = False
            for key, values in given.items():
                old = self.roles.get(key)
                found = {self.role_of(v, position) for v, position in values}
                new = found.pop() if len(found) == 1 else None
                if old is not None and new != old:
                    changed = True
                    if new is None or old != "model":
                        del self.roles[key]
                    else:
                        self.roles[key] = new
            for function, roles in list(self.builders.items()):
                fresh = self._roles_returned(function, len(roles))
                fresh = tuple(
                    n if o == n or (o == "model" and n == "criterion") else None
                    for o, n in zip(roles, fresh, strict=True)
                )
                if fresh != roles:
                    changed = True
                    self.builders[function] = fresh
        self.builders = {k: r for k, r in self.builders.items() if any(r)}
        for key in self.builders:
            returned = [k for r in self._returned(key) for v in r for k in self.keys_in(v)]
            self.groups.join(map(self.anchor, [key, *returned]))
        for key in self.roles:
            found_anchors = [self.anchor(key)]
            for value, _ in given[key]:
                found_anchors += map(self.anchor, self.keys_in(value))
            self.groups.join(found_anchors)

    def is_alone(self, key: Key) -> bool:
        """Whether what a variable holds is known by no other name."""
        root = self.groups.root(self.anchor(key))
        models = [k for k, role in self.roles.items() if role == "model" and k != key]
        others = [*models, *self.builders]
        return not self.is_exported(key) and not any(
            self.groups.root(self.anchor(k)) == root for k in others
        )

    def _builder_in(self, key: Key) -> ast.Function | None:
        """Return the function in a key that is only called, and returns as much everywhere."""
        function = None if self.anchor(key) in self.faithful else self.function_in(key)
        if function is None or self.seams.has(function):
            return None
        path = self.seams.homes[id(function)]
        if not self._is_only_called(key):
            if not self.handed.returns_models(key, path):
                return None
            self.handed.builders.setdefault(path, {})[key] = None
        found = returns(function.body)
        return function if found and len({len(r.values) for r in found}) == 1 else None

    def _returned(self, key: Key) -> list[list[Any]]:
        """Return what a function returns in each of its places, as it was in Lua."""
        if key not in self._returns:
            function = self.function_in(key)
            found = [] if function is None else returns(function.body)
            self._returns[key] = [list(r.values) for r in found]
        return self._returns[key]

    def _roles_returned(self, key: Key, count: int) -> tuple[str | None, ...]:
        found: list[str | None] = []
        for position in range(count):
            roles = {self.role_of(r[position]) for r in self._returned(key)}
            found.append(roles.pop() if len(roles) == 1 else None)
        return tuple(found)

    def role_of(self, node: Any, position: int = 0) -> str | None:
        """Return whether an expression, or one result of it, is a model or a criterion."""
        node = plain(node)
        match node:
            case ast.Name():
                found = self.role(node)
                return found if found in ("model", "criterion") else None
            case ast.MethodCall():
                owner = self.role_of(node.object)
                if owner == "criterion":
                    return owner if node.method in ("cuda", "float", "double") else None
                if node.method == "type" and not node.arguments:
                    return None
                return owner if node.method in CHAIN else None
            case ast.Call():
                return self._role_of_call(node, position)
            case ast.Binary(operator="or"):
                left = plain(node.left)
                if isinstance(left, ast.Binary) and left.operator == "and":
                    left = left.right
                role = self.role_of(left)
                return role if role == self.role_of(node.right) else None
        return None

    def _role_of_call(self, node: ast.Call, position: int) -> str | None:
        name = class_of(node)
        if name is not None:
            if name in LOSSES:
                return "criterion"
            if name in RANKED:
                return None
            return "model" if name in CONTAINERS or name in LAYERS or name in REDUCERS else None
        path = self.file_of(node)
        if path is not None:
            exported = self.files[path].exported
            return None if exported is None else self.role_of(exported)
        function = self.builder(node)
        roles = () if function is None else self.builders.get(function, ())
        return roles[position] if position < len(roles) else None

    def classes_of(self, node: Any, position: int = 0, depth: int = 8) -> set[str | None]:
        """Return the classes that a model or criterion may start from; None for unknown ones."""
        node = plain(node)
        while isinstance(node, ast.MethodCall):
            node = plain(node.object)
        name = class_of(node)
        if name is not None or depth == 0:
            return {name}
        places: list[tuple[Any, int]] = []
        key = self.key(node)
        function = self.builder(node)
        path = self.file_of(node)
        if function is not None:
            places = [(r[position], 0) for r in self._returned(function)]
        elif path is not None:
            places = [(self.files[path].exported, 0)]
        elif isinstance(key, Variable) and key.several:
            places = list(key.several)
        elif key is not None:
            places = [(v, 0) for v in self.values(key) or []]
        elif isinstance(node, ast.Binary):
            left = plain(node.left)
            places = [(left.right if isinstance(left, ast.Binary) else left, 0), (node.right, 0)]
        found = {c for v, i in places for c in self.classes_of(v, i, depth - 1)}
        return found or {None}

    def is_model(self, node: Any) -> bool:
        """Whether an expression is a model that core may have."""
        return self.role_of(node) == "model"

    def builder(self, node: Any) -> Key | None:
        """Return the function that a call calls, if it returns models or criterions."""
        if not isinstance(node, ast.Call):
            return None
        key = self.function_key(node.function)
        return key if key in self.builders else None

    def keys_in(self, node: Any) -> list[Key]:
        """Return the variables whose models an expression holds or is."""
        found: list[Key] = []
        for inner in walk(node):
            if isinstance(inner, ast.Name) and self.role(inner) is not None:
                found += self._present(self.key(inner))
                continue
            path = self.file_of(inner)
            if path is not None and self.role_of(inner) is not None:
                found += self._present(self.key(self.files[path].exported))
            function = self.builder(inner)
            if function is not None:
                found.append(function)
                for r in self._returned(function):
                    for name in walk(r):
                        if isinstance(name, ast.Name) and self.role(name) is not None:
                            found += self._present(self.key(name))
        return found

    def file_of(self, node: Any) -> str | None:
        """Return the path of a file that an expression runs, whose model comes as it is."""
        path = self._file_of(node)
        return None if path is None or self.seams.has_file(path) else path

    def _present(self, key: Key | None) -> Iterator[Key]:
        if key is not None:
            yield key

    # -- tables of options ------------------------------------------------------------------

    def _find_states(self) -> None:
        """Find the tables that methods of torch/optim are given."""
        methods: dict[Key, set[str]] = {}
        for call in self.calls:
            method = method_of(call)
            if method is None or len(call.arguments) < 3:
                continue
            key = self.key(call.arguments[2])
            if key is not None:
                methods.setdefault(key, set()).add(method)
        for key, found in methods.items():
            method = found.pop()
            if found or method not in METHODS or self.anchor(key) in self.faithful:
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
