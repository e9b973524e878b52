"""What kinds of values variables and expressions have, as far as the text of a file tells.

Types of variables are the join of all that is assigned to them; of expressions, what their
operators and the known functions give. Where nothing is known the type is ANY, and the
translation keeps Lua's meaning through the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ast, library, natives
from .evidence import Evidence, is_of_tensors
from .kinds import (
    ANY,
    BOOLEAN,
    COUNT,
    MODULE,
    NIL,
    NUMBER,
    OPTIONS,
    STORAGE,
    STRING,
    TABLE,
    TENSOR,
    UNBOUNDED,
    Shape,
    Type,
    integer,
    join,
    results_of,
)
from .rules import RULES, unknown
from .scope import FileScope, Variable
from .syntax import alias_of, always_returns, dotted, may_be_several, plain_count, returns, root_of
from .text import words

if TYPE_CHECKING:
    from .unique import UniqueFunction


class Types:
    """The types of a file's variables and expressions.

    Parameters
    ----------
    block : ast.Block
        The file.
    scopes : FileScope
    global_type : callable
        Gives the type of a global by its name.
    required : callable
        Gives the type of what `require(name)` returns.
    self_types : dict
        What `self` is in the methods of known classes, and what variables of classes are.
    own_globals : collection of str
        Globals that are variables of the file.
    functions : callable
        Gives the function that a global or a field of a module's table always is, or None.
    defined_names : mapping
        Names of functions and methods that the program defines, and how many arguments they take
        at most; None for any number.
    methods : collection of int
        The ids of functions that are methods of classes.
    class_named : callable
        Gives the class of the program that has a name in Torch, or None.
    given : dict
        What parameters are given of functions that are called by name; None for the unknown.
    unique : mapping
        Functions of the program by the only names they have.
    """

    def __init__(
        self,
        block: ast.Block,
        scopes: FileScope,
        global_type: Callable[[str], Type],
        required: Callable[[str], Type],
        self_types: dict[Variable, Type],
        own_globals: Collection[str],
        functions: Callable[[ast.Expression], ast.Function | None],
        defined_names: Mapping[str, int | None],
        methods: Collection[int],
        class_named: Callable[[str], Any],
        given: dict[Variable, list[ast.Expression | None]],
        unique: Mapping[str, UniqueFunction],
    ) -> None:
        self.file = scopes
        self._global = global_type
        self._required = required
        self._of: dict[int, Type | None] = {}
        self._settled = False
        self._variables: dict[Variable, Type | None] = {}
        self._self_types = self_types
        self._globals: dict[str, Type | None] = dict.fromkeys(own_globals)
        self._functions = functions
        self._defined_names = defined_names
        self.methods = methods
        self.class_named = class_named
        self._unique = unique
        self.options = Shape(self._declared_options())
        self._shapes: dict[int, Shape] = {}
        self._written_fields = self._field_writes()
        self.fields: dict[tuple[int, str], Type | None] = {}
        self._counters: dict[Variable, ast.NumericFor] = {}
        self._given: dict[Variable, list[ast.Expression | None]] = {}
        self._results: dict[int, tuple[int | None, Type | None]] = {}
        self.safe_uses: dict[Variable, int] = {}
        self.safe_functions: set[int] = set()
        self._uses()
        self._evident = Evidence(block, scopes, self._names_tensor).types
        for variable, values in given.items():
            self._given.setdefault(variable, list(values))
        self._solve()

    # -- where functions go -----------------------------------------------------------------

    def _uses(self) -> None:
        for call in self.file.calls:
            arguments = call.arguments
            if isinstance(call, ast.Call):
                self._safe(call.function)
                name = dotted(call.function)
                keeps = name not in library.KEPT_BY_NOBODY
            else:
                keeps = call.method not in library.KEPT_BY_NO_METHOD
            if not keeps:
                for argument in arguments:
                    self._safe(argument)
        for scope in [self.file.top, *self.file.scopes.values()]:
            for variable in scope.variables:
                function = self.function_of(variable)
                if function is not None and self.only_called(variable):
                    self._parameters(variable, function)

    def _safe(self, node: ast.Expression) -> None:
        if isinstance(node, ast.Paren):
            node = node.inner
        if isinstance(node, ast.Name) and node.variable is not None:
            self.safe_uses[node.variable] = self.safe_uses.get(node.variable, 0) + 1
        elif isinstance(node, ast.Function):
            self.safe_functions.add(id(node))

    def function_of(self, variable: Variable) -> ast.Function | None:
        """Return the function that a variable always is, if it is one that never changes."""
        if variable.writes or variable.unknown or variable.several or len(variable.values) != 1:
            return None
        value = variable.values[0]
        return value if isinstance(value, ast.Function) else None

    def only_called(self, variable: Variable) -> bool:
        """Whether a variable's value is called, or lent to those who call it, and kept nowhere."""
        return self.safe_uses.get(variable, 0) == variable.reads

    def _parameters(self, variable: Variable, function: ast.Function) -> None:
        """Collect what a function that is only called directly is given."""
        if function.vararg:
            return
        names = [n.variable for n in function.parameters]
        calls = [
            c
            for c in self.file.calls
            if isinstance(c, ast.Call)
            and isinstance(c.function, ast.Name)
            and c.function.variable is variable
        ]
        if len(calls) != variable.reads:
            return
        for call in calls:
            spread = bool(call.arguments) and may_be_several(call.arguments[-1])
            for i, name in enumerate(names):
                if name is None:
                    continue
                given: ast.Expression | None
                if spread and i >= len(call.arguments) - 1:
                    given = None
                elif i < len(call.arguments):
                    given = call.arguments[i]
                else:
                    given = ast.Nil(call.line, call.column)
                self._given.setdefault(name, []).append(given)

    # -- fields of tables ---------------------------------------------------------------------

    def shape(self, node: ast.TableConstructor) -> Shape:
        """Return what is known of the tables that a constructor makes."""
        found = self._shapes.get(id(node))
        if found is None:
            values: dict[str, list[ast.Expression]] = {}
            for entry in node.fields:
                if isinstance(entry.key, ast.String):
                    values.setdefault(entry.key.value, []).append(entry.value)
            found = self._shapes[id(node)] = Shape(values)
        return found

    def shape_field(self, shape: Shape, name: str) -> Type | None:
        """Return the type of a field: of all that the file puts under that name."""
        if name not in shape.values or "?" in self._written_fields:
            return ANY
        key = id(shape), name
        if key not in self.fields:
            self.fields[key] = None  # while it is looked at
            found: Type | None = None
            for value in (*shape.values[name], *self._written_fields.get(name, ())):
                found = join(found, ANY if value is None else self.of_maybe(value))
            if found is not None and found.kind == "integer" and shape is not self.options:
                found = replace(found, kind="number")  # others may put fractions there
            self.fields[key] = found if found is not None or not self._settled else ANY
        return self.fields[key]

    def _field_writes(self) -> dict[str, list[ast.Expression | None]]:
        """Return what the file assigns to fields, by their names; "?" for names that vary."""
        found: dict[str, list[ast.Expression | None]] = {}
        for target, value in self.file.field_writes:
            if isinstance(target.key, ast.String):
                found.setdefault(target.key.value, []).append(value)
        return found

    def _declared_options(self) -> dict[str, list[ast.Expression]]:
        """Return the options that the file declares, with their defaults."""
        found: dict[str, list[ast.Expression]] = {}
        for call in self.file.calls:
            if not isinstance(call, ast.MethodCall) or call.method != "option":
                continue
            if len(call.arguments) > 1 and isinstance(call.arguments[0], ast.String):
                name = call.arguments[0].value.lstrip("-")
                found.setdefault(name, []).append(call.arguments[1])
        return found

    # -- variables ----------------------------------------------------------------------------

    def _solve(self) -> None:
        everything = [self.file.top, *self.file.scopes.values()]
        variables = [v for scope in everything for v in scope.variables]
        pending = []
        for loop in self.file.loops:
            if isinstance(loop, ast.NumericFor) and loop.name.variable is not None:
                self._counters[loop.name.variable] = loop
            elif isinstance(loop, ast.GenericFor):
                self._iterated(loop)
        for variable in variables:
            if variable in self._self_types:
                self._variables[variable] = self._self_types[variable]
            elif variable in self._counters:
                pending.append(variable)
            elif variable.unknown and variable not in self._given:
                self._variables.setdefault(variable, self._evident.get(variable, ANY))
            else:
                pending.append(variable)
        for turn in range(8):
            self.fields.clear()
            changed = self._join_globals()
            for variable in pending:
                old = self._variables.get(variable)
                new = self._joined(variable, old)
                if new != old:
                    if turn > 3 and new is not None and new.is_number:
                        new = replace(new, bits=UNBOUNDED)
                    if turn > 5:
                        new = ANY
                    changed = changed or new != old
                    self._variables[variable] = new
            if not changed:
                break
        self.fields.clear()
        self._settled = True

    def _join_globals(self) -> bool:
        changed = False
        for name, old in self._globals.items():
            found = old
            for value in self.file.global_values[name]:
                found = join(found, ANY if value is None else self.of_maybe(value))
            if found is not None and old is not None and found.bits > old.bits:
                found = replace(found, bits=UNBOUNDED)
            changed = changed or found != old
            self._globals[name] = found
        return changed

    def _iterated(self, loop: ast.GenericFor) -> None:
        """Say what the variables of a loop over a known iterator are."""
        first = loop.names[0].variable
        if len(loop.values) != 1 or first is None or first.writes:
            return
        source = loop.values[0]
        name = dotted(source.function) if isinstance(source, ast.Call) else None
        if name == "ipairs":
            self._variables[first] = COUNT
        elif name == "io.lines" and isinstance(source, ast.Call) and len(source.arguments) < 2:
            self._variables[first] = STRING

    def _joined(self, variable: Variable, old: Type | None) -> Type | None:
        found = old
        loop = self._counters.get(variable)
        if loop is not None:
            start = self.of_maybe(loop.start)
            step = None if loop.step is None else self.of_maybe(loop.step)
            kind = join(start, step)
            if kind is not None and kind.kind == "integer":
                stop = self.of_maybe(loop.stop)
                bits = stop.bits if stop is not None and stop.kind == "integer" else 30
                kind = integer(max(kind.bits, bits))
            elif kind is not None:
                kind = NUMBER
            found = join(found, kind)
        for value in variable.values:
            found = join(found, self.of_maybe(value))
        for call, position in variable.several:
            found = join(found, self._one_of(call, position))
        for given in self._given.get(variable, ()):
            found = join(found, ANY if given is None else self.of_maybe(given))
        if found is not None and found.kind == "any":
            return self._evident.get(variable, ANY)
        return found

    def _one_of(self, call: ast.Expression, position: int) -> Type | None:
        """Return the type of one of a call's results."""
        protected = isinstance(call, ast.Call) and dotted(call.function) in ("pcall", "xpcall")
        if protected and position == 0:
            return BOOLEAN
        if not self._settled and self.rests_on_unknown(call):
            return None
        found = self.results(call)
        if found is None:
            return ANY
        return found[position] if position < len(found) else NIL

    def variable(self, variable: Variable) -> Type:
        """Return the type of a variable."""
        return self._variables.get(variable) or ANY

    # -- expressions --------------------------------------------------------------------------

    def of(self, node: ast.Expression) -> Type:
        """Return the type of an expression's one value."""
        return self.of_maybe(node) or ANY

    def of_maybe(self, node: ast.Expression) -> Type | None:
        """Return the type of an expression, None where it rests on what is not known yet."""
        if not self._settled:
            return RULES.get(type(node), unknown)(self, node)
        key = id(node)
        if key not in self._of:
            self._of[key] = RULES.get(type(node), unknown)(self, node)
        return self._of[key]

    def results(self, node: ast.Expression) -> list[Type] | None:
        """Return the types of all results of an expression; None for any number of them."""
        if isinstance(node, ast.Vararg):
            return None
        if isinstance(node, ast.Call):
            return self._call_results(node)
        if isinstance(node, ast.MethodCall):
            return self._method_results(node)
        return [self.of(node)]

    def function_results(self, function: ast.Function) -> int | None:
        """Return how many results a function always gives; None where that varies or is unknown.

        0 is a function that returns nothing ever.
        """
        key = id(function)
        if key not in self._results:
            self._results[key] = (None, ANY)  # while it is looked at
            known = key in self.file.scopes
            self._results[key] = (
                self._count_results(function) if known else (plain_count(function), ANY)
            )
        return self._results[key][0]

    def first_result(self, function: ast.Function) -> Type:
        """Return the type of a function's first result."""
        self.function_results(function)
        return (self._results[id(function)][1] or ANY) if self._settled else ANY

    def _count_results(self, function: ast.Function) -> tuple[int | None, Type | None]:
        counts: set[int | None] = set()
        kind: Type | None = None
        for found in returns(function.body):
            if found.values and may_be_several(found.values[-1]):
                several = self.results(found.values[-1]) if self._settled else None
                counts.add(None if several is None else len(found.values) - 1 + len(several))
            else:
                counts.add(len(found.values))
            kind = join(kind, self.of_maybe(found.values[0]) if found.values else NIL)
        if not counts:
            return 0, NIL
        if counts == {0}:
            return 0, NIL
        if not always_returns(function.body):
            kind = join(kind, NIL)
            counts.add(0)
        if counts == {0, 1} and id(function) in self.methods:
            return 1, kind  # Python calls them too, and takes None for nothing
        return (counts.pop() if len(counts) == 1 else None), kind

    def _call_results(self, node: ast.Call) -> list[Type] | None:
        function = node.function
        known = self.known_function(function)
        if known is not None:
            count = self.function_results(known)
            if count is None:
                return None
            first = self._results[id(known)][1] if self._settled else ANY
            return [first or ANY, *[ANY] * (count - 1)][:count]
        if isinstance(function, ast.Name) and function.variable is not None:
            kind = "package" if dotted(function) else self.variable(function.variable).kind
            if kind not in ("class", "package", "module"):
                return None
        name = dotted(function)
        if name is not None:
            root, _, rest = name.partition(".")
            made = self.made_object(node)
            if made is not None:
                return [made]
            if not rest and name in library.GLOBALS:
                if name == "require" and len(node.arguments) == 1:
                    only = node.arguments[0]
                    return [self._required(only.value) if isinstance(only, ast.String) else ANY]
                return results_of(library.GLOBALS[name])
            if root in library.LIBRARIES and rest in library.LIBRARIES[root]:
                return results_of(library.LIBRARIES[root][rest])
            if self.of(root_of(function)).kind == "package":
                return self._package_call(str(self.of(root_of(function)).detail), rest, node)
        if isinstance(function, ast.Index):
            owner = self.of(function.table)
            if owner.kind == "package" and isinstance(function.key, ast.String):
                return self._package_call(str(owner.detail), function.key.value, node)
            if maker_of(function, owner) is not None:
                return [Type("object", detail=owner.detail)]
            if self._is_new(function, owner):
                return [TENSOR]
        if self.of(function).kind == "class":
            return [Type("object", detail=self.of(function).detail)]
        if self.of(function).kind == "module":
            return [ANY]
        return None

    def made_object(self, node: ast.Call) -> Type | None:
        """Return the type of `setmetatable(x, C)` of a class C that is made of a table."""
        if dotted(node.function) != "setmetatable" or len(node.arguments) != 2:
            return None
        kind = self.of(node.arguments[1])
        of_tables = kind.kind == "class" and kind.detail is not None and kind.detail.of_tables
        return Type("object", detail=kind.detail) if of_tables else None

    def _is_new(self, function: ast.Index, owner: Type) -> bool:
        """Whether `x.new` makes a tensor of the type of `x`."""
        named = isinstance(function.key, ast.String) and function.key.value == "new"
        if owner.kind == "any":
            return named and "new" not in self._defined_names
        return named and owner.kind == "tensor"

    def rests_on_unknown(self, node: ast.Expression) -> bool:
        """Whether nothing is known yet of the object whose method is called, or of the callee."""
        if isinstance(node, ast.MethodCall):
            return self.of_maybe(node.object) is None
        if not isinstance(node, ast.Call):
            return False
        callee = node.function
        if isinstance(callee, ast.Name):
            return callee.variable is not None and self.of_maybe(callee) is None
        return isinstance(callee, ast.Index) and self.of_maybe(callee.table) is None

    def known_function(self, function: ast.Expression) -> ast.Function | None:
        """Return the function that an expression always is, if that is known."""
        if isinstance(function, ast.Name) and function.variable is not None:
            found = self.function_of(function.variable)
            if found is not None:
                return found
            alias = alias_of(function.variable)
            if alias is not None and self.of_maybe(alias.table) is not None:
                return self.known_function(alias)
        if isinstance(function, ast.Index):
            owner = self.of(function.table)
            if owner.kind not in _HOLDERS or maker_of(function, owner) is not None:
                return None
        return self._functions(function)

    def is_string_method(self, node: ast.MethodCall) -> bool:
        """Whether a method's name alone says that its object is a string."""
        known = node.method in library.STRING_ONLY and node.method not in self._defined_names
        return known and self.of(node.object).kind in ("any", "string")

    def is_tensor_method(self, owner: Type, node: ast.MethodCall) -> bool:
        """Whether a method's name alone says that its object is a tensor."""
        unknown = owner.kind == "any" or owner.kind == "tensor"
        return unknown and self._names_tensor(node)

    def _names_tensor(self, node: ast.MethodCall) -> bool:
        of_tensors = is_of_tensors(node.method, len(node.arguments))
        return of_tensors and not self._is_other(node)

    def unique_method(self, owner: Type, name: str) -> UniqueFunction | None:
        """Return the method of the program that a name alone means, of objects of a type."""
        found = self._unique.get(f".{name}") if owner.kind in ("any", "table") else None
        return found if found is not None and found.method else None

    def _is_other(self, node: ast.MethodCall) -> bool:
        """Whether a function that the program defines under a method's name may be meant."""
        most = self._defined_names.get(node.method, -1)
        return most is None or len(node.arguments) <= most

    def _package_call(self, package: str, name: str, node: ast.Call) -> list[Type] | None:
        if package == "torch":
            if name == "CmdLine":
                return [OPTIONS]
            made = natives.made_by(f"torch.{name}")
            if made is not None:
                return [made]
            if name in library.SEVERAL_RESULTS:
                return [NUMBER] if name in library.REDUCTIONS and len(node.arguments) == 1 else None
            if name in library.REDUCTIONS:
                return [NUMBER if len(node.arguments) == 1 else TENSOR]
            letters = library.TORCH.get(name)
            return None if letters is None else results_of(letters)
        if package.startswith("autograd"):
            of_autograd = f"{package}.{name}".removeprefix("autograd").removesuffix(".")
            letters = library.AUTOGRAD.get(of_autograd)
            return None if letters is None else results_of(letters)
        if package == "nn":
            return [MODULE] if name[:1].isupper() or name == "gModule" else None
        return [ANY] if package == "paths" or name[:1].isupper() else None

    def _method_results(self, node: ast.MethodCall) -> list[Type] | None:
        owner = self.of(node.object)
        name = node.method
        if owner.kind == "string" or self.is_string_method(node):
            letters = library.STRING_METHODS.get(name)
            return None if letters is None else results_of(letters)
        if owner.kind == "tensor" or self.is_tensor_method(owner, node):
            if name in library.SEVERAL_RESULTS or name in library.REDUCTIONS:
                if name in library.REDUCTIONS and not node.arguments:
                    return [NUMBER if name not in ("all", "any") else BOOLEAN]
                if name in library.SEVERAL_RESULTS:
                    return None
                return [TENSOR if name != "norm" or len(node.arguments) > 1 else NUMBER]
            if name == "size":
                return [COUNT if node.arguments else STORAGE]
            if name == "stride":
                return [COUNT if node.arguments else STORAGE]
            if name == "type":
                return [TENSOR if node.arguments else STRING]
            letters = library.TENSOR_METHODS.get(name)
            return None if letters is None else results_of(letters)
        if owner.kind == "options":
            if name == "parse":
                return [replace(TABLE, detail=self.options)]
            return [STRING if name == "string" else ANY]
        if owner.kind == "storage" and name in ("size", "totable"):
            return [COUNT if name == "size" else ANY]
        if owner.kind == "native":
            return natives.method_results(owner, name)
        if owner.kind == "module":
            if name == "type":
                return [MODULE if node.arguments else STRING]
            letters = _MODULE_METHODS.get(name)
            return None if letters is None else results_of(letters)
        if owner.kind == "object" and owner.detail is not None:
            found: list[Type] | None = owner.detail.method_results(name, self)
            return found
        unique = self.unique_method(owner, name)
        if unique is not None:
            count = self.function_results(unique.node)
            return None if count is None else [ANY] * count
        if name in self._defined_names or name == "split":  # nodes of graphs split into several
            return None
        if name == "getParameters":
            return [TENSOR, TENSOR]
        letters = library.TENSOR_METHODS.get(name) or _MODULE_METHODS.get(name)
        single = letters is not None and len(letters) == 1
        return (
            [ANY] if single or name in ("size", "stride", "type", "norm", "sum", "mean") else None
        )


def maker_of(function: ast.Index, owner: Type) -> Any:
    """Return the class whose objects `C.new` makes, where it is their `__init__`."""
    if owner.kind != "class" or owner.detail is None or not isinstance(function.key, ast.String):
        return None
    return owner.detail if owner.detail.maker == function.key.value else None


_HOLDERS = frozenset(["any", "table", "class"])
"""Kinds of what may have functions of the program as fields."""

_MODULE_METHODS: dict[str, str] = {
    **dict.fromkeys(
        words(
            """
            add clone get share cuda double float training evaluate clearState noBias
            setNumInputDims replace insert remove annotate ceil floor reset
            """
        ),
        "M",
    ),
    "getParameters": "TT",
    **dict.fromkeys(words("forward backward updateOutput updateGradInput listModules"), "a"),
    **dict.fromkeys(words("zeroGradParameters updateParameters accGradParameters apply"), ""),
    "size": "i",
    **dict.fromkeys(
        words("setMode fastest resetMode remember forget sharedClone clipWeights"), "M"
    ),
}
"""Methods of nn's classes whose results are known."""
