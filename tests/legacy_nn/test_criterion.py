"""Criterions against recorded Torch7 runs, in both protocols, and against plain loops."""

import numpy as np
import pytest
import torchfile
from recorded import FIXTURES, SEED, assert_close, check_constructor, tostring_texts

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor, zeros
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import cudnn
from rekindle.legacy_nn.criterion import Criterion
from rekindle.legacy_nn.errors import ArgumentError, InputTypeError
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.values import map_tensors, tensors_in

MODULES = FIXTURES / "modules"
RECORDS = sorted([*MODULES.glob("*Criterion__*.t7"), *MODULES.glob("L1Cost__*.t7")])
TOLERANCE = {"double": 1e-10, "float": 1e-5}


def f64(*values):
    return tensor(np.array(values, "f8"))


def leaf(x):
    return x.detach().requires_grad_(x.dtype.kind == "f")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_loss_and_gradient(path):
    record = checkpoint.load(path)
    criterion, target = record.criterion, record.get("target")
    random.manual_seed(SEED)
    loss = criterion.forward(record.input, target)
    assert type(loss) is float or loss == 0
    limit = TOLERANCE[record.dtype]
    assert loss == pytest.approx(record.loss, rel=limit, abs=limit * 1e-3)
    assert criterion.output == loss
    if "gradInput" in record:
        found = criterion.backward(record.input, target)
        assert found is criterion.gradInput
        assert_close(found, record.gradInput)
        if isinstance(found, Tensor):
            assert criterion.backward(record.input, target) is found


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_call(path):
    record = checkpoint.load(path)
    leaves = map_tensors(leaf, record.input)
    random.manual_seed(SEED)
    loss = record.criterion(leaves, record.get("target"))
    assert loss.shape == ()
    limit = TOLERANCE[record.dtype]
    assert loss.item() == pytest.approx(record.loss, rel=limit, abs=limit * 1e-3)
    if "gradInput" in record and loss.requires_grad:
        loss.backward()
        for x, g in zip(tensors_in(leaves), tensors_in(record.gradInput), strict=True):
            assert_close(zeros(x.shape, x.dtype) if x.grad is None else x.grad, g)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


def plain(fields):
    """Return the names of fields, with the values of numbers, texts and truths."""
    found = {}
    for name, value in fields.items():
        name = name.decode() if isinstance(name, bytes) else name
        value = value.decode() if isinstance(value, bytes) else value
        found[name] = value if isinstance(value, (bool, int, float, str)) else None
    return found


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_fields(path):
    record = checkpoint.load(path)
    criterion = record.criterion
    other = torchfile.load(str(path), use_list_heuristic=False)[b"criterion"]
    assert isinstance(criterion, Criterion)
    assert repr(criterion) == record["class"] == other._typename.decode()
    assert plain(vars(criterion)) == plain(other._obj)
    for name, value in other._obj.items():
        if isinstance(value, np.ndarray):
            memory = getattr(criterion, name.decode())
            assert isinstance(memory, (Tensor, Storage))
            assert memory.tolist() == value.tolist()
    assert checkpoint.dumps(checkpoint.loads(checkpoint.dumps(criterion))) == checkpoint.dumps(
        criterion
    )


def test_texts():
    texts = {lua: text for lua, text in tostring_texts().items() if "Criterion" in lua}
    assert len(texts) == 4
    made = {
        "nn.MSECriterion()": nn.MSECriterion(),
        "nn.ClassNLLCriterion()": nn.ClassNLLCriterion(),
        "nn.ParallelCriterion():add(nn.MSECriterion())": nn.ParallelCriterion().add(
            nn.MSECriterion()
        ),
        "nn.MultiCriterion():add(nn.MSECriterion(),0.5)": nn.MultiCriterion().add(
            nn.MSECriterion(), 0.5
        ),
    }
    assert {lua: repr(criterion) for lua, criterion in made.items()} == texts


# -- against loops ------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", [False, True])
def test_ignored_targets_count_for_nothing(weighted, average):
    x, t = f64(*np.random.default_rng(1).normal(size=(4, 3))), f64(1, 2, 2, 3)
    weights = f64(0.5, 1, 2) if weighted else None
    criterion = nn.ClassNLLCriterion(weights, average, 2)
    w = [0.5, 1, 2] if weighted else [1, 1, 1]
    rows = [(0, 0), (3, 2)]
    total = sum(w[c] for _, c in rows) if average else 1
    expected = -sum(w[c] * x.numpy()[r, c] for r, c in rows) / total
    assert criterion.forward(x, t) == pytest.approx(expected, rel=1e-12)
    gradient = np.zeros((4, 3))
    for r, c in rows:
        gradient[r, c] = -w[c] / total
    np.testing.assert_allclose(criterion.backward(x, t).numpy(), gradient, rtol=1e-12)
    assert criterion.forward(x, f64(2, 2, 2, 2)) == 0
    assert not criterion.backward(x, f64(2, 2, 2, 2)).numpy().any()


