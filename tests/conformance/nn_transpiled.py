"""torch/nn itself, translated: its own Lua as Python, on the runs that were recorded from Torch7.

The Lua files of torch/nn are translated, the classes that come out take the place of Rekindle's,
and every recorded module and criterion (tests/fixtures/modules) is loaded as an object of them and
run: output, gradInput, gradients of the parameters, and what it remembers. What Lua calls in C,
thnn.py answers. nn_transpiled.toml says which runs differ, and why; the exit status says whether
that list is right.
"""

import argparse
import contextlib
import importlib
import io
import sys
import tempfile
import tomllib
import traceback
from pathlib import Path

import thnn
from page import replace_section
from torch_suites import fetched

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "fixtures" / "modules"
sys.path.insert(0, str(HERE.parent / "legacy_nn"))

from recorded import SEED, assert_close  # noqa: E402

from rekindle.legacy_nn.lualib import Table, length, spread  # noqa: E402
from rekindle.legacy_nn.torch7 import random  # noqa: E402
from rekindle.transpiler.emit import Output  # noqa: E402
from rekindle.transpiler.project import Project, Source  # noqa: E402
from rekindle.transpiler.report import Report  # noqa: E402
from rekindle.transpiler.runtime import G, lua, torch  # noqa: E402

TOLERANCE = (1e-10, 1e-5)
"""Of a loss in double and in float."""

SHIMS = {
    "nn/THNN.py": """
from rekindle.transpiler.runtime import Table
THNN = exports = Table(optionalTensor=lambda tensor=None: tensor)
""",
    "ffi.py": """
from rekindle.transpiler.runtime import Table
exports = Table(typeof=lambda name: lambda value=None: Table.of([(0, value)]))
""",
    "moses.py": """
from rekindle.transpiler.runtime import Table
exports = Table(
    indexOf=lambda array, value: next((k for k, v in array.items() if v == value), None),
    isNaN=lambda value: value != value,
    map=lambda array, f: Table.of((k, f(k, v)) for k, v in array.items()),
)
""",
}
"""What the files require and nobody translates: C functions, and three functions of moses."""


def translated(folder, target):
    """Translate torch/nn into a package of a folder; return what there is to say about it."""
    files = sorted(folder.glob("*.lua"))
    translations = Project([Source(f"nn/{p.name}", p.read_bytes()) for p in files]).translate()
    Output(target).write(translations)
    for name, text in SHIMS.items():
        (target / name).write_text(text)
    return translations


def loaded(target, header):
    """Import the package: its classes take the place of Rekindle's."""
    kernels = Table(thnn.functions(header))
    for kind in ("Float", "Double", "Long", "Int", "Byte"):
        methods = torch.getmetatable(f"torch.{kind}Tensor")
        methods.cdata = lambda tensor: tensor
        if kind in ("Float", "Double"):
            methods.THNN = kernels
    sys.path.insert(0, str(target))
    return importlib.import_module("nn")


# -- running ------------------------------------------------------------------------------------


def run(path):
    """Run a recorded module or criterion and compare all that was recorded of it."""
    record = torch.load(str(path))
    if path.stem == "special_StochasticGradient":
        run_trainer(record)
    else:
        (run_criterion if record.get("criterion") is not None else run_module)(record)


def run_criterion(record):
    criterion = record.get("criterion")
    random.manual_seed(SEED)
    loss = lua.invoke(criterion, "forward", record.get("input"), record.get("target"))
    expected, error = record.get("loss"), TOLERANCE[record.get("dtype") == "float"]
    assert abs(loss - expected) <= error * abs(expected), f"loss {loss}, not {expected}"
    if record.get("gradInput") is not None:
        found = lua.invoke(criterion, "backward", record.get("input"), record.get("target"))
        assert_close(found, record.get("gradInput"), "gradInput")


