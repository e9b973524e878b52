"""What kinds of values variables and expressions have, as far as the text of a file tells.

Types of variables are the join of all that is assigned to them; of expressions, what their
operators and the known functions give. Where nothing is known the type is ANY, and the
translation keeps Lua's meaning through the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ast, library
from .call_results import call_results, maker_of, method_results
from .evidence import names_tensor
from .function_results import FunctionResults
from .function_uses import FunctionUses, function_of
from .kinds import (
    ANY,
    BOOLEAN,
    COUNT,
    NIL,
    NUMBER,
    STRING,
    UNBOUNDED,
    Shape,
    Type,
    integer,
    join,
)
from .ranks import resized
from .rules import RULES, unknown
from .scope import FileScope, Variable
from .syntax import alias_of, captures, dotted, tried_package
from .table_fields import declared_options, field_writes

if TYPE_CHECKING:
    from .dict_candidates import Slot
    from .dicts import Dicts
    from .unique import UniqueFunction


class Types:
    """The types of a file's variables and expressions.

    Parameters
    ----------
    evident : mapping
        The types that the uses of variables tell: see `evidence`.
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
    elsewhere : callable
        Gives the types of the results of a function of another file, None where nothing is known.
    dicts : Dicts, optional
        The file's dicts and records, as far as they are found.
    """

    def __init__(
        self,
        evident: Mapping[Variable, Type],
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
        elsewhere: Callable[[ast.Function], list[Type] | None],
        dicts: Dicts | None = None,
    ) -> None:
        self.file = scopes
        self._global = global_type
        self.required = required
        self._of: dict[int, Type | None] = {}
        self._settled = False
        self._variables: dict[Variable, Type | None] = {}
        self._self_types = self_types
        self._globals: dict[str, Type | None] = dict.fromkeys(own_globals)
        self._functions = functions
        self.defined_names = defined_names
        self.methods = methods
        self.class_named = class_named
        self._unique = unique
        self.elsewhere = elsewhere
        self.options = Shape(declared_options(scopes))
        self._shapes: dict[int, Shape] = {}
        self._written_fields = field_writes(scopes)
        self._fields: dict[tuple[int, str], Type | None] = {}
        self._asked: set[tuple[int, str]] = set()
        self._counters: dict[Variable, ast.NumericFor] = {}
        self.of_functions = FunctionResults(self)
        self.uses = FunctionUses(scopes)
        self._evident = evident
        self._told: set[Variable] = set()
        self._resized = resized(scopes)
        self._given = {v: list(values) for v, values in given.items()} | self.uses.given
        self._slots: list[Slot] = []
        if dicts is not None:
            self._given.update(dicts.given())
            self._slots = [s for owner in dicts.variables.values() for s in owner.slots()]
        self._solve()

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
        if name not in shape.values:
            return ANY

        def joined() -> Type | None:
            found: Type | None = None
            for value in (*shape.values[name], *self._written_fields.get(name, ())):
                found = join(found, ANY if value is None else self.of_maybe(value))
            if found is not None and found.kind == "integer" and shape is not self.options:
                found = replace(found, kind="number")  # others may put fractions there
            return found

        return self.field((id(shape), name), joined)

    def field(self, key: tuple[int, str], joined: Callable[[], Type | None]) -> Type | None:
        """Return the type of a field, which may be given what rests on itself: `x.n = x.n / 2`.

        Parameters
        ----------
        key : (int, str)
            The id of what has the field, and its name.
        joined : callable
            Joins the types of all that the field is given, by what is known so far.
        """
        if key in self._fields:
            self._asked.add(key)
            return self._fields[key]
        count, found, memory = len(self._fields), None, self._of
        for turn in range(_TURNS):
            self._asked.discard(key)
            self._fields[key], self._of = found, {}  # a guess, and what rests on it
            new = joined()
            self._of = memory
            if new == found or key not in self._asked:
                found = new
                break
            while len(self._fields) > count:
                self._fields.popitem()
            found = new if turn < _TURNS - 2 else ANY
        self._asked.discard(key)
        self._fields[key] = found if found is not None or not self._settled else ANY
        return self._fields[key]

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
                self._variables.setdefault(variable, self._by_uses(variable))
            else:
                pending.append(variable)
        for slot in self._slots:
            slot.kind = None
        for turn in range(8):
            self._fields.clear()
            self.of_functions.clear()
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
            for slot in self._slots:
                changed = slot.rejoin(self.of_maybe, turn) or changed
            if not changed:
                break
        self._fields.clear()
        self.of_functions.clear()
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
        else:
            for part in loop.names[: _texts(source)]:
                if part.variable is not None and not part.variable.writes:
                    self._variables[part.variable] = STRING

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
        if found is not None and found.kind == "tensor" and variable in self._resized:
            return replace(found, detail=None)
        if found is not None and found.kind == "any":
            return self._by_uses(variable)
        return found

    def _by_uses(self, variable: Variable) -> Type:
        """Return the type that only a variable's uses tell."""
        self._told.add(variable)
        return self._evident.get(variable, ANY)

    def _one_of(self, call: ast.Expression, position: int) -> Type | None:
        """Return the type of one of a call's results."""
        protected = isinstance(call, ast.Call) and dotted(call.function) in ("pcall", "xpcall")
        if protected and position == 0:
            return BOOLEAN
        if protected and position == 1 and (package := tried_package(call)) is not None:
            return self.required(package)
        if not self._settled and self.rests_on_unknown(call):
            return None
        kinds = self._kinds_of(call)
        if kinds is not None and position < len(kinds):
            return kinds[position]
        found = self.results(call)
        if found is None:
            return ANY
        return found[position] if position < len(found) else NIL

    def _kinds_of(self, call: ast.Expression) -> list[Type | None] | None:
        """Return the types of the results of a known function or method, if there are so many."""
        if isinstance(call, ast.MethodCall):
            owner = self.of_maybe(call.object)
            if owner is None or owner.kind != "object" or owner.detail is None:
                return None
            kinds: list[Type | None] | None = owner.detail.result_kinds(call.method, self)
            return kinds
        known = self.known_function(call.function) if isinstance(call, ast.Call) else None
        if known is None or self.function_results(known) is None:
            return None
        return self.of_functions.kinds(known)

    @property
    def is_settled(self) -> bool:
        """Whether the types of variables are known, and no longer sought."""
        return self._settled

    def counter(self, variable: Variable) -> ast.NumericFor | None:
        """Return the loop that counts with a variable."""
        return self._counters.get(variable)

    def variable(self, variable: Variable) -> Type:
        """Return the type of a variable."""
        return self._variables.get(variable) or ANY

    def is_from_elsewhere(self, node: ast.Expression) -> bool:
        """Whether only its uses tell what a variable is: a table may be one of a library's."""
        return isinstance(node, ast.Name) and node.variable in self._told

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
            return call_results(self, node)
        if isinstance(node, ast.MethodCall):
            return method_results(self, node)
        return [self.of(node)]

    def function_results(self, function: ast.Function) -> int | None:
        """Return how many results a function always gives; None where that varies or is unknown."""
        return self.of_functions.count(function)

    def first_result(self, function: ast.Function) -> Type:
        """Return the type of a function's first result."""
        return (self.of_functions.first(function) or ANY) if self._settled else ANY

    def known_results(self, function: ast.Function, count: int) -> list[Type]:
        """Return the types of a function's results, of which there are so many."""
        kinds = self.of_functions.kinds(function) if self._settled else []
        return [kind or ANY for kind in (*kinds, *[ANY] * count)][:count]

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
            found = function_of(function.variable)
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
        known = node.method in library.STRING_ONLY and node.method not in self.defined_names
        return known and self.of(node.object).kind in ("any", "string")

    def is_tensor_method(self, owner: Type, node: ast.MethodCall) -> bool:
        """Whether a method's name alone says that its object is a tensor."""
        unknown = owner.kind == "any" or owner.kind == "tensor"
        return unknown and names_tensor(node, self.defined_names)

    def unique_method(self, owner: Type, name: str) -> UniqueFunction | None:
        """Return the method of the program that a name alone means, of objects of a type."""
        found = self._unique.get(f".{name}") if owner.kind in ("any", "table") else None
        return found if found is not None and found.method else None


_TURNS = 6
"""How often the type of a field that rests on itself is looked for."""

_HOLDERS = frozenset(["any", "table", "class", "dict", "record"])
"""Kinds of what may have functions of the program as fields."""


def _texts(source: ast.Expression) -> int:
    """Return how many texts `gmatch` gives in each turn; 0 for anything else."""
    pattern: ast.Expression | None = None
    if isinstance(source, ast.MethodCall) and source.method == "gmatch":
        pattern = source.arguments[0] if len(source.arguments) == 1 else None
    elif isinstance(source, ast.Call) and dotted(source.function) == "string.gmatch":
        pattern = source.arguments[1] if len(source.arguments) == 2 else None
    if not isinstance(pattern, ast.String) or "()" in pattern.value:
        return 0
    return captures(pattern.value)
