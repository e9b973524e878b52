"""Torch7's own tests, translated: Python tests Rekindle, and torch/nn that is translated as well.

python tests/conformance/translated_suites.py [--sources DIR] [-k TEXT] [--page PAGE]

torch_suites.py runs the same files in Lua. Here torch/nn and its test.lua are translated together,
as nn_transpiled.py does, and the files of torch7, optim and nngraph by themselves; one_by_one.py
runs each test by itself. translated_suites.toml says which tests do not pass, and why; the exit
status says whether that list is right.
"""

import argparse
import re
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nn_transpiled
from torch_suites import AT_ONCE, Run, Script, fetched, told, without_file

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source

HERE = Path(__file__).parent
SUITES = ("torch7", "nn", "optim", "nngraph", "totem")
TORCH7 = (
    "longSize", "test_Tester", "test_aliasMultinomial", "test_half", "test_sharedmem",
    "test_timer", "test_writeObject",
)  # fmt: skip
NNGRAPH = (
    "JustElement", "JustTable", "ModuleFromCriterion", "connectivity", "nest", "nngraph",
)  # fmt: skip
SCRIPTS = (
    Script("nn", "test.lua", "nn.test", 4),
    Script("torch7", "test/test.lua", "torch.test", 2),
    *(Script("torch7", f"test/{name}.lua") for name in TORCH7),
    Script("optim", "test/test_confusion.lua"),
    *(Script("nngraph", f"test/test_{name}.lua") for name in NNGRAPH),
)
"""Files that assert something, in Lua."""


@dataclass
class TranslatedRun(Run):
    """A part of a script's tests; `path` is the folder of the translation."""

    def _command(self, notes):
        stem = Path(self.script.file).stem
        module = "nn.test" if self.script.suite == "nn" else f"tests.{stem}"
        return [
            sys.executable, str(HERE / "one_by_one.py"), str(notes), self.path, module,
            self.script.call, str(self.part), str(self.script.parts), *self.results,
        ]  # fmt: skip


def translate(script, folders, target):
    """Translate a script and what belongs to it into a folder."""
    folder = folders[script.suite]
    if script.suite == "nn":
        nn_transpiled.translated(folder, target)
        header = folder / "lib" / "THNN" / "generic" / "THNN.h"
        (target / "THNN.h").write_text(header.read_text())
        return
    path = folder / script.file
    sources = [Source(f"tests/{path.name}", path.read_bytes())]
    if script.suite == "nngraph":
        packages = sorted((folders["totem"] / "totem").glob("*.lua"))
        sources += [Source(f"totem/{p.name}", p.read_bytes()) for p in packages]
    Output(target).write(Project(sources).translate())


def run_all(scripts, folders):
    """Return the results of all tests, by script and name."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        runs = []
        for i, script in enumerate(scripts):
            target = Path(scratch) / str(i)
            target.mkdir()
            translate(script, folders, target)
            folder = folders[script.suite]
            runs += [TranslatedRun(script, p, folder, str(target)) for p in range(script.parts)]
        for run, results in zip(runs, pool.map(Run.finish, runs), strict=True):
            found.setdefault(run.script, {}).update(results)
    return {script: without_file(script, results) for script, results in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path, help="a folder with copies of the suites")
    parser.add_argument("-k", default="", help="run the files whose name this pattern matches")
    parser.add_argument("-v", action="store_true", help="print what each test asserts")
    parser.add_argument("--page", type=Path, help="write the counts and reasons into this page")
    options = parser.parse_args()
    folders = {n: options.sources / n if options.sources else fetched(n) for n in SUITES}
    scripts = [s for s in SCRIPTS if re.search(options.k, s.name)]
    reviewed = tomllib.loads((HERE / "translated_suites.toml").read_text(encoding="utf-8"))
    found = run_all(scripts, {n: f.resolve() for n, f in folders.items()})
    if options.v:
        for script, results in found.items():
            for name, result in sorted(results.items()):
                print(script.name, name, result)
    return told(found, reviewed, None if options.k else options.page, "translated-suites")


if __name__ == "__main__":
    sys.exit(main())
