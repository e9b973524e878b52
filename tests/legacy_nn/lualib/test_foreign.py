"""Python's objects in Lua's hands: methods, fields, tensors."""

import types

import pytest

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import LuaError


class Model:
    shared = 5

    def __init__(self):
        self.weight = 2
        self.hook = None

    def scale(self, x, factor=None):
        return x * self.weight if factor is None else x * factor

    @staticmethod
    def version():
        return "v1"

    @classmethod
    def make(cls):
        return cls()

    def __getattr__(self, name):
        if name == "made":
            return lambda x: (self.weight, x)
        raise AttributeError(name)


def test_methods_are_called_as_python_does():
    m = Model()
    assert lualib.invoke(m, "scale", 3) == 6
    assert lualib.invoke(m, "scale", 3, 5, "surplus") == 15
    assert lualib.invoke(m, "made", 7) == (2, 7)
    assert lualib.invoke(m, "version") == "v1"
    assert isinstance(lualib.invoke(Model, "make"), Model)


def test_methods_read_as_fields_take_the_object():
    m, other = Model(), Model()
    other.weight = 10
    scale, made = lualib.index(m, "scale"), lualib.index(m, "made")
    assert scale is Model.scale
    assert lualib.call(scale, other, 3) == 30
    assert lualib.call(made, other, 3) == (10, 3)
    assert lualib.call(lualib.index(m, "version")) == "v1"
    assert lualib.call(lualib.index(Model, "scale"), m, 4) == 8


def test_a_function_in_a_field_takes_the_object():
    m = Model()
    lualib.newindex(m, "hook", lambda self, x: (self.weight, x))
    assert lualib.invoke(m, "hook", 1) == (2, 1)
    assert lualib.call(lualib.index(m, "hook"), m, 1) == (2, 1)


def test_modules_are_tables_of_functions():
    package = types.ModuleType("package")
    package.twice = lambda x: 2 * x
    package.method = lambda self, x: (self is package, x)
    assert lualib.call(lualib.index(package, "twice"), 4) == 8
    assert lualib.invoke(package, "method", 4) == (True, 4)


def test_fields():
    m = Model()
    assert lualib.index(m, "shared") == 5
    assert dict(lualib.pairs(m)) == {"weight": 2}
    lualib.newindex(m, "weight", None)
    assert lualib.index(m, "weight") is None
    with pytest.raises(LuaError, match="attempt to call method 'none' \\(a nil value\\)"):
        lualib.invoke(m, "none")
    with pytest.raises(LuaError, match="attempt to get length of a userdata value"):
        lualib.length(m)
    with pytest.raises(LuaError, match="attempt to index a userdata value"):
        lualib.index(m, 1)
    with pytest.raises(LuaError, match="attempt to index a function value"):
        lualib.index(lambda: 1, "x")


def test_tensors_keep_their_operators():
    from rekindle.legacy_nn import torch7 as torch

    x = torch.DoubleTensor([[1, 2], [3, 4]])
    assert lualib.type_of(x) == "userdata"
    assert lualib.invoke(x, "dim") == lualib.call(lualib.index(x, "dim"), x) == 2
    assert lualib.index(lualib.index(x, 2), 1) == 3
    assert lualib.invoke(lualib.mul(2, lualib.add(x, 1)), "sum") == 28
    assert lualib.eq(x, x)
    assert not lualib.eq(x, lualib.add(x, 0))
    lualib.newindex(x, 1, 9)
    assert lualib.invoke(x, "sum") == 25
