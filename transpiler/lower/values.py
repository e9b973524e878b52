"""Literals, names, fields and lists of values."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ast, library
from ..code import ATOM, UNARY, Code, quoted
from ..kinds import Type
from ..names import is_attribute
from ..nn_fields import NN_FIELDS
from ..syntax import dotted, may_be_several
from .class_names import HIDDEN, MODULE_FIELDS, MODULE_METHODS
from .context import Context
from .dicts import KINDS, read


def nil(c: Context, node: ast.Nil) -> Code:
    """`nil`."""
    return Code("None")


def boolean(c: Context, node: ast.Boolean) -> Code:
    """Return `true` or `false`."""
    return Code("True" if node.value else "False")


def number(c: Context, node: ast.Number) -> Code:
    """Return a number, spelled as in Lua where Python reads it alike."""
    value = node.value
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            return Code(f'float("{value}")')
        if value.is_integer() and abs(value) < 2**53 and "e" not in node.text.lower():
            return Code(str(int(value)))
    text = node.text.lower()
    plain = text.rstrip("ul") if text.endswith("ll") else text
    if isinstance(value, int):
        return Code(plain if plain.startswith("0x") and "." not in plain else str(value))
    return Code(plain if _reads_alike(plain, value) else repr(value))


def _reads_alike(text: str, value: float) -> bool:
    try:
        return float(text) == value and not text.endswith(".")
    except ValueError:
        return False


def string(c: Context, node: ast.String) -> Code:
    """Return text; several lines stay several lines."""
    value = node.value
    if value.count("\n") > 1 and len(value) > 60:
        if _is_plain(value):
            return Code('"""\\\n' + value.replace("\\", "\\\\") + '"""')
        return Code(" ".join(map(quoted, value.splitlines(keepends=True))))
    return Code(quoted(value))


def _is_plain(text: str) -> bool:
    lines = text.split("\n")
    return (
        all(line.isascii() and line.isprintable() and '"""' not in line for line in lines)
        and all(line == line.rstrip() for line in lines)
        and not text.endswith('"')
    )


def vararg(c: Context, node: ast.Vararg) -> Code:
    """`...` where one value is wanted."""
    return c.lua("first", c.module.vararg)


def name(c: Context, node: ast.Name) -> Code:
    """Return a variable: a local, one of the module, a library, or a global of the program."""
    if node.variable is not None:
        below = c.module.class_parents.get(node.variable)
        if below is not None:  # `local C, parent = torch.class(...)`: no variable holds it
            from .classes import base_of

            return Code(base_of(c, below))
        return Code(c.read(node.variable))
    return global_name(c, node)


def global_name(c: Context, node: ast.Name) -> Code:
    """Return a global variable."""
    text = node.name
    if c.module.is_own_global(text):
        return Code(c.module.global_names[text])
    if not c.module.is_shared_global(text):
        if text in library.PYTHON_NAMES:
            c.use("lua")
            return Code(library.PYTHON_NAMES[text])
        if text in library.GLOBALS or text in library.LIBRARIES or text in library.PACKAGES:
            return Code(c.use(text))
        if text == "arg" or c.module.is_bridged_global(text):
            return Code(c.use(text))
        if text in library.UNAVAILABLE:
            c.diagnose(library.UNAVAILABLE[text], f"'{text}' is not translated", node)
            return Code(f"{c.lua('unavailable', quoted(text))}")
    if text == "_G":
        return Code(c.use("G"))
    c.use("G")
    return Code(shared_place(text))


def shared_place(name: str) -> str:
    """Return where a global is in the runtime's table, which has methods of its own."""
    return f"G.{name}" if is_attribute(name) and name not in HIDDEN else f"G[{quoted(name)}]"


def index(c: Context, node: ast.Index) -> Code:
    """`t[k]`, `t.k`."""
    from ..idioms import part_of, python_part
    from .tables import place

    if c.type_of(node.table).kind == "list":
        return Code(place(c, node))
    if c.type_of(node.table).kind in KINDS:
        return read(c, node)
    plain = python_part(c, node)
    if plain is not None:
        return plain
    parts = part_of(c, node)
    if parts is not None:
        c.use("tensor")
        return Code(f"tensor.part({c.expression(node.table)}, {', '.join(parts)})")
    owner = c.type_of(node.table)
    key = node.key.value if isinstance(node.key, ast.String) else None
    full = dotted(node)
    if full is not None:
        known = _library_member(c, node, full)
        if known is not None:
            return known
    if key is not None and owner.kind == "package" and is_attribute(key):
        return Code(f"{c.expression(node.table).at(ATOM)}.{key}")
    if key is not None and is_of_tables(owner) and owner.kind == "class":
        if is_attribute(key) and owner.detail.has(key) and not owner.detail.is_bound(key):
            return Code(place(c, node))
        return c.lua("index", c.expression(node.table), c.expression(node.key))
    if key is not None and is_attribute(key) and c.type_of(node).kind == "class":
        return Code(f"{c.expression(node.table).at(ATOM)}.{key}")
    if key is not None and owner.kind == "object" and owner.detail is not None:
        found: Code | None = owner.detail.read_field(c, node, key)
        if found is not None:
            return found
    if owner.kind == "module" and key is not None and is_module_field(c, key):
        return Code(f"{c.expression(node.table).at(ATOM)}.{key}")
    if key == "__init" and owner.kind in ("class", "any"):
        return Code(f"{c.expression(node.table).at(ATOM)}.__init__")
    of_table = owner.kind == "object" and is_of_tables(owner) and key is None
    if owner.kind == "table" or of_table:
        return Code(place(c, node))
    table = c.expression(node.table)
    if is_plain_field(c, node) or is_read_plainly(c, node):
        return Code(f"{table.at(ATOM)}.{key}")
    if key is not None and owner.kind == "class" and is_attribute(key):
        return Code(f"{table.at(ATOM)}.{key}")
    return c.lua(
        "index", table, c.expression(node.key), reason="what is indexed is of unknown type"
    )


