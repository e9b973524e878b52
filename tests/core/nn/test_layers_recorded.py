"""Every layer against values recorded from PyTorch; see record_layers.py."""

import json

import pytest
from record_layers import FILE, cases, measured

from rekindle.core import nn
from rekindle.core.tensor import Tensor

RECORDED = json.loads(FILE.read_text(encoding="utf-8"))["layers"]
CASES = list(cases())


def test_every_recorded_layer_is_compared():
    assert {label for label, *_ in CASES} == set(RECORDED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_layer(case):
    label, name, *rest = case
    # PyTorch's slope of Hardsigmoid is 1/6 in single precision.
    tolerance = 1e-7 if name == "Hardsigmoid" else 1e-10
    found = measured(nn, Tensor, name, *rest)
    assert set(found) == set(RECORDED[label])
    for key, (shape, *sums, largest) in RECORDED[label].items():
        own_shape, *own_sums, own_largest = found[key]
        assert own_shape == shape, key
        size = 1
        for n in shape:
            size *= n
        # A weighted sum of many values is as exact as they are, times how many there are.
        scale = tolerance * max(largest, 1e-3)
        assert abs(own_largest - largest) <= scale, key
        for a, b in zip(own_sums, sums, strict=True):
            assert abs(a - b) <= scale * max(size, 1) ** 0.5 * 4, key
