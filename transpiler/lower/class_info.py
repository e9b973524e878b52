"""What is known of a class of the program: its methods, fields and family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .. import ast
from ..code import ATOM, Code
from ..kinds import ANY, TENSOR, Type, join
from ..names import is_attribute
from ..scope import FileScope, Variable
from ..syntax import may_be_several
from ..types import Types
from .class_names import MODULE_FIELDS, MODULE_METHODS, member
from .context import Context


@dataclass(eq=False, slots=True)
class ClassInfo:
    """A class of the program.

    Attributes
    ----------
    typename : str
        "nn.Affine".
    name : str
        In Python.
    parent_name : str or None
    parent : ClassInfo or None
        Where the program defines it too.
    variable, parent_variable : Variable or None
    place : Expression or None
        The table that the class becomes an entry of, where that is not its package.
    methods : dict
        The statements that define them, by Lua's names.
    family : list of ClassInfo
        The class, its parents and all that descend from it: whose methods may be meant.
    root_name : str
        The first of its parents that no file of the program defines; "" if there is none.
    file : FileScope
        Where it is defined.
    of_tables : bool
        It is a table that is the metatable of its objects: see `metatable_classes`.
    base : Name or None
        Of such a class the one that it inherits from.
    constants : frozenset of str
        What such a class has beside its methods.
    maker : str or None
        The function of such a class that is its `__init__`: "new".
    plain_maker : str or None
        The function that does no more than give a table its class.
    class_methods : frozenset of str
        What is called upon such a class itself.
    shadowed : frozenset of str
        Methods of whose names an object may have something of its own.
    defaults : list of Field
        What such a class has from the start beside its methods.
    """

    typename: str
    name: str
    parent_name: str | None
    variable: Variable | None
    parent_variable: Variable | None
    place: ast.Expression | None = None
    methods: dict[str, ast.FunctionStatement] = field(default_factory=dict)
    parent: ClassInfo | None = None
    fields: dict[str, bool] = field(default_factory=dict)
    values: dict[str, list[ast.Expression | None]] = field(default_factory=dict)
    family: list[ClassInfo] = field(default_factory=list)
    root_name: str = ""
    file: FileScope | None = None
    of_tables: bool = False
    base: ast.Name | None = None
    constants: frozenset[str] = frozenset()
    maker: str | None = None
    plain_maker: str | None = None
    class_methods: frozenset[str] = frozenset()
    shadowed: frozenset[str] = frozenset()
    defaults: list[ast.Field] = field(default_factory=list)

    # -- what is known of instances -----------------------------------------------------------

    def lineage(self) -> Iterator[ClassInfo]:
        """Yield the class and its parents, as far as the file defines them."""
        found: ClassInfo | None = self
        while found is not None:
            yield found
            found = found.parent

    @property
    def is_module(self) -> bool:
        """Whether it descends from one of nn's own classes."""
        return self.root_name.startswith("nn.")

    def method(self, name: str) -> ast.FunctionStatement | None:
        """Return the definition of a method, of this class or of a parent."""
        return next((c.methods[name] for c in self.lineage() if name in c.methods), None)

    def field_type(self, name: str, types: Types) -> Type | None:
        """Return the type of a field, from all that methods of the class assign to it."""

        def joined() -> Type | None:
            found: Type | None = None
            for info in self.lineage():
                for value in info.values.get(name, ()):
                    if value is None or info.file is not types.file:
                        found = ANY
                    else:
                        found = join(found, types.of_maybe(value))
            if self.typename.startswith("nn.") and name in ("output", "gradInput"):
                found = join(found, TENSOR)
            return found

        return types.field((id(self), name), joined)

    def method_results(self, name: str, types: Types) -> list[Type] | None:
        """Return the results of a method, where all classes agree about their number."""
        if self.method(name) is None:
            return None
        counts = {
            types.function_results(c.methods[name].function)
            for c in self.family
            if name in c.methods
        }
        count = counts.pop() if len(counts) == 1 else None
        if not count:
            return None if count is None else []
        first: Type | None = None
        for info in self.family:
            if name in info.methods:
                own = info.file is types.file
                first = join(first, types.first_result(info.methods[name].function) if own else ANY)
        return [first or ANY, *[ANY] * (count - 1)]

    def result_kinds(self, name: str, types: Types) -> list[Type | None] | None:
        """Return the types of a method's results, where one of the file's is always meant."""
        meant = [c.methods[name].function for c in self.family if name in c.methods]
        if len(meant) != 1 or types.function_results(meant[0]) is None:
            return None
        return types.of_functions.kinds(meant[0])

    def has_field(self, name: str) -> bool:
        """Whether instances have a field from the start, if only as None."""
        return any(name in c.fields for c in self.lineage()) or (
            self.is_module and name in MODULE_FIELDS
        )

    def has(self, name: str) -> bool:
        """Whether a class made of a table is known to have a field or function."""
        return any(name in k.methods or name in k.constants for k in self.lineage())

    def makes(self, name: str) -> bool:
        """Whether what is called upon such a class by a name makes an object of it."""
        return any(name in (k.maker, k.plain_maker) for k in self.lineage())

    def is_bound(self, name: str) -> bool:
        """Whether what such a class has under a name takes the class itself."""
        return any(name in k.class_methods for k in self.lineage())

    def read_field(self, c: Context, node: ast.Index, key: str) -> Code | None:
        """Return `self.key`, where that is sure to be there."""
        if not is_attribute(key) or self.method(key) is not None:
            return None
        if self.of_tables:
            from .tables import place

            return Code(place(c, node))
        # Objects of classes that are the program's own read as nil what they have not.
        plain = not self.root_name and key not in c.module.project.defined_names
        if not plain and not self.has_field(key):
            return None
        return Code(f"{c.expression(node.table).at(ATOM)}.{key}")

    def assigned_field(self, c: Context, node: ast.Index) -> str | None:
        """Return `self.key` to be assigned."""
        assert isinstance(node.key, ast.String)
        if self.of_tables:
            from .tables import place

            return place(c, node)
        return f"{c.expression(node.table).at(ATOM)}.{node.key.value}"

    def call_method(self, c: Context, node: ast.MethodCall) -> Code | None:
        """Return `self.name(...)` for a method whose parameters are known."""
        from .values import arguments

        name = node.method
        if not is_attribute(name):
            return None
        target = c.expression(node.object).at(ATOM)
        if self.method(name) is None:
            if self.is_module and name in MODULE_METHODS:
                return Code(f"{target}.{name}({', '.join(arguments(c, node.arguments))})")
            return None
        shapes = {
            (len(k.methods[name].function.parameters), k.methods[name].function.vararg)
            for k in self.family
            if name in k.methods
        }
        if len(shapes) > 1 or not self.method(name).method:  # type: ignore[union-attr]
            return None
        listed = padded(c, node.arguments, *shapes.pop())
        if self.of_tables:
            name = member(name)
        return None if listed is None else Code(f"{target}.{name}({', '.join(listed)})")


