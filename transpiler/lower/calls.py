"""Calls: of functions known by name, of packages, of methods, and of anything else."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ast, library, natives
from ..call_results import is_new, maker_of
from ..code import ATOM, Code, quoted
from ..kinds import Type
from ..names import is_attribute, python_name
from ..syntax import dotted, may_be_several
from ..text import words
from .class_info import ClassInfo, given
from .class_names import HIDDEN, member
from .context import Context
from .tables import place, plain_fields_of
from .values import arguments


def call(c: Context, node: ast.Call | ast.MethodCall) -> Code:
    """Return a call's first result."""
    from ..idioms import first_result

    special = _special(c, node) or first_result(c, node)
    if special is not None:
        return special
    plain, single = _dispatch(c, node, "call", "invoke")
    if single:
        return plain
    results = c.types.results(node)
    if results is None:
        return c.lua("first", plain)
    return plain if len(results) < 2 else Code(f"{plain.at(ATOM)}[0]")


def all_results(c: Context, node: ast.Expression) -> Code:
    """Return a call, or `...`, with all its results: a tuple where they are not one."""
    if isinstance(node, ast.Vararg):
        return Code(c.module.vararg)
    assert isinstance(node, (ast.Call, ast.MethodCall))
    special = _special(c, node)
    if special is not None:
        return special
    return _dispatch(c, node, "call_all", "invoke_all")[0]


def call_for_effect(c: Context, node: ast.Call | ast.MethodCall) -> Code:
    """Return a call as a statement."""
    special = _special(c, node)
    if special is not None:
        return special
    return _dispatch(c, node, "call", "invoke")[0]


def _special(c: Context, node: ast.Call | ast.MethodCall) -> Code | None:
    from ..idioms import SPECIAL_CALLS, string_format

    if isinstance(node, ast.MethodCall):
        texts = c.type_of(node.object).kind == "string" or c.types.is_string_method(node)
        if node.method == "format" and texts:
            return string_format(c, node.object, node.arguments)
        return None
    from .classes import super_call

    above = super_call(c, node)
    if above is not None:
        return above
    name = dotted(node.function)
    if name is None or c.module.is_own_global(name.partition(".")[0]):
        return None
    special = SPECIAL_CALLS.get(name)
    return None if special is None else special(c, node)


def _dispatch(
    c: Context, node: ast.Call | ast.MethodCall, any_call: str, any_method: str
) -> tuple[Code, bool]:
    """Return a call and whether it is sure to give one value only."""
    if isinstance(node, ast.MethodCall):
        return method(c, node, any_method)
    function = node.function
    known = known_function(c, function)
    if known is not None:
        direct = _known(c, node, known)
        if direct is not None:
            return direct, False
    name = dotted(function)
    if name is not None and not c.module.is_own_global(name.partition(".")[0]):
        root, _, rest = name.partition(".")
        shared = c.module.is_shared_global(root)
        in_library = root in library.LIBRARIES and rest in library.LIBRARIES[root]
        if not shared and (name in library.GLOBALS or in_library):
            return _direct(c, node), False
    kind = c.type_of(function)
    if kind.kind == "class" and kind.detail is not None:
        built = _constructed(c, node, kind)
        if built is not None:
            return built, True
    owner = c.type_of(function.table) if isinstance(function, ast.Index) else None
    if owner is not None and isinstance(function, ast.Index):
        made = maker_of(function, owner)
        if made is not None:
            return _made(c, node, function, made), True
        if is_new(c.types, function, owner) and dotted(function) is None:
            c.use("tensor")
            listed = ", ".join([str(c.expression(function.table)), *arguments(c, node.arguments)])
            return Code(f"tensor.new_like({listed})"), True
    odd = kind.kind == "class" and kind.detail is not None and kind.detail.method("__init")
    package = kind.kind == "package" or (owner is not None and owner.kind == "package")
    if not odd and (kind.kind == "class" or package):
        return _direct(c, node), kind.kind == "class"
    if _is_initializer(function) and node.arguments:
        return _direct(c, node), True
    several = bool(node.arguments) and may_be_several(node.arguments[-1])
    if kind.kind == "module" and not several:
        return Code(f"{c.expression(function).at(ATOM)}({_joined(c, node.arguments)})"), True
    target = c.expression(function)
    listed = ", ".join([str(target), *arguments(c, node.arguments)])
    found = c.lua(any_call, listed, reason="what is called is unknown")
    return found, any_call == "call"


