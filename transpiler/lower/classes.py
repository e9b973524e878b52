"""`torch.class`: a Python class with the methods that the program gives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .. import ast
from ..code import ATOM, Code, quoted
from ..kinds import ANY, TENSOR, Type, join
from ..names import is_attribute
from ..scope import FileScope, Variable
from ..syntax import blocks_of, may_be_several
from ..text import words
from ..types import Types
from .context import Context

SPECIAL = {"__init": "__init__", "__tostring__": "__repr__", "__tostring": "__repr__"}
"""Methods whose names in Python differ."""

EVENTS = {
    "__add": "__add__",
    "__sub": "__sub__",
    "__mul": "__mul__",
    "__div": "__truediv__",
    "__mod": "__mod__",
    "__pow": "__pow__",
    "__unm": "__neg__",
    "__eq": "__eq__",
    "__lt": "__lt__",
    "__le": "__le__",
    "__call": "__call__",
    "__concat": "__concat__",
    "__tostring": "__repr__",
}
"""Metamethods that are methods of Python's."""

MODULE_FIELDS = frozenset(["output", "gradInput", "weight", "bias", "train", "_type"])
"""Fields that every module has, if only as None."""

PROTOCOL: dict[str, tuple[int, list[str]]] = {
    "updateOutput": (1, ["input"]),
    "updateGradInput": (2, ["input", "gradOutput"]),
    "accGradParameters": (2, ["input", "gradOutput", "scale"]),
    "accUpdateGradParameters": (2, ["input", "gradOutput", "lr"]),
    "forward": (1, ["input"]),
    "backward": (2, ["input", "gradOutput", "scale"]),
    "reset": (0, ["stdv"]),
    "type": (0, ["type", "tensorCache"]),
    "clearState": (0, []),
}
"""Methods that nn calls: how many arguments it always gives, and what all are called."""

CRITERION_PROTOCOL: dict[str, tuple[int, list[str]]] = {
    "updateOutput": (2, ["input", "target"]),
    "updateGradInput": (2, ["input", "target"]),
    "forward": (2, ["input", "target"]),
    "backward": (2, ["input", "target"]),
}

MODULE_METHODS = frozenset(
    words(
        """
        updateOutput updateGradInput accGradParameters forward backward reset
        zeroGradParameters updateParameters training evaluate type float double cuda
        clearState parameters getParameters add get size share clone apply listModules insert
        remove accUpdateGradParameters
        """
    )
)


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
        key = id(self), name
        if key not in types.fields:
            types.fields[key] = None  # while it is looked at
            found: Type | None = None
            for info in self.lineage():
                for value in info.values.get(name, ()):
                    if value is None or info.file is not types.file:
                        found = ANY
                    else:
                        found = join(found, types.of_maybe(value))
            if self.typename.startswith("nn.") and name in ("output", "gradInput"):
                found = join(found, TENSOR)
            types.fields[key] = found if found is not None or not types._settled else ANY
        return types.fields[key]

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

    def has_field(self, name: str) -> bool:
        """Whether instances have a field from the start, if only as None."""
        return any(name in c.fields for c in self.lineage()) or (
            self.is_module and name in MODULE_FIELDS
        )

    def has(self, name: str) -> bool:
        """Whether a class made of a table is known to have a field or function."""
        return any(name in k.methods or name in k.constants for k in self.lineage())

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
        return None if listed is None else Code(f"{target}.{name}({', '.join(listed)})")


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


# -- writing ----------------------------------------------------------------------------------


def class_statement(c: Context, info: ClassInfo) -> None:
    """Write the class with the methods that the block gives it."""
    from .comments import put_comments
    from .functions import define

    base = _base(c, info)
    if not info.of_tables:
        c.use("torch_class")
        place = "" if info.place is None else f", {c.expression(info.place)}"
        c.put(f"@torch_class({quoted(info.typename)}{place})")
    c.put(f"class {info.name}({base}):")
    with c.indented():
        tested = c.scopes.tested_fields
        late = [
            name
            for name, in_init in info.fields.items()
            if (not in_init or name in tested) and _needs_default(info, name)
        ]
        if info.of_tables:  # what a table lacks reads as None
            late = []
        for name in late:
            c.put(f"{name} = None")
        for position, (name, statement) in enumerate(info.methods.items()):
            if position or late:
                c.put()
            put_comments(c, statement.before)
            if statement.after is not None:
                put_comments(c, [statement.after])
            c.module.mark(statement.line, len(c.lines))
            c.line = statement.line
            function = statement.function
            takes_self = statement.method or (
                bool(function.parameters) and function.parameters[0].name == "self"
            )
            event = EVENTS.get(name) if info.of_tables else None
            if not takes_self and event is None:
                c.put("@staticmethod")
            c.module.method_of[id(function)] = info
            _follow_protocol(c, info, name, statement)
            define(c, function, event or SPECIAL.get(name, name), method=statement.method)


def _follow_protocol(
    c: Context, info: ClassInfo, name: str, statement: ast.FunctionStatement
) -> None:
    """Let a method take all that nn gives it, as Lua's methods do."""
    if not info.is_module or not statement.method or statement.function.vararg:
        return
    table = CRITERION_PROTOCOL if info.root_name.endswith("Criterion") else PROTOCOL
    always, names = table.get(name, (0, []))
    function = statement.function
    given = function.parameters
    late = frozenset(n.variable for n in given[always:] if n.variable is not None)
    if name in table:
        c.module.optional[id(function)] = c.module.optional.get(id(function), frozenset()) | late
    scope = c.scopes.scopes[id(function)]
    outer, c.scope = c.scope, scope
    c.module.extra[id(function)] = [
        c.fresh(text) + ("=None" if len(given) + i >= always else "")
        for i, text in enumerate(names[len(given) :])
    ]
    c.scope = outer