def relate(classes: Iterable[ClassInfo]) -> dict[str, ClassInfo]:
    """Tell the classes of a program of their parents and of one another; return them by name."""
    found = list(classes)
    by_name = {info.typename: info for info in found}
    for info in found:
        parent = by_name.get(info.parent_name or "")
        info.parent = None if parent is None or info in parent.lineage() else parent
    for info in found:
        lineage = list(info.lineage())
        root = lineage[-1].parent_name or ""
        info.root_name = "" if root in by_name else root
        for above in lineage[1:]:
            above.family.append(info)
        info.family += lineage
    return by_name


def given(c: Context, nodes: list[ast.Expression], function: ast.Function) -> list[str] | None:
    """Return arguments for a function; None as `padded`. What may be left out is."""
    listed = padded(c, nodes, len(function.parameters), function.vararg)
    late = c.module.optional.get(id(function), frozenset())
    left = function.parameters[len(nodes) :]
    if listed is None or function.vararg or any(name.variable not in late for name in left):
        return listed
    return listed[: len(nodes)]


def padded(c: Context, nodes: list[ast.Expression], wanted: int, vararg: bool) -> list[str] | None:
    """Return arguments filled up with None; None where there may be too many or too few."""
    from .values import arguments

    several = bool(nodes) and may_be_several(nodes[-1])
    if several:
        results = c.types.results(nodes[-1])
        if (results is None or len(results) != 1) and not (vararg and len(nodes) > wanted):
            return None
    if len(nodes) > wanted and not vararg:
        return None
    listed = arguments(c, nodes)
    return listed + ["None"] * (wanted - len(listed))
