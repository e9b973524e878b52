"""What the visitors share: the file's facts, the lines written so far, and how to visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import ast
from ..code import Code
from ..diagnostics import Diagnostic, RuntimeUse
from ..dicts import Dicts
from ..kinds import Type
from ..lists import Lists
from ..names import Names
from ..scope import FileScope, Scope, Variable
from ..types import Types

if TYPE_CHECKING:
    from ..module import Module

Visit = Callable[["Context", Any], Code]


class Context:
    """The translation of one file.

    Parameters
    ----------
    module : Module
        The file, and what is known of the others.

    Attributes
    ----------
    lines : list of str
        The Python text so far.
    imports : dict
        By module, the names that are imported from it.
    diagnostics : list of Diagnostic
    uses : list of RuntimeUse
        Where the runtime keeps Lua's meaning.
    demanded : set of int
        Expressions, by their ids, where nil would be an error whose text nobody reads.
    """

    def __init__(
        self, module: Module, scopes: FileScope, names: Names, types: Types, wrapped: bool
    ) -> None:
        self.module = module
        self.scopes = scopes
        self.names = names
        self.types = types
        self.wrapped = wrapped
        self.scope: Scope = scopes.top
        self.lines: list[str] = []
        self.depth = 0
        self.imports: dict[str, dict[str, None]] = {}
        self.diagnostics: list[Diagnostic] = []
        self.uses: list[RuntimeUse] = []
        self.cells: set[Variable] = set()
        self.lists = Lists()
        self.dicts = Dicts()
        self.demanded: set[int] = set()
        self.renamed: dict[str, str] = {}
        self.line = 1
        self.loops: list[str] = []
        self.expressions: dict[type, Visit] = {}
        self.statements: dict[type, Callable[[Context, Any], None]] = {}

    # -- writing ----------------------------------------------------------------------------

    def put(self, text: str = "") -> None:
        """Write a line at the present depth; further lines of an expression stay as they are."""
        self.lines.append("    " * self.depth + text if text else "")

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Write what follows one level deeper; `pass` where nothing follows."""
        self.depth += 1
        start = len(self.lines)
        yield
        if not any(_is_code(line) for line in self.lines[start:]):
            self.put("pass")
        self.depth -= 1

    def diagnose(self, code: str, message: str, node: ast.Node) -> None:
        """Report something that is not translated."""
        found = Diagnostic(code, message, self.module.path, node.line, node.column)
        self.diagnostics.append(found)

    def refuse(self, code: str, message: str, node: ast.Node) -> Code:
        """Report it, mark the place, and return code that raises an error there."""
        self.diagnose(code, message, node)
        self.put(f"# TODO(rekindle {code}): {message}")
        return self.lua("untranslated", f'"{code}: {message}"')

    # -- names --------------------------------------------------------------------------------

    def use(self, name: str, source: str = "rekindle.transpiler.runtime") -> str:
        """Import a name and return what it is called here."""
        other = self.renamed.get(name) if source.startswith("rekindle.transpiler") else None
        self.imports.setdefault(source, {})[f"{name} as {other}" if other else name] = None
        return other or name

    def lua(self, function: str, *arguments: object, reason: str = "") -> Code:
        """Return a call of a function that keeps Lua's meaning."""
        self.use("lua")
        if reason:
            self.uses.append(RuntimeUse(self.line, function, reason))
        return Code(f"lua.{function}({', '.join(map(str, arguments))})")

    def name_of(self, variable: Variable) -> str:
        """Return what a variable is called, whether a cell holds it or not."""
        return self.names[variable]

    def read(self, variable: Variable) -> str:
        """Return the text that reads a variable, and assigns it too."""
        name = self.names[variable]
        return f"{name}.value" if variable in self.cells else name

    def fresh(self, base: str) -> str:
        """Return a new name in the function that is being written."""
        return self.names.fresh(self.scope, base)

    # -- visiting -------------------------------------------------------------------------------

    def type_of(self, node: ast.Expression) -> Type:
        """Return the type of an expression."""
        return self.types.of(node)

    def expression(self, node: ast.Expression) -> Code:
        """Return an expression with its one value."""
        return self.expressions[type(node)](self, node)

    def statement(self, node: ast.Statement) -> None:
        """Write a statement."""
        self.line = node.line
        self.statements[type(node)](self, node)


def _is_code(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")