def is_of_tables(kind: Type) -> bool:
    """Whether it is a class, or an object of one, that is made of a table."""
    return kind.kind in ("class", "object") and kind.detail is not None and kind.detail.of_tables


def is_module_field(c: Context, key: str) -> bool:
    """Whether a field of a module of nn is read as an attribute: it is there, or not asked for."""
    if key in MODULE_FIELDS:
        return True
    return key in NN_FIELDS and key not in MODULE_METHODS and key not in c.scopes.tested_fields


def is_plain_field(c: Context, node: ast.Index) -> bool:
    """Whether a field is an attribute of whatever has it: see `fields`."""
    if not isinstance(node.key, ast.String) or node.key.value not in c.module.project.plain_fields:
        return False
    owner = c.type_of(node.table)
    if isinstance(node.table, ast.Vararg):
        return False
    return owner.kind in ("any", "object", "module", "native")


def is_read_plainly(c: Context, node: ast.Index) -> bool:
    """Whether a field that must be there is an attribute: what has it has it in both languages."""
    of_any = c.type_of(node.table).kind in ("any", "object", "module", "native")
    return of_any and id(node) in c.demanded and _is_attribute_of_all(node)


def is_assigned_plainly(c: Context, node: ast.Index) -> bool:
    """Whether a field that is assigned is an attribute: its name is that of no method."""
    of_any = c.type_of(node.table).kind in ("any", "module", "native")
    taken = isinstance(node.key, ast.String) and node.key.value in c.module.project.method_names
    return of_any and not taken and _is_attribute_of_all(node)


def _is_attribute_of_all(node: ast.Index) -> bool:
    key = node.key.value if isinstance(node.key, ast.String) else None
    if key is None or isinstance(node.table, ast.Vararg) or not is_attribute(key):
        return False
    own = ("_map", "_metatable", "_array_end")
    return key.isascii() and key not in HIDDEN and key not in own


def _library_member(c: Context, node: ast.Index, full: str) -> Code | None:
    root, _, rest = full.partition(".")
    if c.module.is_own_global(root) or c.module.is_shared_global(root) or not is_attribute(rest):
        return None
    if root in library.LIBRARIES:
        if rest in library.LIBRARIES[root] or full in library.CONSTANTS:
            return Code(f"{c.use(root)}.{rest}")
        return None
    if root == "debug" and rest not in ("traceback", "getmetatable"):
        c.diagnose("RK108", f"'{full}' is not translated", node)
    if root == "coroutine" and rest == "yield":
        return Code(f'{c.use(root)}["yield"]')
    return None


def paren(c: Context, node: ast.Paren) -> Code:
    """`(e)`: Python's brackets follow from what binds how tightly, so none are written here."""
    return c.expression(node.inner)


def arguments(c: Context, nodes: Sequence[ast.Expression], most: int | None = None) -> list[str]:
    """Return the values of a list, the last of which may be several.

    `most` is the number of values that are looked at, where it is known.
    """
    if not nodes:
        return []
    if most is not None and len(nodes) >= most:
        return [str(c.expression(node)) for node in nodes[:most]]
    found = [str(c.expression(node)) for node in nodes[:-1]]
    found.append(last_argument(c, nodes[-1]))
    return [text for text in found if text]


def last_argument(c: Context, node: ast.Expression) -> str:
    """Return the last value of a list, with a star where it may be several; "" if it is none."""
    if not may_be_several(node):
        return str(c.expression(node))
    if isinstance(node, ast.Vararg):
        return f"*{c.module.vararg}"
    results = c.types.results(node)
    if results is not None and len(results) == 1:
        return str(c.expression(node))
    from .calls import all_results

    if results is not None and not results:
        return f"*{c.lua('nothing', all_results(c, node))}"
    if results is not None and len(results) > 1:
        return f"*{all_results(c, node)}"
    return f"*{c.lua('spread', all_results(c, node))}"


def unary_minus(text: Code) -> Code:
    """Return `-text`."""
    return Code(f"-{text.at(UNARY)}", UNARY)