def _needs_default(info: ClassInfo, name: str) -> bool:
    if not is_attribute(name) or name in info.methods:
        return False
    if info.is_module and name in MODULE_FIELDS:
        return False
    return not any(name in c.fields for c in list(info.lineage())[1:])


def _base(c: Context, info: ClassInfo) -> str:
    if info.of_tables:
        return c.use("TableObject") if info.base is None else str(c.expression(info.base))
    if info.parent is not None and info.parent.file is info.file:
        return info.parent.name
    if info.parent_name is None:
        return c.use("TorchObject")
    package, _, rest = info.parent_name.partition(".")
    if package == "nn" and rest.isidentifier():
        if c.module.is_shared_global("nn"):
            return f"{c.use('G')}.nn.{rest}"
        return f"{c.use('nn')}.{rest}"
    return str(c.lua("class_named", quoted(info.parent_name)))


def super_call(c: Context, node: ast.Call) -> Code | None:
    """Return `super().method(...)` for `parent.method(self, ...)`."""
    from .values import arguments

    function = node.function
    if not (isinstance(function, ast.Index) and isinstance(function.key, ast.String)):
        return None
    owner = function.table
    if not (isinstance(owner, ast.Name) and owner.variable is not None):
        return None
    info = c.module.class_parents.get(owner.variable)
    if info is None or not node.arguments:
        return None
    given = node.arguments[0]
    key = SPECIAL.get(function.key.value, function.key.value)
    if not isinstance(given, ast.Name) or given.name != "self" or given.variable is None:
        return None
    above = None if info.parent is None else info.parent.method(function.key.value)
    listed = None
    if above is not None and above.method:
        taken = above.function
        listed = padded(c, node.arguments[1:], len(taken.parameters), taken.vararg)
    rest = ", ".join(arguments(c, node.arguments[1:]) if listed is None else listed)
    here = c.scope.function
    inside = here is not None and c.module.method_of.get(id(here)) is info
    if inside and given.variable.scope is c.scope:
        if above is not None and listed is None:  # more or fewer than it takes, perhaps
            return c.lua("call_all", ", ".join(filter(None, (f"super().{key}", rest))))
        return Code(f"super().{key}({rest})")
    self_text = c.name_of(given.variable)
    return Code(f"{_base(c, info)}.{key}({', '.join(filter(None, (self_text, rest)))})")


# -- finding ----------------------------------------------------------------------------------


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


def find_classes(block: ast.Block, found: Any) -> None:
    """Find the classes of a file, in all its blocks.

    Parameters
    ----------
    block : ast.Block
    found : Module
        Gets `classes`, `class_parents`, `moved`.
    """
    for position, statement in enumerate(block.statements):
        for inner in blocks_of(statement):
            find_classes(inner, found)
        info = _class_of(statement)
        if info is None:
            continue
        variable = info.variable
        if variable is not None and (variable.writes or variable.unknown is None):
            continue
        for later in block.statements[position + 1 :]:
            if not isinstance(later, ast.FunctionStatement) or not isinstance(
                later.target, ast.Index
            ):
                continue
            target = later.target
            if not isinstance(target.key, ast.String) or not _names(target.table, info):
                continue
            key = target.key.value
            if key in info.methods or not (is_attribute(key) or _is_special(key)):
                continue
            info.methods[key] = later
            found.moved.add(id(later))
        found.add_class(statement, info)


def _is_special(key: str) -> bool:
    """Whether Python does not change a name of two underscores inside a class."""
    return key in SPECIAL or (key.startswith("__") and key.endswith("__"))


def _names(node: ast.Expression, info: ClassInfo) -> bool:
    if isinstance(node, ast.Name):
        return node.variable is info.variable and info.variable is not None
    return (
        info.variable is None
        and isinstance(node, ast.Index)
        and isinstance(node.table, ast.Name)
        and isinstance(node.key, ast.String)
        and f"{node.table.name}.{node.key.value}" == info.typename
    )


def _class_of(statement: ast.Statement) -> ClassInfo | None:
    variable = parent_variable = None
    name = None
    if isinstance(statement, ast.Local) and len(statement.values) == 1:
        call = statement.values[0]
        variable = statement.names[0].variable
        name = statement.names[0].name
        if len(statement.names) > 2:
            return None
        if len(statement.names) == 2:
            parent_variable = statement.names[1].variable
    elif isinstance(statement, ast.CallStatement):
        call = statement.call
    else:
        return None
    if not isinstance(call, ast.Call) or not 0 < len(call.arguments) < 4:
        return None
    from ..syntax import dotted

    given = list(call.arguments)
    place = given.pop() if not isinstance(given[-1], ast.String) else None
    texts = [a.value for a in given if isinstance(a, ast.String)]
    if dotted(call.function) != "torch.class" or len(texts) != len(given) or not texts:
        return None
    if place is not None and not isinstance(place, (ast.Name, ast.Index)):
        return None
    last = texts[0].rpartition(".")[2]
    if name is None:
        name = last
    if not last.isidentifier():
        return None
    parent = texts[1] if len(texts) > 1 else None
    return ClassInfo(texts[0], name, parent, variable, parent_variable, place)
