"""A Lua file on its way: what is known of it before it is written as Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import ast, library
from .code import quoted
from .diagnostics import Kept
from .kinds import ANY, TABLE, Type
from .lower.classes import ClassInfo, find_classes
from .scope import FileScope, Variable
from .syntax import blocks_of, dotted, returns, root_of
from .unique import OF_LIBRARIES

if TYPE_CHECKING:
    from .lower.context import Context
    from .project import Project
    from .unique import UniqueFunction


class Module:
    """One file.

    Parameters
    ----------
    path : str
        As messages name it.
    block : ast.Block
    scopes : FileScope
    project : Project
        The files that are translated together.
    name : str
        The Python module: "util.Stream".
    """

    def __init__(
        self, path: str, block: ast.Block, scopes: FileScope, project: Project, name: str
    ) -> None:
        self.path = path
        self.block = block
        self.scopes = scopes
        self.project = project
        self.name = name
        self.global_names: dict[str, str] = {}
        self.global_functions: dict[str, ast.Function] = {}
        self.classes: dict[int, ClassInfo] = {}
        self.class_parents: dict[Variable, ClassInfo] = {}
        self.class_variables: dict[Variable, ClassInfo] = {}
        self.method_of: dict[int, ClassInfo] = {}
        self.moved: set[int] = set()
        self.imports_at: dict[int, Callable[[Context], list[str]]] = {}
        self.required: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        self.hints: dict[int, str] = {}
        self.optional = project.optional
        self.extra: dict[int, list[str]] = {}
        self.bound: dict[int, list[Variable]] = {}
        self.gives_nothing: set[int] = set()
        self.forward: dict[int, set[Variable]] = {}
        self.loop_bodies: set[int] = set()
        self.continues: dict[str, int] = {}
        self.imported: dict[Variable, Module] = {}
        self.table_functions: dict[tuple[Variable, str], ast.Function] = {}
        self.marks: list[tuple[int, int]] = []
        self.exports: Variable | None = None
        self.renamed: dict[str, str] = {}
        self.reserved: frozenset[str] = frozenset()
        self.kept: list[Kept] = []
        self.preamble: list[str] = []
        self.given: dict[Variable, list[ast.Expression | None]] = {}
        named_args = any(
            v.name == "args" for s in (scopes.top, *scopes.scopes.values()) for v in s.variables
        )
        self.vararg = "rest" if named_args else "args"
        self.returns_early = _returns_early(block)
        self._tables_of_functions()
        self._unalias_packages()
        find_classes(block, self)
        for info in self.classes.values():
            self.collect_fields(info)
        last = block.statements[-1] if block.statements else None
        if isinstance(last, ast.Return) and len(last.values) == 1:
            only = last.values[0]
            if isinstance(only, ast.Name) and only.variable is not None:
                self.exports = only.variable

    def _unalias_packages(self) -> None:
        """Make locals that are `require 'torch'` and the like the packages themselves."""
        for statement in self.all_statements():
            if not isinstance(statement, ast.Local) or len(statement.names) != 1:
                continue
            variable = statement.names[0].variable
            package = required_name(statement.values[0]) if len(statement.values) == 1 else None
            if package not in library.PACKAGES or variable is None or variable.writes:
                continue
            if self.project.has(package) or self.scopes.global_writes.get(package):
                continue
            self.imports_at[id(statement)] = lambda c: []
            self.scopes.top.globals_read.add(package)
            for name in variable.names:
                name.name, name.variable = package, None
            variable.scope.variables.remove(variable)
            for scope in self.scopes.scopes.values():
                scope.captures.pop(variable, None)

    # -- classes --------------------------------------------------------------------------

    def add_class(self, statement: ast.Statement, info: ClassInfo) -> None:
        """Take a class that was found."""
        info.file = self.scopes
        self.classes[id(statement)] = info
        if info.parent_variable is not None:
            self.class_parents[info.parent_variable] = info
        if info.variable is not None:
            self.class_variables[info.variable] = info

    def collect_fields(self, info: ClassInfo) -> None:
        """Find the fields that the methods of a class assign."""
        for name, statement in info.methods.items():
            for key, value, certain in _assigned_fields(statement.function):
                certain = certain and name == "__init"
                info.fields[key] = info.fields.get(key, False) or certain
                info.values.setdefault(key, []).append(value)

    def self_types(self) -> dict[Variable, Type]:
        """Return the types of `self` in methods of classes, and of the classes' variables."""
        found: dict[Variable, Type] = {}
        for info in self.classes.values():
            if info.variable is not None:
                found[info.variable] = Type("class", detail=info)
            if info.parent_variable is not None:
                found[info.parent_variable] = Type("class", detail=None)
            for statement in info.methods.values():
                function = statement.function
                scope = self.scopes.scopes[id(function)]
                first = scope.variables[0] if scope.variables else None
                if first is None or first.writes:
                    continue
                if first.name == "self" or first.kind == "self":
                    found[first] = Type("object", detail=info)
        for defined in self.all_statements():
            if isinstance(defined, ast.FunctionStatement) and defined.method:
                this = self.scopes.scopes[id(defined.function)].variables[0]
                if _own_field(defined.target) is not None and not this.writes:
                    found.setdefault(this, TABLE)
        for variable, other in self.imported.items():
            kind = other.exported_type()
            if kind is not ANY:
                found[variable] = kind
        return found

    def find(self, required: str) -> Module | None:
        """Return the file of the program that `require` means here, None if there is none."""
        return self.project.find(required, self.path)

    # -- globals --------------------------------------------------------------------------

    def set_globals(self, own: dict[str, str]) -> None:
        """Say which globals are variables of this module alone, by their names in Python."""
        self.global_names = own

    def is_own_global(self, name: str) -> bool:
        """Whether a global is a variable of this module alone."""
        return name in self.global_names

    def is_shared_global(self, name: str) -> bool:
        """Whether some file of the program assigns a global that others may read."""
        return name in self.project.shared_globals

    def global_type(self, name: str) -> Type:
        """Return the type of a global."""
        if name in self.global_names:
            return ANY
        if self.is_shared_global(name):
            return self.project.shared_types.get(name, ANY)
        if name in library.PACKAGES or name in library.LIBRARIES:
            return Type("package", detail=name)
        if name == "arg":
            return TABLE
        known = name in library.GLOBALS or name in library.UNAVAILABLE or name == "_G"
        if not known and self.project.is_foreign(name):
            return Type("package", detail=name)
        return ANY

    def required_type(self, name: str) -> Type:
        """Return the type of what `require(name)` gives."""
        other = self.find(name)
        if other is not None:
            return other.exported_type()
        known = name in library.PACKAGES or name in library.SUBPACKAGES
        if known or name.partition(".")[0] in library.BRIDGED | library.MISSING:
            return Type("package", detail=name)
        return ANY

    def exported_type(self) -> Type:
        """Return the type of what the file returns."""
        if self.exports is None or self.returns_early:
            return ANY
        if self.exports in self.class_variables:
            return Type("class", detail=self.class_variables[self.exports])
        return TABLE if _is_table(self.exports) else ANY

    def known_function(self, node: ast.Expression) -> ast.Function | None:
        """Return the function that a global, or a field of a table of functions, always is."""
        if isinstance(node, ast.Name):
            if node.variable is not None:
                other = self.imported.get(node.variable)
                return None if other is None else other.exported_function()
            found = self.global_functions.get(node.name)
            return found or self.project.shared_functions.get(node.name)
        if not isinstance(node, ast.Index) or not isinstance(node.key, ast.String):
            return None
        if isinstance(node.table, ast.Name) and node.table.variable is not None:
            owner = node.table.variable
            other = self.imported.get(owner)
            if other is not None and other.exports is not None:
                found = other.table_functions.get((other.exports, node.key.value))
            else:
                found = self.table_functions.get((owner, node.key.value))
            if found is not None:
                return found
        unique = self.unique_function(node)
        return None if unique is None else unique.node

    def unique_function(self, node: ast.Expression) -> UniqueFunction | None:
        """Return the function that a field's name alone stands for, no method."""
        if not isinstance(node, ast.Index) or not isinstance(node.key, ast.String):
            return None
        if dotted(root_of(node)) in library.PACKAGES | library.LIBRARIES.keys():
            return None
        name = node.key.value
        found = self.project.unique.get(f".{name}")
        return None if found is None or found.method or name in OF_LIBRARIES else found

    def exported_function(self) -> ast.Function | None:
        """Return the function that the file returns, where it returns one always."""
        variable = self.exports
        if variable is None or self.returns_early or variable.writes or len(variable.values) != 1:
            return None
        only = variable.values[0]
        return only if isinstance(only, ast.Function) else None

    def all_statements(self) -> Iterator[ast.Statement]:
        """Yield the statements of the file and of all its functions."""
        yield from _all_statements(self.block)
        for scope in self.scopes.scopes.values():
            if scope.function is not None:
                yield from _all_statements(scope.function.body)

    def defined_names(self) -> dict[str, int | None]:
        """Return the fields that are functions, and how many arguments they take; None for any."""
        found: dict[str, int | None] = {}
        for target, value in self.scopes.field_writes:
            if isinstance(target.key, ast.String) and _may_be_function(value):
                name, most = target.key.value, None
                if isinstance(value, ast.Function) and not value.vararg:
                    most = len(value.parameters)
                known = found.get(name, 0)
                found[name] = None if most is None or known is None else max(most, known)
        return found

    def _tables_of_functions(self) -> None:
        """Find `local M = {}` with `function M.f() ... end`, where nothing else is ever M.f."""
        counts: dict[tuple[Variable, str], int] = {}
        found: dict[tuple[Variable, str], ast.Function] = {}
        for statement in self.all_statements():
            targets: list[ast.Name | ast.Index] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.FunctionStatement):
                targets = [statement.target]
            for target in targets:
                place = _own_field(target)
                if place is None:
                    continue
                counts[place] = counts.get(place, 0) + 1
                if isinstance(statement, ast.FunctionStatement) and not statement.method:
                    found[place] = statement.function
        self.table_functions = {p: f for p, f in found.items() if counts[p] == 1}

    # -- statements -----------------------------------------------------------------------

    def link(self) -> None:
        """Find requires, loops and functions, once the project knows all its files."""
        self._statements(self.block, top=True)
        for call in self.scopes.calls:
            if isinstance(call, ast.Call):
                self._call(call)
        for key, scope in self.scopes.scopes.items():
            function = scope.function
            assert function is not None
            found = frozenset(
                n.variable for n in _trailing_optional(function) if n.variable is not None
            )
            if found:
                self.optional[key] = found
            self._statements(function.body, top=False)

    def _statements(self, block: ast.Block, top: bool) -> None:
        for position, statement in enumerate(block.statements):
            if isinstance(statement, ast.Local):
                self._require(statement, top)
                if not statement.values:
                    self._forward(statement, block.statements[position + 1 :])
            if isinstance(statement, (ast.While, ast.Repeat, ast.NumericFor, ast.GenericFor)):
                self.loop_bodies.add(id(statement.body))
            if isinstance(statement, ast.CallStatement) and top:
                self._bare_require(statement)
            for inner in blocks_of(statement):
                self._statements(inner, top=False)

    def _forward(self, statement: ast.Local, later: list[ast.Statement]) -> None:
        """Find variables that are declared only so that functions defined below may use them."""
        found = {
            s.target.variable
            for s in later
            if isinstance(s, ast.FunctionStatement)
            and isinstance(s.target, ast.Name)
            and s.target.variable is not None
        }
        names = {n.variable for n in statement.names if n.variable is not None}
        late = {v for v in found & names if not v.in_loop}
        if late:
            self.forward[id(statement)] = late

    def _call(self, call: ast.Call) -> None:
        name = dotted(call.function)
        for argument in call.arguments:
            if isinstance(argument, ast.Function):
                self.hints[id(argument)] = _role(name or "")
        if name in ("pcall", "xpcall", "coroutine.wrap", "coroutine.create"):
            for argument in call.arguments[:1]:
                if isinstance(argument, ast.Function):
                    self.gives_nothing.add(id(argument))
        if name == "require" and call.arguments and isinstance(call.arguments[0], ast.String):
            package = call.arguments[0].value
            self.required[package] = None
            known = package in library.PACKAGES | library.PARTS | library.LIBRARIES.keys()
            known = known or package.partition(".")[0] in library.BRIDGED
            if self.find(package) is None and not known:
                self.missing[package] = None

    def _require(self, statement: ast.Local, top: bool) -> None:
        """Turn `local x = require 'y'` into an import."""
        if len(statement.names) != 1 or len(statement.values) != 1:
            return
        variable = statement.names[0].variable
        package = required_name(statement.values[0])
        if package is None or variable is None:
            return
        other = self.find(package)
        if other is None or not top or variable.writes:
            return
        self.imported[variable] = other

        def lines(c: Context) -> list[str]:
            name, exported = c.name_of(variable), other.exported_name()
            if exported is None:
                source = self.project.import_name(package, self.path)
                return [f"{name} = {c.use('require')}({quoted(str(source))})"]
            renamed = "" if exported == name else f" as {name}"
            source = self.project.import_name(package, self.path)
            return [f"from {source} import {exported}{renamed}"]

        self.imports_at[id(statement)] = lines

    def _bare_require(self, statement: ast.CallStatement) -> None:
        package = required_name(statement.call)
        if package is None:
            return
        if self.find(package) is None and package in library.PACKAGES:
            if statement.before or statement.after:
                self.imports_at[id(statement)] = lambda c: []
            else:
                self.moved.add(id(statement))

    def exported_name(self) -> str | None:
        """Return the name under which other files import what this one returns."""
        return None if self.returns_early else self.project.export_names.get(self.name)

    # -- while it is written --------------------------------------------------------------

    def mark(self, line: int, at: int) -> None:
        """Note which line of Python comes from a line of Lua."""
        self.marks.append((line, at))

    def put_exports(self, c: Context, node: ast.Return) -> None:
        """Write what the file returns, at its end."""
        from .lower.functions import returned

        if not node.values:
            return
        text = returned(c, node.values)
        name = self.project.export_names.get(self.name)
        if name is not None and text == name:
            c.put(f"exports = {name}")
        else:
            c.put(f"exports = {text}")


