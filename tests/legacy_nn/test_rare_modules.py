"""The classes of torch/nn that few models use, against recorded runs of Torch7."""

import numpy as np
import pytest
from recorded import (
    FIXTURES,
    assert_same_fields,
    check_constructor,
    check_forward,
    construct,
    records,
)

import rekindle
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.legacy_nn import (
    Convert,
    DontCast,
    IndexLinear,
    Kmeans,
    Linear,
    NaN,
    PrintSize,
    Profile,
    SparseLinear,
    SpatialFractionalMaxPooling,
    WeightNorm,
)
from rekindle.legacy_nn.module import ArgumentError, ModuleError

CLASSES = (
    *("CAddTensorTable", "Convert", "DontCast", "FeatureLPPooling", "IndexLinear", "Kmeans"),
    *("NaN", "PrintSize", "Profile", "SparseLinear", "SpatialFractionalMaxPooling"),
    *("TemporalDynamicKMaxPooling", "TemporalRowConvolution", "TemporalSubSampling"),
    *("VolumetricFractionalMaxPooling", "WeightNorm", "ZipTable", "ZipTableOneToMany"),
)
RECORDS = records(*CLASSES)

UNDRAWN = {"Kmeans__01": ("clusterSampleCount",)}
"""Fields of `after` that hold what the memory held before."""

ONLY_AFTER_FORWARD = ("SpatialFractionalMaxPooling__01", "VolumetricFractionalMaxPooling__01")
"""Recorded after a forward pass, for fixed regions."""

CONSTRUCTED = [
    p for p in RECORDS if p.stem not in ONLY_AFTER_FORWARD and not p.stem.startswith("WeightNorm")
]


def double(values):
    return tensor(values, "float64")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    later = ("clusterSampleCount",) if path.stem == "Kmeans__02" else ()
    check_forward(path, UNDRAWN.get(path.stem, later))


