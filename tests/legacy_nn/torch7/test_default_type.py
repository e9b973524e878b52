"""The default tensor type: what torch.Tensor, functions and new modules are made of."""

from collections.abc import Iterator

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.torch7.api import (
    FUNCTIONS,
    get_default_tensor_type,
    set_default_tensor_type,
)


@pytest.fixture
def float_by_default() -> Iterator[None]:
    set_default_tensor_type("torch.FloatTensor")
    yield
    set_default_tensor_type("torch.DoubleTensor")


def test_functions_make_the_default_type(float_by_default: None) -> None:
    assert get_default_tensor_type() == "torch.FloatTensor"
    assert FUNCTIONS["zeros"](2, 3).dtype == np.float32
    assert FUNCTIONS["randn"](2, 3).dtype == np.float32


def test_modules_are_of_the_default_type_with_the_same_draws(float_by_default: None) -> None:
    random.manual_seed(7)
    single = nn.Sequential().add(nn.Linear(4, 3)).add(nn.BatchNormalization(3))
    set_default_tensor_type("torch.DoubleTensor")
    random.manual_seed(7)
    double = nn.Sequential().add(nn.Linear(4, 3)).add(nn.BatchNormalization(3))
    assert single._type == "torch.FloatTensor"
    for a, b in zip(single.parameters()[0], double.parameters()[0], strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a.numpy(), b.numpy().astype(np.float32))


def test_a_criterion_takes_inputs_of_the_default_type(float_by_default: None) -> None:
    x = FUNCTIONS["zeros"](3)
    assert nn.MSECriterion().forward(x, FUNCTIONS["ones"](3)) == 1.0


def test_only_floating_types_are_default() -> None:
    with pytest.raises(ValueError, match="floating"):
        set_default_tensor_type("torch.LongTensor")


def test_a_class_that_lua_defines_is_of_the_default_type(float_by_default: None) -> None:
    lua = rekindle.lua.Runtime()
    kind, element = lua.execute("""
        require 'nn'
        local Mine, parent = torch.class('nn.MineOfDefaultType', 'nn.Module')
        function Mine:__init() parent.__init(self) end
        local m = nn.MineOfDefaultType()
        return m:type(), torch.type(m.output)
    """)
    assert (kind, element) == ("torch.FloatTensor", "torch.FloatTensor")


def test_every_runtime_has_a_default_type_of_its_own() -> None:
    one, other = rekindle.lua.Runtime(), rekindle.lua.Runtime()
    kind = "return torch.type(torch.Tensor(2))"
    one.execute("torch = require 'torch'; torch.setdefaulttensortype('torch.FloatTensor')")
    other.execute("torch = require 'torch'")
    assert one.execute(kind) == "torch.FloatTensor"
    assert other.execute(kind) == "torch.DoubleTensor"
    assert get_default_tensor_type() == "torch.DoubleTensor"
