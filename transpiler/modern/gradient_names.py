"""Names in a file that uses autograd: packages, functions, and where gradients are asked for."""

from __future__ import annotations

from typing import Any

from .. import ast, library
from ..scope import FileScope, Variable
from ..syntax import dotted
from ..text import words
from ..walk import plain, walk
from .gradient_values import NotModernError

_OPTIONS = {"optimize": None, "withForward": True, "withGradients": True}
"""Options that change nothing, with the value that they must have."""

Key = Variable | str


class Names:
    """The variables and functions of a file, and where it asks for gradients.

    Parameters
    ----------
    block, scopes
        The file.
    alone : bool
        Whether nobody else can use its globals.
    """

    def __init__(self, block: ast.Block, scopes: FileScope, alone: bool) -> None:
        self.block, self.scopes, self.alone = block, scopes, alone
        self.functions = {id(n): n for n in walk(block) if isinstance(n, ast.Function)}
        self.declarations: set[int] = set()
        self.takes_more: set[int] = set()
        self.resized = {
            self.key(n.object)
            for n in walk(block)
            if isinstance(n, ast.MethodCall) and n.method in RESIZING
        }
        self.counters: set[Any] = {
            n.name.variable for n in walk(block) if isinstance(n, ast.NumericFor)
        }
        self.spread = spread_calls(block)
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

    def calls_of(self, function: ast.Function) -> list[ast.Call] | None:
        """Return all calls of a function, None where it is used in other ways, or never called."""
        names = [v for v in self._keys() if self.definition(v) is function]
        if len(names) != 1 or isinstance(names[0], str):
            return None
        variable = names[0]
        calls = [
            n
            for n in walk(self.block)
            if isinstance(n, ast.Call) and self.key(n.function) is variable
        ]
        return calls if calls and len(calls) == variable.reads else None

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


RESIZING = frozenset(words("resize resizeAs set"))
"""Methods that change the shape of a tensor."""

_READING = frozenset(
    words(
        """
        size dim nDimension nElement numel norm sum mean max min std var dot dist clone totable
        isSameSizeAs
        """
    )
)
_READERS = frozenset(words("print tostring type assert string.format"))


def read_places(names: Names) -> set[int]:
    """Return the expressions that are only looked at where they stand: printed, computed with."""
    found: set[int] = set()
    for node in walk(names.block):
        values: list[Any] = []
        match node:
            case ast.Binary(left=left, right=right):
                values = [left, right]
            case ast.Unary(operand=operand):
                values = [operand]
            case ast.MethodCall(object=owner, method=name, arguments=arguments):
                values = [owner] * (name in _READING) + arguments * (name == "add")
            case ast.Call(function=function, arguments=arguments):
                full = names.full_name(function) or dotted(function) or ""
                values = arguments if full in _READERS or full.startswith("torch.") else []
        found |= {id(plain(v)) for v in values}
    return found


def spread_calls(block: ast.Block) -> set[int]:
    """Return the calls of which all results are used where they stand."""
    found: set[int] = set()
    for node in walk(block):
        last: Any = None
        match node:
            case ast.Call(arguments=values) | ast.MethodCall(arguments=values):
                last = values[-1] if values else None
            case ast.Return(values=values) | ast.GenericFor(values=values):
                last = values[-1] if values else None
            case ast.Local(names=names, values=values):
                last = values[-1] if 0 < len(values) < len(names) else None
            case ast.Assign(targets=targets, values=values):
                last = values[-1] if 0 < len(values) < len(targets) else None
            case ast.TableConstructor(fields=entries):
                last = entries[-1].value if entries and entries[-1].key is None else None
        if isinstance(last, (ast.Call, ast.MethodCall)):
            found.add(id(last))
    return found
