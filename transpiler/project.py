"""All files that are translated together: how they find one another, and what they share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from symtable import symtable

from . import ast, library
from .alignment import raw_marks
from .class_globals import with_local_classes
from .definitions import defined_names
from .diagnostics import Diagnostic
from .errors import LuaSyntaxError, SourceError
from .fields import method_names, nn_methods, plain_fields
from .kinds import ANY, Type
from .linking import link
from .lower.class_info import relate
from .metatable_classes import find_metatable_classes
from .modern.attempts import Modern, modern
from .modern.gradients import with_gradients
from .module import Module
from .module_names import placed, required_module_name
from .names import python_name
from .no_results import told_from_nil
from .parameters import Parameters, crossing
from .reading import read
from .requires import Requires
from .scope import FileScope, Variable, resolve
from .sharing import files_together, shared_functions, shared_globals, shared_types
from .syntax import required_name, returns
from .translate import Translation, Translator, count_statements, failed
from .types import Types
from .unique import UniqueFunction, unique_functions

_SKIPPED = frozenset({".git", ".svn", "node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file to translate.

    Attributes
    ----------
    path : str
        From the root, with slashes.
    content : bytes
    block : Block or None
        Its statements, where they have been read, or put together, already.
    """

    path: str
    content: bytes
    block: ast.Block | None = None


def collect(sources: Iterable[Path]) -> list[Source]:
    """Return the Lua files of files and folders, named from their folders.

    Raises
    ------
    SourceError
        If two files would have one name.
    """
    found: dict[str, tuple[Path, Source]] = {}
    for path in sources:
        if path.is_dir():
            files = sorted(p for p in path.rglob("*.lua") if not _SKIPPED & set(p.parts))
            named = [(p.relative_to(path).as_posix(), p) for p in files if p.is_file()]
        else:
            named = [(path.name, path)]
        for name, file in named:
            other = found.get(name)
            if other is not None and other[0].resolve() != file.resolve():
                raise SourceError(
                    f"{other[0]} and {file} would both be {name} in the program: give the folder "
                    "that holds both, or translate them into folders of their own"
                )
            found.setdefault(name, (file, Source(name, file.read_bytes())))
    return [source for _, source in found.values()]


