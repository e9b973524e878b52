"""Containers around one module, and what they do to shapes."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, records, tostring_texts

from rekindle import legacy_nn as nn
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError

RECORDS = records("Bottle", "Decorator")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


def doubles(*shape):
    return tensor(np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("shape", [(2, 4), (3, 2, 4), (5, 3, 2, 4)])
def test_a_bottle_merges_the_first_dimensions(shape):
    inner = nn.Linear(4, 3)
    m, x = nn.Bottle(inner), doubles(*shape)
    expected = x.numpy() @ inner.weight.numpy().T + inner.bias.numpy()
    own = m.output
    assert m.updateOutput(x) is own
    assert own.storage() is inner.output.storage()
    np.testing.assert_allclose(own.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(m(x).numpy(), expected, rtol=1e-12)


def test_a_bottle_can_change_the_number_of_dimensions():
    x = doubles(5, 2, 4, 3)
    m = nn.Bottle(nn.Select(2, 1), 3, 2)
    np.testing.assert_array_equal(m.updateOutput(x).numpy(), x.numpy()[:, :, 0])


def test_a_bottle_names_what_its_module_returned():
    with pytest.raises(ShapeError, match=r"Expected: 2 but got 1"):
        nn.Bottle(nn.Select(2, 1)).updateOutput(doubles(3, 2, 4))


def test_texts_are_torch7s():
    assert repr(nn.Bottle(nn.Linear(3, 2))) == tostring_texts()["nn.Bottle(nn.Linear(3,2))"]
