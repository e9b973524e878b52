"""Containers against recorded Torch7 runs: flows, fields, texts, identities and errors."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, construct, records, tostring_texts

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import LuaFunction, LuaFunctionError, Table, TorchObject
from rekindle.core.creation import tensor
from rekindle.core.errors import RekindleError
from rekindle.legacy_nn import (
    CAddTable,
    Concat,
    ConcatTable,
    DepthConcat,
    Dropout,
    Identity,
    JoinTable,
    Linear,
    MapTable,
    Parallel,
    ParallelTable,
    ReLU,
    Sequential,
    Tanh,
    View,
    WhiteNoise,
)
from rekindle.legacy_nn.module import InputTypeError, Module, ModuleError

CLASSES = (
    *("Sequential", "Concat", "DepthConcat", "ConcatTable"),
    *("ParallelTable", "MapTable", "Parallel", "Decorator"),
)
RECORDS = records(*CLASSES)
TEXTS = {
    lua: text
    for lua, text in tostring_texts().items()
    if lua.startswith(tuple(f"nn.{c}(" for c in CLASSES))
}


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("lua", TEXTS)
def test_text(lua):
    assert repr(construct(lua)) == TEXTS[lua]


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


# -- whose memory outputs are -------------------------------------------------------------


def test_output_of_a_sequential_is_its_last_modules():
    model = Sequential().add(Linear(3, 2)).add(Tanh())
    output = model.updateOutput(doubles(4, 3))
    assert output is model.get(2).output
    assert output is model.output
    fresh = model(doubles(4, 3))
    assert fresh is not output
    assert not np.shares_memory(fresh.numpy(), output.numpy())


def test_output_of_a_table_container_stays_the_same_table():
    model = ConcatTable().add(Tanh()).add(Identity())
    x = doubles(2, 3)
    first = model.updateOutput(x)
    assert first[1] is model.get(1).output
    assert first[2] is x
    assert model.updateOutput(doubles(2, 3)) is first


def test_concat_keeps_its_own_memory_and_sizes():
    model = Concat(2).add(Tanh()).add(Identity())
    first = model.updateOutput(doubles(2, 3))
    assert model.updateOutput(doubles(2, 4)) is first
    assert first.shape == (2, 8)
    assert model.outputSize.tolist() == [2, 8]


# -- modules that write into their input --------------------------------------------------


def skip_connection():
    """Return a model whose first branch overwrites what its second passes on."""
    branches = ConcatTable().add(Sequential().add(ReLU(True)).add(Linear(3, 3))).add(Identity())
    return Sequential().add(Tanh()).add(branches)


def test_in_place_modules_change_what_others_read_in_both_protocols():
    model, x = skip_connection(), doubles(2, 3)
    rectified = np.maximum(np.tanh(x.numpy()), 0)
    np.testing.assert_array_equal(model(x)[2].numpy(), rectified)
    np.testing.assert_array_equal(model.updateOutput(x)[2].numpy(), rectified)


def test_only_torchs_protocol_changes_the_callers_input():
    model, x = skip_connection().get(2), doubles(2, 3)
    before = x.numpy().copy()
    np.testing.assert_array_equal(model(x)[2].numpy(), np.maximum(before, 0))
    np.testing.assert_array_equal(x.numpy(), before)
    model.updateOutput(x)
    np.testing.assert_array_equal(x.numpy(), np.maximum(before, 0))


# -- flows beyond the records -------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(5, 4, 1), (3, 5, 2), (2, 2, 2)])
def test_depth_concat_centres_as_torch_narrows(sizes):
    inputs = [doubles(2, n, 3, n, seed=n) for n in sizes]
    largest = max(sizes)
    expected = np.zeros((2, sum(sizes), 3, largest))
    offset = 0
    for x in inputs:
        n = x.shape[1]
        start = int(np.floor((largest - n) / 2 + 1)) - 1  # DepthConcat.lua windowNarrow, from 1
        expected[:, offset : offset + n, :, start : start + n] = x.numpy()
        offset += n
    model = DepthConcat(2)
    for i in range(len(sizes)):
        model.add(construct(f"nn.SelectTable({i + 1})"))
    np.testing.assert_array_equal(model(inputs).numpy(), expected)


def test_map_table_shares_parameters_with_its_copies():
    model = MapTable(Linear(3, 2))
    inputs = [doubles(4, 3, seed=i) for i in range(3)]
    outputs = model.updateOutput(inputs)
    first, second = model.get(1), model.get(2)
    assert model.size() == 3
    assert second.weight.storage() is first.weight.storage()
    assert second.gradBias.storage() is first.gradBias.storage()
    for x, y in zip(inputs, outputs.array(), strict=True):
        np.testing.assert_allclose(y.numpy(), first(x).numpy())


def test_map_table_without_sharing_copies_the_parameters():
    model = MapTable(Linear(3, 2), shared=False)
    model([doubles(4, 3), doubles(4, 3)])
    assert model.get(2).weight.storage() is not model.get(1).weight.storage()


def test_insert_and_remove_keep_the_ends():
    first, middle, last = Linear(2, 2), Tanh(), ReLU()
    model = Sequential().add(first).add(last).insert(middle, 2)
    assert model.modules.array() == [first, middle, last]
    model.remove().remove(1)
    assert model.modules.array() == [middle]
    assert model.output is middle.output
    assert model.gradInput is middle.gradInput
    for index in (0, 3):
        with pytest.raises(RekindleError, match="inserted at 1 to 2"):
            model.insert(Tanh(), index)
    with pytest.raises(RekindleError, match="modules 1 to 1"):
        model.remove(2)


def test_modes_reach_every_module_inside():
    inner = construct("nn.Dropout(0.3)")
    model = Sequential().add(Concat(2).add(inner))
    model.evaluate()
    assert (model.train, inner.train) == (False, False)
    model.training()
    assert (model.train, model.get(1).train, inner.train) == (True, True, True)


def test_old_files_store_a_field_size_in_place_of_the_method():
    model = Concat(2).add(Identity())
    model.size = tensor([2, 3]).storage()
    assert model(doubles(2, 3)).shape == (2, 3)


# -- errors -------------------------------------------------------------------------------


def test_an_unknown_class_inside_stops_with_its_name_and_place():
    model = Sequential().add(Tanh()).add(Concat(1).add(TorchObject("nn.Strange")))
    for run in (model, model.updateOutput):
        with pytest.raises(ModuleError, match=r"nn\.Strange") as caught:
            run(doubles(2, 3))
        notes = caught.value.__notes__
        assert notes == ["In 2 module of nn.Sequential:", "In 1 module of nn.Concat:"]
    with pytest.raises(ModuleError, match=r"nn\.Strange"):
        model.parameters()


def test_a_lua_method_stored_in_a_module_is_not_passed_over():
    tanh = Tanh()
    tanh.__dict__["updateOutput"] = LuaFunction(b"\x1bLJ")
    for model in (tanh, Sequential().add(tanh)):
        for run in (model.__call__, model.updateOutput):
            with pytest.raises(LuaFunctionError, match="never executed"):
                run(doubles(2, 3))


def test_a_python_method_set_on_a_module_is_used():
    tanh = Tanh()
    tanh.updateOutput = lambda x: x * 2
    x = doubles(2, 3)
    np.testing.assert_array_equal(Sequential().add(tanh)(x).numpy(), 2 * x.numpy())


def test_a_subclass_that_overrides_torchs_method_is_used():
    class Doubling(Module):
        t7_typename = "test.Doubling"

        def updateOutput(self, input):
            self.output = input * 2
            return self.output

    model, x = Sequential().add(Doubling()), doubles(2, 3)
    fresh = model(x)
    np.testing.assert_array_equal(fresh.numpy(), 2 * x.numpy())
    assert fresh is not model.get(1).output


@pytest.mark.parametrize("module", [ParallelTable().add(Tanh()), MapTable(Tanh())], ids=repr)
def test_containers_of_tables_take_tables(module):
    with pytest.raises(InputTypeError, match="takes a table; given Tensor"):
        module(doubles(2, 3))


def test_too_few_elements_for_a_parallel_table():
    with pytest.raises(InputTypeError, match="has 2 modules; given a table of 1"):
        ParallelTable().add(Tanh()).add(Tanh())([doubles(2, 3)])


def test_parallel_takes_dimensions_that_the_input_has():
    with pytest.raises(RekindleError, match="dimension 3; the input has 2"):
        Parallel(3, 1).add(Tanh())(doubles(2, 3))


def test_containers_round_trip():
    model = construct("nn.Concat(2):add(nn.Linear(3,2)):add(nn.Identity())")
    again = checkpoint.loads(checkpoint.dumps(model))
    assert list(vars(again)) == list(vars(model))
    assert isinstance(again.modules, Table)
    np.testing.assert_array_equal(again(doubles(4, 3)).numpy(), model(doubles(4, 3)).numpy())


# -- in place, in the framework's protocol ------------------------------------------------


def alone(last):
    """Return a module that gives `last` a table of the only tensor that comes in."""
    return Sequential().add(ConcatTable().add(Identity())).add(last)


COPYING = {
    "dropout": Dropout,
    "dropout of nothing": lambda: Dropout(0),
    "noise": WhiteNoise,
    "sum of one": lambda: alone(CAddTable()),
    "join of one": lambda: alone(JoinTable(2)),
}
VIEWING = {
    "identity": Identity,
    "view": lambda: View(3),
    "dropout in place": lambda: Dropout(0.5, None, True),
}


@pytest.mark.parametrize("name", [*COPYING, *VIEWING])
@pytest.mark.parametrize("first", [True, False])
def test_calls_see_what_modules_in_place_have_written_as_torch7_does(name, first):
    """What Torch7 copies before a sibling overwrites the input is not changed by that."""
    one, other = {**COPYING, **VIEWING}[name](), ReLU(True)
    both = ConcatTable().add(one).add(other) if first else ConcatTable().add(other).add(one)
    model = Sequential().add(Tanh()).add(both).add(JoinTable(2)).evaluate()
    x = tensor(np.array([[-1.0, 0.5, -2.0], [3.0, -0.1, 0.2]]))
    before = np.tanh(x.numpy())
    after = np.maximum(before, 0)
    kept = before if first and name in COPYING else after
    expected = np.concatenate([kept, after] if first else [after, kept], 1)
    np.testing.assert_array_equal(model.forward(x).numpy(), expected)
    np.testing.assert_array_equal(model(x).detach().numpy(), expected)


RECTIFIERS = {
    "ReLU": ReLU,
    "Threshold": lambda inplace: nn.Threshold(0.1, -0.5, inplace),
    "LeakyReLU": lambda inplace: nn.LeakyReLU(0.2, inplace),
    "ELU": lambda inplace: nn.ELU(0.5, inplace),
    "HardTanh": lambda inplace: nn.HardTanh(-0.5, 0.5, inplace),
    "ReLU6": nn.ReLU6,
    "ClippedReLU": lambda inplace: nn.cudnn.ClippedReLU(0.5, inplace),
    "AddConstant": lambda inplace: nn.AddConstant(2, inplace),
    "MulConstant": lambda inplace: nn.MulConstant(2, inplace),
    "CReLU": lambda inplace: nn.CReLU(1, inplace),
}


@pytest.mark.parametrize("name", RECTIFIERS)
def test_what_works_in_place_goes_back_in_calls(name):
    """As it does out of place: what its gradient reads it has not overwritten."""
    random = np.random.default_rng(0)
    linear, values = Linear(3, 3), random.normal(size=(4, 3))
    found = []
    for inplace in (False, True):
        x = tensor(values).requires_grad_()
        linear.zeroGradParameters()
        y = Sequential().add(linear).add(RECTIFIERS[name](inplace))(x)
        (y * y).sum().backward()
        found.append([t.detach().numpy().copy() for t in (y, x.grad, linear.gradWeight)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
    assert found[0][1].any()
