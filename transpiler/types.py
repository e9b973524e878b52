"""What kinds of values variables and expressions have, as far as the text of a file tells.

Types of variables are the join of all that is assigned to them; of expressions, what their
operators and the known functions give. Where nothing is known the type is ANY, and the
translation keeps Lua's meaning through the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from . import ast, library
from .scope import FileScope, Variable
from .text import words

UNBOUNDED = 64

EXACT_BITS = 53


@dataclass(frozen=True, slots=True)
class Type:
    """The type of an expression.

    Attributes
    ----------
    kind : str
        "any", "nil", "boolean", "integer", "number", "string", "table", "tensor", "storage",
        "function", "module" (an object of nn), "options" (a torch.CmdLine), "object" (of a
        class of the program), "class", "package".
    bits : int
        Of a number: about how many bits it has at most if it is whole, which decides whether
        Python's product is that of doubles.
    optional : bool
        It may be nil as well.
    detail : object
        The class of an object, the node of a function, the name of a package.
    """

    kind: str
    bits: int = 0
    optional: bool = False
    detail: Any = None

    @property
    def is_number(self) -> bool:
        """Whether it is a number, or nil where that is allowed."""
        return self.kind in ("integer", "number")

    @property
    def is_reference(self) -> bool:
        """Whether it is nil or something that counts as true in both languages."""
        return self.kind in ("table", "function", "module", "object", "class", "package", "nil")


ANY = Type("any")
NIL = Type("nil", optional=True)
BOOLEAN = Type("boolean")
NUMBER = Type("number")
STRING = Type("string")
TABLE = Type("table")
TENSOR = Type("tensor")
STORAGE = Type("storage")
FUNCTION = Type("function")
MODULE = Type("module")
OPTIONS = Type("options")


def integer(bits: int) -> Type:
    """Return the type of whole numbers of about so many bits."""
    return Type("integer", min(bits, UNBOUNDED))


COUNT = integer(30)
"""Positions, lengths and sizes."""

_LETTERS = {
    "a": ANY,
    "n": NUMBER,
    "i": COUNT,
    "s": STRING,
    "b": BOOLEAN,
    "t": TABLE,
    "T": TENSOR,
    "S": STORAGE,
    "f": FUNCTION,
    "M": MODULE,
}


def results_of(letters: str) -> list[Type] | None:
    """Return the types that letters of `library` stand for; None for any number of results."""
    if letters == "*":
        return None
    found: list[Type] = []
    optional = False
    for letter in letters:
        if letter == "Z":
            optional = True
            continue
        kind = _LETTERS[letter]
        found.append(replace(kind, optional=True) if optional else kind)
        optional = False
    return found


def join(a: Type | None, b: Type | None) -> Type | None:
    """Return the type of what is of one or the other; None is the type of nothing yet."""
    if a is None or b is None or a == b:
        return a if b is None else b
    if a.kind == "nil":
        return b if b.kind == "any" else replace(b, optional=True)
    if b.kind == "nil":
        return a if a.kind == "any" else replace(a, optional=True)
    optional = a.optional or b.optional
    if a.kind == b.kind:
        detail = a.detail if a.detail is b.detail or a.detail == b.detail else None
        return Type(a.kind, max(a.bits, b.bits), optional, detail)
    if a.is_number and b.is_number:
        return Type("number", max(a.bits, b.bits), optional)
    return ANY


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The fields of a table that are known from the start, and what they are given there."""

    values: dict[str, list[ast.Expression]]