class Project:
    """Files that are translated together.

    Parameters
    ----------
    sources : sequence of Source
    style : {"faithful", "modern"}
        Whether models and training stay those of Torch, or become core's.

    Attributes
    ----------
    shared_globals : set of str
        Globals that live in the runtime's table of globals, because several files use them.
    export_names : dict
        By module, the name of what it returns.
    optional : dict
        By function, the parameters that may be left out.
    classes : dict
        The program's classes, by their names in Torch.
    """

    def __init__(self, sources: Iterable[Source], style: str = "faithful") -> None:
        self.sources = list(sources)
        self.style = style
        self.modules: dict[str, Module] = {}
        self.shared_globals: set[str] = set()
        self.shared_types: dict[str, Type] = {}
        self.shared_functions: dict[str, ast.Function] = {}
        self.export_names: dict[str, str] = {}
        self.optional: dict[int, frozenset[Variable]] = {}
        self.defined_names: dict[str, int | None] = {}
        self._results: dict[int, list[Type] | None] = {}
        self._first: dict[str, Types] = {}
        self._failures: dict[str, Diagnostic] = {}
        self.unique: dict[str, UniqueFunction] = {}
        self._requires = Requires(s.path for s in self.sources)
        parsed = {}
        for source in self.sources:
            try:
                block = source.block or read(source.content, source.path)
                parsed[source.path] = block, resolve(block)
            except LuaSyntaxError as error:
                self._failures[source.path] = _syntax_failure(error, source.path)
            except RecursionError:
                message = "the file is nested too deeply"
                self._failures[source.path] = Diagnostic("RK107", message, source.path, 1, 1)
        self._placed = placed((s.path for s in self.sources), self._scripts(parsed))
        rewritten = self._modern(parsed) if style == "modern" else {}
        if not self._failures:
            parsed = with_local_classes(parsed)
        for source in self.sources:
            if source.path in parsed:
                block, scopes = parsed[source.path]
                module = Module(source.path, block, scopes, self, self.module_of(source))
                self.modules[source.path] = module
                if source.path in rewritten:
                    found = rewritten[source.path]
                    module.renamed, module.reserved = found.renamed, found.reserved
                    module.kept, module.preamble = found.kept, found.classes
        self._together = files_together(self.modules)
        self._file_of = {key: m for m in self.modules.values() for key in m.scopes.scopes}
        for module in self.modules.values():
            link(module)
        told_from_nil(self.modules.values())
        find_metatable_classes(self.modules.values())
        self.classes = relate(k for m in self.modules.values() for k in m.classes.values())
        self.plain_fields = plain_fields(self.modules.values())
        self.nn_methods = nn_methods(self.modules.values(), self.classes.values())
        for module in self.modules.values():
            for name, most in defined_names(module.scopes).items():
                known = self.defined_names.get(name, 0)
                self.defined_names[name] = (
                    None if most is None or known is None else max(most, known)
                )
        self.method_names = method_names(self.modules.values())
        self._share_globals()
        self.unique = unique_functions(self.modules.values())
        self._translators = {path: Translator(m) for path, m in self.modules.items()}
        for path, module in self.modules.items():
            names = self._translators[path].names
            last = module.block.statements[-1] if module.block.statements else None
            if module.exports is not None and not module.returns_early:
                self.export_names[module.name] = names[module.exports]
            elif isinstance(last, ast.Return) and last.values:
                self.export_names[module.name] = "exports"

    def _modern(self, parsed: dict[str, tuple[ast.Block, FileScope]]) -> dict[str, Modern]:
        """Rewrite the files in modern style; `parsed` gets the new trees."""
        by_path = {s.path: s for s in self.sources}
        found = modern(
            [(path, by_path[path].content) for path in parsed], lambda name: self._path_of(name)
        )
        found = with_gradients(parsed, found)
        for path, result in found.items():
            parsed[path] = result.block, result.scopes
        return found

    def _scripts(self, parsed: dict[str, tuple[ast.Block, FileScope]]) -> set[str]:
        """Return the files that return nothing and that no text of the program requires."""
        required = {
            self._path_of(name, path)
            for path, (_, scopes) in parsed.items()
            for call in scopes.calls
            if isinstance(call, ast.Call) and (name := required_name(call)) is not None
        }
        return {
            path
            for path, (block, _) in parsed.items()
            if path not in required and not returns(block)
        }

    def _path_of(self, required: str, path: str = "") -> str | None:
        """Return the path of the file that `require` means in a file."""
        found = self._requires.find(required, path)
        return None if found is None else found[0]

    def module_of(self, source: Source) -> str:
        """Return the name of a file's Python module."""
        return self._placed[source.path][0]

    def target_of(self, source: Source) -> str:
        """Return the path of a file's Python file, from the folder of the output."""
        return self._placed[source.path][1]

    # -- finding --------------------------------------------------------------------------

    def has(self, required: str) -> bool:
        """Whether `require` means a file of the project's root."""
        return self._requires.has(required)

    def find(self, required: str, path: str = "") -> Module | None:
        """Return the file that `require` means in the file `path`, None if it is none of these."""
        found = self._path_of(required, path)
        return None if found is None else self.modules.get(found)

    def import_name(self, required: str, path: str) -> str | None:
        """Return the Python module that `require` means in a file, as it is imported there."""
        found = self._requires.find(required, path)
        if found is None or found[0] not in self.modules:
            return None
        parts = self.modules[found[0]].name.split(".")
        if found[1] < 0:
            return required_module_name(required)
        return ".".join(parts[found[1] :])

    def of_one_run(self, module: Module) -> list[Module]:
        """Return the files that a run with a file may have."""
        return [self.modules[path] for path in self._together[module.path]]

    # -- globals --------------------------------------------------------------------------

    def _share_globals(self) -> None:
        self.shared_globals, dynamic = shared_globals(self.modules, self._together)
        self._dynamic = dynamic
        self._assigned = {n for m in self.modules.values() for n in m.scopes.global_writes}
        modules = [] if dynamic else self.modules.values()
        self.shared_functions = shared_functions(modules, self.shared_globals)
        self._typed = self.shared_globals if not dynamic else set()
        package_globals = {
            n for n in self.shared_globals if n in library.PACKAGES and _only_requires(self, n)
        }
        self.shared_globals -= package_globals
        self.package_globals = package_globals

    def is_foreign(self, name: str) -> bool:
        """Whether a global is one that no file of the program assigns: some package does."""
        return not (self._dynamic or self._failures or name in self._assigned)

    def own_globals(self, module: Module) -> dict[str, str]:
        """Return the globals that are a module's own, by their names in Python."""
        found = {}
        for name, count in module.scopes.global_writes.items():
            if name in self.shared_globals or name in self.package_globals or name == "_":
                continue
            own = _own_name(name)
            found[name] = f"{own}_" if own in module.reserved else own
            for statement in module.block.statements:
                if (
                    isinstance(statement, ast.FunctionStatement)
                    and isinstance(statement.target, ast.Name)
                    and statement.target.name == name
                    and count == 1
                    and not module.returns_early
                ):
                    module.global_functions[name] = statement.function
        return found

    # -- translating ----------------------------------------------------------------------

    def translate(self) -> list[Translation]:
        """Return the Python of all files, not yet formatted."""
        parameters = Parameters(self.modules.values())
        parameters.first_look()
        if self._typed:
            self.shared_types = shared_types(self.modules.values(), self._typed, self._first_types)
            self._first.clear()
            self._results.clear()
        if parameters.crosses:
            parameters.second_look(self._first_types)
        return [self._translate(source) for source in self.sources]

    def _first_types(self, module: Module) -> Types:
        """Return the types of a file as far as they are known before it is translated."""
        if module.path not in self._first:
            self._first[module.path] = self._translators[module.path].types()
        return self._first[module.path]

    def results_elsewhere(self, function: ast.Function) -> list[Type] | None:
        """Return what a function gives to other files than its own; None where that is unknown."""
        key = id(function)
        if key not in self._results:
            self._results[key] = None  # while its file is looked at
            module = self._file_of.get(key)
            if module is not None:
                with suppress(RecursionError):  # it cannot be translated, and says so in its turn
                    types = self._first_types(module)
                    if types.function_results(function) is not None:
                        kinds = types.of_functions.kinds(function)
                        self._results[key] = [crossing(kind or ANY) for kind in kinds]
        return self._results[key]

    def _translate(self, source: Source) -> Translation:
        lua = source.content.decode("utf-8", "replace")
        target = self.target_of(source)
        found = Translation(source.path, target, lua, "")
        failure = self._failures.get(source.path)
        if failure is None:
            module = self.modules[source.path]
            try:
                found.python, context = self._translators[source.path].translate()
                symtable(found.python, target, "exec")
                found.diagnostics = context.diagnostics
                found.uses = context.uses
                found.statements = count_statements(module.block, module.scopes.scopes)
                found.missing = list(module.missing)
                found.kept = module.kept
                found.raw = found.python
                found.marks = raw_marks(module.marks, found.python, context.lines)
                for statement in module.block.statements:
                    begin = min(statement.line, *(c.line for c in statement.before), statement.line)
                    found.starts += [begin, statement.line]
                return found
            except (RecursionError, MemoryError):
                failure = Diagnostic("RK107", "nested too deeply", source.path, 1, 1)
            except SyntaxError as error:
                failure = Diagnostic("RK107", f"{error.msg}", source.path, 1, 1)
        found.diagnostics = [failure]
        found.python = failed(lua, source.path, failure)
        return found


def _own_name(name: str) -> str:
    from .names import EMITTED_BUILTINS
    from .translate import RESERVED

    plain = python_name(name)
    return f"{plain}_" if plain in EMITTED_BUILTINS or plain in RESERVED else plain


def _only_requires(project: Project, name: str) -> bool:
    """Whether a global is only ever assigned `require` of the package of that name."""
    for module in project.modules.values():
        count = module.scopes.global_writes.get(name, 0)
        for statement in module.block.statements:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                named = isinstance(target, ast.Name) and target.name == name
                if named and required_name(statement.values[0]) == name:
                    module.imports_at[id(statement)] = lambda c: []
                    count -= 1
        if count:
            return False
    return True


def _syntax_failure(error: LuaSyntaxError, path: str) -> Diagnostic:
    found = re.match(r".*?:(\d+):(\d+): (.*)", str(error), re.DOTALL)
    if found is None:
        return Diagnostic("RK101", str(error), path, 1, 1)
    return Diagnostic("RK101", found[3], path, int(found[1]), int(found[2]))