def test_a_lone_sample_is_averaged_by_its_own_weight():
    x, weights = f64(-1, -2, -3), f64(0.5, 1, 4)
    assert nn.ClassNLLCriterion(weights).forward(x, 3) == 3
    assert nn.ClassNLLCriterion(weights, False).forward(x, 3) == 12
    criterion = nn.ClassNLLCriterion(weights)
    assert criterion.backward(x, 3).tolist() == [0, 0, -1]


def test_the_gradient_divides_by_the_weights_of_the_last_forward_pass():
    x, criterion = zeros((2, 3), "float64"), nn.ClassNLLCriterion()
    assert criterion.backward(x, f64(1, 2)).tolist() == [[-1, 0, 0], [0, -1, 0]]
    criterion.forward(zeros((4, 3), "float64"), f64(1, 1, 1, 1))
    assert criterion.backward(x, f64(1, 2)).tolist() == [[-0.25, 0, 0], [0, -0.25, 0]]


def naive_multi_label(x, t, average):
    rows, classes = x.shape
    total = 0.0
    for i in range(rows):
        labels = []
        for c in t[i]:
            if c == 0:
                break
            labels.append(int(c) - 1)
        for a in labels:
            for d in range(classes):
                if d not in labels:
                    total += max(0, 1 - x[i, a] + x[i, d])
    return total / classes / (rows if average else 1)


@pytest.mark.parametrize("average", [False, True])
def test_multi_label_margin(average):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(6, 5))
    t = np.array(
        [[1, 3, 0, 2, 0], [0, 1, 2, 3, 4], [5, 4, 3, 2, 1], [2, 2, 0, 0, 0]] + [[4] * 5] * 2
    )
    criterion = nn.MultiLabelMarginCriterion()
    criterion.sizeAverage = average
    found = criterion.forward(tensor(x), tensor(t))
    assert found == pytest.approx(naive_multi_label(x, t, average), rel=1e-12)
    assert criterion.isTarget.shape == (6, 5)


@pytest.mark.parametrize("p", [1, 2])
def test_multi_margin(p):
    rng = np.random.default_rng(3)
    x, t, w = rng.normal(size=(5, 4)), rng.integers(1, 5, 5), rng.uniform(size=4)
    total = sum(
        w[c - 1] * max(0, 0.7 - x[i, c - 1] + x[i, d]) ** p
        for i, c in enumerate(t)
        for d in range(4)
        if d != c - 1
    )
    criterion = nn.MultiMarginCriterion(p, tensor(w), 0.7)
    assert criterion.forward(tensor(x), tensor(t)) == pytest.approx(total / 20, rel=1e-12)


def test_saturated_probabilities_keep_bounded_gradients():
    criterion = nn.BCECriterion()
    assert criterion.backward(f64(0, 1), f64(0, 1)).tolist() == [0, 0]
    np.testing.assert_allclose(
        criterion.backward(f64(0, 1), f64(1, 0)).numpy(), [-0.5e12, 0.5e12], rtol=1e-6
    )


def test_kinks():
    assert nn.AbsCriterion().backward(f64(1, 2), f64(1, 3)).tolist() == [0.5, -0.5]
    assert nn.MarginCriterion().backward(f64(1), f64(1)).tolist() == [0]
    ranking = nn.MarginRankingCriterion(1)
    assert ranking.backward([f64(2), f64(1)], 1)[1].tolist() == [-1]
    assert nn.L1Cost().backward(f64(0, -3)).tolist() == [0, -1]


def test_equal_elements_get_random_signs_from_torchs_stream():
    criterion = nn.L1HingeEmbeddingCriterion()
    random.manual_seed(5)
    drawn = random.random(zeros(3, "float64"), 2) * 2 - 3
    random.manual_seed(5)
    found = criterion.backward([f64(1, 2, 3, 4), f64(1, 2, 0, 4)], 1)
    assert found[1].tolist() == [*drawn.tolist()[:2], 1, drawn.tolist()[2]]
    assert found[2].tolist() == (-found[1]).tolist()


