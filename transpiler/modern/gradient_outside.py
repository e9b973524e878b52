"""What a file says outside of differentiated functions: what variables and parameters hold."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..code import quoted
from ..scope import FileScope, Variable
from ..text import words
from ..walk import names_in, plain, walk
from .gradient_names import Key, Names, read_places
from .gradient_terms import Term
from .gradient_values import SCALAR, Array, NotModernError, Plain, Several, Tree, unknown_size
from .nodes import at

_MAKERS = frozenset(
    f"torch.{name}"
    for name in words("Tensor DoubleTensor FloatTensor randn rand zeros ones Tensor")
)
_KEEPING = frozenset(
    words(
        """
        zero fill uniform normal mul div add clone double float contiguous exp abs sqrt tanh
        bernoulli random apply cmul cdiv pow
        """
    )
)
"""Methods whose result has the shape of the tensor."""


class Known(Names):
    """What is known of the values in a file.

    Attributes
    ----------
    trees : dict
        Tables that are parameters, by the ids of their constructors.
    losses : set
        Variables that hold numbers of core: tensors without dimensions.
    env : dict
        What is known of the variables of the functions that are being followed.
    running : list of int
        These functions.
    read : set of int
        Expressions that are only looked at.
    made_by : dict
        By variables of gradients, the `autograd(f)` that they come from.
    written : set of int
        Of these the ones whose gradients the program may write to.
    """

    def __init__(self, block: ast.Block, scopes: FileScope, alone: bool) -> None:
        super().__init__(block, scopes, alone)
        self.env: dict[Any, Any] = {}
        self.known: dict[Key, Any] = {}
        self.trees: dict[int, Tree] = {}
        self.losses: set[Key] = set()
        self.running: list[int] = []
        self.answers: dict[int, Any] = {}
        self.read = read_places(self)
        self.made_by: dict[Key, ast.Call] = {}
        self.written: set[int] = set()

    def value_of_name(self, node: ast.Name) -> Any:
        """Return what is known of a variable outside of functions, None for nothing."""
        key = self.key(node)
        if key not in self.known:
            self.known[key] = None  # while it is looked at
            self.known[key] = self._value_of(key)
        return self.known[key]

    def _value_of(self, key: Key) -> Any:
        if key in self.counters:
            return Plain()
        if key in self.resized:
            return None
        if not isinstance(key, str) and key.kind == "parameter":
            return self._given_to(key)
        value = self.definition(key)
        if value is not None:
            if isinstance(value, ast.TableConstructor):
                name = key if isinstance(key, str) else f"{key.name}@{id(key)}"
                return self._tree(value, name) if self._is_parameters(key) else None
            if self.site_of(value) is not None:
                return self._result(key, value, 0)
            return self.outer_value(value)
        several = [] if isinstance(key, str) else key.several
        if isinstance(key, str) and self.alone:
            several = self._several_of(key)
        if len(several) != 1 or (not isinstance(key, str) and key.unknown):
            return None
        call, position = several[0]
        return self._result(key, plain(call), position)

    def _given_to(self, parameter: Variable) -> Any:
        """Return what is known of all that a function's parameter is ever given."""
        function = parameter.scope.function
        calls = self.calls_of(function) if function is not None and not parameter.writes else None
        if calls is None or function is None:
            return None
        place = [n.variable for n in function.parameters].index(parameter)
        if any(len(c.arguments) <= place for c in calls):
            return None
        values = [self.outer_value(c.arguments[place]) for c in calls]
        if all(isinstance(v, Plain) for v in values):
            return Plain()
        if all(v == values[0] for v in values):
            return values[0] if isinstance(values[0], Array) else None
        counts = {v.ndim if isinstance(v, Array) else None for v in values}
        count = counts.pop()
        if counts or count is None:
            return None
        return Array(tuple(unknown_size() for _ in range(count)))

    def _several_of(self, name: str) -> list[Any]:
        found = []
        for node in walk(self.block):
            if isinstance(node, ast.Assign) and len(node.values) == 1:
                for position, target in enumerate(node.targets):
                    if isinstance(target, ast.Name) and self.key(target) == name:
                        found.append((node.values[0], position))
        return found

    def _result(self, key: Key, call: Any, position: int) -> Any:
        if self.site_of(call) is not None:
            if id(call) not in self.answers:
                self.called(call)
            gradients, found = self.answers[id(call)]
            results = found.values if isinstance(found, Several) else (found,)
            values = (gradients, *results)
        elif isinstance(call, ast.Call) and self.function_of(call.function) in self.inside:
            found = self.outer_call(call).value
            values = found.values if isinstance(found, Several) else (found,)
        else:
            return None
        if position >= len(values):
            return None
        if self.site_of(call) is not None and position == 0:
            self.made_by[key] = self.grad_call_of(call)
        elif values[position] == SCALAR:
            self.losses.add(key)
        return values[position]

    def called(self, call: ast.Call) -> Term:
        """Follow a site."""
        raise NotImplementedError

    def outer_call(self, call: ast.Call) -> Term:
        """Follow a call."""
        raise NotImplementedError

    def term(self, node: Any) -> Term:
        """Return an expression for core."""
        raise NotImplementedError

    def _is_parameters(self, key: Key) -> bool:
        """Whether a table is given to a function of gradients."""
        return any(self.key(a) == key for site in self.sites.values() for a in site.arguments)

    def _tree(self, made: ast.TableConstructor, name: str) -> Tree:
        parts: dict[Any, Any] = {}
        for entry in made.fields:
            key = len(parts) + 1 if entry.key is None else plain(entry.key)
            if isinstance(key, ast.String):
                key = key.value
            value, part = plain(entry.value), f"{name}.{key}"
            found = self._tree(value, part) if isinstance(value, ast.TableConstructor) else None
            if found is None and not isinstance(value, ast.TableConstructor):
                found = self.outer_value(value)
            if not isinstance(key, (str, int)) or not isinstance(found, (Array, Tree)):
                raise NotModernError(
                    entry.value, str(key), "a parameter that is not known to be a tensor"
                )
            parts[key] = found
        if len({type(k) for k in parts}) != 1:
            raise NotModernError(made, "parameters", "a table with names and places, or empty")
        found_tree = self.trees[id(made)] = Tree(name, parts)
        return found_tree

    def literal(self, made: ast.TableConstructor) -> Any:
        """Return a table of parameters as a dict or list."""
        parts: list[Any] = []
        is_list = self.trees[id(made)].is_list
        for entry in made.fields:
            parts += [", "] if parts else []
            if not is_list:
                assert isinstance(entry.key, ast.String)
                parts.append(f"{quoted(entry.key.value)}: ")
            inner = plain(entry.value)
            parts.append(self.literal(inner) if id(inner) in self.trees else entry.value)
        ends = "[]" if is_list else "{}"
        return at(made, ends[0], *parts, ends[1])

    def has_tree(self, node: Any) -> bool:
        """Whether there are tables of parameters or gradients in an expression."""
        for n in names_in(node):
            value = self.env.get(n.variable) if n.variable in self.env else self.value_of_name(n)
            if isinstance(value, Tree):
                return True
        return False

    def root_is_tree(self, node: Any) -> bool:
        """Whether an expression is a part of such a table."""
        while isinstance(node, (ast.Index, ast.Paren)):
            node = node.table if isinstance(node, ast.Index) else node.inner
        return isinstance(node, ast.Name) and self.has_tree(node)

    def is_constant(self, node: Any) -> bool:
        """Whether an expression makes a tensor of nothing that is differentiated."""
        return isinstance(node, ast.Call) and self.full_name(node.function) in _MAKERS

    def outer_value(self, node: Any) -> Any:
        """Return what is known of an expression outside of functions, None for nothing."""
        node = plain(node)
        found = self.direct_value(node)
        if found is not None or not isinstance(node, (ast.Call, ast.Binary, ast.Index)):
            return found
        try:
            return self.term(node).value
        except NotModernError:
            return None

    def direct_value(self, node: Any) -> Any:
        """Return what is known of an expression by itself."""
        match node:
            case ast.Number(value=value):
                return Plain(value)
            case ast.Name():
                return self.value_of_name(node)
            case ast.Unary(operator="#"):
                return Plain()
            case ast.Call():
                if self.full_name(node.function) in _MAKERS:
                    return self._made(node.arguments)
                if self.full_name(node.function) in ("torch.view", "torch.reshape"):
                    return self._made(node.arguments[1:])
                if self.site_of(node) is not None:
                    return self._result("", node, 0)
            case ast.MethodCall(object=owner, method=name):
                inner = self.outer_value(owner)
                if isinstance(inner, Array) and name in _KEEPING:
                    return inner
                if name in ("view", "reshape") and node.arguments:
                    return self._made(node.arguments)
                if name in ("size", "nElement", "dim"):
                    return Plain() if node.arguments or name != "size" else None
        return None

    def _made(self, arguments: list[Any]) -> Any:
        """Return the tensor that sizes, or a table of numbers, make."""
        only = plain(arguments[0]) if len(arguments) == 1 else None
        if isinstance(only, ast.TableConstructor):
            return Array(_sizes_of(only))
        values = [self.outer_value(a) for a in arguments]
        numbers = all(v is None or isinstance(v, Plain) for v in values)
        sure = bool(values) and (isinstance(values[0], Plain) or not _may_be_result(arguments))
        if not numbers or not sure:
            return None
        return Array(tuple(self.canonical(a) for a in arguments))

    def canonical(self, node: Any) -> str:
        """Return a text that is the same for numbers that are the same."""
        node = plain(node)
        match node:
            case ast.Number(value=value):
                return str(value)
            case ast.Name(variable=variable) if isinstance(variable, Variable):
                value = self.definition(variable)
                if isinstance(value, ast.Number):
                    return str(value.value)
                fixed = variable.writes == 0 and variable.kind != "parameter"
                return f"{variable.name}@{id(variable)}" if fixed else unknown_size()
            case ast.Name(name=name):
                return name if self.definition(name) is not None else unknown_size()
            case ast.Unary(operator="#" as operator, operand=ast.Name() as inner):
                return f"{operator}{self.canonical(inner)}"
            case ast.Binary(operator=operator, left=left, right=right):
                return f"({self.canonical(left)}{operator}{self.canonical(right)})"
        return unknown_size()


def _may_be_result(arguments: list[Any]) -> bool:
    """Whether the first of some arguments may be a tensor to write to, or a storage of sizes."""
    return len(arguments) < 2 or isinstance(plain(arguments[0]), ast.Name)


def _sizes_of(made: ast.TableConstructor) -> tuple[str, ...]:
    """Return the sizes of a table of numbers that is written out."""
    first = plain(made.fields[0].value) if made.fields else None
    inner = _sizes_of(first) if isinstance(first, ast.TableConstructor) else ()
    return (str(len(made.fields)), *inner)
