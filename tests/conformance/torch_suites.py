"""Run Torch7's own test suites, unmodified, through `rekindle exec`.

python tests/conformance/torch_suites.py [--sources DIR] [-k TEXT] [--page PAGE]

The suites of torch7, nn, optim, nngraph and the packages around nn are downloaded once, at the
commits below, into .cache/ (they are not part of this project); DIR may hold copies of them
instead, in folders of these names. one_by_one.lua runs every test by itself and counts its
assertions: a test that asserts nothing does not count as passed. torch_suites.toml says which
tests do not pass, and why; the exit status says whether that list is right.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from page import replace_section

HERE = Path(__file__).parent
SOURCES = {
    "torch7": "torch/torch7/814ea4afd6beb110705d2456de03876841fcf1fd",
    "nn": "torch/nn/872682558c48ee661ebff693aa5a41fcdefa7873",
    "optim": "torch/optim/a5ceed7c21a56d32a36706823e8436741b230d1c",
    "nngraph": "torch/nngraph/3ed3b9ba9d1adf72c1fe15291a1e50b843cf04f9",
    "dpnn": "Element-Research/dpnn/c0a8ca6f06e80fd39d69230549844cd66f71bc9f",
    "rnn": "Element-Research/rnn/ba937a08f26e116db98b5cd6a690f49ea8f8316e",
    "torch-autograd": "twitter/torch-autograd/4bc278a4169e13b928b54ef5c4a723267c6e0a04",
    "torchnet": "torchnet/torchnet/c87fa3cf9ad9a4d99ce6c9ce93b5f0603a8ce91e",
    "torch-rnn": "jcjohnson/torch-rnn/6e72b866e0a7fe544b7de2d9951063c9c11c00e3",
    "totem": "deepmind/torch-totem/21240faf12ee7db95d7adc41760a04ec4ca036d0",
}
"""Where each suite is, and its commit; nngraph's tests need the package totem."""
AT_ONCE = 2
SECONDS = 600
"""How long one test may take."""


@dataclass(frozen=True)
class Script:
    """A file of tests, what starts them, and among how many processes they are split.

    `packages` are loaded first. `provided` are packages that tests look for before they use what
    is in others here. A program `of_its_own` loads the files of its folder, and CUDA's packages,
    which are Rekindle's on the CPU; the other suites are told that there is no GPU.
    """

    suite: str
    file: str
    call: str = ""
    parts: int = 1
    packages: tuple[str, ...] = ("nn",)
    provided: tuple[str, ...] = ()
    of_its_own: bool = False

    @property
    def name(self):
        return f"{self.suite}/{self.file}"


SCRIPTS = (
    Script("torch7", "test/test.lua", "torch.test()", 2),
    *(
        Script("torch7", f"test/{name}.lua")
        for name in (
            "longSize",
            "test_Tester",
            "test_aliasMultinomial",
            "test_half",
            "test_sharedmem",
            "test_timer",
            "test_writeObject",
        )
    ),
    Script("torch7", "test/test_qr.lua", parts=2),
    Script("nn", "test.lua", "nn.test(nil, 123)", 4),
    *(
        Script("optim", f"test/test_{name}.lua")
        for name in (
            "adadelta",
            "adagrad",
            "adam",
            "adamax",
            "cg",
            "cmaes",
            "confusion",
            "de",
            "fista",
            "lbfgs",
            "lbfgs_w_ls",
            "logger",
            "rmsprop",
            "sgd",
        )
    ),
    *(
        Script("nngraph", f"test/test_{name}.lua")
        for name in (
            "JustElement",
            "JustTable",
            "ModuleFromCriterion",
            "connectivity",
            "debug",
            "nest",
            "nngraph",
            "old",
        )
    ),
    Script("dpnn", "test/test.lua", "dpnn.test()", 2, ("nn", "dpnn"), ("nnx",)),
    Script("rnn", "test/test.lua", "rnn.test()", 2, ("nn", "rnn"), ("nnx",)),
    Script("torch-autograd", "test/test.lua"),  # one test loads classes that another defines
    Script("torchnet", "test/test.lua"),
    *(
        Script("torch-rnn", f"test/{name}.lua", of_its_own=True)
        for name in (
            "LSTM_test",
            "LanguageModel_test",
            "TemporalAdapter_test",
            "TemporalCrossEntropyCriterion_test",
            "VanillaRNN_test",
            "zaremba_test",
        )
    ),
)
"""What is left out measures time: timeSort.lua, test_Multinomial.lua, speed.lua."""