SECOND_ORDER = {
    "bce": (
        lambda: nn.BCECriterion(f64(0.5, 2)),
        f64([0.3, 0.6], [0.2, 0.9]),
        f64([0, 1], [1, 0.5]),
    ),
    "mse": (nn.MSECriterion, f64(0.3, 0.6), f64(1, 2)),
    "kl": (nn.DistKLDivCriterion, f64(-0.3, -0.6), f64(0.4, 0)),
    "soft": (lambda: nn.MultiLabelSoftMarginCriterion(), f64(0.3, -0.6), f64(1, 0)),
    "cross": (nn.CrossEntropyCriterion, f64([0.3, -0.6, 1], [0.1, 0.2, 0.3]), f64(1, 3)),
}


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_losses_are_differentiable(name):
    make, x, t = SECOND_ORDER[name]
    order = 1 if name == "bce" else 2  # its stated gradient has another second derivative
    check_grads(lambda x: make()(x, t), (x,), order=order, modes=("rev",))


# -- composition --------------------------------------------------------------------------


def test_cross_entropy_follows_a_change_of_size_average():
    x, t = f64([1, 2, 3], [3, 2, 1]), f64(1, 1)
    criterion = nn.CrossEntropyCriterion()
    mean = criterion.forward(x, t)
    criterion.sizeAverage = False
    assert criterion.forward(x, t) == pytest.approx(2 * mean)
    assert criterion(x, t).item() == pytest.approx(2 * mean)
    criterion.nll.sizeAverage = True  # set directly, it stays
    assert criterion.forward(x, t) == pytest.approx(mean)


def test_volumes_are_images_with_taller_ones():
    rng = np.random.default_rng(4)
    x, t = tensor(rng.normal(size=(2, 3, 2, 2, 3))), tensor(rng.integers(1, 4, (2, 2, 2, 3)))
    weights = f64(0.5, 1, 2)
    volumes = cudnn.VolumetricCrossEntropyCriterion(weights)
    images = cudnn.SpatialCrossEntropyCriterion(weights)
    logs = x.numpy() - np.log(np.exp(x.numpy()).sum(1, keepdims=True))
    picked = np.take_along_axis(logs, t.numpy()[:, None] - 1, 1)[:, 0]
    w = weights.numpy()[t.numpy() - 1]
    expected = -(picked * w).sum() / w.sum()
    assert volumes.forward(x, t) == pytest.approx(expected, rel=1e-12)
    assert volumes(x, t).item() == pytest.approx(expected, rel=1e-12)
    leaves = x.detach().requires_grad_()
    volumes(leaves, t).backward()
    assert_close(volumes.backward(x, t), leaves.grad)
    flat = images.forward(x.reshape(2, 3, 4, 3), t.reshape(2, 4, 3))
    assert flat == pytest.approx(expected, rel=1e-12)


def test_a_module_of_a_criterion():
    x, t = f64(1, 2), f64(2, 4)
    module = nn.ModuleFromCriterion(nn.MSECriterion())
    output = module.forward([x, t])
    assert output.tolist() == [2.5]
    assert module.forward([x, t]) is output
    found = module.backward([x, t], f64(10))
    assert found[1].tolist() == [-10, -20]
    assert found[2].tolist() == [0, 0]
    assert module([x, t]).tolist() == [2.5]


def test_a_table_of_a_criterion():
    record = checkpoint.load(MODULES / "CriterionTable__01.t7")
    module = record.module
    loss = module.forward(record.input)
    assert loss == pytest.approx(record.output)
    assert module.output == loss
    assert_close(module.backward(record.input, None), record.gradInput)
    assert module(record.input).item() == pytest.approx(record.output)


def test_types_and_clones():
    criterion = nn.ParallelCriterion().add(nn.ClassNLLCriterion(f64(1, 2))).add(nn.MSECriterion())
    assert criterion.float() is criterion
    assert criterion.criterions[1].weights.dtype == np.float32
    with pytest.raises(ArgumentError, match="must provide a type"):
        criterion.type()
    clone = criterion.clone()
    assert clone.criterions[1] is not criterion.criterions[1]
    assert clone.criterions[1].weights.storage() is not criterion.criterions[1].weights.storage()
    x = zeros((2, 2), "float32")
    assert clone.forward([x, x], [tensor([1, 2]), x]) == 0
    cosine = nn.CosineEmbeddingCriterion().float()
    assert cosine.gradInput[1].dtype == np.float32


