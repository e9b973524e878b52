"""What the variables of a function that builds a graph are called in its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rekindle.core import nn

from .. import ast
from ..names import python_name
from ..scope import Variable
from ..walk import names_in, plain
from .graph_statics import FORWARD, INIT, Refused

if TYPE_CHECKING:
    from .graph_classes import Classes

_RESERVED = frozenset(
    ("self", "nn", "ops", "super", "range", "tuple", "len", "overwritten", "from_zero")
)


class ClassNames:
    """The names of one class.

    Parameters
    ----------
    classes : Classes
        The classes of the file.
    function : ast.Function

    Attributes
    ----------
    captured : dict of Variable to None
        What the function sees of those around it that become classes too.
    fields : dict of str to None
        Fields of the method's own object that it needs.
    input_names : list of Variable
        The graph's inputs, where they are written out.
    attributes : set of str
        What layers and numbers are called.
    """

    def __init__(self, classes: Classes, function: ast.Function) -> None:
        self.classes = classes
        self.kinds = classes.kinds
        self.function = function
        self.scope = classes.scopes.scopes[id(function)]
        self.captured: dict[Variable, None] = {}
        self.fields: dict[str, None] = {}
        self.owner: Variable | None = None
        """The `self` of a method, whose fields are numbers of the class."""
        self.stored: dict[str, str] = {}
        """The numbers that `forward` needs, and the attributes that have them."""
        self.input_names: list[Variable] = []
        self._names: dict[Variable, str] = {}
        self._holders: dict[str, list[Variable]] = {}
        self.attributes: set[str] = {python_name(n.name) for n in function.parameters}

    def owns(self, variable: Variable) -> bool:
        """Whether a variable is one of the functions that become classes."""
        scope = self.scope
        while scope is not None and scope is not variable.scope:
            if id(scope.function) == self.classes.outermost(self.function):
                return False
            assert scope.parent is not None
            scope = scope.parent
        return scope is not None and scope.function is not None

    def name(self, variable: Variable) -> str:
        """Return what a variable is called in both methods."""
        if variable.scope is not self.scope:
            self.captured.setdefault(variable)
        if variable not in self._names:
            base = python_name(variable.name)
            base, found, count = base, base, 1
            while found in _RESERVED or not self._may_share(found, variable):
                count += 1
                found = f"{base}_{count}"
            self._names[variable] = found
            self._holders.setdefault(found, []).append(variable)
        return self._names[variable]

    def _may_share(self, name: str, variable: Variable) -> bool:
        return all(
            other.last_use < variable.declared or variable.last_use < other.declared
            for other in self._holders.get(name, ())
        )

    def static_name(self, variable: Variable, where: str) -> str:
        """Return what a number is called in one of the methods."""
        if any(isinstance(plain(v), ast.Function) for v in variable.values):
            raise Refused(self.function, f"the function {variable.name} is used as a value")
        given = variable.kind == "parameter" or variable.scope is not self.scope
        return self._stored(self.name(variable), where if given else INIT)

    def _stored(self, name: str, where: str) -> str:
        """Return a number that the class is given, which `forward` finds in the object."""
        if where != FORWARD:
            return name
        attribute = f"{name}_" if hasattr(nn.Module, name) else name
        self.stored[name] = attribute
        return f"self.{attribute}"

    def field_name(self, owner: Variable, key: str, where: str) -> str:
        """Return what a field of the method's own object is called."""
        name = python_name(key)
        self.owner = owner
        if name in self._holders:
            raise Refused(self.function, f"a variable and a field are both called {key}")
        self.fields.setdefault(key)
        return self._stored(name, where)

    def entry_name(self, variable: str) -> str:
        """Return what the input of a first layer is called."""
        free = "x" if "x" not in {n.name for n in names_in(self.function)} else "input"
        return free if len(self.input_names) == 1 else f"{variable}_input"

    def attribute(self, base: str) -> str:
        """Return a name for a layer that nothing of the class has, and take it."""
        name, count = base, 1
        while name in self.attributes or hasattr(nn.Module, name) or name == "training":
            count += 1
            name = f"{base}_{count}"
        self.attributes.add(name)
        return name
