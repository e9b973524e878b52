"""Run PyTorch's own tests of autograd on Rekindle, through a shim that translates names.

python tests/conformance/pytorch_autograd.py [FILE]

FILE is PyTorch's test/test_autograd.py; without it, the file of the tag below is downloaded
once into .cache/ (it is PyTorch's, and not part of this project). Every test runs by itself;
pytorch_autograd.toml says which are outside of what Rekindle is, and why, and which fail. The
exit status says whether that list is right.
"""

import argparse
import ast
import contextlib
import contextvars
import gc
import inspect
import io
import itertools
import signal
import sys
import tomllib
import traceback
import unittest
import urllib.request
import warnings
from pathlib import Path

from page import replace_section
from torch_shim.install import install, loaded
from torch_shim.missing import Lacking, Missing
from torch_shim.suite import MESSAGES

HERE = Path(__file__).parent
TAG = "v2.6.0"
URL = f"https://raw.githubusercontent.com/pytorch/pytorch/{TAG}/test/test_autograd.py"
CLASSES = (
    "TestAutograd", "TestAutogradDeviceType", "TestAutogradForwardMode",
    "TestAutogradForwardModeBatchedGrad", "TestAllowMutationOnSaved",
    "TestAutogradInferenceMode", "TestMultithreadAutograd", "TestNestedCheckpoint",
    "TestSelectiveActivationCheckpoint", "TestAutogradMultipleDispatch",
)  # fmt: skip
RENAMED = {"_version": "version", "size": "torch_size"}
"""Attributes whose name Rekindle uses for something else."""
KINDS = {"is_floating_point": "f", "is_complex": "c"}
"""Attributes of dtypes, which are NumPy's, and the `kind` that they stand for."""
SECONDS = 30


class _Rename(ast.NodeTransformer):
    def visit_Attribute(self, node):
        self.generic_visit(node)
        owner = getattr(node.value, "attr", getattr(node.value, "id", ""))
        if node.attr in KINDS and owner == "dtype":
            kind = ast.Attribute(node.value, "kind", ast.Load())
            test = ast.Compare(kind, [ast.Eq()], [ast.Constant(KINDS[node.attr])])
            return ast.fix_missing_locations(ast.copy_location(test, node))
        node.attr = RENAMED.get(node.attr, node.attr)
        return node


def load(path):
    """Return the module's names after its imports, functions and classes have run."""
    tree = _Rename().visit(ast.parse(path.read_text(encoding="utf-8")))
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, kept)
        or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant))
    ]
    names = {"__name__": "test_autograd", "__file__": str(path)}
    exec(compile(tree, str(path), "exec"), names)
    return names


def tests_of(names):
    """Yield (class.test, class, function)."""
    for cls in CLASSES:
        for name, function in vars(names.get(cls, object)).items():
            if name.startswith("test_"):
                yield f"{cls}.{name}", names[cls], function


def calls_of(cls, name, function):
    """Yield what a test is to be called with, for each of its parameters."""
    wanted = inspect.signature(function).parameters
    device = {"device": "cpu"} if "device" in wanted else {}
    choices = []
    for arg, values in getattr(function, "parameters", []):
        keys = [k.strip() for k in arg.split(",")]
        rows = [v if len(keys) > 1 else (v,) for v in values]
        choices.append([dict(zip(keys, row, strict=True)) for row in rows])
    choices.append([{"dtype": d} for d in getattr(function, "dtypes", ())] or [{}])
    for parts in itertools.product(*choices):
        yield {**device, **{k: v for part in parts for k, v in part.items()}}