def _made(c: Context, node: ast.Call, function: ast.Index, info: ClassInfo) -> Code:
    """Return `C(...)` for `C.new(...)`, where that function is the class's `__init__`."""
    taken = info.methods["__init"].function
    listed = given(c, node.arguments[: len(taken.parameters)], taken)
    target = c.expression(function.table).at(ATOM)
    if listed is None:
        return c.lua("call", ", ".join([target, *arguments(c, node.arguments)]))
    return Code(f"{target}({', '.join(listed)})")


def _constructed(c: Context, node: ast.Call, kind: Type) -> Code | None:
    """Return the construction of an object of a class of the file."""
    start = kind.detail.method("__init")
    if start is None:
        return None
    listed = given(c, node.arguments, start.function)
    if listed is None:
        return None
    return Code(f"{c.expression(node.function).at(ATOM)}({', '.join(listed)})")


def _is_initializer(node: ast.Expression) -> bool:
    return (
        isinstance(node, ast.Index)
        and isinstance(node.key, ast.String)
        and node.key.value == "__init"
    )


def _joined(c: Context, nodes: Sequence[ast.Expression]) -> str:
    return ", ".join(arguments(c, nodes))


def _direct(c: Context, node: ast.Call) -> Code:
    hint = dotted(node.function)
    if hint in library.ARITY or hint in ("print", "select"):
        listed = arguments(c, node.arguments, library.ARITY.get(hint))
        return Code(f"{c.expression(node.function)}({', '.join(listed)})")
    return Code(f"{c.expression(node.function).at(ATOM)}({_joined(c, node.arguments)})")


def known_function(c: Context, function: ast.Expression) -> ast.Function | None:
    """Return the function that a name always stands for, if that is known."""
    return c.types.known_function(function)


def _known(c: Context, node: ast.Call, known: ast.Function) -> Code | None:
    """Return a plain call of a function whose parameters are known."""
    nodes = list(node.arguments)
    wanted = len(known.parameters)
    if known.vararg:
        if len(nodes) < wanted and nodes and may_be_several(nodes[-1]):
            return None
        given = arguments(c, nodes)
        given += ["None"] * (wanted - len(given))
    elif nodes and may_be_several(nodes[-1]) and len(nodes) < wanted:
        results = c.types.results(nodes[-1])
        if results is None or len(nodes) - 1 + len(results) > wanted:
            return None
        given = arguments(c, nodes)
        given += ["None"] * (wanted - len(nodes) + 1 - len(results))
    elif len(nodes) > wanted:
        return None
    else:
        given = [str(c.expression(n)) for n in nodes]
        optional = c.module.optional.get(id(known), frozenset())
        for name in known.parameters[len(given) :]:
            if name.variable not in optional:
                given = given + ["None"] * (wanted - len(given))
                break
    return Code(f"{_callee(c, node.function)}({', '.join(given)})")


def _callee(c: Context, function: ast.Expression) -> str:
    """Return a known function as it is called: as a field where its name alone tells."""
    if isinstance(function, ast.Index) and c.type_of(function.table).kind == "any":
        return place(c, function)
    return c.expression(function).at(ATOM)


# -- methods ----------------------------------------------------------------------------------


