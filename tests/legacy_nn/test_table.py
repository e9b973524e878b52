"""Modules on tables against recorded Torch7 runs, and their identities and errors."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, construct, records, tostring_texts

from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor, zeros
from rekindle.core.errors import RekindleError, ShapeError
from rekindle.legacy_nn import (
    CAddTable,
    CDivTable,
    CMaxTable,
    CMinTable,
    CMulTable,
    CSubTable,
    FlattenTable,
    JoinTable,
    MixtureTable,
    NarrowTable,
    SelectTable,
    SplitTable,
)
from rekindle.legacy_nn.module import InputTypeError

CLASSES = (
    *("JoinTable", "SplitTable", "SelectTable", "NarrowTable", "FlattenTable", "MixtureTable"),
    *("CAddTable", "CSubTable", "CMulTable", "CDivTable", "CMaxTable", "CMinTable"),
)
RECORDS = records(*CLASSES)
PREFIXES = tuple(f"nn.{c}(" for c in CLASSES)
TEXTS = {lua: text for lua, text in tostring_texts().items() if lua.startswith(PREFIXES)}


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize(("lua", "text"), TEXTS.items())
def test_text(lua, text):
    assert repr(construct(lua)) == text


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


# -- joining and splitting ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "axis"), [(JoinTable(1), 0), (JoinTable(-1), 2), (JoinTable(1, 2), 1)]
)
def test_join(module, axis):
    x, y = doubles(2, 3, 4), doubles(2, 3, 4, seed=1)
    expected = np.concatenate([x.numpy(), y.numpy()], axis)
    np.testing.assert_array_equal(module([x, y]).numpy(), expected)
    output = module.output
    assert module.updateOutput([x, y]) is output
    assert module.size.array.tolist() == list(expected.shape)


def test_join_converts_to_the_modules_type():
    y = JoinTable(1)([tensor([1.5, 2.5], "float32"), tensor([3, 4], "int64")])
    assert y.dtype == np.float64
    assert y.tolist() == [1.5, 2.5, 3.0, 4.0]


def test_join_of_sizes_that_differ_names_the_element():
    with pytest.raises(ShapeError, match=r"element 2, \(3, 3\)"):
        JoinTable(2)([doubles(2, 3), doubles(3, 3)])


@pytest.mark.parametrize(
    ("module", "axis"), [(SplitTable(2), 1), (SplitTable(-1), 2), (SplitTable(1, 2), 1)]
)
def test_split_gives_views_of_the_input(module, axis):
    x = doubles(2, 3, 4)
    parts = module.updateOutput(x)
    assert parts is module.output
    assert len(parts) == x.shape[axis]
    for i, part in enumerate(parts.array()):
        np.testing.assert_array_equal(part.numpy(), x.numpy().take(i, axis))
        assert part.storage() is x.storage()


@pytest.mark.parametrize("module", [JoinTable(3), SplitTable(3), SplitTable(-3), JoinTable(0)])
def test_dimensions_that_are_not_there_are_refused(module):
    x = doubles(2, 3)
    with pytest.raises(RekindleError, match="dimension"):
        module(x if isinstance(module, SplitTable) else [x, x])


# -- picking elements ---------------------------------------------------------------------


def test_select_gives_the_element_itself():
    x, y = doubles(2), tensor([1, 2, 3])
    table = Table([x, y])
    table["name"] = x
    assert SelectTable(1).updateOutput(table) is x
    assert SelectTable(-1).updateOutput(table) is y
    assert SelectTable(-2).updateOutput(table) is x
    assert SelectTable("name").updateOutput(table) is x
    assert repr(SelectTable(-1)) == "nn.SelectTable(-1)"
    assert repr(SelectTable("name")) == "nn.SelectTable(name)"


@pytest.mark.parametrize("index", [3, -3, 0, "name"])
def test_select_of_nothing_is_refused(index):
    with pytest.raises(RekindleError, match="index does not exist in the input table"):
        SelectTable(index)([doubles(1), doubles(1)])


def test_narrow_keeps_its_output_table():
    a, b, c = doubles(1), doubles(2), doubles(3)
    module = NarrowTable(2, 2)
    output = module.output
    assert module.updateOutput([a, b, c]) is output
    assert [x is y for x, y in zip(output.array(), [b, c], strict=True)] == [True, True]
    assert module.updateOutput([a, b]).array() == [b]
    assert len(NarrowTable(2, 0)([a, b])) == 0


def test_flatten_keeps_its_output_while_the_leaves_stay_the_same():
    a, b, c = doubles(1), doubles(2), doubles(3)
    module = FlattenTable()
    output = module.updateOutput([a, [[b]], c])
    assert all(x is y for x, y in zip(output.array(), [a, b, c], strict=True))
    assert module.input_map.equals(Table([1, Table([Table([2])]), 3]))
    assert module.updateOutput([a, [[b]], c]) is output
    assert module.updateOutput([a, [[c]], b]) is not output


@pytest.mark.parametrize(
    "module", [JoinTable(1), SelectTable(1), NarrowTable(1), FlattenTable(), CAddTable()]
)
def test_a_tensor_instead_of_a_table_is_refused(module):
    with pytest.raises(InputTypeError, match="table"):
        module(doubles(2))


# -- arithmetic ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "definition"),
    [
        (CAddTable(), lambda a, b, c: a + b + c),
        (CMulTable(), lambda a, b, c: a * b * c),
        (CSubTable(), lambda a, b, c: a - b),
        (CDivTable(), lambda a, b, c: a / b),
        (CMaxTable(), lambda a, b, c: np.maximum(np.maximum(a, b), c)),
        (CMinTable(), lambda a, b, c: np.minimum(np.minimum(a, b), c)),
    ],
)
def test_arithmetic(module, definition):
    tensors = [doubles(2, 3, seed=i) for i in range(3)]
    expected = definition(*(t.numpy() for t in tensors))
    np.testing.assert_allclose(module(tensors).numpy(), expected, rtol=1e-15)


@pytest.mark.parametrize("module", [CAddTable(), CMulTable(), CSubTable(), CDivTable()])
def test_shapes_follow_torch7_and_not_broadcasting(module):
    x, y = doubles(2, 3), doubles(6, seed=1)
    np.testing.assert_array_equal(
        module([x, y]).numpy(), module([x, tensor(y.numpy().reshape(2, 3))]).numpy()
    )
    with pytest.raises(ShapeError, match=r"\(2, 3\) and, as element 2, \(1, 3\)"):
        module([x, doubles(1, 3)])


def test_in_place_sum_is_added_into_the_first_tensor():
    x, y = tensor([1.0, 2.0], "float64"), tensor([10.0, 20.0], "float64")
    module = CAddTable(True)
    output = module.updateOutput([x, y])
    assert output is module.output
    assert output.storage() is x.storage()
    assert x.tolist() == [11.0, 22.0]
    assert module([x, y]).tolist() == [21.0, 42.0]
    assert x.tolist() == [11.0, 22.0]


def test_the_first_of_equal_tensors_wins():
    a, b, c = (tensor(v, "float64") for v in ([1.0, 5.0], [3.0, 5.0], [3.0, 0.0]))
    for module, index in ((CMaxTable(), [2.0, 1.0]), (CMinTable(), [1.0, 3.0])):
        module.updateOutput([a, b, c])
        assert getattr(module, f"{module.extreme}Idx").tolist() == index


def test_a_difference_needs_two_tensors():
    with pytest.raises(ShapeError, match="two tensors"):
        CSubTable()([doubles(2)])


# -- mixtures -----------------------------------------------------------------------------


def test_mixture_of_experts():
    gates, experts = doubles(5, 3), doubles(5, 3, 4, 2, seed=1)
    expected = np.einsum("ne,nexy->nxy", gates.numpy(), experts.numpy())
    parts = [tensor(experts.numpy()[:, i]) for i in range(3)]
    for given in (experts, parts):
        module = MixtureTable()
        np.testing.assert_allclose(module([gates, given]).numpy(), expected, rtol=1e-12)
        assert (module.dim, module.dimG, module.batchSize) == (2, 2, 5)


def test_mixture_of_one_sample_and_of_another_dimension():
    gates, experts = doubles(3), doubles(3, 4, seed=1)
    expected = gates.numpy() @ experts.numpy()
    np.testing.assert_allclose(MixtureTable()([gates, experts]).numpy(), expected, rtol=1e-12)
    batch = np.stack([experts.numpy()] * 2, axis=2)
    y = MixtureTable(1)([gates, tensor(batch)]).numpy()
    np.testing.assert_allclose(y, np.stack([expected] * 2, axis=1), rtol=1e-12)


def test_mixture_needs_an_expert_for_each_gate():
    with pytest.raises(ShapeError, match="3 for 2"):
        MixtureTable()([doubles(3), [doubles(4), doubles(4)]])
    with pytest.raises(InputTypeError):
        MixtureTable()([zeros(3, "float64")])
