"""Run HIPS/autograd's own tests on Rekindle, through a shim that translates names.

python tests/conformance/hips_autograd.py [FOLDER]

FOLDER is the folder `tests` of HIPS/autograd; without it, the files of the commit below are
downloaded once into .cache/ (they are no part of this project). hips_autograd.toml says which
tests are outside of what Rekindle is, and why, and which fail. The exit status says whether that
list is right.
"""

import argparse
import itertools
import signal
import sys
import tomllib
import types
import unittest
import warnings
from pathlib import Path

import autograd_shim
import pytest
import pytorch_autograd as runner
from fetching import folder_with
from page import replace_section
from torch_shim import missing

HERE = Path(__file__).parent
COMMIT = "bff107b8d71a444a1160deade3e1cbd0b92f4fa6"
URL = f"https://raw.githubusercontent.com/HIPS/autograd/{COMMIT}/tests/"
FILES = (
    "test_binary_ops", "test_core", "test_dict", "test_direct", "test_graphs", "test_jacobian",
    "test_linalg", "test_list", "test_logic", "test_misc", "test_numpy", "test_scalar_ops",
    "test_systematic", "test_truediv", "test_tuple", "test_wrappers",
)  # fmt: skip


def load(path):
    """Return the names of a file of tests."""
    names = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


def calls_of(function):
    """Yield the arguments of each case that pytest's marks ask for."""
    marks = getattr(function, "pytestmark", [])
    tables = [m.args for m in marks if m.name == "parametrize"]
    choices = []
    for arg, values in tables:
        keys = [k.strip() for k in (arg.split(",") if isinstance(arg, str) else arg)]
        rows = [v if len(keys) > 1 else (v,) for v in values]
        choices.append([dict(zip(keys, row, strict=True)) for row in rows])
    for parts in itertools.product(*choices):
        yield {k: v for part in parts for k, v in part.items()}


def run(function):
    """Run one test; return "" or why it failed."""
    if any(m.name in ("skip", "skipif", "xfail") for m in getattr(function, "pytestmark", [])):
        return "skips itself"
    signal.alarm(runner.SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for arguments in calls_of(function):
                function(**arguments)
    except (unittest.SkipTest, pytest.skip.Exception) as skip:
        return f"skips itself: {skip}"
    except missing.Lacking as lack:
        return f"lacks {lack}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        first = (str(error).strip() or "-").splitlines()[0]
        return f"{type(error).__name__}: {first}"
    finally:
        signal.alarm(0)
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("-k", default="", help="run tests whose name has this")
    parser.add_argument("--page", type=Path, help="write the counts and reasons into this page")
    options = parser.parse_args()
    reviewed = tomllib.loads((HERE / "hips_autograd.toml").read_text(encoding="utf-8"))
    outside = {test: why for why, tests in reviewed["outside"].items() for test in tests}
    known = {test: why for why, tests in reviewed["failing"].items() for test in tests}
    signal.signal(signal.SIGALRM, runner._too_long)
    files = [f"{name}.py" for name in FILES]
    folder = options.folder or folder_with([*files, "numpy_utils.py"], URL, f"hips-{COMMIT[:8]}")
    autograd_shim.install()
    sys.path.insert(0, str(folder))
    passed, failed, apart, wrong = [], {}, {}, []
    for file in FILES:
        missing.LOADING[0] = True
        names = load(folder / f"{file}.py")
        missing.LOADING[0] = False
        for name, function in names.items():
            test = f"{file}.{name}"
            if not name.startswith("test_") or not isinstance(function, types.FunctionType):
                continue
            if options.k not in test:
                continue
            if test in outside:
                apart[test] = outside[test]
                continue
            reason = run(function)
            if reason.startswith("skips itself"):
                apart[test] = "skips itself"
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
        text = runner.section(passed, failed, apart, known)
        replace_section(options.page, "hips-autograd", text)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
