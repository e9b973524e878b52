"""Every recorded module and criterion: its translation computes the same, or it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle import legacy_nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.criterion.base import Criterion
from rekindle.legacy_nn.modernise import (
    NOT_TRANSLATED,
    TranslationError,
    known,
    modernise,
)
from rekindle.legacy_nn.naming import WRAPPERS

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDED = sorted((FIXTURES / "modules").glob("*__*.t7"))

TORCHS = {"OneHot", "cudnn", "graph", "nn", "nngraph", "optim", "tds", "tds_hash", "torch"}
"""Packages whose classes count; other tests may register classes of their own."""

DIFFERENT = {
    "ClassNLLCriterion__04": "one sample without a batch",
    "ReLU__06": "nan stays nan in core.nn",
    "BCECriterion__06": "core.nn limits logarithms at -100, Torch7 adds 1e-12",
    "SpatialConvolutionMap__01": "one image without a batch",
    "DontCast__02": "its module computes in another type",
    "CriterionTable__01": "the target is a number",
}


def arguments(value: Any) -> Any:
    return tuple(arguments(v) for v in value.array()) if isinstance(value, Table) else value


LOOSE = {
    *("SpatialUpSamplingBilinear__01", "SpatialUpSamplingBilinear__04"),
    *("UpSampling__05", "UpSampling__06"),
}
"""Interpolation, for which Torch7 rounds places to float32 in models of doubles, too."""


def assert_same(actual: Any, expected: Any, loose: bool = False) -> None:
    if isinstance(expected, Table):
        assert isinstance(actual, tuple)
        assert len(actual) == len(expected)
        for a, b in zip(actual, expected.array(), strict=True):
            assert_same(a, b, loose)
        return
    assert actual.shape == expected.shape
    tolerance = 1e-5 if loose or expected.dtype == np.float32 else 1e-10
    a, b = actual.numpy().astype("f8"), expected.numpy().astype("f8")
    assert np.abs(a - b).max(initial=0) <= tolerance * np.abs(b).max(initial=0)


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_recorded(path: Path, capfd: Any) -> None:
    if path.stem in DIFFERENT:
        pytest.skip(DIFFERENT[path.stem])
    record = checkpoint.load(path)
    if "criterion" in record:
        _check_criterion(record)
        return
    module = record.module.evaluate()
    try:
        made = modernise(module, record.input)
    except TranslationError as error:
        pytest.skip(str(error))
    given = arguments(checkpoint.load(path).input)
    output = made(*given) if isinstance(given, tuple) else made(given)
    assert_same(output, module(checkpoint.load(path).input), path.stem in LOOSE)


def _check_criterion(record: Any) -> None:
    if not isinstance(record.get("target"), (Tensor, Table)):
        pytest.skip("the target is a number, or there is none")
    try:
        made = modernise(record.criterion, record.input)
    except TranslationError as error:
        pytest.skip(str(error))
    loss = made(arguments(record.input), arguments(record.target))
    assert abs(loss.item() - record.loss) <= 1e-6 * max(abs(record.loss), 1e-6)


def test_recorded_ones_that_translate() -> None:
    translated = 0
    for path in RECORDED:
        record = checkpoint.load(path)
        name = (record.get("criterion") or record.get("module")).t7_typename
        translated += known(name)
    assert translated >= 455


def ours(cls: type | None) -> bool:
    """Whether a class is Rekindle's, and not one that a test or a Lua program defined."""
    module = getattr(cls, "__module__", "rekindle.legacy_nn")  # a name may have two classes
    elsewhere = "rekindle.legacy_nn.bridge", "rekindle.legacy_nn.torch7"  # torch's own tools
    return module.startswith("rekindle.legacy_nn") and not module.startswith(elsewhere)


def test_every_class_has_a_rule_or_a_reason() -> None:
    classes = checkpoint.registry.CLASSES
    torchs = {n for n in classes if n.partition(".")[0] in TORCHS} - WRAPPERS
    names = {n for n in torchs if ours(classes[n].cls)}
    without = {n for n in names if not known(n) and n not in NOT_TRANSLATED}
    assert not without
    assert not {n for n in NOT_TRANSLATED if known(n) or n not in classes}


def test_not_translated_is_documented() -> None:
    text = (FIXTURES.parents[1] / "docs" / "not-translated.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    expected = [f"| `{name}` | {why} |" for name, why in sorted(NOT_TRANSLATED.items())]
    assert rows == expected


def test_all_refusals_in_one_list() -> None:
    old = legacy_nn.Sequential().add(legacy_nn.WhiteNoise())
    old.add(legacy_nn.ConcatTable().add(legacy_nn.Identity()).add(legacy_nn.WhiteNoise()))
    with pytest.raises(TranslationError) as caught:
        modernise(old)
    assert [one.path for one in caught.value.found] == ["modules[1]", "modules[2].modules[2]"]


def test_criterions_are_no_modules() -> None:
    assert isinstance(legacy_nn.MSECriterion(), Criterion)
    loss = modernise(legacy_nn.MSECriterion())
    x, t = Tensor(np.ones((2, 3))), Tensor(np.zeros((2, 3)))
    assert loss(x, t).item() == 1


def test_indices_from_zero() -> None:
    old = legacy_nn.LookupTable(5, 3)
    rows = Tensor(np.array([[1, 4]]))
    from_one, from_zero = modernise(old), modernise(old, zero_based=True)
    assert_same(from_one(rows + 1), old(rows + 1))
    assert_same(from_zero(rows), old(rows + 1))


def test_what_an_in_place_module_wrote_is_what_later_modules_read() -> None:
    branch = legacy_nn.Sequential().add(legacy_nn.ReLU(True)).add(legacy_nn.Linear(3, 3))
    fork = legacy_nn.ConcatTable().add(legacy_nn.Identity()).add(branch)
    old = legacy_nn.Sequential().add(legacy_nn.Linear(3, 3)).add(fork).add(legacy_nn.CAddTable())
    x = Tensor(np.random.default_rng(0).normal(size=(4, 3)))
    assert_same(modernise(old)(x), old(x))


def test_wrong_number_of_inputs() -> None:
    made = modernise(legacy_nn.CAddTable())
    x = Tensor(np.ones(2))
    with pytest.raises(ValueError, match="translate it with an example"):
        made(x, x, x)


def test_methods_of_instances_are_refused() -> None:
    old = legacy_nn.Sequential().add(legacy_nn.Linear(2, 2))
    vars(old.get(1))["updateOutput"] = checkpoint.LuaFunction(b"", None)
    with pytest.raises(TranslationError, match="updateOutput"):
        modernise(old)
