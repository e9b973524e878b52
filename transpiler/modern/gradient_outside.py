"""What a file says outside of differentiated functions: where it asks for gradients, and of what.

It knows what variables hold, and which tables are parameters.
"""

from __future__ import annotations

from typing import Any

from .. import ast, library
from ..scope import FileScope, Variable
from ..syntax import dotted
from ..text import words
from .gradient_values import SCALAR, Array, NotModernError, Plain, Several, Tree, unknown_size
from .nodes import at
from .walk import names_in, plain, walk

_MAKERS = frozenset(
    f"torch.{name}"
    for name in words("Tensor DoubleTensor FloatTensor randn rand zeros ones Tensor")
)
_KEEPING = frozenset(
    words(
        """
        zero fill uniform normal mul div add sub clone double float contiguous exp abs sqrt tanh
        bernoulli random apply cmul cdiv pow
        """
    )
)
"""Methods whose result has the shape of the tensor."""

_OPTIONS = {"optimize": None, "withForward": True, "withGradients": True}
"""Options that change nothing, with the value that they must have."""

Key = Variable | str


class Known:
    """What is known of a file.

    Parameters
    ----------
    block, scopes
        The file.
    alone : bool
        Whether nobody else can use its globals.
    """

    def __init__(self, block: ast.Block, scopes: FileScope, alone: bool) -> None:
        self.block, self.scopes, self.alone = block, scopes, alone
        self.env: dict[Any, Any] = {}
        self.known: dict[Key, Any] = {}
        self.trees: dict[int, Tree] = {}
        self.losses: set[Key] = set()
        self.running: list[int] = []
        self.answers: dict[int, Any] = {}
        self.functions = {id(n): n for n in walk(block) if isinstance(n, ast.Function)}
        self.declarations: set[int] = set()
        self.takes_more: set[int] = set()
        self.removed: set[Key] = set()
        self.derived: dict[Key, ast.Call] = {}
        self.grad_calls: list[ast.Call] = []
        self.sites: dict[int, ast.Call] = {}
        self._declared()
        calls = [n for n in walk(block) if isinstance(n, ast.Call)]
        self.grad_calls = [
            c for c in calls if self.full_name(c.function) in ("autograd", "autograd.grad")
        ]
        self._find_sites(calls)
        self.inside = self._inside()
        self.inside_functions = self.inside
        self.within = {id(n) for key in self.inside for n in walk(self.functions[key].body)}

    def _declared(self) -> None:
        for node in walk(self.block):
            targets: list[Any] = []
            if isinstance(node, (ast.Local, ast.Assign)):
                targets = node.names if isinstance(node, ast.Local) else node.targets
                only = plain(node.values[0]) if len(node.values) == 1 else None
                if isinstance(only, ast.Call) and len(targets) > 1:
                    self.takes_more.add(id(only))
            elif isinstance(node, ast.FunctionStatement):
                targets = [node.target]
            elif isinstance(node, ast.LocalFunction):
                targets = [node.name]
            self.declarations |= {id(t) for t in targets if isinstance(t, ast.Name)}
        for key in self._keys():
            value = self.definition(key)
            name = self.full_name(value) if value is not None else None
            required = self.required(value)
            is_part = (name or required or "").startswith("autograd")
            if is_part or (self.layer_made_by(value) is not None):
                self.removed.add(key)

    def _find_sites(self, calls: list[ast.Call]) -> None:
        made = {id(c) for c in self.grad_calls}
        for key in self._keys():
            value = self.definition(key)
            if id(value) in made:
                self.derived[key] = value
        for call in calls:
            function = plain(call.function)
            if self.key(function) in self.derived or id(function) in made:
                self.sites[id(call)] = call

    def _keys(self) -> list[Key]:
        scopes = (self.scopes.top, *self.scopes.scopes.values())
        return [*(v for s in scopes for v in s.variables), *self.scopes.global_values]

    def _inside(self) -> set[int]:
        found: set[int] = set()
        queue = [f for c in self.grad_calls if (f := self.given(c)) is not None]
        while queue:
            key = queue.pop()
            if key in found:
                continue
            found.add(key)
            for node in walk(self.functions[key].body):
                called = self.function_of(node.function) if isinstance(node, ast.Call) else None
                queue += [
                    k for k in (called, id(node) if id(node) in self.functions else None) if k
                ]
        return found

    # -- names ------------------------------------------------------------------------------

    def key(self, node: Any) -> Any:
        """Return the variable that an expression is."""
        node = plain(node)
        if not isinstance(node, ast.Name):
            return None
        return node.variable if node.variable is not None else node.name

    def definition(self, key: Key) -> Any:
        """Return the one value that a variable is ever given, None if there are others."""
        if isinstance(key, str):
            values = list(self.scopes.global_values.get(key, [])) if self.alone else []
        elif key.unknown or key.several or key.kind in ("parameter", "for", "self"):
            return None
        else:
            values = list(key.values)
        found = [plain(v) for v in values if not isinstance(v, ast.Nil)]
        return found[0] if len(found) == 1 else None

    def required(self, value: Any) -> str | None:
        """Return "x" for `require 'x'`."""
        if isinstance(value, ast.Call) and dotted(value.function) == "require":
            only = plain(value.arguments[0]) if len(value.arguments) == 1 else None
            return only.value if isinstance(only, ast.String) else None
        return None

    def full_name(self, node: Any) -> str | None:
        """Return "autograd.util.cat" whatever the packages are called in the file."""
        node = plain(node)
        if isinstance(node, ast.Name):
            key = self.key(node)
            value = self.definition(key)
            package = self.required(value)
            if package is not None:
                return package
            if isinstance(value, ast.Index):
                found = self.full_name(value)
                return found if (found or "").startswith("autograd") else None
            free = node.variable is None and key not in self.scopes.global_values
            return node.name if free and node.name in library.PACKAGES else None
        if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            owner = self.full_name(node.table)
            return None if owner is None else f"{owner}.{node.key.value}"
        return None

    def function_of(self, node: Any) -> int | None:
        """Return the function that an expression always is."""
        node = plain(node)
        if isinstance(node, ast.Name):
            node = self.definition(self.key(node))
        return id(node) if isinstance(node, ast.Function) else None

    def layer_made_by(self, value: Any) -> str | None:
        """Return "Tanh" for `autograd.nn.Tanh()`."""
        if not isinstance(value, ast.Call):
            return None
        name = self.full_name(value.function) or ""
        return name.removeprefix("autograd.nn.") if name.startswith("autograd.nn.") else None

    def layer_of(self, node: Any) -> str | None:
        """Return the layer that a variable is the function of."""
        node = plain(node)
        value = self.definition(self.key(node)) if isinstance(node, ast.Name) else node
        return self.layer_made_by(value)

    # -- gradients --------------------------------------------------------------------------

    def given(self, made: ast.Call) -> int | None:
        """Return the function that `autograd(f)` is given."""
        return self.function_of(made.arguments[0]) if made.arguments else None

    def site_of(self, node: Any) -> ast.Call | None:
        """Return a call that gives gradients, None for other expressions."""
        return self.sites.get(id(node))

    def grad_call_of(self, site: ast.Call) -> ast.Call:
        """Return the `autograd(f)` that a site calls."""
        function = plain(site.function)
        made: ast.Call = self.derived.get(self.key(function), function)
        return made

    def differentiated(self, made: ast.Call) -> tuple[int, int]:
        """Return the function that is differentiated, and for which argument.

        Raises
        ------
        NotModernError
            If the function is not known, or an option means something.
        """
        function, position = self.given(made), 1
        if function is None:
            raise NotModernError(made, "autograd", "it is not known which function it is given")
        options = plain(made.arguments[1]) if len(made.arguments) > 1 else None
        if options is not None and not isinstance(options, ast.TableConstructor):
            raise NotModernError(made, "autograd", "its options are not written out")
        for entry in options.fields if options is not None else ():
            name = entry.key.value if isinstance(entry.key, ast.String) else None
            if name == "gradArg" and isinstance(entry.value, ast.Number):
                position = int(entry.value.value)
                continue
            needed = _OPTIONS.get(str(name), False)
            given = entry.value.value if isinstance(entry.value, ast.Boolean) else False
            if needed is not None and given is not needed:
                raise NotModernError(made, f"the option {name}", "it has no counterpart in core")
        return function, position

    # -- values -----------------------------------------------------------------------------

    def value_of_name(self, node: ast.Name) -> Any:
        """Return what is known of a variable outside of functions, None for nothing."""
        key = self.key(node)
        if key not in self.known:
            self.known[key] = None  # while it is looked at
            self.known[key] = self._value_of(key)
        return self.known[key]

    def _value_of(self, key: Key) -> Any:
        if not isinstance(key, str) and key.kind == "for":
            return Plain()
        value = self.definition(key)
        if value is not None:
            if isinstance(value, ast.TableConstructor):
                name = key if isinstance(key, str) else f"{key.name}@{id(key)}"
                return self._tree(value, name) if self._is_parameters(key) else None
            return self.outer_value(value)
        several = [] if isinstance(key, str) else key.several
        if isinstance(key, str) and self.alone:
            several = self._several_of(key)
        if len(several) != 1 or (not isinstance(key, str) and key.unknown):
            return None
        call, position = several[0]
        return self._result(key, plain(call), position)

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
        if values[position] == SCALAR:
            self.losses.add(key)
        return values[position]

    def called(self, call: ast.Call) -> Any:
        """Follow a site."""
        raise NotImplementedError

    def outer_call(self, call: ast.Call) -> Any:
        """Follow a call."""
        raise NotImplementedError

    def term(self, node: Any) -> Any:
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
                raise NotModernError(entry.value, str(key), "a parameter that is no tensor")
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
                parts.append(f'"{entry.key.value}": ')
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
        if len(arguments) < 2 and not isinstance(self.outer_value(only), Plain):
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


def _sizes_of(made: ast.TableConstructor) -> tuple[str, ...]:
    """Return the sizes of a table of numbers that is written out."""
    first = plain(made.fields[0].value) if made.fields else None
    inner = _sizes_of(first) if isinstance(first, ast.TableConstructor) else ()
    return (str(len(made.fields)), *inner)
