"""Classes on both sides of the border: Python's as Lua sees them, and Lua's as Python has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.registry import CLASSES
from rekindle.core.tensor import Tensor

from ..containers import Container
from ..criterion import Criterion
from ..module import Module
from ..nngraph import NnNode
from ..values import builds_graph, tensors_in
from .adapt import as_lua_calls
from .border import Border
from .names import attribute_name, is_internal, lua_name
from .overrides import Dispatched, override
from .values import Handle, LuaFunction, OwnMethod, WithoutOwner

OPERATORS = {
    "__init__": "__init",
    "__repr__": "__tostring__",
    "__len__": "__len__",
    "__neg__": "__unm__",
    "__add__": "__add__",
    "__sub__": "__sub__",
    "__mul__": "__mul__",
}
"""Python's special methods that are methods of Lua's classes, and their names there."""


class Classes:
    """The classes of one runtime.

    Parameters
    ----------
    border : Border
    """

    def __init__(self, border: Border) -> None:
        self._border = border
        self._shells: dict[type, Any] = {}
        self._defined: set[type] = set()
        border.stand_in_of = self.stand_in

    def host(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that the Lua side is built on."""
        guard = self._border.guard
        return {
            "get_field": guard(get_field),
            "set_field": guard(set_field),
            "field_names": guard(field_names),
            "set_method": guard(self.set_method),
            "subclass": guard(self.subclass),
            "new_instance": guard(lambda cls: cls.__new__(cls)),
            "bare_instance": lambda cls: Handle(cls.value.__new__(cls.value)),
        }

    def connect(self, shared: Any) -> None:
        """Take the functions of the Lua side, once its files have run."""
        self._shell = shared.shell
        self._add_method = shared.add_method
        self._publish = shared.publish
        self._stand_in = shared.stand_in

    # -- Python's classes in Lua ----------------------------------------------------------

    def stand_in(self, value: Any) -> Any:
        """Return what stands for an object in Lua; None where its class is nothing to Lua."""
        cls = type(value)
        shell = self._shells.get(cls)
        if shell is None:
            if isinstance(value, type) or (callable(value) and torch_name(cls) is None):
                return None
            shell = self.shell(cls)
        return self._stand_in(id(value), Handle(value), shell)

    def shell(self, cls: type) -> Any:
        """Return the metatable of a Python class, made when it is first needed."""
        found = self._shells.get(cls)
        if found is not None:
            return found
        parent = next((base for base in cls.__mro__[1:] if torch_name(base)), None)
        above = None if parent is None else self.shell(parent)
        name = torch_name(cls) or cls.__qualname__
        version = getattr(cls, "t7_version", 1)
        userdata = getattr(cls, "lua_type", "table") == "userdata"
        shell = self._shell(Handle(cls), name, above, version, cls not in self._defined, userdata)
        self._shells[cls] = shell
        for method, function in methods(cls, parent):
            guarded = self._border.guard(as_lua_calls(function))
            self._add_method(shell, method, guarded, Handle(function))
        return shell

    def publish(self, cls: type, name: str, module: Any, **options: Any) -> Any:
        """Make a class known under a name, and its constructor an entry of a Lua table.

        Parameters
        ----------
        cls : type
        name : str
            "nn.Linear".
        module : lupa table
        **options
            Arguments of the constructor that Lua does not give.
        """
        made = as_lua_calls(partial(cls, **options) if options else cls, _initialiser(cls), 1)
        return self._publish(self.shell(cls), name, self._border.guard(made), module)

    def publish_package(self, prefix: str, module: Any, without: tuple[str, ...] = ()) -> None:
        """Publish all registered classes whose names begin with `prefix` and a dot.

        Those that Python packages of the names `without` define are left out.
        """
        for name, known in list(CLASSES.items()):
            package, _, rest = name.partition(".")
            if known.cls is None or known.cls.__module__.startswith(without):
                continue
            if package == prefix and "." not in rest:
                self.publish(known.cls, name, module)

    # -- Lua's classes in Python ----------------------------------------------------------

    def subclass(self, name: str, parent: type) -> Any:
        """Make the Python class of a Lua class that descends from one of Python's."""
        members = {"t7_typename": name, "t7_version": 1, "__module__": "lua"}
        cls = type(parent)(name.rpartition(".")[2], (parent,), members)
        checkpoint.register(name, cls)
        self._defined.add(cls)
        return self.shell(cls)

    def set_method(self, cls: type, name: Any, value: Any) -> None:
        """Follow a write to a class in Lua: functions become methods, values attributes."""
        python_name = {"__init": "__init__", "__tostring__": "__repr__"}.get(name, name)
        if not isinstance(name, str) or is_internal(cls, name):
            return
        if python_name is name and name.startswith("__"):
            if name == "__version":
                cls.t7_version = value  # type: ignore[attr-defined]
            return
        if cls not in self._defined:
            override(self._border, cls, python_name, value)
        elif value is None:
            if python_name in vars(cls):
                delattr(cls, python_name)
        else:
            made = parameters_of if name == "parameters" else method_of
            setattr(cls, python_name, made(value) if callable(value) else value)