def method(c: Context, node: ast.MethodCall, any_method: str) -> tuple[Code, bool]:
    """Return `object:name(...)`."""
    owner = c.type_of(node.object)
    name = node.method
    if name == "parameters" and _may_be_module(owner):  # nn has lists, programs have tables
        upon = ", ".join([str(c.expression(node.object)), quoted(name)])
        return c.lua(any_method, upon, reason="tables of parameters"), any_method == "invoke"
    if owner.kind == "native" and natives.has_method(owner, name):
        native = f"{c.expression(node.object).at(ATOM)}.{python_name(name)}"
        return Code(f"{native}({_joined(c, node.arguments)})"), False
    texts = owner.kind == "string" or c.types.is_string_method(node)
    if texts and name in library.STRING_METHODS:
        c.use("string")
        return _function_form(c, f"string.{name}", node), False
    tensors = owner.kind == "tensor" or c.types.is_tensor_method(owner, node)
    if tensors and is_attribute(name):
        from ..idioms import size_of

        shape = size_of(c, node, owner)
        if shape is not None:
            return shape, True
        c.use("tensor")
        return _function_form(c, f"tensor.{name}", node), False
    if owner.kind == "object" and owner.detail is not None:
        found: Code | None = owner.detail.call_method(c, node)
        if found is not None:
            return found, False
    if owner.kind == "class" and owner.detail is not None and owner.detail.of_tables:
        built = _upon_class(c, node, owner.detail)
        if built is not None:
            return built, True
    if owner.kind == "options" and name in OPTIONS_METHODS:
        listed = ", ".join(arguments(c, node.arguments))
        return Code(f"{c.expression(node.object).at(ATOM)}.{name}({listed})"), False
    if owner.kind == "module" and is_attribute(name) and _is_known_method(c, node, owner):
        module = c.expression(node.object).at(ATOM)
        return Code(f"{module}.{name}({_joined(c, node.arguments)})"), False
    if owner.kind == "module" and _is_other_of_nn(c, node):
        module = c.expression(node.object).at(ATOM)
        return Code(f"{module}.{name}({_joined(c, node.arguments)})"), False
    named = _unique_method(c, node, owner)
    if named is not None:
        return named, False
    if owner.kind == "any" and _is_of_tensors(c, node):
        c.use("tensor")
        return _function_form(c, f"tensor.{name}", node), False
    if owner.kind == "any" and _is_by_name(c, node):
        return Code(
            f"{c.expression(node.object).at(ATOM)}.{name}({_joined(c, node.arguments)})"
        ), False
    if owner.kind == "any" and _is_of_nn(c, node):
        module = c.expression(node.object).at(ATOM)
        return Code(f"{module}.{name}({_joined(c, node.arguments)})"), False
    target = c.expression(node.object)
    listed = ", ".join([str(target), quoted(name), *arguments(c, node.arguments)])
    found = c.lua(any_method, listed, reason="what is called is unknown")
    return found, any_method == "invoke"


def _upon_class(c: Context, node: ast.MethodCall, info: ClassInfo) -> Code | None:
    """Return `C(...)` for `C:new(...)`, and `C.make(...)` for what else makes its objects."""
    target = c.expression(node.object).at(ATOM)
    name = node.method
    for k in info.lineage():
        if k.maker == name:
            taken = k.methods["__init"].function
            listed = given(c, node.arguments[: len(taken.parameters)], taken)
            return None if listed is None else Code(f"{target}({', '.join(listed)})")
        if k.plain_maker == name:
            start = node.arguments[0] if node.arguments else ast.Nil(node.line, node.column)
            if isinstance(start, ast.Nil):
                return Code(f"{target}()")
            assert isinstance(start, ast.TableConstructor)
            fields = plain_fields_of(c, start)
            if fields is not None:
                return Code(f"{target}({fields})")
            return Code(f"{c.use('setmetatable')}({c.expression(start)}, {target})")
        if name in k.class_methods:
            listed = given(c, node.arguments, k.methods[name].function)
            if listed is None:
                return None
            return Code(f"{target}.{member(name)}({', '.join(listed)})")
        if name in k.methods:
            return None
    return None