class Types:
    """The types of a file's variables and expressions.

    Parameters
    ----------
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
    defined_names : collection of str
        Names of functions and methods that the program defines.
    methods : collection of int
        The ids of functions that are methods of classes.
    """

    def __init__(
        self,
        scopes: FileScope,
        global_type: Callable[[str], Type],
        required: Callable[[str], Type],
        self_types: dict[Variable, Type],
        own_globals: Collection[str],
        functions: Callable[[ast.Expression], ast.Function | None],
        defined_names: Collection[str],
        methods: Collection[int],
    ) -> None:
        self._scopes = scopes
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
        self._solve()

    # -- where functions go -----------------------------------------------------------------

    def _uses(self) -> None:
        for call in self._scopes.calls:
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
        for scope in [self._scopes.top, *self._scopes.scopes.values()]:
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
            for c in self._scopes.calls
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
            if found is not None and found.kind == "integer":
                found = replace(found, kind="number")  # others may put fractions there
            self.fields[key] = found if found is not None or not self._settled else ANY
        return self.fields[key]

    def _field_writes(self) -> dict[str, list[ast.Expression | None]]:
        """Return what the file assigns to fields, by their names; "?" for names that vary."""
        found: dict[str, list[ast.Expression | None]] = {}
        for target, value in self._scopes.field_writes:
            if isinstance(target.key, ast.String):
                found.setdefault(target.key.value, []).append(value)
        return found

    def _declared_options(self) -> dict[str, list[ast.Expression]]:
        """Return the options that the file declares, with their defaults."""
        found: dict[str, list[ast.Expression]] = {}
        for call in self._scopes.calls:
            if not isinstance(call, ast.MethodCall) or call.method != "option":
                continue
            if len(call.arguments) > 1 and isinstance(call.arguments[0], ast.String):
                name = call.arguments[0].value.lstrip("-")
                found.setdefault(name, []).append(call.arguments[1])
        return found

    # -- variables ----------------------------------------------------------------------------

    def _solve(self) -> None:
        everything = [self._scopes.top, *self._scopes.scopes.values()]
        variables = [v for scope in everything for v in scope.variables]
        pending = []
        for loop in self._scopes.loops:
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
                self._variables.setdefault(variable, ANY)
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
            for value in self._scopes.global_values[name]:
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
            return _OF.get(type(node), _unknown)(self, node)
        key = id(node)
        if key not in self._of:
            self._of[key] = _OF.get(type(node), _unknown)(self, node)
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
            known = key in self._scopes.scopes
            self._results[key] = (
                self._count_results(function) if known else (_plain_count(function), ANY)
            )
        return self._results[key][0]

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
            if not rest and name in library.GLOBALS:
                if name == "require" and len(node.arguments) == 1:
                    only = node.arguments[0]
                    return [self._required(only.value) if isinstance(only, ast.String) else ANY]
                return results_of(library.GLOBALS[name])
            if root in library.LIBRARIES and rest in library.LIBRARIES[root]:
                return results_of(library.LIBRARIES[root][rest])
            if self.of(_root(function)).kind == "package":
                return self._package_call(str(self.of(_root(function)).detail), rest, node)
        if isinstance(function, ast.Index):
            owner = self.of(function.table)
            if owner.kind == "package" and isinstance(function.key, ast.String):
                return self._package_call(str(owner.detail), function.key.value, node)
        if self.of(function).kind == "class":
            return [Type("object", detail=self.of(function).detail)]
        if self.of(function).kind == "module":
            return [ANY]
        return None

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
            return self.function_of(function.variable)
        return self._functions(function)

    def is_string_method(self, node: ast.MethodCall) -> bool:
        """Whether a method's name alone says that its object is a string."""
        known = node.method in library.STRING_ONLY and node.method not in self._defined_names
        return known and self.of(node.object).kind in ("any", "string")

    def is_tensor_method(self, owner: Type, name: str) -> bool:
        """Whether a method's name alone says that its object is a tensor."""
        unknown = owner.kind == "any" or owner.kind == "tensor"
        return unknown and name in library.TENSOR_ONLY and name not in self._defined_names

    def _package_call(self, package: str, name: str, node: ast.Call) -> list[Type] | None:
        if package == "torch":
            if name == "CmdLine":
                return [OPTIONS]
            if name in library.SEVERAL_RESULTS:
                return [NUMBER] if name in library.REDUCTIONS and len(node.arguments) == 1 else None
            if name in library.REDUCTIONS:
                return [NUMBER if len(node.arguments) == 1 else TENSOR]
            letters = library.TORCH.get(name)
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
        if owner.kind == "tensor" or self.is_tensor_method(owner, name):
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
        if owner.kind == "module":
            letters = _MODULE_METHODS.get(name)
            return None if letters is None else results_of(letters)
        if owner.kind == "object" and owner.detail is not None:
            found: list[Type] | None = owner.detail.method_results(name, self)
            return found
        if name in self._defined_names or name == "split":  # nodes of graphs split into several
            return None
        if name == "getParameters":
            return [TENSOR, TENSOR]
        letters = library.TENSOR_METHODS.get(name) or _MODULE_METHODS.get(name)
        single = letters is not None and len(letters) == 1
        return (
            [ANY] if single or name in ("size", "stride", "type", "norm", "sum", "mean") else None
        )


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
}
"""Methods of nn's classes whose results are known."""


