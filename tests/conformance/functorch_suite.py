"""Run functorch's own tests on Rekindle, through the shim that translates PyTorch's names.

python tests/conformance/functorch_suite.py [FOLDER]

FOLDER has functorch's test_eager_transforms.py and test_vmap.py; without it, those of the commit
below are downloaded once into .cache/ (they are functorch's, and not part of this project).
functorch_suite.toml says which tests are outside of what Rekindle is, and why, and which fail.
The exit status says whether that list is right.
"""

import argparse
import ast
import contextvars
import signal
import sys
import tomllib
from pathlib import Path

import pytorch_autograd as runner
from fetching import folder_with
from page import replace_section
from torch_shim import suite, transforms
from torch_shim.install import install, loaded
from torch_shim.suite import MESSAGES

HERE = Path(__file__).parent
COMMIT = "d1126fb7d96db1755e8e832a7acf9059248f8c12"
URL = f"https://raw.githubusercontent.com/pytorch/functorch/{COMMIT}/test/"
FILES = ("test_eager_transforms.py", "test_vmap.py")


def install_transforms():
    """Make `import functorch` import the shim too."""
    transforms.install_methods()
    for module, values in transforms.names().items():
        vars(__import__(module, fromlist=["x"])).update(values)
    suite.BASES.add(ValueError)


def load(path):
    """Return the module's names after its imports, assignments, functions and classes have run."""
    tree = runner._Rename().visit(ast.parse(path.read_text(encoding="utf-8")))
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign)
    tree.body = [node for node in tree.body if isinstance(node, kept)]
    names = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(tree, str(path), "exec"), names)
    return names


def tests_of(path):
    """Yield (name, class, function) of each test of a file."""
    names = contextvars.copy_context().run(load, path)
    for cls in [v for v in names.values() if isinstance(v, type)]:
        for name, function in vars(cls).items():
            if name.startswith("test_"):
                yield f"{cls.__name__}.{name}", cls, function


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("-k", default="", help="run tests whose name has this; says all of each")
    parser.add_argument("--page", type=Path, help="write the counts and reasons into this page")
    options = parser.parse_args()
    reviewed = tomllib.loads((HERE / "functorch_suite.toml").read_text(encoding="utf-8"))
    MESSAGES.update(reviewed["messages"])
    outside = {test: why for why, tests in reviewed["outside"].items() for test in tests}
    known = {test: why for why, tests in reviewed["failing"].items() for test in tests}
    signal.signal(signal.SIGALRM, runner._too_long)
    folder = options.folder or folder_with(FILES, URL, f"functorch-{COMMIT[:8]}")
    install(("functorch", "functorch_additional_op_db", "common_utils"))
    install_transforms()
    tests = [test for name in FILES for test in tests_of(folder / name)]
    loaded()
    passed, failed, apart, wrong = [], {}, {}, []
    for test, cls, function in tests:
        if options.k not in test:
            continue
        why = outside.get(test) or outside.get(test.partition(".")[0])
        if why and not options.k:
            apart[test] = why
            continue
        reason = runner.run(cls, test.partition(".")[2], function, bool(options.k))
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
        text = runner.section(passed, failed, apart, known)
        replace_section(options.page, "functorch", text)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
