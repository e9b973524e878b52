"""Runs a translated file of tests, each by itself, and notes down what each asserts.

one_by_one.py RESULTS FOLDER MODULE CALL PART PARTS [SKIPPED...]

What one_by_one.lua does for Lua: the arguments after FOLDER, which has the translated files, and
what is noted are the same. CALL names a function that MODULE has given the global table of a
package, like "nn.test", or is "". A folder with THNN.h has a translation of nn.
"""

import ast
import builtins
import importlib
import io
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

from nn_transpiled import loaded, torch

from rekindle.legacy_nn.lualib import LuaError, math_library
from rekindle.legacy_nn.torch7.tester import Tester
from rekindle.transpiler import runtime
from rekindle.transpiler.runtime import G, lua

SEED = 123
GPU = ("cutorch", "cunn", "cudnn")


class CountedAssert:
    """Lua's `assert`, which is all that some tests use, with the calls in a file counted."""

    def __init__(self, plain, file):
        self.plain = plain
        self.file = file
        self.calls = 0

    def __call__(self, *args):
        self.calls += sys._getframe(1).f_code.co_filename.endswith(self.file)
        return self.plain(*args)


class CountedConditions(ast.NodeTransformer):
    """Counts an `assert` that is translated as `if not condition: error(message)`."""

    def visit_If(self, node):
        self.generic_visit(node)
        match node:
            case ast.If(body=[ast.Expr(ast.Call(ast.Name("error")))], orelse=[]):
                count = ast.parse("counted_condition()").body
                return [*(ast.copy_location(n, node) for n in count), node]
        return node


def count_conditions(asserts):
    """Count the conditions that a file asserts, when it is loaded from its source from now on."""

    def count():
        asserts.calls += 1

    def compiled(_, data, path, **__):
        tree = ast.parse(data)
        if str(path).endswith(asserts.file):
            tree = ast.fix_missing_locations(CountedConditions().visit(tree))
        return compile(tree, path, "exec", dont_inherit=True)

    builtins.counted_condition = count
    sys.dont_write_bytecode = True
    SourceFileLoader.source_to_code = compiled


class Notes:
    """What happened, a line each, written at once."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="latin-1", errors="replace")  # noqa: SIM115

    def note(self, *fields):
        self.file.write("\t".join(re.sub(r"[\t\r\n]+", " ", str(f)) for f in fields) + "\n")
        self.file.flush()


def split_runs(notes, asserts, part, parts, skipped):
    """Make the outermost run of a Tester run some of its tests, each by itself."""
    run, running, seen = Tester.run, [], {}

    def run_alone(tester, name, noted):
        begin(notes, noted, asserts)
        tester.errors = type(tester.errors)()
        raised = ""
        try:
            run(tester, "^" + re.sub("([^0-9A-Za-z])", r"%\1", name) + "$")
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
        passes, failures = (t.get(name) or 0 for t in (tester.assertionPass, tester.assertionFail))
        reason = tester.errors.get(1) or raised
        notes.note("end", noted, passes, failures, asserts.calls, reason)

    def split(tester, *args):
        if running:
            return run(tester, *args)
        running.append(tester)
        for i, name in enumerate(sorted(tester.tests.keys())):
            seen[name] = seen.get(name, 0) + 1  # several testers may have tests of one name
            noted = name if seen[name] == 1 else f"{name} ({seen[name]})"
            if i % parts == part and noted not in skipped:
                run_alone(tester, name, noted)
        running.pop()
        tester.errors = type(tester.errors)()  # files may look at them, and leave
        return 0

    Tester.run = split


def begin(notes, name, asserts):
    """Note the start of a test; the same random numbers come in each."""
    notes.note("start", name)
    torch.manualSeed(SEED)
    math_library.randomseed(SEED)
    asserts.calls = 0


def without_gpu(require):
    """Return `require` without CUDA's packages, by which the tests ask for a GPU."""

    def required(name):
        if name in GPU:
            raise LuaError("there is no GPU")
        return require(name)

    return required


def main():
    results, folder, module, call, part, parts, *skipped = sys.argv[1:]
    runtime.require = without_gpu(runtime.require)
    python = f"/{module.replace('.', '/')}.py"
    notes, asserts = Notes(results), CountedAssert(lua.assert_, python)
    lua.assert_ = asserts
    count_conditions(asserts)
    if (header := Path(folder) / "THNN.h").exists():
        loaded(Path(folder), header.read_text())  # the tests of nn, too
    sys.path.insert(0, folder)
    split_runs(notes, asserts, int(part), int(parts), set(skipped))
    file = module.rpartition(".")[2] + ".lua"
    empty = notes.file.seek(0, io.SEEK_END)
    begin(notes, file, asserts)
    start, raised = notes.file.tell(), ""
    try:
        importlib.import_module(module)
        if call:
            package, _, name = call.partition(".")
            lua.call(lua.index(torch if package == "torch" else G[package], name))
    except Exception as error:
        raised = f"{type(error).__name__}: {error}"
    if notes.file.tell() == start or raised or start == empty:
        notes.note("end", file, 0, 0, asserts.calls, raised)
    notes.note("done")


if __name__ == "__main__":
    main()
