"""A Lua file on its way: what is known of it before it is written as Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from . import ast, library
from .definitions import (
    all_statements,
    assigned_fields,
    is_table,
    own_field,
    returns_early,
    tables_of_functions,
)
from .diagnostics import Kept
from .kinds import ANY, MODULE, TABLE, Type
from .linking import required_first, unalias_packages
from .lower.class_info import ClassInfo
from .lower.torch_classes import find_classes
from .scope import FileScope, Variable
from .syntax import alias_of, dotted, root_of
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
        self.no_classes: dict[Variable, str] = {}
        self.method_of: dict[int, ClassInfo] = {}
        self.moved: set[int] = set()
        self.imports_at: dict[int, Callable[[Context], list[str]]] = {}
        self.required: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        self.catches = False  # errors, and so may count on them
        self.hears = False  # what they say
        self.hints: dict[int, str] = {}
        self.optional = project.optional
        self.extra: dict[int, list[str]] = {}
        self.bound: dict[int, list[Variable]] = {}
        self.gives_nothing: set[int] = set()
        self.forward: dict[int, set[Variable]] = {}
        self.loop_bodies: set[int] = set()
        self.continues: dict[str, int] = {}
        self.imported: dict[Variable, Module] = {}
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
        self.returns_early = returns_early(block)
        self.table_functions = tables_of_functions(self.all_statements())
        unalias_packages(self)
        find_classes(block, self)
        for info in self.classes.values():
            self.collect_fields(info)
        last = block.statements[-1] if block.statements else None
        if isinstance(last, ast.Return) and len(last.values) == 1:
            only = last.values[0]
            if isinstance(only, ast.Name) and only.variable is not None:
                self.exports = only.variable

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
            for key, value, certain in assigned_fields(statement.function):
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
            for name, statement in info.methods.items():
                function = statement.function
                scope = self.scopes.scopes[id(function)]
                first = scope.variables[0] if scope.variables else None
                if first is None or first.writes:
                    continue
                if name in info.class_methods:
                    found[first] = Type("class", detail=info)
                elif first.name == "self" or first.kind == "self":
                    found[first] = Type("object", detail=info)
        for defined in self.all_statements():
            if isinstance(defined, ast.FunctionStatement) and defined.method:
                this = self.scopes.scopes[id(defined.function)].variables[0]
                if this.writes:
                    continue
                if own_field(defined.target) is not None:
                    found.setdefault(this, TABLE)
                elif self._is_of_nn(defined.target):
                    found.setdefault(this, MODULE)
        for variable, other in self.imported.items():
            kind = other.exported_type()
            if kind is not ANY:
                found[variable] = kind
        return found

    def _is_of_nn(self, target: ast.Name | ast.Index) -> bool:
        """Whether `function nn.Module:f()` gives a class of nn a method, maybe by another name."""
        owner = target.table if isinstance(target, ast.Index) else None
        if isinstance(owner, ast.Name) and owner.variable is not None:
            owner = alias_of(owner.variable)
        package, _, name = ("" if owner is None else dotted(owner) or "").partition(".")
        own = self.is_shared_global("nn") or "nn" in self.scopes.global_writes
        is_class = name.isidentifier() and name[:1].isupper()
        return package == "nn" and is_class and not name.endswith("Criterion") and not own

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

    def is_bridged_global(self, name: str) -> bool:
        """Whether a global is a package of the bridge: Penlight's, or one that is required.

        One that is required under a condition only may not be installed.
        """
        if name not in library.PENLIGHT | library.BRIDGED or not self.project.is_foreign(name):
            return False
        files = self.project.modules.values()
        return name in library.PENLIGHT or any(name in required_first(m.block) for m in files)

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
        return TABLE if is_table(self.exports) else ANY

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
        yield from all_statements(self.block)
        for scope in self.scopes.scopes.values():
            if scope.function is not None:
                yield from all_statements(scope.function.body)

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