@dataclass
class Result:
    """What one test did.

    Attributes
    ----------
    passes, failures : int
        Assertions of its torch.Tester.
    asserts : int
        Calls of Lua's `assert`, which is all that some tests use.
    reason : str
        Why it failed, or "".
    """

    passes: int = 0
    failures: int = 0
    asserts: int = 0
    reason: str = ""

    @property
    def passed(self):
        return not self.reason and self.failures == 0 and self.passes + self.asserts > 0


@dataclass
class Run:
    """One process after another, until all tests of a part of a script have run."""

    script: Script
    part: int
    folder: Path
    path: str
    results: dict = field(default_factory=dict)

    def finish(self):
        """Run them; a test that hangs or ends the process fails, and the rest goes on."""
        with tempfile.TemporaryDirectory() as scratch:
            # Tests write files where they are; each process has a copy of the tests.
            work = Path(scratch) / "tests"
            shutil.copytree((self.folder / self.script.file).parent, work)
            notes = Path(scratch) / "results"
            while self._process(work, notes):
                pass
        return self.results

    def _process(self, work, notes):
        notes.write_text("")
        with open(work / "output", "wb") as output:
            process = subprocess.Popen(
                self._command(notes),
                cwd=work,
                stdout=output,
                stderr=output,
                env={**os.environ, **self._lua()},
            )
            size, since = 0, time.monotonic()
            while process.poll() is None and time.monotonic() - since < SECONDS:
                time.sleep(0.1)
                if notes.stat().st_size != size:
                    size, since = notes.stat().st_size, time.monotonic()
            late = process.poll() is None
            process.kill()
            process.wait()
        said = (work / "output").read_text(encoding="latin-1")[-300:]
        return self._read(notes, f"ran for {SECONDS} s" if late else f"ended the process: {said}")

    def _command(self, notes):
        return [
            str(Path(sys.executable).with_name("rekindle")), "exec",
            *(part for name in self.script.packages for part in ("-l", name)),
            str(HERE / "one_by_one.lua"), str(notes), Path(self.script.file).name,
            self.script.call, str(self.part), str(self.script.parts), *self.results,
        ]  # fmt: skip

    def _lua(self):
        provided = " ".join(self.script.provided)
        own = f"{self.folder}/?.lua;" if self.script.of_its_own else ""
        return {
            "LUA_PATH": own + self.path,
            "WITH_CUDA": "1" if self.script.of_its_own else "",
            "PROVIDED": provided,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def _read(self, notes, ending):
        """Take over what the process noted; return whether it ended too early."""
        open_tests, done = [], False
        for line in notes.read_text(encoding="latin-1").splitlines():
            kind, *fields = line.split("\t")
            done = done or kind == "done"
            if kind == "start":
                open_tests.append(fields[0])
            elif kind == "end":
                name, *counts = fields[:4]
                self.results[name] = Result(*map(int, counts), "\t".join(fields[4:]))
                open_tests.remove(name)
        if done:
            return False
        name = open_tests[-1] if open_tests else Path(self.script.file).name
        self.results[name] = Result(reason=ending)
        # Without a test that was running there is nothing that could be left out.
        return len(open_tests) > 1


def fetched(name):
    """Return the folder of a suite, downloaded once."""
    repository, _, commit = SOURCES[name].rpartition("/")
    folder = HERE / ".cache" / f"{name}-{commit[:12]}"
    if not folder.exists():
        url = f"https://codeload.github.com/{repository}/tar.gz/{commit}"
        try:
            with urllib.request.urlopen(url, timeout=120) as response:
                content = response.read()
        except OSError as error:
            sys.exit(
                f"{url} cannot be had ({error}). Put copies of {', '.join(SOURCES)} at the commits "
                f"in {__file__} into a folder and name it: {sys.argv[0]} --sources DIR"
            )
        with (
            tempfile.TemporaryDirectory() as scratch,
            tarfile.open(fileobj=io.BytesIO(content)) as archive,
        ):
            archive.extractall(scratch, filter="data")
            folder.parent.mkdir(exist_ok=True)
            shutil.move(next(Path(scratch).iterdir()), folder)
    return folder


def run_all(scripts, folders):
    """Return the results of all tests, by script and name."""
    totem = folders["totem"]
    path = f"./?.lua;{totem}/?.lua;{totem}/?/init.lua;;"
    runs = [Run(s, part, folders[s.suite], path) for s in scripts for part in range(s.parts)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = list(pool.map(Run.finish, runs))
    found = {}
    for run, results in zip(runs, parts, strict=True):
        found.setdefault(run.script, {}).update(results)
    return {script: without_file(script, results) for script, results in found.items()}


def without_file(script, results):
    """Return results without the file itself, which is a test only where it has no others."""
    file = Path(script.file).name
    own = results.get(file)
    if own is not None and len(results) > 1 and not own.reason:
        del results[file]
    return results


def compared(found, reviewed):
    """Return what differs from the reviewed list."""
    wrong = []
    for script, results in found.items():
        known = {t for why in reviewed.get(script.name, {}).values() for t in why}
        for test, result in results.items():
            if result.passed and test in known:
                wrong.append(f"{script.name} {test} passes, and is listed")
            elif not result.passed and test not in known:
                wrong.append(f"{script.name} {test}: {result.reason or 'asserts nothing'}")
    return wrong


def section(found, reviewed):
    """Return the page's section."""
    lines = [
        "| file | tests | passed | assertions | calls of `assert` |",
        "|---|---:|---:|---:|---:|",
    ]
    for script, results in found.items():
        passed = sum(r.passed for r in results.values())
        held = sum(r.passes for r in results.values())
        failed = sum(r.failures for r in results.values())
        asserts = sum(r.asserts for r in results.values())
        counted = f"{held:,}" + (f" (and {failed:,} failed)" if failed else "")
        lines.append(f"| {script.name} | {len(results)} | {passed} | {counted} | {asserts or ''} |")
    lines += ["", "| not passed because | file | tests |", "|---|---|---|"]
    for script in found:
        for why, tests in sorted(reviewed.get(script.name, {}).items()):
            names = ", ".join(f"`{t}`" for t in sorted(tests))
            lines.append(f"| {why} | {script.name} | {names} |")
    return "\n".join([*lines, ""])


def told(found, reviewed, page, name):
    """Print the section, and write it into the page, if all is as reviewed; return if it is not."""
    wrong = compared(found, reviewed)
    text = section(found, reviewed)
    print(text)
    for line in wrong:
        print(line)
    if page and not wrong:
        replace_section(page, name, text)
    return bool(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path, help="a folder with copies of the suites")
    parser.add_argument("-k", default="", help="run the files whose name this pattern matches")
    parser.add_argument("--page", type=Path, help="write the counts and reasons into this page")
    options = parser.parse_args()
    folders = {n: options.sources / n if options.sources else fetched(n) for n in SOURCES}
    scripts = [s for s in SCRIPTS if re.search(options.k, s.name)]
    reviewed = tomllib.loads((HERE / "torch_suites.toml").read_text(encoding="utf-8"))
    found = run_all(scripts, {n: f.resolve() for n, f in folders.items()})
    return told(found, reviewed, None if options.k else options.page, "torch-suites")


if __name__ == "__main__":
    sys.exit(main())