def _may_be_function(value: ast.Expression | None) -> bool:
    """Whether what is assigned to a field may be a function; what a method gives is none."""
    match value:
        case ast.Number() | ast.String() | ast.Boolean() | ast.Nil() | ast.TableConstructor():
            return False
        case ast.MethodCall() | ast.Unary():
            return False
        case ast.Binary(operator="or", left=left, right=right):
            return _may_be_function(left) or _may_be_function(right)
        case ast.Binary(operator="and", right=right):
            return _may_be_function(right)
        case ast.Binary():
            return False
        case ast.Paren(inner=inner):
            return _may_be_function(inner)
        case ast.Name(variable=variable) if variable is not None:
            if variable.kind == "parameter":
                return False
            known = not variable.unknown and not variable.several
            return not known or any(map(_may_be_function, variable.values))
        case ast.Call(function=function):
            return (dotted(function) or "").partition(".")[0] not in library.PACKAGES
    return True


def _role(callee: str) -> str:
    """Return what a function is called that is an argument of a known function."""
    if callee.startswith("optim."):
        return "feval"
    roles = {"pcall": "attempt", "xpcall": "attempt", "table.sort": "before"}
    roles |= {"string.gsub": "replacement", "coroutine.wrap": "generate"}
    return roles.get(callee, "function")