# -- expressions, by their kind ---------------------------------------------------------------


def _unknown(types: Types, node: Any) -> Type:
    return ANY


def _name(types: Types, node: Any) -> Type | None:
    if node.variable is None:
        if node.name in types._globals:
            return types._globals[node.name]
        return types._global(node.name)
    return types._variables.get(node.variable)


def _index(types: Types, node: Any) -> Type | None:
    name = dotted(node)
    if name in library.CONSTANTS:
        return NUMBER
    owner = types.of_maybe(node.table)
    if owner is None:
        return None
    if owner.kind == "package" and owner.detail == "nn" and isinstance(node.key, ast.String):
        return Type("class", detail=None)
    if owner.kind == "storage":
        return NUMBER
    if owner.kind == "table" and owner.detail is not None and isinstance(node.key, ast.String):
        return types.shape_field(owner.detail, node.key.value)
    if owner.kind == "object" and owner.detail is not None and isinstance(node.key, ast.String):
        found: Type | None = owner.detail.field_type(node.key.value, types)
        return found
    return ANY


def _first_result(types: Types, node: Any) -> Type | None:
    known = types.known_function(node.function) if isinstance(node, ast.Call) else None
    if known is not None and types._settled:
        types.function_results(known)
        return types._results[id(known)][1]
    if not types._settled and types.rests_on_unknown(node):
        return None
    found = types.results(node)
    if found is None:
        if isinstance(node, ast.MethodCall) and node.method in library.SEVERAL_RESULTS:
            owner = types.of(node.object)
            if owner.kind == "tensor" or types.is_tensor_method(owner, node.method):
                return TENSOR
        if isinstance(node, ast.Call) and dotted(node.function) in ("pcall", "xpcall"):
            return BOOLEAN
        return ANY
    return found[0] if found else NIL


def _binary(types: Types, node: Any) -> Type | None:
    operator = node.operator
    if operator in ("==", "~=", "<", ">", "<=", ">="):
        return BOOLEAN
    left, right = types.of_maybe(node.left), types.of_maybe(node.right)
    if operator == "and":
        if left is None or right is None:
            return right
        if left.kind in ("boolean", "any"):
            return right if left.kind == "boolean" and right.kind == "boolean" else ANY
        return join(NIL, right) if left.optional else right
    if operator == "or":
        if left is None or right is None:
            return right if left is None else left
        if left.kind in ("boolean", "any"):
            return left if right.kind == left.kind else ANY
        return join(replace(left, optional=False) if left.kind != "nil" else None, right)
    if operator == "..":
        return STRING if _is_text(left) and _is_text(right) else ANY
    return arithmetic(operator, left, right, node)


def _is_text(kind: Type | None) -> bool:
    return kind is None or ((kind.is_number or kind.kind == "string") and not kind.optional)


def arithmetic(
    operator: str, left: Type | None, right: Type | None, node: ast.Binary
) -> Type | None:
    """Return the type of an arithmetic operation."""
    if left is None or right is None:
        return None
    kinds = {left.kind, right.kind}
    if "tensor" in kinds:
        if kinds == {"tensor"} and operator == "*":
            return ANY  # of two vectors a number
        return TENSOR if kinds <= {"tensor", "integer", "number"} else ANY
    if not (left.is_number and right.is_number):
        return ANY
    kind = "integer" if kinds == {"integer"} else "number"
    if operator in "+-":
        return Type(kind, max(left.bits, right.bits))
    if operator == "*":
        return Type(kind, left.bits + right.bits) if is_exact(left, right) else Type("number", 64)
    if operator == "%":
        exact = kind if is_nonzero(node.right) else "number"
        return Type(exact, right.bits or left.bits)
    if operator == "^" and isinstance(node.right, ast.Number):
        power = node.right.value
        if power in (2, 3) and left.bits * power <= EXACT_BITS:
            return Type(kind, int(left.bits * power))
    return NUMBER


def is_exact(left: Type, right: Type) -> bool:
    """Whether the product of two numbers is the same for Python's ints and for doubles."""
    return left.bits + right.bits <= EXACT_BITS


def is_nonzero(node: ast.Expression) -> bool:
    """Whether an expression is a number other than zero; lengths are taken to be."""
    if isinstance(node, ast.Paren):
        return is_nonzero(node.inner)
    if isinstance(node, ast.Unary):
        return node.operator == "#" or (node.operator == "-" and is_nonzero(node.operand))
    return isinstance(node, ast.Number) and node.value != 0


