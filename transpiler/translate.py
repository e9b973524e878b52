"""One file from its nodes to Python text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from . import ast, library
from .closures import kept_variables
from .code import quoted
from .demanded import demanded
from .diagnostics import Diagnostic, Kept, RuntimeUse
from .dicts import Dicts, find_dicts
from .evidence import Evidence
from .kinds import Type
from .lists import find_lists
from .lower import EXPRESSIONS, STATEMENTS, Context
from .lower.comments import put_trailing
from .lower.statements import body
from .modern import lowering as modern
from .module import Module
from .names import Names
from .scope import Scope, Variable
from .syntax import blocks_of
from .text import words
from .types import Types

RUNTIME = "rekindle.transpiler.runtime"

RESERVED = frozenset(
    words(
        """
        lua tensor Table G torch_class TorchObject TableObject SimpleNamespace string tostring
        exports overridable
        """
    )
)
"""Names that the runtime gives to translated files."""


@dataclass(slots=True)
class Translation:
    """A file's Python, and what there is to say about it.

    Attributes
    ----------
    source, target : str
        Paths, from the folder of the sources and of the results.
    lua, python : str
    diagnostics : list of Diagnostic
    uses : list of RuntimeUse
    statements : int
    missing : list of str
        Packages that the file requires and nobody has.
    kept : list of Kept
        What modern style leaves as faithful style has it.
    raw : str
        The Python before it was formatted.
    marks, starts : list
        Where statements start, as `alignment.aligned` takes them.
    """

    source: str
    target: str
    lua: str
    python: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    uses: list[RuntimeUse] = field(default_factory=list)
    statements: int = 0
    missing: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    raw: str = ""
    marks: list[tuple[int, int]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    @property
    def runtime_lines(self) -> set[int]:
        """Lines of Lua with something that the runtime keeps."""
        return {use.line for use in self.uses}


class Translator:
    """The facts of a file that others need, then its text.

    Parameters
    ----------
    module : Module
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self._evident: dict[Variable, Type] | None = None
        scopes = module.scopes
        own = module.project.own_globals(module)
        read = set(own.values()) | {module.vararg} | module.reserved
        for scope in (scopes.top, *scopes.scopes.values()):
            read |= {name for name in scope.globals_read if _is_library(name)}
            read |= scope.globals_read & (library.PENLIGHT | library.BRIDGED)
        module.set_globals(own)
        self.names = Names(scopes, read | RESERVED, set(module.imported))
        for info in module.classes.values():
            if info.variable is not None:
                info.name = self.names[info.variable]

    def types(
        self, known: Mapping[Variable, Type] | None = None, dicts: Dicts | None = None
    ) -> Types:
        """Return the types of the module, with what is known of others, and of these variables."""
        module = self.module
        if self._evident is None:
            defined = module.project.defined_names
            self._evident = Evidence(module.block, module.scopes, defined).types
        return Types(
            self._evident,
            module.scopes,
            module.global_type,
            module.required_type,
            {**module.self_types(), **(known or {})},
            module.global_names,
            module.known_function,
            module.project.defined_names,
            {id(s.function) for k in module.classes.values() for s in k.methods.values()},
            module.project.classes.get,
            module.given,
            module.project.unique,
            module.project.results_elsewhere,
            dicts,
        )

    def translate(self) -> tuple[str, Context]:
        """Return the module's text and the context that wrote it."""
        module, scopes = self.module, self.module.scopes
        types = self.types()
        lists = find_lists(module.block, types)
        if lists.variables:
            types = self.types(lists.types)
        files = module.project.of_one_run(module)
        catches, hears = any(m.catches for m in files), any(m.hears for m in files)
        dicts, types = find_dicts(
            module.block,
            types,
            lists.variables,
            catches,
            hears,
            lambda found: self.types(lists.types | found.types(), found),
        )
        wrapped = module.returns_early
        c = Context(module, scopes, self.names, types, wrapped)
        c.expressions = EXPRESSIONS | modern.EXPRESSIONS
        c.statements = STATEMENTS | modern.STATEMENTS
        c.renamed = module.renamed
        c.lists = lists
        c.dicts = dicts
        if not hears:
            c.demanded = demanded(module.block, catches)
        c.cells, module.bound = kept_variables(scopes, types)
        if wrapped:
            self._wrapped(c)
        else:
            if scopes.top.uses_vararg:
                c.put(f"{module.vararg} = {c.lua('words_for', '__name__')}")
                c.put()
            body(c, module.block)
            put_trailing(c, module.block)
        return _assembled(c, self._undefined_globals(wrapped)), c

    def _wrapped(self, c: Context) -> None:
        """Write a file that returns in its middle: as a function, called once."""
        name = c.fresh("chunk")
        c.put(f"def {name}(*{c.module.vararg}):")
        with c.indented():
            own = [
                c.module.global_names[n]
                for n in c.scopes.global_writes
                if c.module.is_own_global(n)
            ]
            if own:
                c.put(f"global {', '.join(own)}")
            body(c, c.module.block)
            put_trailing(c, c.module.block)
        c.put()
        c.put()
        given = f"*{c.lua('words_for', '__name__')}" if c.scopes.top.uses_vararg else ""
        c.put(f"exports = {name}({given})")

    def _undefined_globals(self, wrapped: bool) -> list[str]:
        """Return the module's globals that no statement at its top defines."""
        module = self.module
        defined: set[str] = set()
        for statement in () if wrapped else _always_run(module.block):
            targets: list[ast.Name | ast.Index] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.FunctionStatement):
                targets = [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    read = module.scopes.first_reads.get(target.name)
                    late = isinstance(statement, ast.Assign)
                    if read is None or read >= statement.line + late:
                        defined.add(target.name)
        return [text for name, text in module.global_names.items() if name not in defined]


def _always_run(block: ast.Block) -> Iterator[ast.Statement]:
    """Yield the statements of a block, and of the blocks that only limit names in it."""
    for statement in block.statements:
        if isinstance(statement, ast.Do):
            yield from _always_run(statement.body)
        else:
            yield statement


def _is_library(name: str) -> bool:
    return (
        name in library.GLOBALS
        or name in library.LIBRARIES
        or name in library.PACKAGES
        or name == "arg"
    )


def _assembled(c: Context, undefined: list[str]) -> str:
    if c.module.preamble:
        c.use("nn", "rekindle")
        if any("ops." in definition for definition in c.module.preamble):
            c.use("ops", "rekindle")
    head = [f'"""Translated from {c.module.path.rpartition("/")[2]} by rekindle transpile."""', ""]
    standard = [source for source in sorted(c.imports) if source in sys.stdlib_module_names]
    others = [source for source in sorted(c.imports) if source not in standard]
    for sources in (standard, others):
        head += [f"from {s} import {', '.join(sorted(c.imports[s]))}" for s in sources]
        if standard and others and sources is standard:
            head.append("")
    if c.imports:
        head.append("")
    for definition in c.module.preamble:
        head += ["", definition, "", ""]
    head += [f"{name} = None" for name in undefined]
    if undefined:
        head.append("")
    return "\n".join([*head, *c.lines]) + "\n"


def count_statements(block: ast.Block, scopes: dict[int, Scope]) -> int:
    """Return the number of statements of a file, inside functions too."""

    def count(inner: ast.Block) -> int:
        return sum(1 + sum(count(b) for b in blocks_of(s)) for s in inner.statements)

    bodies = [s.function.body for s in scopes.values() if s.function is not None]
    return count(block) + sum(count(inner) for inner in bodies)


def failed(source: str, name: str, found: Diagnostic) -> str:
    """Return the Python of a file that could not be translated: an error, and the Lua below."""
    lines = [
        f'"""Not translated: {name}."""',
        "",
        f"from {RUNTIME} import lua",
        "",
        f"# TODO(rekindle {found.code}): {found.message}",
        f"lua.untranslated({quoted(f'{found.code}: {found.message}')})",
        "",
    ]
    for line in source.split("\n"):
        clean = "".join(ch if ch.isprintable() else " " for ch in line).rstrip()
        lines.append(f"# {clean}".rstrip())
    return "\n".join(lines) + "\n"