def _is_table(variable: Variable) -> bool:
    """Whether a variable is one table made in the file, from its start to its end."""
    values = variable.values
    return not variable.writes and len(values) == 1 and isinstance(values[0], ast.TableConstructor)


def _own_field(target: ast.Name | ast.Index) -> tuple[Variable, str] | None:
    if not isinstance(target, ast.Index) or not isinstance(target.key, ast.String):
        return None
    owner = target.table
    if not isinstance(owner, ast.Name) or owner.variable is None or not _is_table(owner.variable):
        return None
    return owner.variable, target.key.value


def _all_statements(block: ast.Block) -> Iterator[ast.Statement]:
    for statement in block.statements:
        yield statement
        for inner in blocks_of(statement):
            yield from _all_statements(inner)


def required_name(node: ast.Expression) -> str | None:
    """Return "x" for `require 'x'`."""
    if not isinstance(node, ast.Call) or dotted(node.function) != "require":
        return None
    only = node.arguments[0] if len(node.arguments) == 1 else None
    return only.value if isinstance(only, ast.String) else None


def _returns_early(block: ast.Block) -> bool:
    """Whether a file returns in the middle."""
    found = returns(block)
    return bool(found) and not (len(found) == 1 and found[0] is block.statements[-1])


def _assigned_fields(
    function: ast.Function,
) -> list[tuple[str, ast.Expression | None, bool]]:
    """Return the fields of `self` that a method assigns, what, and whether it always does."""
    found: list[tuple[str, ast.Expression | None, bool]] = []

    def visit(block: ast.Block, certain: bool) -> None:
        for statement in block.statements:
            if isinstance(statement, ast.Assign):
                values: list[ast.Expression | None] = list(statement.values)
                if len(values) != len(statement.targets):
                    values = [None] * len(statement.targets)
                found.extend(
                    (target.key.value, value, certain)
                    for target, value in zip(statement.targets, values, strict=True)
                    if isinstance(target, ast.Index)
                    and isinstance(target.table, ast.Name)
                    and target.table.name == "self"
                    and isinstance(target.key, ast.String)
                )
            for inner in blocks_of(statement):
                visit(inner, certain and isinstance(statement, ast.Do))
            if returns(ast.Block([statement])):
                certain = False

    visit(function.body, True)
    return found


def _trailing_optional(function: ast.Function) -> list[ast.Name]:
    """Return the last parameters that the body itself takes for optional."""
    tested: set[str] = set()

    def test(node: Any) -> None:
        if isinstance(node, ast.Name):
            tested.add(node.name)
        elif isinstance(node, ast.Unary) and node.operator == "not":
            test(node.operand)
        elif isinstance(node, ast.Paren):
            test(node.inner)
        elif (isinstance(node, ast.Binary) and node.operator in ("and", "or")) or (
            isinstance(node, ast.Binary)
            and node.operator in ("==", "~=")
            and isinstance(node.right, ast.Nil)
        ):
            test(node.left)

    for statement in function.body.statements:
        if isinstance(statement, ast.If):
            for condition, _ in statement.branches:
                test(condition)
        elif isinstance(statement, (ast.Local, ast.Assign)):
            for value in statement.values:
                if isinstance(value, ast.Binary) and value.operator == "or":
                    test(value)
    found: list[ast.Name] = []
    for name in reversed(function.parameters):
        if name.name not in tested:
            break
        found.append(name)
    return found
