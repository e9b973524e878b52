"""Parts of the input, and reductions, against recorded Torch7 runs and NumPy."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, records

from rekindle import legacy_nn as nn
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError

RECORDS = records("Narrow", "Select", "Index", "MaskedSelect", "Sum", "Mean", "Max", "Min")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


def doubles(*shape):
    return tensor(np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Narrow(2, 2, 3), np.s_[:, 1:4]),
        (nn.Narrow(2, 3), np.s_[:, 2:3]),
        (nn.Narrow(-2, 2, 2), np.s_[:, 1:3]),
        (nn.Narrow(2, 2, -1), np.s_[:, 1:]),
        (nn.Narrow(2, 2, -2), np.s_[:, 1:-1]),
        (nn.Narrow(2, -1, 2), np.s_[:, :-2]),  # as in Torch7: the first ones
        (nn.Select(2, 3), np.s_[:, 2]),
        (nn.Select(-2, -1), np.s_[:, -1]),
    ],
)
def test_parts(module, expected):
    x = doubles(3, 5, 2)
    y = module.updateOutput(x)
    np.testing.assert_array_equal(y.numpy(), x.numpy()[expected])
    assert y.is_contiguous()
    assert y.storage() is not x.storage()


def test_index_and_mask():
    x, index = doubles(3, 4), tensor([4, 1, 4])
    np.testing.assert_array_equal(nn.Index(2)([x, index]).numpy(), x.numpy()[:, [3, 0, 3]])
    mask = tensor(np.array([[1, 0, 0, 2]] * 3), "uint8")
    chosen = nn.MaskedSelect()([x, mask])
    np.testing.assert_array_equal(chosen.numpy(), x.numpy()[mask.numpy() != 0])


@pytest.mark.parametrize("cls", [nn.Sum, nn.Mean, nn.Max, nn.Min])
@pytest.mark.parametrize(
    ("arguments", "shape", "axis"),
    [
        *(((1,), (3, 4), 0), ((2,), (3, 4), 1), ((-1,), (3, 4, 2), 2), ((), (3, 4), 0)),
        *(((1, 1), (3, 4), 1), ((1, 2), (3, 4), 0), ((2, 2), (5, 3, 4), 2)),
    ],
)
def test_reductions(cls, arguments, shape, axis):
    x = doubles(*shape)
    function = {"Sum": np.sum, "Mean": np.mean, "Max": np.max, "Min": np.min}[cls.__name__]
    y = cls(*arguments).updateOutput(x)
    np.testing.assert_allclose(y.numpy(), function(x.numpy(), axis=axis), rtol=1e-13)


@pytest.mark.parametrize("cls", [nn.Sum, nn.Mean, nn.Max, nn.Min])
def test_a_vector_becomes_a_vector_of_one(cls):
    assert cls(1).updateOutput(doubles(5)).shape == (1,)


def test_a_sum_can_keep_its_dimension():
    x = doubles(3, 4)
    y = nn.Sum(2, None, True, False)(x)
    np.testing.assert_allclose(y.numpy(), x.numpy().mean(1, keepdims=True), rtol=1e-13)


@pytest.mark.parametrize(("cls", "function"), [(nn.Max, np.argmax), (nn.Min, np.argmin)])
def test_extremes_remember_where_they_were(cls, function):
    x = tensor(np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 0.0]]))
    m = cls(2)
    own = m.output
    assert m.updateOutput(x) is own
    assert m._indices.dtype == np.int64
    assert m._indices.tolist() == (function(x.numpy(), axis=1)[:, None] + 1).tolist()
    assert own.storage() is m._output.storage()


def test_a_mean_of_an_old_file_is_a_mean():
    m = nn.Mean(1)
    del m.sizeAverage, m.squeeze
    assert m(tensor(np.array([[1.0], [3.0]]))).tolist() == [2.0]


@pytest.mark.parametrize(
    ("module", "input", "words"),
    [
        (nn.Narrow(1, 2, 5), doubles(3), r"nn.Narrow\(1, 2, 5\) reaches outside"),
        (nn.Narrow(1, 3, 0), doubles(3), "reaches outside"),
        (nn.Narrow(3, 1, 1), doubles(3), "dimension 3; the input has 1"),
        (nn.Select(1, 5), doubles(3, 3), r"nn.Select\(1, 5\).*given shape \(3, 3\)"),
        (nn.Select(1, 0), doubles(3, 3), "given shape"),
        (nn.Select(1, 1), doubles(3), "2 or more dimensions"),
        (nn.MaskedSelect(), [doubles(3, 3), tensor([1, 0])], "mask of the input's size"),
        (nn.Sum(3), doubles(3, 3), "dimension exceeds input dimensions"),
        (nn.Max(3), doubles(3, 3), "dimension 3; the input has 2"),
    ],
)
def test_errors_say_what_was_expected_and_given(module, input, words):
    with pytest.raises(ShapeError, match=words):
        module.updateOutput(input)


@pytest.mark.parametrize(("index", "given"), [([1, 4], "1 to 4"), ([0], "0 to 0")])
def test_indices_outside_are_told_in_torchs_counting(index, given):
    with pytest.raises(BoundsError, match=f"nn.Index takes indices from 1 to 3; given {given}"):
        nn.Index(1).updateOutput([doubles(3, 3), tensor(index)])
