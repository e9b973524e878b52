"""docs/mapping.md is up to date, and what it says is true."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle import nn, ops, optim, random
from rekindle.core.checkpoint.registry import CLASSES
from rekindle.legacy_nn import optim as torch_optim
from rekindle.legacy_nn.modernise import NOT_TRANSLATED, known
from rekindle.legacy_nn.torch7 import api

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import make_mapping  # noqa: E402
import mapping_tables as tables  # noqa: E402

sys.path.remove(str(ROOT / "docs"))

ABSENT = (AttributeError, NameError, TypeError, ValueError)
SIMPLE = {name: text for name, text in tables.NN.items() if re.fullmatch(r"nn\.\w+", text)}


def arrays():
    """Return what the names in the examples stand for, as arrays."""
    draw = np.random.Generator(np.random.PCG64(4))
    square = draw.uniform(size=(3, 3))
    return {
        **{name: draw.uniform(0.5, 1.5, (3, 4)) for name in "xyza"},
        **{name: draw.uniform(0.5, 1.5, (4, 3)) for name in "mb"},
        "p": square,
        "s": square @ square.T + np.eye(3),
        "q": draw.uniform(size=3),
        "v": draw.uniform(size=4),
        "c": draw.uniform(size=(2, 3, 4)),
        "d": draw.uniform(size=(2, 4, 3)),
        "rows": np.array([3, 1]),
        "places": np.array([[1, 2, 3, 1], [3, 3, 2, 2]]),
        "mask": (draw.uniform(size=(3, 4)) > 0.5).astype(np.uint8),
        "f": np.zeros(1, np.float32),
    }


def values(made):
    first = made[0] if isinstance(made, tuple) else made
    return np.asarray(first.numpy() if hasattr(first, "numpy") else first, np.float64)


def by_torch7(name, arguments):
    tensors = {n: rekindle.Tensor(a.copy()) for n, a in arrays().items()}
    given = eval(f"({arguments},)" if arguments else "()", {}, tensors)
    if name in tables.FUNCTIONS:
        return api.FUNCTIONS[name](*given)
    receiver = tensors[tables.RECEIVER.get(name, "x").partition(":")[0]].clone()
    result = api.METHODS[name](receiver, *given)
    return receiver if name == "maskedFill" else result  # which returns the number


def test_it_is_up_to_date():
    # in a process of its own: other tests register classes
    command = [sys.executable, make_mapping.__file__, "--check"]
    assert subprocess.run(command, check=False).returncode == 0, "python docs/make_mapping.py"


def test_no_class_and_no_function_is_forgotten():
    translated, left = make_mapping.other_classes()
    silent = make_mapping.classes() - tables.NN.keys() - {*translated} - {*left}
    assert silent <= {"nn.DataParallelTable", "nn.GPU"}  # only places where modules run
    assert tables.NN.keys() <= CLASSES.keys()
    assert all(known(n) and n not in NOT_TRANSLATED for n in tables.NN)
    assert tables.TENSOR.keys() <= {*api.METHODS, *api.FUNCTIONS}
    assert set(tables.OPTIM) <= set(dir(torch_optim))


@pytest.mark.parametrize("name", SIMPLE)
def test_classes_of_nn_exist(name):
    assert issubclass(getattr(nn, SIMPLE[name][3:]), nn.Module)


@pytest.mark.parametrize("name", tables.NN)
def test_names_in_expressions_exist(name):
    for holder, attribute in re.findall(
        r"\b(ops|nn\.functional|nn\.utils|x)\.(\w+)", tables.NN[name]
    ):
        place = {"ops": ops, "nn.functional": nn.functional, "nn.utils": nn.utils}
        assert hasattr(place.get(holder, rekindle.Tensor), attribute), f"{holder}.{attribute}"


@pytest.mark.parametrize("name", tables.TENSOR)
def test_expressions_compute_what_torch7_does(name):
    arguments, ours, _ = tables.TENSOR[name]
    tensors = {n: rekindle.Tensor(a) for n, a in arrays().items()}
    found = values(eval(ours, {"ops": ops, "rekindle": rekindle}, tensors))
    expected = values(by_torch7(name, arguments))
    assert found.shape == expected.shape or found.size == expected.size == 1
    np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=1e-12)


@pytest.mark.parametrize("name", tables.DRAWS)
def test_draws_run(name):
    given = {"shape": (2, 3), "a": 0, "b": 1, "m": 0, "s": 1, "n": 2}
    given["p"] = rekindle.tensor([0.3, 0.7]) if name == "multinomial" else 0.5
    eval(tables.DRAWS[name][1], {"random": random, "rekindle": rekindle}, given)


def test_optimisers_exist():
    for ours, _ in tables.OPTIM.values():
        if ours:
            assert issubclass(getattr(optim, ours.partition("(")[0]), optim.Optimizer)


COMPOSED = {"nn.SpatialLPPooling"}
"""What `modernise` builds of smaller layers, so that it computes as Torch7 in every case."""

FIXTURES = sorted((ROOT / "tests" / "fixtures" / "modules").glob("*.t7"))


@pytest.mark.parametrize("name", sorted(SIMPLE.keys() - COMPOSED))
def test_modernise_gives_the_class_that_the_page_names(name):
    """Where a recorded module becomes one layer, it is the one in the table."""
    short = name.partition(".")[2]
    kinds = set()
    for path in [p for p in FIXTURES if p.stem == short or p.stem.startswith(f"{short}_")][:4]:
        recorded = rekindle.load(path)
        module = recorded.get("module") or recorded.get("criterion")
        if getattr(module, "t7_typename", None) != name:
            continue
        try:
            modern = rekindle.modernise(module, recorded.get("input"))
        except rekindle.RekindleError:
            continue
        kinds |= {type(m).__name__ for m in modern.modules()}
    kinds -= {"Translated", "Sequential"} - {SIMPLE[name][3:]}
    if len(kinds) == 1:
        assert kinds == {SIMPLE[name][3:]}


@pytest.mark.parametrize("name", tables.TENSOR)
def test_pytorch_computes_the_same(name):
    torch = pytest.importorskip("torch")
    arguments, _, theirs = tables.TENSOR[name]
    tensors = {n: torch.from_numpy(a.copy()) for n, a in arrays().items()}
    found, expected = (
        values(eval(theirs, {"torch": torch}, tensors)),
        values(by_torch7(name, arguments)),
    )
    np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=1e-12)


def test_pytorch_has_the_names():
    torch = pytest.importorskip("torch")
    for text in SIMPLE.values():
        assert hasattr(torch.nn, text[3:]), text
    for ours, _ in tables.OPTIM.values():
        assert not ours or hasattr(torch.optim, ours.partition("(")[0])
    given = {"shape": (2, 3), "a": 0, "b": 1, "m": 0, "s": 1, "n": 2}
    for name, (_, _, theirs) in tables.DRAWS.items():
        p = torch.tensor([0.3, 0.7]) if name == "multinomial" else 0.5
        eval(theirs, {"torch": torch}, {**given, "p": p})
