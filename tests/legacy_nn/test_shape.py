"""Modules that reshape, move and repeat, against recorded Torch7 runs and NumPy."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, records, tostring_texts

from rekindle import legacy_nn as nn
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn.module import ArgumentError

RECORDS = records(
    *("View", "Reshape", "Collapse", "Squeeze", "Unsqueeze", "Transpose", "Replicate"),
    *("Padding", "PixelShuffle"),
)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


def doubles(*shape):
    return tensor(np.random.default_rng(0).normal(size=shape))


def shape_of(module, *shape):
    return module.updateOutput(doubles(*shape)).shape


# -- what is a batch: the rules that users trip over ----------------------------------------


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        # -1 takes the batch in, and a single sample has no batch dimension
        (nn.View(-1), (4, 3, 2), (24,)),
        (nn.View(-1, 6), (4, 3, 2), (4, 6)),
        (nn.View(6), (1, 3, 2), (6,)),
        (nn.View(6), (4, 3, 2), (4, 6)),
        (nn.View(6), (2, 2, 3, 2), (4, 6)),
        (nn.View(3, 2), (6,), (3, 2)),
        # with numInputDims the dimensions before are the batch, also a batch of one
        (nn.View(-1).setNumInputDims(2), (4, 3, 2), (4, 6)),
        (nn.View(-1).setNumInputDims(2), (1, 3, 2), (1, 6)),
        (nn.View(-1).setNumInputDims(2), (3, 2), (6,)),
        (nn.View(-1).setNumInputDims(3), (4, 3, 2), (24,)),
        (nn.View(6).setNumInputDims(2), (5, 4, 3, 2), (20, 6)),
        (nn.View(3).setNumInputDims(2), (4, 3, 2), (8, 3)),
        (nn.View(tensor([2, 3]).storage()), (6,), (2, 3)),
        # a first dimension of 1 is a batch
        (nn.Reshape(6), (3, 2), (6,)),
        (nn.Reshape(6), (1, 3, 2), (1, 6)),
        (nn.Reshape(6), (1, 6), (1, 6)),
        (nn.Reshape(6), (4, 3, 2), (4, 6)),
        (nn.Reshape(2, 3), (2, 3), (2, 3)),
        (nn.Reshape(6, True), (1, 6), (1, 6)),
        (nn.Reshape(1, 6, True), (6, 6), (6, 1, 6)),
        (nn.Reshape(6, False), (1, 3, 2), (6,)),
        (nn.Reshape(24, None), (4, 3, 2), (24,)),
        (nn.Reshape([2, 3]), (5, 6), (5, 2, 3)),
        (nn.Collapse(2), (4, 3, 2), (4, 6)),
        (nn.Collapse(3), (4, 3, 2), (24,)),
        (nn.Squeeze(), (1, 3, 1), (3,)),
        (nn.Squeeze(), (1, 1), (1,)),
        (nn.Squeeze(1), (3, 2), (3, 2)),
        (nn.Squeeze(1), (1,), (1,)),
        (nn.Squeeze(1, 2), (4, 1, 3), (4, 3)),
        (nn.Squeeze(None, 2), (1, 1, 3), (1, 3)),
        (nn.Squeeze(None, 2), (1, 1, 1), (1, 1)),
        (nn.Squeeze(None, 2), (4, 1, 3), (4, 3)),
        (nn.Unsqueeze(2), (3, 2), (3, 1, 2)),
        (nn.Unsqueeze(1, 2), (4, 3, 2), (4, 1, 3, 2)),
        (nn.Transpose([1, 2]), (2, 3, 4), (3, 2, 4)),
        (nn.Transpose(Table([1, 2]), Table([2, 3])), (2, 3, 4), (3, 4, 2)),
        (nn.Transpose([1, 2]).setNumInputDims(2), (2, 3, 4), (2, 4, 3)),
        (nn.Replicate(5), (2, 3), (5, 2, 3)),
        (nn.Replicate(5, 3), (2, 3), (2, 3, 5)),
        (nn.Replicate(5, 1, 1), (2, 3), (2, 5, 3)),
    ],
    ids=lambda v: repr(v) if hasattr(v, "t7_typename") else None,
)
def test_shapes(module, shape, expected):
    assert shape_of(module, *shape) == expected


def test_unsqueeze_takes_the_dimensions_of_the_first_input_for_those_of_a_sample():
    m = nn.Unsqueeze(1)
    assert shape_of(m, 3, 2) == (1, 3, 2)
    assert shape_of(m, 4, 3, 2) == (4, 1, 3, 2)


@pytest.mark.parametrize(
    "module",
    [nn.View(6), nn.Reshape(6), nn.Collapse(1), nn.Squeeze(), nn.Unsqueeze(1), nn.Replicate(3)],
    ids=repr,
)
def test_the_output_views_the_input(module):
    x, own = doubles(2, 3, 2), module.output
    assert module.updateOutput(x) is own
    assert own.storage() is x.storage()
    x[0, 0, 0] = 7.0
    assert (own.numpy() == 7).any()


def test_a_replica_takes_no_memory():
    x = doubles(2, 3)
    y = nn.Replicate(1000).updateOutput(x)
    assert y.stride() == (0, 3, 1)
    np.testing.assert_array_equal(y.numpy()[999], x.numpy())


def test_transposed_output_is_a_contiguous_copy():
    x = doubles(2, 3)
    y = nn.Transpose([1, 2]).updateOutput(x)
    assert y.is_contiguous()
    assert y.storage() is not x.storage()
    np.testing.assert_array_equal(y.numpy(), x.numpy().T)


def test_strided_input_is_reshaped_in_row_major_order():
    x = doubles(4, 3).T
    views = nn.Sequential().add(nn.Contiguous()).add(nn.View(12))
    for module in (views, nn.Reshape(12)):
        np.testing.assert_array_equal(module.updateOutput(x).numpy(), x.numpy().ravel())


def test_views_take_contiguous_tensors_as_torch7s_do():
    x = doubles(4, 3)
    module = nn.View(12)
    with pytest.raises(ShapeError, match="expecting a contiguous tensor"):
        module.updateOutput(x.T)
    module = nn.View(3, 4)
    module.updateOutput(x)
    with pytest.raises(ShapeError, match="expecting a contiguous tensor"):
        module.updateGradInput(x, doubles(4, 3).T)
    assert module.updateGradInput(x, doubles(3, 4)).shape == (4, 3)


@pytest.mark.parametrize("module", [nn.View(2), nn.Reshape(2), nn.Transpose([1, 2])], ids=repr)
def test_any_type_can_be_reshaped(module):
    assert module.updateOutput(tensor([[1, 2], [3, 4]])).dtype == np.int64


# -- padding ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "at"),
    [
        ((1, -2), 0),
        ((1, 2), 4),
        ((1, -2, 2, 9.0, 3), 2),
        ((1, 2, 2, 9.0, 2), 3),
        ((1, 2, 2, 9.0, 5), 0),
        ((1, -2, 2, 9.0, 5), 4),
        ((1, 0), 0),
    ],
)
def test_padding(arguments, at):
    x = doubles(4, 3)
    value = arguments[3] if len(arguments) > 3 else 0
    expected = np.insert(x.numpy(), [at] * abs(arguments[1]), value, axis=0)
    np.testing.assert_array_equal(nn.Padding(*arguments)(x).numpy(), expected)


def test_padding_of_a_batch_counts_dimensions_after_it():
    x = doubles(2, 4, 3)
    expected = np.insert(x.numpy(), [4], 0, axis=1)
    np.testing.assert_array_equal(nn.Padding(1, 1, 2)(x).numpy(), expected)


# -- errors and texts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (nn.View(5), (2, 3), r"nn.View\(5\) does not divide the elements"),
        (nn.View(4, -1), (2, 3), "does not divide"),
        (nn.View(2, -1).setNumInputDims(3), (2, 2), "samples of 3 dimensions"),
        (nn.Reshape(5), (2, 3), r"nn.Reshape\(5\) cannot make \(2, 5\)"),
        (nn.Squeeze(4), (2, 3), "dimension 4"),
        (nn.Unsqueeze(4), (2, 3), r"nn.Unsqueeze\(dim 4\)"),
        (nn.Transpose([1, 3]), (2, 3), "dimension 3; the input has 2"),
        (nn.Replicate(2, 4), (2, 3), "Not enough input dimensions to replicate along dimension 4"),
        (nn.Padding(1, 1, 2, 0, 5), (3, 2), "index 5"),
        (nn.PixelShuffle(2), (3, 4, 4), "multiple of 4 planes"),
    ],
)
def test_errors_say_what_was_expected_and_given(module, shape, words):
    with pytest.raises(ShapeError, match=words):
        module.updateOutput(doubles(*shape))


@pytest.mark.parametrize("make", [lambda: nn.View(-1, -1), lambda: nn.Replicate(2, 0)])
def test_constructors_refuse(make):
    with pytest.raises(ArgumentError):
        make()


@pytest.mark.parametrize(
    ("lua", "module"),
    [
        ("nn.View(3,4)", nn.View(3, 4)),
        ("nn.View(-1)", nn.View(-1)),
        ("nn.Reshape(3,4)", nn.Reshape(3, 4)),
        ("nn.Unsqueeze(1)", nn.Unsqueeze(1)),
        ("nn.Transpose({1,2})", nn.Transpose([1, 2])),
    ],
)
def test_texts_are_torch7s(lua, module):
    assert repr(module) == tostring_texts()[lua]