def run(cls, name, function, verbose=False):
    """Run one test; return "" or why it failed."""
    if isinstance(function, Missing):
        return f"lacks {function._name}"
    if hasattr(function, "elsewhere"):
        return f"only for {function.elsewhere}"
    outcome = ""
    for arguments in calls_of(cls, name, function):
        case = cls(name)
        output = io.StringIO()
        signal.alarm(SECONDS)
        try:
            with (
                warnings.catch_warnings(),
                contextlib.redirect_stderr(output),
                contextlib.redirect_stdout(output),
            ):
                warnings.simplefilter("always")
                case.setUp()
                # A mode that the test leaves behind ends with it.
                contextvars.copy_context().run(function, case, **arguments)
        except unittest.SkipTest as skip:
            outcome = f"skips itself: {skip}"
        except Lacking as lack:
            outcome = f"lacks {lack}"
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            if verbose:
                traceback.print_exc(file=sys.__stderr__)
            frames = traceback.extract_tb(error.__traceback__)
            lines = [f.lineno for f in frames if f.filename == function.__code__.co_filename]
            first = (str(error).strip() or "-").splitlines()[0]
            outcome = f"{type(error).__name__} (line {lines[0] if lines else 0}): {first}"
        finally:
            signal.alarm(0)
            with contextlib.suppress(BaseException):
                case.tearDown()
        if outcome:
            break
    gc.collect()
    return outcome


def fetched():
    """Return PyTorch's file, downloaded once."""
    path = HERE / ".cache" / f"test_autograd-{TAG}.py"
    if not path.exists():
        try:
            with urllib.request.urlopen(URL, timeout=60) as response:
                content = response.read()
        except OSError as error:
            sys.exit(f"{URL} cannot be had ({error}); name a copy of it: {sys.argv[0]} FILE")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path


def _too_long(*_):
    raise TimeoutError(f"ran for {SECONDS} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="PyTorch's test/test_autograd.py")
    parser.add_argument("-k", default="", help="run tests whose name has this; says all of each")
    parser.add_argument("--page", type=Path, help="write the counts and reasons into this page")
    options = parser.parse_args()
    reviewed = tomllib.loads((HERE / "pytorch_autograd.toml").read_text(encoding="utf-8"))
    MESSAGES.update(reviewed["messages"])
    outside = {test: why for why, tests in reviewed["outside"].items() for test in tests}
    known = reviewed["failing"]
    signal.signal(signal.SIGALRM, _too_long)
    install()
    names = contextvars.copy_context().run(load, options.file or fetched())
    loaded()
    passed, failed, apart, wrong = [], {}, {}, []
    for test, cls, function in tests_of(names):
        if options.k not in test:
            continue
        why = outside.get(test) or outside.get(test.partition(".")[0])
        if why and not options.k:
            apart[test] = why
            continue
        reason = run(cls, test.partition(".")[2], function, bool(options.k))
        if reason.startswith(("skips itself", "only for")):
            apart[test] = "for other hardware or another build"
        elif reason:
            failed[test] = reason
            if test not in known:
                wrong.append(f"{test} fails: {reason}")
        else:
            passed.append(test)
            if test in known:
                wrong.append(f"{test} passes, and is listed as failing")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(apart)} not applicable")
    for line in wrong:
        print(line)
    if options.page and not wrong:
        replace_section(options.page, "pytorch-autograd", section(passed, failed, apart, known))
    return bool(wrong)


def section(passed, failed, apart, known):
    """Return the page's section."""
    total = len(passed) + len(failed) + len(apart)
    reasons = {}
    for why in apart.values():
        reasons[why] = reasons.get(why, 0) + 1
    by_reason = {}
    for test in failed:
        by_reason.setdefault(known[test], []).append(test)
    ran = len(passed) + len(failed)
    return "\n".join([
        f"{total} tests: {len(passed)} of the {ran} that apply pass, {len(failed)} fail, "
        f"{len(apart)} do not apply.",
        "",
        "| fails because | tests |",
        "|---|---|",
        *(f"| {why} | {', '.join(f'`{t}`' for t in by_reason[why])} |"
          for why in sorted(by_reason)),
        "",
        "| does not apply because | tests |",
        "|---|---:|",
        *(f"| {why} | {n} |" for why, n in sorted(reasons.items(), key=lambda e: (-e[1], e[0]))),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
