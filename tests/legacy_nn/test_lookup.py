"""Tables of rows and one-hot rows against recorded Torch7 runs and NumPy."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close, check_constructor, check_forward, construct, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.torch7 import random

RECORDS = records("LookupTable", "OneHot")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize(
    # the float one got its buffers from m:float()
    "path",
    [p for p in RECORDS if p.stem != "LookupTable__02"],
    ids=lambda p: p.stem,
)
def test_constructor(path):
    check_constructor(path)


def test_initial_rows_are_torch7s():
    record = checkpoint.load(FIXTURES / "behaviour" / "init_LookupTable.t7")
    random.manual_seed(7)
    module = construct(record.inputs.ctor)
    assert_close(module.weight, record.results.params[1])
    assert random.default.words(1)[0] == record.results.next_random
    random.manual_seed(8)
    module.reset(0.1)
    assert_close(module.weight, record.results.reset_01[1])


def test_table_of_an_old_file(old_record):
    module, x, expected = old_record("lookup_v2")
    assert_close(module.updateOutput(x), expected)
    assert_close(module(x), expected)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float64", "float32"])
@pytest.mark.parametrize("index", [[1, 6, 2], [[1, 6], [2, 2]]])
def test_indices_of_any_type(dtype, index):
    m = nn.LookupTable(6, 3)
    y = m.updateOutput(tensor(index, dtype))
    np.testing.assert_array_equal(y.numpy(), m.weight.numpy()[np.array(index) - 1])
    assert m.updateOutput(tensor([3], dtype)) is y


def test_fractions_are_cut_off():
    m = nn.LookupTable(6, 3)
    np.testing.assert_array_equal(m(tensor([2.9])).numpy(), m.weight.numpy()[[1]])


def test_rows_of_more_dimensions_in_old_files():
    m = nn.LookupTable(6, 3)
    m.weight = Tensor(np.random.default_rng(0).normal(size=(6, 2, 3)))
    y = m(tensor([[1, 6], [2, 2]]))
    np.testing.assert_array_equal(y.numpy(), m.weight.numpy()[[[0, 5], [1, 1]]])


@pytest.mark.parametrize("p", [None, 1, 3])
@pytest.mark.parametrize("train", [True, False])
def test_rows_looked_up_are_limited_in_the_table_itself(p, train):
    m = nn.LookupTable(6, 3, 0, 1.5, p)
    m.train = train
    before = m.weight.numpy().copy()
    y = m(tensor([2, 5, 2]))
    order = 2 if p is None else p
    norms = np.linalg.norm(before, ord=order, axis=1, keepdims=True)
    limited = np.where(norms > 1.5, before * 1.5 / (norms + 1e-7), before)
    expected = before.copy()
    expected[[1, 4]] = limited[[1, 4]]
    assert (norms > 1.5).any()
    np.testing.assert_allclose(m.weight.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(y.numpy(), expected[[1, 4, 1]], rtol=1e-12)


def test_settings_come_and_go():
    m = nn.LookupTable(6, 3)
    assert m.setPadding(2).setMaxNorm(1.5).setNormType(1).scaleGradByFreq().accUpdateOnly() is m
    assert (m.paddingValue, m.maxNorm, m.normType, m.shouldScaleGradByFreq) == (2, 1.5, 1, True)
    assert m.setMaxNorm(None).maxNorm is None
    assert not {"maxNorm", "gradWeight"} & set(vars(m))
    assert m.weight is m.parameters()[0][0]


@pytest.mark.parametrize("index", [[0], [7], [[1, 2], [3, -1]]])
@pytest.mark.parametrize(
    "module", [nn.LookupTable(6, 3), nn.OneHot(6)], ids=lambda m: m.t7_typename
)
def test_indices_outside(module, index):
    with pytest.raises(BoundsError, match=r"takes indices from 1 to 6; given -?\d to \d"):
        module.updateOutput(tensor(index))


def test_tables_take_vectors_and_matrices():
    with pytest.raises(ShapeError, match="1-D or 2-D input; given shape"):
        nn.LookupTable(3, 2).updateOutput(tensor([[[1]]]))


# -- one-hot rows ---------------------------------------------------------------------------


@pytest.mark.parametrize("index", [[3, 1], [[3, 1], [4, 4]]])
def test_one_hot(index):
    y = nn.OneHot(4)(tensor(index))
    np.testing.assert_array_equal(y.numpy(), np.eye(4)[np.array(index) - 1])
    assert y.dtype == np.float64


def test_one_hot_of_a_number():
    assert nn.OneHot(3)(2).tolist() == [0.0, 1.0, 0.0]


def test_char_rnns_own_class():
    m = nn.CharRnnOneHot(4)
    assert m.t7_typename == "OneHot"
    for index in (tensor([3, 1]), tensor([3.0, 1.0])):
        y = m.updateOutput(index)
        np.testing.assert_array_equal(y.numpy(), np.eye(4)[[2, 0]])
        assert y.dtype == np.float64
    assert m._eye.dtype == np.float32
    with pytest.raises(BoundsError, match="from 1 to 4"):
        m(tensor([5]))
    with pytest.raises(ShapeError, match="1-D"):
        m(tensor([[1]]))
    del m._eye
    assert m(tensor([2])).tolist() == [[0.0, 1.0, 0.0, 0.0]]


def test_char_rnns_own_class_in_float():
    m = nn.CharRnnOneHot(2)
    m._type = "torch.FloatTensor"
    assert m(tensor([2])).dtype == np.float32