def run_module(record):
    module = record.get("module")
    lua.invoke(module, "training" if record.get("train") else "evaluate")
    lua.invoke(module, "zeroGradParameters")
    random.manual_seed(SEED)
    output = lua.invoke(module, "forward", record.get("input"))
    assert_close(output, record.get("output"), "output")
    if record.get("gradOutput") is not None:
        scale = record.get("scale") or 1
        found = lua.invoke(module, "backward", record.get("input"), record.get("gradOutput"), scale)
        if record.get("gradInput") is not None:
            assert_close(found, record.get("gradInput"), "gradInput")
    parameters = spread(lua.invoke_all(module, "parameters"))
    for name, of in zip(("params", "gradParams"), parameters, strict=False):
        if record.get(name) is not None and length(of):
            assert_close(of, record.get(name), name)
    for name, expected in (record.get("after") or Table()).items():
        if name.startswith("save_") and not record.get("train"):
            continue  # what the memory held
        found = lua.index(module, name)
        if name == "indices" and getattr(module, "dT", None) is not None:
            found, expected = found % 256**3, expected % 256**3  # the rest is not written
        assert_close(found, expected, name)


def run_trainer(record):
    """Train as `special_StochasticGradient` was trained, and compare errors and weights."""
    trainer = lua.call(lua.index(G.nn, record["class"][3:]), record["module"], record["criterion"])
    for name in ("learningRate", "learningRateDecay", "maxIteration", "shuffleIndices"):
        lua.newindex(trainer, name, record[name])
    errors, dataset = Table(), record["dataset"]
    trainer.hookIteration = lambda _, iteration, error: lua.newindex(errors, iteration, error)
    dataset["size"] = length
    trainer.verbose = False
    lua.invoke(trainer, "train", dataset)
    assert_close(errors, record["errors"], "errors")
    pair = (lua.invoke(x, "parameters") for x in (record["module"], record["module_after"]))
    assert_close(*pair, "parameters")


def run_all(pattern):
    """Return what is wrong with each recorded run, "" for nothing."""
    found = {}
    for path in sorted(FIXTURES.glob(pattern)):
        try:
            with contextlib.redirect_stdout(
                io.StringIO()
            ):  # PrintSize prints, and so does training
                run(path)
            found[path.stem] = ""
        except Exception as error:
            found[path.stem] = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            if "-v" in sys.argv:
                traceback.print_exc()
    return found


# -- what is printed ----------------------------------------------------------------------------


def compared(found, reviewed):
    """Return what differs from the reviewed list."""
    known = {name for names in reviewed.values() for name in names}
    wrong = [f"{n} passes, and is listed" for n in known if not found.get(n, "not run")]
    return wrong + [f"{n}: {why}" for n, why in found.items() if why and n not in known]


def section(translations, found, reviewed):
    """Return the page's section."""
    report = Report(translations)
    passed = sum(not why for why in found.values())
    lines = [
        f"{len(translations)} files, {report.statements:,} statements, {report.share():.0%} of "
        f"them plain Python. {passed} of {len(found)} recorded runs agree with Torch7.",
        "",
    ]
    if reviewed:
        lines += ["| differs because | runs |", "|---|---|"]
        for why, names in sorted(reviewed.items()):
            lines.append(f"| {why} | {', '.join(f'`{n}`' for n in sorted(names))} |")
        lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path, help="a folder with a copy of torch/nn named nn")
    parser.add_argument("-k", default="*.t7", help="run the records whose file this matches")
    parser.add_argument("-v", action="store_true", help="print where each error was raised")
    parser.add_argument("--keep", type=Path, help="write the translation into this folder")
    parser.add_argument("--page", type=Path, help="write the counts into this page")
    options = parser.parse_args()
    folder = options.sources / "nn" if options.sources else fetched("nn")
    header = (folder / "lib" / "THNN" / "generic" / "THNN.h").read_text()
    reviewed = tomllib.loads((HERE / "nn_transpiled.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        target = options.keep or Path(scratch)
        translations = translated(folder, target)
        loaded(target, header)
        found = run_all(options.k)
    text = section(translations, found, reviewed)
    print(text)
    wrong = compared(found, reviewed)
    for line in wrong:
        print(line)
    if options.page and not wrong and options.k == "*.t7":
        replace_section(options.page, "nn-transpiled", text)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
