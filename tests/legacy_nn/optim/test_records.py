"""ConfusionMatrix and Logger against what Torch7 printed and kept."""

from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import optim
from rekindle.legacy_nn.torch7 import random

RECORD = Path(__file__).parents[2] / "fixtures" / "behaviour" / "confusion_matrix.t7"


def draw(n):
    """Return torch.random(n)."""
    return int(random.random(rekindle.zeros(1), 1, n).item())


def test_confusion_matrix():
    expected = rekindle.load(RECORD).results
    matrix = optim.ConfusionMatrix(3)
    rekindle.torch_seed(1)
    for _ in range(20):
        matrix.add(draw(3), draw(3))
    matrix.add(Tensor([0.1, 0.7, 0.2]), 2)
    matrix.batchAdd(Tensor([[1.0, 0, 0], [0, 1, 0]]), Tensor([1.0, 3.0]))
    matrix.updateValids()
    assert matrix.mat.tolist() == expected.mat.tolist()
    assert matrix.valids.tolist() == expected.valids.tolist()
    assert matrix.unionvalids.tolist() == expected.unionvalids.tolist()
    for name in ("totalValid", "averageValid", "averageUnionValid"):
        assert getattr(matrix, name) == pytest.approx(expected[name], rel=1e-14)
    assert repr(matrix) == expected.text


def test_names_of_classes():
    expected = rekindle.load(RECORD).results
    matrix = optim.ConfusionMatrix(["cat", "dog"])
    matrix.add(1, 1)
    matrix.add(1, 2)
    assert repr(matrix) == expected.text_names
    matrix.zero()
    assert repr(matrix) == expected.text_zero
    with pytest.raises(optim.OptimError, match="needs samples"):
        matrix.farFrr()


def test_rates_of_false_decisions():
    matrix = optim.ConfusionMatrix(3)
    for predicted, target, times in ((1, 1, 3), (2, 1, 1), (2, 2, 4), (1, 2, 4)):
        for _ in range(times):
            matrix.add(predicted, target)
    class_frrs, class_fars, frrs, fars = matrix.farFrr()
    assert class_frrs.tolist() == [0.25, 0.5, -1]
    assert class_fars.tolist() == [0.5, 0.25, -1]
    assert frrs.tolist() == [0.25, 0.5]
    assert fars.tolist() == [0.5, 0.25]


def test_targets_below_1_are_ignored_and_shapes_checked():
    matrix = optim.ConfusionMatrix(2)
    matrix.batchAdd(Tensor([[1.0], [2.0]]), Tensor([[0.0], [2.0]]))
    matrix.add(1, 0)
    assert matrix.mat.tolist() == [[0, 0], [0, 1]]
    with pytest.raises(optim.OptimError, match=r"\(n, classes\)"):
        matrix.batchAdd(Tensor(np.zeros((1, 1, 1))), Tensor([1.0]))


def test_saved_and_loaded(tmp_path):
    matrix = optim.ConfusionMatrix(["a", "b"])
    matrix.add(2, 1)
    rekindle.save(matrix, tmp_path / "matrix.t7")
    again = rekindle.load(tmp_path / "matrix.t7")
    assert isinstance(again, optim.ConfusionMatrix)
    assert repr(again) == repr(matrix)


def test_logger(tmp_path):
    path = tmp_path / "new" / "train.log"
    with optim.Logger(path) as logger:
        logger.setNames(["loss", "note"])
        logger.add([0.12345678, "warm"])
        logger.add([12345, "hot"])
        with pytest.raises(optim.OptimError, match="numbers and texts"):
            logger.add([[1], "x"])
    assert path.read_text() == "loss\tnote\t\n 1.2346e-01\twarm\t\n 1.2345e+04\thot\t\n"
    assert logger.symbols == {1: [0.12345678, 12345], 2: ["warm", "hot"]}


def test_logger_takes_names_from_the_first_row(tmp_path):
    with optim.Logger(tmp_path / "log") as logger:
        logger.add({"a": 1, "b": 2.5})
    assert (tmp_path / "log").read_text() == "a\tb\t\n 1.0000e+00\t 2.5000e+00\t\n"


@pytest.mark.parametrize(("prediction", "target"), [(1, 4), (5, 2), (0, 2), (-1, 1)])
def test_a_confusion_matrix_refuses_classes_that_there_are_not(prediction, target):
    matrix = optim.ConfusionMatrix(3)
    with pytest.raises(BoundsError, match="classes are 1 to 3"):
        matrix.add(prediction, target)
    with pytest.raises(BoundsError, match=f"a prediction of {prediction} for a target of {target}"):
        matrix.batchAdd(tensor([2, prediction, 3]), tensor([0, target, 3]))
    assert not matrix.mat.numpy().any()


def test_a_confusion_matrix_asks_for_a_target_for_each_prediction():
    with pytest.raises(optim.OptimError, match="given 3 predictions and 2 targets"):
        optim.ConfusionMatrix(3).batchAdd(tensor([1, 2, 3]), tensor([1, 2]))
