"""Modules that return their input: what is the input itself, what views it, what copies it."""

import copy

import numpy as np
import pytest
from recorded import check_constructor, check_forward, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

RECORDS = records("Identity", "Contiguous", "Copy", "ZeroGrad", "L1Penalty")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize(
    "path",
    # the output object of these is the input, another one at every call of check_forward
    [p for p in RECORDS if not p.stem.startswith(("Identity", "L1Penalty"))],
    ids=lambda p: p.stem,
)
def test_forward(path):
    check_forward(path)


def doubles(*shape):
    return tensor(np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("module", [nn.Identity(), nn.L1Penalty(0.1), nn.TotalVariation(1.0)])
def test_the_output_is_the_input_itself(module):
    x = doubles(2, 3)
    assert module.updateOutput(x) is x
    assert module.output is x
    np.testing.assert_array_equal(module(x).numpy(), x.numpy())


def test_identity_takes_tables_and_any_type():
    table = Table([doubles(2), tensor([1, 2]), tensor([1.0], "float32")])
    assert nn.Identity().updateOutput(table) is table
    assert nn.Identity()(table) is table


@pytest.mark.parametrize("module", [nn.Contiguous(), nn.ZeroGrad(), nn.Copy()])
def test_the_output_views_the_input(module):
    x, own = doubles(2, 3), module.output
    assert module.updateOutput(x) is own
    assert own.storage() is x.storage()


def test_contiguous_copies_what_is_not():
    x = doubles(2, 3).T
    y = nn.Contiguous().updateOutput(x)
    assert y.is_contiguous()
    assert y.storage() is not x.storage()
    np.testing.assert_array_equal(y.numpy(), x.numpy())


def test_l1_penalty_keeps_its_loss():
    x = doubles(2, 3)
    for average, count in ((False, 1), (True, 6)):
        m = nn.L1Penalty(0.1, average)
        m(x)
        assert m.loss == pytest.approx(0.1 * np.abs(x.numpy()).sum() / count, rel=1e-12)


# -- Copy ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intype", "outtype", "dtype"),
    [
        ("torch.DoubleTensor", "torch.FloatTensor", "float32"),
        ("torch.FloatTensor", "torch.DoubleTensor", "float64"),
        ("torch.DoubleTensor", "torch.LongTensor", "int64"),
    ],
)
def test_copy_converts(intype, outtype, dtype):
    m = nn.Copy(intype, outtype)
    x = tensor(np.array([1.5, -2.5]), m.gradInput.dtype)
    own = m.output
    assert m.updateOutput(x) is own
    assert own.dtype == dtype
    assert own.tolist() == np.array([1.5, -2.5]).astype(dtype).tolist()


def test_forced_copy_has_memory_of_its_own():
    x = doubles(2, 3)
    y = nn.Copy("torch.DoubleTensor", "torch.DoubleTensor", True).updateOutput(x)
    assert y.storage() is not x.storage()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: checkpoint.loads(checkpoint.dumps(m))])
def test_the_functions_of_copys_file_are_written_back(again):
    path = next(p for p in RECORDS if p.stem == "Copy__01")
    module = checkpoint.load(path).module
    assert "updateOutput" not in vars(module)
    names = set(module.t7_fields().keys())
    assert {"updateOutput", "updateGradInput"} <= names
    module = again(module)
    assert set(module.t7_fields().keys()) == names
    x = doubles(2, 3)
    output = module.updateOutput(x)
    assert isinstance(output, Tensor)
    assert output.storage() is x.storage()
