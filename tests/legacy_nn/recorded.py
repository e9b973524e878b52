"""Checks of modules against runs recorded from Torch7 (tests/fixtures/modules, models, gpu).

A record holds the module as it was right before forward, its input, its output and the
constructor's Lua text; the generator was seeded with 123 right before forward.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from rekindle import legacy_nn
from rekindle.core import checkpoint
from rekindle.core.autograd import backward
from rekindle.core.checkpoint import LuaFunction, Table, TorchObject
from rekindle.core.creation import ones, tensor, zeros
from rekindle.core.dtypes import float32, is_floating
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.values import as_input, map_tensors, tensors_in

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "float16": 1e-3}
SEED = 123

SET_LATER = {"train", "_type"}
"""Fields that recording set after the constructor, by `m:evaluate()` and `m:float()`."""


def records(*classes: str) -> list[Path]:
    """Return the records of modules of these classes, named without their package."""
    found = {c: sorted((FIXTURES / "modules").glob(f"{c}__*.t7")) for c in classes}
    missing = [c for c, paths in found.items() if not paths]
    assert not missing, f"no records of {missing} in {FIXTURES / 'modules'}"
    return [path for paths in found.values() for path in paths]


# -- closeness ----------------------------------------------------------------------------


def assert_close(actual: Any, expected: Any, place: str = "", tolerance: float = 0) -> None:
    """Compare tensors, or tables of them, in dtype, shape and values.

    Values are close if max|a - b| <= tolerance * max|b|, where the tolerance is that of
    the dtype or `tolerance` if it is larger; integers are equal.
    """
    if isinstance(expected, Table):
        assert isinstance(actual, Table), f"{place}: {type(actual).__name__} is no table"
        assert set(actual.keys()) == set(expected.keys()), place
        for key, value in expected.items():
            assert_close(actual[key], value, f"{place}[{key}]", tolerance)
        return
    if not isinstance(expected, Tensor):
        np.testing.assert_allclose(actual, expected, rtol=1e-10, err_msg=place)
        return
    assert isinstance(actual, Tensor), f"{place}: {type(actual).__name__} is no tensor"
    assert actual.dtype == expected.dtype, place
    assert actual.shape == expected.shape, place
    assert_values_close(actual.numpy(), expected.numpy(), place, tolerance)


def assert_values_close(a: Any, b: Any, place: str, tolerance: float = 0) -> None:
    """Compare arrays of one shape as `assert_close` does."""
    if b.dtype.kind != "f":
        np.testing.assert_array_equal(a, b, err_msg=place)
        return
    finite = np.isfinite(b)
    np.testing.assert_array_equal(a[~finite], b[~finite], err_msg=place)
    limit = max(tolerance, TOLERANCE[b.dtype.name]) * np.max(np.abs(b[finite]), initial=0)
    difference = np.max(np.abs(a[finite] - b[finite]), initial=0)
    assert difference <= limit, f"{place}: largest difference {difference}, allowed {limit}"


# -- forward ------------------------------------------------------------------------------


def check_forward(path: Path, skip: tuple[str, ...] = ()) -> None:
    """Run a recorded module in both protocols and compare what it gives and remembers.

    Parameters
    ----------
    skip : tuple of str
        Fields of `after` that only the backward pass fills.
    """
    record = checkpoint.load(path)
    module = set_mode(record.module, record.train)
    random.manual_seed(SEED)
    output = module.updateOutput(record.input)
    assert_close(output, record.output, "updateOutput")
    assert module.output is output
    _check_remembered(module, record, skip)
    # a table is a new one at every call in some classes, SplitTable for one
    if isinstance(output, Tensor) and "noise" not in vars(module) and not module.inplace:
        again = module.updateOutput(record.input)
        assert again is output, "updateOutput returns another object the second time"

    record = checkpoint.load(path)
    module = set_mode(record.module, record.train)
    before = checkpoint.load(path).input
    random.manual_seed(SEED)
    fresh = module(record.input)
    assert_close(fresh, record.output, "module(x)")
    assert_close(record.input, before, "the input after module(x)")
    _check_remembered(module, record, skip)


def set_mode(module: Module, train: bool) -> Module:
    """Set training or evaluation mode."""
    return module.training() if train else module.evaluate()


def _check_remembered(module: Module, record: Any, skip: tuple[str, ...]) -> None:
    for name, expected in record.after.items():
        of_the_batch = name.startswith("save_") and not record.train  # filled by backward
        if name not in skip and not name.startswith("_") and not of_the_batch:
            assert_close(getattr(module, name), expected, name)


# -- backward -----------------------------------------------------------------------------


def check_backward(path: Path, skip: tuple[str, ...] = (), tolerance: float = 0) -> None:
    """Run a recorded module forward and backward in Torch's protocol and compare all it leaves.

    That is gradInput, the gradients of the parameters, the parameters themselves and what
    `after` names, which Torch7 saved after its backward pass, but for the fields `skip`.
    """
    record = checkpoint.load(path)
    module = set_mode(record.module, record.train)
    module.zeroGradParameters()
    random.manual_seed(SEED)
    module.updateOutput(record.input)
    found = module.backward(record.input, record.gradOutput, record.get("scale", 1))
    assert module.gradInput is found
    if "gradInput" in record:
        assert_close(found, record.gradInput, "gradInput", tolerance)
    _check_parameters(module, record, tolerance)
    _check_remembered(module, record, skip)


def _check_parameters(module: Module, record: Any, tolerance: float) -> None:
    weights, gradients = module.parameters()
    if "gradParams" in record:
        assert_close(Table(gradients), record.gradParams, "gradParams", tolerance)
    if "params" in record:
        assert_close(Table(weights), record.params, "params", tolerance)


def check_graph(path: Path, tolerance: float = 0) -> None:
    """Differentiate `module(x)` as the framework does; compare with what Torch's backward gave.

    The gradients go to the tensors of the input and, scaled by the record, to the Parameters.
    """
    record = checkpoint.load(path)
    module = set_mode(record.module, record.train)
    module.zeroGradParameters()
    random.manual_seed(SEED)
    leaves = map_tensors(_leaf, record.input)
    output = module(leaves)
    gradOutput = as_input(record.gradOutput)
    if not isinstance(gradOutput, (Tensor, Table)):  # criterions as modules return a number
        gradOutput = ones(output.shape, output.dtype) * gradOutput
    pairs = zip(tensors_in(output), tensors_in(gradOutput), strict=True)
    reached = [(y, g) for y, g in pairs if y.requires_grad]
    if reached:
        backward([y for y, _ in reached], [g for _, g in reached])
    if "gradInput" in record:
        _check_leaves(leaves, record.gradInput, tolerance)
    scale = record.get("scale", 1)
    for p, g in zip(module.parameters()[0], record.get("gradParams", Table()).array(), strict=True):
        assert p.grad.shape == p.shape
        found = p.grad.detach().reshape(g.shape)  # gradV of nn.WeightNorm has another shape
        assert_close(found * scale, g, "gradient of a parameter", tolerance)


def _check_leaves(leaves: Any, expected: Any, tolerance: float) -> None:
    """Compare the gradients that leaves have; what is not expected need not have any."""
    if isinstance(expected, Table):
        for key, value in expected.items():
            _check_leaves(leaves[key], value, tolerance)
        return
    none = zeros(expected.shape, expected.dtype)
    found = none if leaves.grad is None else leaves.grad
    assert_close(found, expected, "gradient of the input", tolerance)


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(is_floating(tensor.dtype))


# -- constructors -------------------------------------------------------------------------


class _Torch:
    """What the constructors' texts use of `torch`: contents do not matter, shapes do."""

    def Tensor(self, *args: Any) -> Tensor:
        return tensor(args[0], "float64") if isinstance(args[0], list) else zeros(args, "float64")

    def rand(self, *shape: int) -> Tensor:
        return random.uniform(zeros(shape, "float64"))

    def ones(self, *shape: int) -> Tensor:
        return ones(shape, "float64")