@pytest.mark.parametrize("path", CONSTRUCTED, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("path", records("WeightNorm"), ids=lambda p: p.stem)
def test_weight_norm_constructor(path):
    record = checkpoint.load(path)
    module = construct(record.ctor)
    module.updateWeight()  # as reading a file does, and so it was recorded
    assert_same_fields(vars(module), vars(record.module))
    assert repr(module) == repr(record.module)


def test_weight_norm_is_saved_without_the_weight_that_it_computes(tmp_path):
    path = FIXTURES / "modules" / "WeightNorm__03.t7"
    record = checkpoint.load(path)
    before = record.module.updateOutput(record.input).numpy().copy()
    checkpoint.save(record.module, tmp_path / "m.t7")
    raw = checkpoint.load(tmp_path / "m.t7", engine="torchfile")
    assert raw.weight is None
    assert raw.modules[1].weight is None
    again = checkpoint.load(tmp_path / "m.t7")
    assert again.weight is again.modules[1].weight
    np.testing.assert_array_equal(again.updateOutput(record.input).numpy(), before)
    assert record.module.modules[1].weight is record.module.weight


def test_weight_norm_trains_in_the_frameworks_protocol_on_gathered_parameters():
    rekindle.torch_seed(1)
    module = WeightNorm(Linear(4, 3))
    flat, gradients = module.getParameters()
    x = tensor(np.random.default_rng(0).normal(size=(5, 4)))
    module.zeroGradParameters()
    module(x).sum().backward()
    expected = gradients.numpy().copy()
    module.zeroGradParameters()
    module.forward(x)
    module.zeroGradParameters()
    module.backward(x, tensor(np.ones((5, 3))))
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(gradients.numpy(), expected, atol=1e-14)
    flat.detach().mul_(0)
    assert np.abs(module(x).numpy()).max() == 0


def test_sparse_linear_steps_like_a_dense_one():
    rekindle.torch_seed(3)
    module = SparseLinear(6, 2)
    dense = Linear(6, 2)
    for name in ("weight", "bias"):
        getattr(dense, name).detach().copy_(getattr(module, name))
    pairs = [np.array([[2, 0.5], [5, -1.0]]), np.array([[5, 2.0]])]
    rows = np.zeros((2, 6))
    for row, entries in zip(rows, pairs, strict=True):
        row[entries[:, 0].astype(int) - 1] = entries[:, 1]
    g = double([[1.0, -2.0], [0.5, 3.0]])
    for _ in range(2):
        for m, x in ((module, Table([tensor(p) for p in pairs])), (dense, tensor(rows))):
            m.zeroGradParameters()
            m.forward(x)
            m.backward(x, g, 0.5)
            m.updateParameters(0.1)
        np.testing.assert_allclose(module.weight.numpy(), dense.weight.numpy(), atol=1e-15)
        np.testing.assert_allclose(module.bias.numpy(), dense.bias.numpy(), atol=1e-15)
    np.testing.assert_allclose(module.gradWeight.numpy(), dense.gradWeight.numpy(), atol=1e-15)


def test_sparse_linear_names_positions_outside():
    with pytest.raises(BoundsError, match="positions go from 1 to 6; given 2 to 7"):
        SparseLinear(6, 2).forward(double([[2.0, 1], [7, 1]]))


def test_sparse_linear_of_a_stack_of_samples():
    rekindle.torch_seed(3)
    module = SparseLinear(6, 2, True)
    x = double([[[2, 0.5], [5, -1.0]], [[1, 2.0], [3, 0.25]]])
    y = module.forward(x).numpy().copy()
    each = [module.forward(x[i]).numpy().copy() for i in range(2)]
    np.testing.assert_array_equal(y, each)
    g = module.updateGradInput(x, double([[1.0, 0], [0, 1.0]]))
    np.testing.assert_array_equal(g.numpy()[:, :, 0], [np.arange(1, 7)] * 2)
    np.testing.assert_array_equal(g.numpy()[:, :, 1], module.weight.numpy())


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_index_linear_updates_parameters_entry_by_entry(normalize, outputs):
    rekindle.torch_seed(5)
    module = IndexLinear(8, outputs, None, None, None, None, normalize)
    module.reset()
    keys = Table([tensor([3, 7, 3]), tensor([1])])
    values = Table([double([0.5, -2.0, 4.0]), double([1.5])])
    y = module.forward(Table([keys, values])).numpy()
    before = module.weight.numpy().copy()
    first, rest = module.normalize, before[:, module.normalize :]
    counted = [0.5, -2.0, 4.0, 1.5] if not normalize else [1, -1, 1, 1]
    by_hand = [
        sum(v * rest[k - 1] for k, v in zip([3, 7, 3], counted, strict=False)),
        counted[3] * rest[0],
    ]
    np.testing.assert_allclose(y, np.array(by_hand) + module.bias.numpy(), atol=1e-14)
    g = np.arange(1.0, 2 * outputs + 1).reshape(2, outputs)
    module.zeroGradParameters()
    module.accGradParameters(Table([keys, values]), tensor(g))
    module.updateParameters(0.1)
    expected = before.copy()
    for key, value, row in zip([3, 7, 3, 1], counted, [0, 0, 0, 1], strict=True):
        step = 0.1 * g[row]
        if normalize:
            expected[key - 1, 3] -= (expected[key - 1, first:] * step).sum()
        expected[key - 1, first:] -= step * value
    np.testing.assert_allclose(module.weight.numpy(), expected, atol=1e-14)


def test_index_linear_keeps_the_largest_magnitudes():
    record = checkpoint.load(FIXTURES / "modules" / "IndexLinear__04.t7")
    before = record.module.weight.numpy().copy()
    record.module.forward(record.input)
    pairs = [
        (int(k) - 1, abs(float(v)))
        for keys, values in zip(record.input[1].array(), record.input[2].array(), strict=True)
        for k, v in zip(keys.numpy(), values.numpy(), strict=True)
    ]
    for key in {k for k, _ in pairs}:
        largest = max(v for k, v in pairs if k == key)
        np.testing.assert_allclose(
            record.module.weight.numpy()[key, :3], [largest, 1 / largest, 1], rtol=1e-14
        )
    untouched = [k for k in range(10) if k not in {k for k, _ in pairs}]
    np.testing.assert_array_equal(record.module.weight.numpy()[untouched], before[untouched])


def test_index_linear_gives_dense_gradients_in_the_frameworks_protocol():
    record = checkpoint.load(FIXTURES / "modules" / "IndexLinear__01.t7")
    module = record.module
    module(record.input).backward(record.gradOutput)
    expected = np.zeros((10, 3))
    running = record.gradParams[1]
    for key, row in zip(running["keys"][1].numpy(), running["gradWeight"][1].numpy(), strict=True):
        expected[key - 1] += row
    np.testing.assert_allclose(module.weight.grad.numpy(), expected, atol=1e-14)


def test_kmeans_moves_centres_to_the_means():
    rng = np.random.default_rng(0)
    means = np.array([[0.0, 0], [10, 0], [0, 10]])
    rows = np.concatenate([m + rng.normal(size=(20, 2)) * 0.1 for m in means])
    rekindle.torch_seed(0)
    module = Kmeans(3, 2)
    module.initKmeansPlus(tensor(rows), 0.95)
    for _ in range(3):
        module.zeroGradParameters()
        output = module.forward(tensor(rows))
        module.backward(tensor(rows), output)
        module.updateParameters(1)
    found = module.weight.numpy()[np.lexsort(module.weight.numpy().round().T)]
    expected = np.array([rows[20 * i : 20 * i + 20].mean(axis=0) for i in range(3)])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert module.clusterSampleCount.tolist() == [20, 20, 20]


def test_kmeans_takes_rows_for_centres():
    module = Kmeans(3, 2)
    rows = np.arange(10.0).reshape(5, 2)
    module.initRandom(tensor(rows))
    assert {tuple(r) for r in module.weight.tolist()} <= {tuple(r) for r in rows.tolist()}
    with pytest.raises(ShapeError, match="needs 3 rows or more"):
        module.initRandom(tensor(rows[:2]))


@pytest.mark.parametrize(
    ("shapes", "size", "expected"),
    [
        (("bf", "b"), (4, 1), (4,)),
        (("bt", "b"), (4, 3), (4,)),
        (("b", "bt"), (4,), (4, 1)),
        (("fb", "bf"), (3, 4), (4, 3)),
        (("cbhw", "bf"), (3, 4, 2, 2), (4, 12)),
        ((), (3, 4), (3, 4)),
    ],
)
def test_convert(shapes, size, expected):
    module = Convert(*shapes)
    x = tensor(np.random.default_rng(0).normal(size=size))
    assert module.forward(x).shape == expected
    found = module.backward(x, tensor(np.ones(expected)))
    assert found.shape == size
    assert found.numpy().sum() == np.prod(expected)


def test_convert_makes_bytes_numbers_and_refuses_what_it_does_not_know():
    x = tensor([[1, 2, 3]], "uint8")
    module = Convert("bf", "fb")
    np.testing.assert_array_equal(module.forward(x).numpy(), [[1.0], [2.0], [3.0]])
    assert module.backward(x, double([[0.5], [1], [2]])).tolist() == [[0.5, 1, 2]]
    with pytest.raises(ShapeError, match="Unrecognized conversion of shape bf to bchw"):
        Convert("bf", "bchw").forward(double([[1.0]]))
    with pytest.raises(ArgumentError, match="needs an inputShape"):
        Convert(None, "bf")


def test_dont_cast_keeps_the_type_of_its_module():
    module = DontCast(Linear(3, 2).float(), True)
    x = double([[1.0, 2, 3]])
    assert module.forward(x).dtype == "float64"
    module.float()
    assert module.forward(x.astype("float32")).dtype == "float32"
    module.double()
    assert module.modules[1].weight.dtype == "float32"
    assert module.forward(x).dtype == "float64"


def test_nan_says_where_it_comes_from():
    module = NaN(Linear(2, 1), 7)
    module.forward(double([1.0, 2]))
    with pytest.raises(ModuleError, match=r"NaN found in input of module :\nnn.NaN\(7\) @ nn.Lin"):
        module.forward(double([np.nan, 2]))
    with pytest.raises(ModuleError, match="NaN found in gradOutput of module"):
        module.backward(double([1.0, 2]), double([np.nan]))
    module.modules[1].weight.detach().mul_(np.nan)
    with pytest.raises(ModuleError, match="NaN found in parameters of module"):
        module.forward(double([1.0, 2]))
    assert NaN(Linear(2, 1)).id + 1 == NaN(Linear(2, 1)).id


def test_profile_prints_every_few_passes(capsys):
    module = Profile(Linear(2, 1), 2, "it")
    x = double([1.0, 2])
    for _ in range(2):
        module.forward(x)
        module.backward(x, double([1.0]))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" took ")[0] for line in lines] == ["it", "it"]
    assert [line.split(" for ")[1] for line in lines] == ["2 forward passes", "2 backward passes"]
    assert module.numFwds == module.numBwds == 0


def test_print_size_prints_as_torch_does(capsys):
    x = tensor(np.ones((2, 10)))
    module = PrintSize("here")
    assert module.forward(x) is x
    assert capsys.readouterr().out == "here:input\n\t  2\n 10\n[torch.LongStorage of size 2]\n\n"


def test_fractional_pooling_keeps_regions_that_are_fixed():
    rekindle.torch_seed(0)
    x = tensor(np.random.default_rng(0).normal(size=(1, 8, 9, 9)))
    module = SpatialFractionalMaxPooling(2, 2, 0.5, 0.5)
    first = module.forward(x).numpy().copy()
    assert not np.array_equal(module.forward(x).numpy(), first)
    module.fixPoolingRegions()
    fixed = module.forward(x).numpy().copy()
    np.testing.assert_array_equal(module.forward(x).numpy(), fixed)
    module.clearState()
    assert "randomSamples" not in vars(module)
    assert repr(module) == "nn.SpatialFractionalMaxPooling(0x0, 2,2)"