def _unary(types: Types, node: Any) -> Type | None:
    if node.operator == "not":
        return BOOLEAN
    operand = types.of_maybe(node.operand)
    if node.operator == "#":
        return STORAGE if operand is not None and operand.kind == "tensor" else COUNT
    if operand is None or operand.kind == "tensor" or operand.is_number:
        return operand
    return ANY


def _number(types: Types, node: Any) -> Type:
    if isinstance(node.value, int):
        return integer(node.value.bit_length())
    return NUMBER


_OF: dict[type, Callable[[Types, Any], Type | None]] = {
    ast.Nil: lambda types, node: NIL,
    ast.Boolean: lambda types, node: BOOLEAN,
    ast.Number: _number,
    ast.String: lambda types, node: STRING,
    ast.Vararg: lambda types, node: ANY,
    ast.Name: _name,
    ast.Index: _index,
    ast.Call: _first_result,
    ast.MethodCall: _first_result,
    ast.Binary: _binary,
    ast.Unary: _unary,
    ast.Paren: lambda types, node: types.of_maybe(node.inner),
    ast.TableConstructor: lambda types, node: replace(TABLE, detail=types.shape(node)),
    ast.Function: lambda types, node: FUNCTION,
}


# -- the shape of programs --------------------------------------------------------------------


def may_be_several(node: ast.Expression) -> bool:
    """Whether an expression at the end of a list may give several values."""
    return isinstance(node, (ast.Call, ast.MethodCall, ast.Vararg))


def dotted(node: ast.Expression) -> str | None:
    """Return "a.b.c" for a global, fields of it, and locals that are library functions."""
    if isinstance(node, ast.Name):
        return node.name if node.variable is None else _alias(node.variable)
    if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
        owner = dotted(node.table)
        return None if owner is None else f"{owner}.{node.key.value}"
    return None


def _alias(variable: Variable) -> str | None:
    """Return what a local of a library's function stands for: `local floor = math.floor`."""
    if variable.writes or variable.unknown or variable.several or len(variable.values) != 1:
        return None
    value = variable.values[0]
    if not isinstance(value, ast.Index) or not isinstance(value.key, ast.String):
        return None
    root = value.table
    if not isinstance(root, ast.Name) or root.variable is not None:
        return None
    known = value.key.value in library.LIBRARIES.get(root.name, ())
    return f"{root.name}.{value.key.value}" if known else None


def _root(node: ast.Expression) -> ast.Expression:
    while isinstance(node, ast.Index):
        node = node.table
    return node


def returns(block: ast.Block) -> list[ast.Return]:
    """Return the return statements of a function's body, not those of functions inside."""
    found: list[ast.Return] = []
    for statement in block.statements:
        if isinstance(statement, ast.Return):
            found.append(statement)
        for inner in blocks_of(statement):
            found += returns(inner)
    return found


def blocks_of(statement: ast.Statement) -> list[ast.Block]:
    """Return the blocks directly inside a statement."""
    match statement:
        case ast.If(branches=branches, otherwise=otherwise):
            found = [body for _, body in branches]
            return [*found, otherwise] if otherwise is not None else found
        case (
            ast.Do(body=body)
            | ast.While(body=body)
            | ast.Repeat(body=body)
            | ast.NumericFor(body=body)
            | ast.GenericFor(body=body)
        ):
            return [body]
    return []


def _plain_count(function: ast.Function) -> int | None:
    """Return the number of results of a function of another file, where its text tells."""
    counts = {
        None if r.values and may_be_several(r.values[-1]) else len(r.values)
        for r in returns(function.body)
    }
    if not counts:
        return 0
    if not always_returns(function.body) and counts != {0}:
        return None
    return counts.pop() if len(counts) == 1 else None


def always_returns(block: ast.Block) -> bool:
    """Whether a block never ends without return or error."""
    if not block.statements:
        return False
    match block.statements[-1]:
        case ast.Return():
            return True
        case ast.Do(body=body):
            return always_returns(body)
        case ast.If(branches=branches, otherwise=otherwise):
            if otherwise is None or not always_returns(otherwise):
                return False
            return all(always_returns(body) for _, body in branches)
        case ast.CallStatement(call=ast.Call(function=ast.Name(name="error", variable=None))):
            return True
    return False