def construct(lua: str) -> Any:
    """Return what a Lua expression of constructors makes: `nn.Concat(2):add(nn.Tanh())`."""
    text = re.sub(r"\{(\w+=[^{}]*)\}", r"dict(\1)", lua)
    text = text.replace("{", "[").replace("}", "]")
    text = re.sub(r"Tensor(\[[^\]]*\])", r"Tensor(\1)", text).replace(":", ".")
    names = {"nn": legacy_nn, "torch": _Torch(), "nil": None, "true": True, "false": False}
    return eval(text, {"__builtins__": {"dict": lambda **fields: Table(fields)}}, names)


def check_constructor(path: Path) -> None:
    """Construct the recorded module and compare its fields and its text with the record's.

    Names, types, shapes and plain values of fields must be equal, and those of modules inside.
    """
    record = checkpoint.load(path)
    module = construct(record.ctor)
    for call in record.get("prep", "").split(";"):
        if re.fullmatch(r"\s*m:\w+\(.*\)\s*", call):
            name, arguments = re.fullmatch(r"\s*m:(\w+)\((.*)\)\s*", call).groups()
            getattr(module, name)(*construct(f"[{arguments}]"))
    original = record.module if "module" in record else record.criterion
    assert type(module) is type(original)
    assert_same_fields(module, original)
    assert repr(module) == repr(original)


def assert_same_fields(actual: Any, expected: Any, place: str = "m") -> None:
    """Compare two values as the fields of two modules of which one was constructed.

    Contents of tensors and storages, which may be drawn or not yet set, are not compared.
    """
    if isinstance(expected, Tensor):
        assert isinstance(actual, Tensor), f"{place}: {type(actual).__name__} is no tensor"
        assert actual.shape == expected.shape, f"{place}: {actual.shape}, not {expected.shape}"
        if expected.dtype != float32:  # m:float() came after
            assert actual.dtype == expected.dtype, place
    elif isinstance(expected, Storage):
        assert isinstance(actual, Storage), f"{place}: {type(actual).__name__} is no storage"
        assert (actual.dtype, actual.size) == (expected.dtype, expected.size), place
    elif isinstance(expected, (Table, dict)):
        assert type(actual) is type(expected), f"{place}: {type(actual).__name__}"
        names = set(expected.keys()) - SET_LATER
        missing, extra = names - set(actual.keys()), set(actual.keys()) - names - SET_LATER
        assert not missing, f"{place} lacks {missing}"
        assert not extra, f"{place} should not have {extra}"
        for name in names:
            assert_same_fields(actual[name], expected[name], f"{place}.{name}")
    elif hasattr(expected, "t7_typename"):
        assert type(actual) is type(expected), f"{place}: {type(actual).__name__}"
        plain = isinstance(expected, TorchObject)
        pair = (x.t7_fields() if plain else vars(x) for x in (actual, expected))
        assert_same_fields(*pair, place)
    elif not isinstance(expected, LuaFunction):
        assert isinstance(actual, bool) == isinstance(expected, bool), place
        assert actual == expected, f"{place}: {actual!r}, not {expected!r}"


def tostring_texts() -> dict[str, str]:
    """Return the recorded `tostring` of modules by the Lua text of their constructors."""
    found = checkpoint.load(FIXTURES / "behaviour" / "tostring_modules.t7").results
    return {pair[1]: pair[2] for pair in found.values()}