def test_length():
    assert len(nn.ClassNLLCriterion(f64(1, 2))) == 2
    assert len(nn.BCECriterion()) == 0
    assert nn.BCECriterion()


def test_errors():
    x = zeros((2, 3), "float64")
    for criterion, target, error, text in (
        (
            nn.ClassNLLCriterion(),
            f64(1, 4),
            BoundsError,
            "cur_target >= 0 && cur_target < n_classes",
        ),
        (nn.ClassNLLCriterion(), f64(0, 1), BoundsError, "targets are 1 to 3; given 0 to 1"),
        (nn.ClassNLLCriterion(), f64(1, 2, 3), ShapeError, "== batch_size"),
        (nn.CrossEntropyCriterion(), f64(1, 5), BoundsError, "given 1 to 5"),
        (nn.ClassNLLCriterion(f64(1, 2)), f64(1, 2), ShapeError, "all 3 classes or no classes"),
        (
            nn.MSECriterion(),
            f64(1, 2),
            ShapeError,
            r"input\[2 x 3\] has 6 elements, while target\[2\]",
        ),
        (nn.MSECriterion(), x.astype("float32"), InputTypeError, "of one type"),
        (nn.BCECriterion(), f64(1, 2), ShapeError, "input and target size mismatch"),
        (nn.BCECriterion(), 3, InputTypeError, "takes a tensor as target"),
        (nn.MultiMarginCriterion(), f64(1, 4), BoundsError, "target out of range"),
        (nn.ParallelCriterion().add(nn.MSECriterion()), x, InputTypeError, "table of as many"),
    ):
        with pytest.raises(error, match=text):
            criterion.forward(x, target)
    with pytest.raises(ArgumentError, match="between 0~1, but got"):
        nn.BCECriterion().forward(f64(1.5), f64(1))
    with pytest.raises(ArgumentError, match="only p=1 and p=2"):
        nn.MultiMarginCriterion(3)
    with pytest.raises(ArgumentError, match="1-D Tensor"):
        nn.ClassNLLCriterion(x)


def test_a_criterion_of_cudnn():
    criterion = checkpoint.load(FIXTURES / "gpu" / "spatialcrossentropy.t7")
    expected = checkpoint.load(FIXTURES / "gpu" / "spatialcrossentropy.expect.t7")
    assert repr(criterion) == "cudnn.SpatialCrossEntropyCriterion"
    assert isinstance(criterion.nll, Criterion)
    assert criterion.forward(expected.input, expected.target) == pytest.approx(
        expected.loss, rel=1e-4
    )
    assert_close(criterion.backward(expected.input, expected.target), expected.gradInput, "", 1e-4)


class _Longhand(nn.ClassNLLCriterion):
    """What a subclass computes goes through operations."""


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("ignored", [None, 2])
def test_the_short_way_is_the_long_way(average, ignored):
    rng = np.random.default_rng(0)
    short, long = (c(None, average, ignored).float() for c in (nn.ClassNLLCriterion, _Longhand))
    for rows in (5, 3):
        x = Tensor(rng.normal(size=(rows, 4)).astype("f"))
        target = Tensor(rng.integers(1, 5, rows))
        for _ in range(2):
            assert short.forward(x, target) == long.forward(x, target)
            a, b = short.backward(x, target), long.backward(x, target)
            assert a is short.gradInput
            np.testing.assert_array_equal(a.numpy(), b.numpy())
            for name in ("target", "output_tensor", "total_weight_tensor"):
                mine, other = getattr(short, name), getattr(long, name)
                assert mine.dtype == other.dtype
                np.testing.assert_array_equal(mine.numpy(), other.numpy())
    for wrong in (0, 5, -7):
        with pytest.raises(BoundsError, match="targets are 1 to 4"):
            short.forward(x, Tensor(np.array([1, wrong, 3])))


@pytest.mark.parametrize("kind", ["float32", "int64"])
def test_targets_of_the_hinge_embedding_may_be_of_any_type(kind):
    # torch.eq(y, -1) takes whatever y is.
    criterion, x = nn.HingeEmbeddingCriterion(), f64(0.3, 2.0, -0.5)
    signs = [1, -1, -1]
    expected = criterion.forward(x, f64(*signs))
    gradient = criterion.backward(x, f64(*signs)).numpy().copy()
    target = tensor(signs, dtype=kind)
    assert criterion.forward(x, target) == expected
    np.testing.assert_array_equal(criterion.backward(x, target).numpy(), gradient)
    assert expected == pytest.approx((0.3 + 0 + 1.5) / 3)