def _initialiser(cls: type) -> Any:
    return next(vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base))


def method_of(function: Any) -> Any:
    """Return a function that Python binds to instances, for a Lua function."""
    if not isinstance(function, LuaFunction):
        return function

    def method(self: Any, *args: Any) -> Any:
        return function(self, *args)

    method.__module__ = "lua"
    return method


def parameters_of(function: Any) -> Any:
    """Return the method `parameters` of a Lua class, with the lists that Python's returns.

    Lua's returns two tables, of tensors or of such tables, or nothing.
    """
    method = method_of(function)

    def parameters(self: Any) -> tuple[list[Tensor], list[Tensor]]:
        found = method(self)
        weights, gradients = found if isinstance(found, tuple) else (found, None)
        return list(tensors_in(weights)), list(tensors_in(gradients))

    parameters.__module__ = "lua"
    return parameters


def torch_name(cls: type) -> str | None:
    """Return the Torch7 name of a class that has one of its own."""
    name = vars(cls).get("t7_typename")
    if isinstance(name, str):
        return name
    return next((n for n, known in CLASSES.items() if known.cls is cls), None)


def methods(cls: type, parent: type | None) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield names and functions of the methods that `cls` has and `parent` does not."""
    inherited = set(parent.__mro__) if parent else {object}
    shown = getattr(cls, "lua_methods", ())
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base not in inherited and base is not object:
            found.update(vars(base))
    if cls is Module or cls is Criterion:
        yield "__call__", call_module if cls is Module else call_criterion
    for name, present in found.items():
        member = present.original if isinstance(present, Dispatched) else present
        if isinstance(member, staticmethod):
            yield name, _without_self(member.__func__)
        elif isinstance(member, classmethod):
            yield name, partial(member.__func__, cls)
        elif name == "parameters" and callable(member):
            yield name, _parameters_by(member)
        elif cls is NnNode and name == "split":
            yield name, split_node
        elif callable(member) and not isinstance(member, type):
            if name in OPERATORS:
                yield OPERATORS[name], member
            elif name in shown or not (name.startswith("_") or is_internal(cls, name)):
                yield name, member


def _without_self(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *args: function(*args)


def _parameters_by(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the method `parameters` of one class, which a class below may call in its own."""
    return lambda module: _parameters(module, method(module))


def parameters(module: Any) -> Any:
    """Return `module.parameters()` as Lua has it: nothing for a layer without."""
    return _parameters(module, module.parameters())


def _parameters(module: Any, found: tuple[list[Tensor], list[Tensor]]) -> Any:
    weights, gradients = found
    if not weights and not isinstance(module, Container):
        return ()
    return weights, gradients


def split_node(node: NnNode, noutput: int) -> Any:
    """Return the nodes of `node.split` as several results."""
    parts = node.split(noutput)
    return tuple(parts) if isinstance(parts, list) else parts


def call_module(module: Any, *args: Any) -> Any:
    """Return what `module(...)` is in Lua: a node of a graph, or output and gradient."""
    if not args or builds_graph(args[0]):
        return module(*args)
    output = module.forward(args[0])
    if len(args) > 1 and args[1] is not None:
        return output, module.backward(*args[:2])
    return output


def call_criterion(criterion: Any, input: Any, target: Any, *_: Any) -> Any:
    """Return what `criterion(...)` is in Lua: loss and gradient."""
    return criterion.forward(input, target), criterion.backward(input, target)


# -- fields ---------------------------------------------------------------------------------


def get_field(owner: Any, key: Any) -> Any:
    """Return the field of an object; None where it has none."""
    name = attribute_name(type(owner), key)
    value = owner.__dict__.get(name)
    if isinstance(value, (FunctionType, MethodType)) and callable(getattr(type(owner), name, None)):
        return WithoutOwner(value)
    return value


def set_field(owner: Any, key: Any, value: Any) -> None:
    """Assign a field of an object; None removes it."""
    if not isinstance(key, str):
        if value is None:
            vars(owner).pop(key, None)
        else:
            vars(owner)[key] = value
        return
    key = attribute_name(type(owner), key)
    if value is None:
        if key in vars(owner):
            delattr(owner, key)
    elif isinstance(value, WithoutOwner):
        vars(owner)[key] = value.function
    elif isinstance(value, LuaFunction) and callable(getattr(type(owner), key, None)):
        vars(owner)[key] = OwnMethod(value, owner)
    else:
        setattr(owner, key, value)


def field_names(owner: Any) -> Table:
    """Return the names of an object's fields."""
    return Table([lua_name(name) for name in vars(owner)])