def _may_be_module(owner: Type) -> bool:
    of_nn = owner.kind == "object" and owner.detail is not None and owner.detail.is_module
    return owner.kind in ("any", "module") or of_nn


def _unique_method(c: Context, node: ast.MethodCall, owner: Type) -> Code | None:
    """Return a call of the only method of the program that has this name.

    A table's method is a field that takes the table; objects of classes have methods.
    """
    from .class_info import padded

    found = c.types.unique_method(owner, node.method)
    if found is None or not is_attribute(node.method):
        return None
    of_table = not found.in_class
    if of_table and not (owner.kind == "table" and isinstance(node.object, ast.Name)):
        return None
    function = found.node
    listed = padded(c, node.arguments, len(function.parameters), function.vararg)
    if listed is None:
        return None
    target = c.expression(node.object).at(ATOM)
    if of_table:
        listed = [target, *listed]
    if node.method in HIDDEN:
        return None
    return Code(f"{target}.{node.method}({', '.join(listed)})")


def _is_other_of_nn(c: Context, node: ast.MethodCall) -> bool:
    """Whether a module's method is one of nn's own, which no file of the program defines."""
    name = node.method
    several = bool(node.arguments) and may_be_several(node.arguments[-1])
    return name in NN_OTHERS and name not in c.module.project.defined_names and not several


def _is_of_tensors(c: Context, node: ast.MethodCall) -> bool:
    """Whether it is `x:size()` where no object of the program has that method.

    Containers and storages of Torch have it too, and `tensor.size` calls theirs.
    """
    return node.method == "size" and node.method not in c.module.project.defined_names


def _is_by_name(c: Context, node: ast.MethodCall) -> bool:
    """Whether a call's name and arguments alone say what its object is.

    To what is given a module, that module is added; options are declared with a name.
    """
    if node.method in c.module.project.defined_names or node.method in c.scopes.made_fields:
        return False
    given = node.arguments
    if node.method == "add":
        return len(given) == 1 and c.type_of(given[0]).kind == "module"
    first = given[0] if given and not may_be_several(given[-1]) else None
    declared = isinstance(first, ast.String) and first.value.startswith("-")
    return node.method == "option" and declared


def _is_of_nn(c: Context, node: ast.MethodCall) -> bool:
    """Whether a method's name alone says that its object is one of nn's: see `fields`."""
    most = c.module.project.nn_methods.get(node.method, -1)
    if len(node.arguments) > most:
        return False
    if node.arguments and may_be_several(node.arguments[-1]):
        results = c.types.results(node.arguments[-1])
        return results is not None and len(results) == 1
    return True


def _function_form(c: Context, function: str, node: ast.MethodCall) -> Code:
    arity = library.ARITY.get(function)
    most = None if arity is None else arity - 1
    listed = [str(c.expression(node.object)), *arguments(c, node.arguments, most)]
    return Code(f"{function}({', '.join(listed)})")


def _is_known_method(c: Context, node: ast.MethodCall, owner: Type) -> bool:
    return node.method in MODULE_METHODS and c.types.results(node) is not None


NN_OTHERS = frozenset(["type", "findModules", "sharedClone", "remember", "forget"])
"""More of them, whose results vary or that not all modules have."""

OPTIONS_METHODS = frozenset(
    words("option text parse argument log error string addTime silent help default")
)
"""Methods of a torch.CmdLine."""

MODULE_METHODS = frozenset(
    words(
        """
        add get forward backward updateOutput updateGradInput accGradParameters
        zeroGradParameters updateParameters getParameters training evaluate clone share cuda
        double float size insert remove apply listModules clearState reset noBias
        setNumInputDims ceil floor replace
        """
    )
)
"""Methods of nn's classes that may be called as Python calls methods."""
