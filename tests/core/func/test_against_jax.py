"""Nested transforms against what JAX answered: transform_programs.py is what it was asked."""

import json
from pathlib import Path

import numpy as np
import pytest
from transform_programs import PROGRAMS, leaves, numbers

import rekindle
from rekindle import func, ops

RECORDED = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "func" / "jax.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_nested_transforms_are_those_of_jax(name):
    def given(*shape, seed=0):
        return rekindle.tensor(numbers(*shape, seed=seed))

    found = leaves(PROGRAMS[name](func, ops, given))
    assert len(found) == len(RECORDED[name])
    for a, b in zip(found, RECORDED[name], strict=True):
        b = np.asarray(b)
        assert a.shape == b.shape
        assert np.abs(a - b).max(initial=0) <= 1e-10 * max(np.abs(b).max(initial=0), 1e-3)


def test_every_program_was_recorded():
    assert {*RECORDED} == {*PROGRAMS, "jax"}
