"""Who may import whom, and what library code never does; read from the source, not by running."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORD = re.compile("[A-Z]?[a-z]+7?")
PACKAGES = ("core", "legacy_nn", "transpiler", "cli")
"""From the bottom up: each imports only those before it."""

CORE = {  # file or folder of core -> layer; each imports its own layer and those below
    "errors": 0,
    "text": 0,
    "dtypes": 0,
    "backend": 1,
    "kernels": 2,
    "waiting": 3,
    "storage": 3,
    "printing": 3,
    "methods": 3,
    "interchange": 3,
    "differentiable": 3,
    "tensor": 3,
    "resizing": 3,
    "sharing": 3,
    "autograd": 3,
    "generators": 3,
    "random": 3,
    "ops": 4,
    "creation": 5,
    "checkpoint": 6,
    "nn": 6,
    "optim": 6,
    "func": 6,
    "data": 6,
    "export": 6,
}

UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
ALLOWED = {
    "core/export/torch_file.py": {"pickle": "names the exception that torch.load raises"},
    "transpiler/runtime/chunks.py": {
        "compile": "loadstring runs the source that a program gives it, as in Lua",
        "exec": "the same",
    },
}
"""File -> what it may do nevertheless -> why."""

RANDOM_OBJECTS = {
    "BitGenerator",
    "Generator",
    "MT19937",
    "PCG64",
    "RandomState",
    "SeedSequence",
    "default_rng",
}
"""What of numpy.random has its own state; the functions share one."""


def sources(*packages):
    return [p for name in packages for p in sorted((ROOT / name).rglob("*.py"))]


def label(path):
    return path.relative_to(ROOT).as_posix()


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path, root=ROOT):
    """Yield (line, written, absolute) for every import, also those inside functions.

    `absolute` is the dotted name in terms of folders: core.ops.registry.
    """
    folders = list(path.relative_to(root).parts[:-1])
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = folders[: len(folders) - node.level + 1] if node.level else []
            for alias in node.names:
                parts = [*base, *([node.module] if node.module else []), alias.name]
                yield node.lineno, "." * node.level + (node.module or ""), ".".join(parts)


def all_files(packages=PACKAGES):
    return pytest.mark.parametrize("path", sources(*packages), ids=label)


@all_files()
def test_imports_between_packages_go_one_way(path):
    own = path.relative_to(ROOT).parts[0]
    for line, written, absolute in imported(path):
        where = f"{label(path)}:{line}: {written}"
        if written.startswith("."):
            assert absolute.split(".")[0] == own, f"{where}: write rekindle.{absolute}"
            continue
        parts = absolute.split(".")
        assert parts[0] not in PACKAGES, f"{where}: write rekindle.{absolute}"
        if parts[0] != "rekindle":
            continue
        other = parts[1] if len(parts) > 1 else None
        if other not in PACKAGES:
            assert own == "cli", f"{where}: only the cli uses the facade"
            continue
        assert other != own, f"{where}: a package imports itself relatively"
        assert PACKAGES.index(other) < PACKAGES.index(own), f"{where}: layers go one way"


@all_files(["core"])
def test_imports_inside_core_go_one_way(path):
    def unit(name):
        parts = name.split(".")
        assert parts[1] in CORE, f"{name}: which layer is it in? Say so in CORE, above"
        return parts[1]

    parts = path.relative_to(ROOT).with_suffix("").parts
    own = parts[1] if parts != ("core", "__init__") else "checkpoint"
    assert own in CORE, f"{label(path)}: which layer is it in? Say so in CORE, above"
    for line, written, absolute in imported(path):
        if written.startswith("."):
            other = unit(absolute)
            assert CORE[other] <= CORE[own], f"{label(path)}:{line}: {own} imports {other}"


@all_files(["core"])
def test_core_knows_nothing_of_lua(path):
    """Only the checkpoint format does; docstrings may name where behaviour comes from."""
    if "checkpoint" in path.parts:
        return
    for node in ast.walk(tree_of(path)):
        names = [getattr(node, field, None) for field in ("id", "attr", "arg", "name", "module")]
        words = [w.lower() for n in names if isinstance(n, str) for w in WORD.findall(n)]
        found = {"lua", "lupa", "torch7"}.intersection(words)
        assert not found, f"{label(path)}:{getattr(node, 'lineno', '?')}: {names}"


@all_files()
def test_nothing_executes_data(path):
    allowed = ALLOWED.get(label(path), {})
    for line, _, absolute in imported(path):
        module = absolute.split(".")[0]
        assert module not in UNSAFE_MODULES or module in allowed, f"{label(path)}:{line}: {module}"
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Call):
            continue
        keywords = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
        name = ast.unparse(node.func)
        where = f"{label(path)}:{node.lineno}: {name}"
        assert name not in UNSAFE_CALLS or name in allowed, where
        assert not keywords.get("allow_pickle"), where
        if name == "torch.load":
            assert keywords.get("weights_only") is True, f"{where} executes pickles"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_still_needed(name):
    used = {absolute.split(".")[0] for _, _, absolute in imported(ROOT / name)}
    calls = (node for node in ast.walk(tree_of(ROOT / name)) if isinstance(node, ast.Call))
    used |= {ast.unparse(call.func) for call in calls}
    assert set(ALLOWED[name]) <= used


@all_files()
def test_randomness_comes_from_generators(path):
    for line, _, absolute in imported(path):
        assert absolute.split(".")[0] != "random", f"{label(path)}:{line}: Python's own generator"
        assert not absolute.startswith("numpy.random"), f"{label(path)}:{line}: {absolute}"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            base = ast.unparse(node.value)
            if base in ("np.random", "numpy.random", "xp.random", "cupy.random"):
                assert node.attr in RANDOM_OBJECTS, (
                    f"{label(path)}:{node.lineno}: {base}.{node.attr}"
                )


PRINTS_AS_TORCH_DOES = {
    "legacy_nn/dpnn/nce.py",
    "legacy_nn/compare.py",  # its result, unless it is told to be quiet
    "legacy_nn/optim/fista.py",
    "legacy_nn/optim/lbfgs.py",
    "legacy_nn/optim/line_search.py",
    "legacy_nn/optim/logger.py",
    "legacy_nn/optim/state.py",
    "legacy_nn/rnn/mask_zero.py",  # a warning
    "legacy_nn/stochastic_gradient.py",
    "legacy_nn/torch7/files/object_writer.py",
    "legacy_nn/torch_rnn/language_model.py",
    "legacy_nn/watching.py",
}
"""What a Lua user sees on the terminal, when asked with `verbose` or always."""


@all_files(["core", "legacy_nn", "transpiler"])
def test_only_the_command_line_prints(path):
    if label(path) in PRINTS_AS_TORCH_DOES:
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{label(path)}:{node.lineno}"


def test_the_walk_finds_what_it_looks_for(tmp_path):
    path = tmp_path / "legacy_nn" / "m.py"
    path.parent.mkdir()
    path.write_text(
        "import a.b\nfrom .x import y\nfrom ..core import z\n"
        "def f():\n    from rekindle.core.ops import w\n",
        encoding="utf-8",
    )
    found = {absolute for _, _, absolute in imported(path, tmp_path)}
    assert found == {"a.b", "legacy_nn.x.y", "core.z", "rekindle.core.ops.w"}
