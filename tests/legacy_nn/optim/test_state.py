"""What optimisers keep and print beside their trajectories."""

import numpy as np
import pytest

import rekindle
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import optim


def square(x):
    return float((x.numpy() ** 2).sum()), Tensor(2 * x.numpy())


def test_rprop_keeps_which_steps_became_too_small():
    config = {"stepsize": 1e-6, "etaminus": 0.5}
    x = Tensor(np.array([1e-7, 1.0]))
    state = {}
    for _ in range(2):  # the first step jumps over 0 in one coordinate
        optim.rprop(square, x, config, state)
    assert state["nsign"].tolist() == [1, 0]
    assert state["dminmax"].tolist() == [1, 0]
    assert state["stepsize"].tolist() == pytest.approx([1e-6, 1.2e-6])


@pytest.mark.parametrize("name", ["adagrad", "adadelta", "rprop", "adam"])
def test_some_say_that_they_have_no_state(name, capsys):
    getattr(optim, name)(square, Tensor(np.ones(2)))
    texts = {
        "adagrad": "no state table, ADAGRAD initializing\n",
        "adadelta": "no state table, ADADELTA initializing\n",
        "rprop": "no state table RPROP initializing\n",
        "adam": "",
    }
    assert capsys.readouterr().out == texts[name]
    getattr(optim, name)(square, Tensor(np.ones(2)), {})
    assert capsys.readouterr().out == ""


def test_polyinterp_takes_a_tensor_and_finds_the_minimum_of_a_cubic():
    def cubic(x):
        return x**3 - 2 * x, 3 * x**2 - 2

    rows = [(x, *cubic(x)) for x in (0.0, 2.0)]
    least = np.sqrt(2 / 3)
    assert optim.polyinterp(rows)[0] == pytest.approx(least)
    position, value = optim.polyinterp(Tensor(np.array(rows)), 0.5, 1.0)
    assert position == pytest.approx(least)
    assert value == pytest.approx(cubic(least)[0])
    assert optim.polyinterp([(1, 2, 0), (1, 2, 0)])[0] == 1
    assert optim.polyinterp([(0, 1, 0), (1, 1, 0)])[0] == 0  # 0 / 0, which Torch7 clamps


def test_lbfgs_says_what_it_does(capsys):
    optim.lbfgs(square, Tensor(np.ones(2)), {"verbose": True, "learningRate": 0.5})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "<optim.lbfgs> \tcreating recyclable direction/step/history buffers"
    assert lines[1].startswith("<optim.lbfgs> \t")


def test_fista_says_what_it_does(capsys):
    def smooth(x, mode=None):
        return square(x) if mode else square(x)[0]

    config = {"L": 4, "maxiter": 1, "verbose": True}
    _, history = optim.FistaLS(
        smooth, lambda x: 0, lambda x, rate: None, Tensor(np.ones(2)), config
    )
    assert capsys.readouterr().out == (
        "nline=0 L=4 fply=0 Q=0 fy=0 Q2=0 Q3=0\niter=0 eold=inf enew=0\n"
    )
    assert history[1].xk.tolist() == history[1].y.tolist() == [0, 0]


def test_a_confusion_matrix_has_the_fields_that_torch7_goes_on_with(tmp_path):
    matrix = optim.ConfusionMatrix(2.0)
    matrix.add(1, 2)
    rekindle.save(matrix, tmp_path / "m.t7")
    fields = vars(rekindle.load(tmp_path / "m.t7"))
    assert fields["_mat_flat"].tolist() == [0, 0, 1, 0]
    assert fields["_mat_flat"].storage() is fields["mat"].storage()
    assert [fields[n].dtype.name for n in ("_target", "_prediction", "_max")] == ["float32"] * 3
    assert [fields[n].dtype.name for n in ("_pred_idx", "_targ_idx")] == ["int64"] * 2


def test_logger_without_plots(tmp_path, capsys):
    with optim.Logger(tmp_path / "log", timestamp=True) as logger:
        logger.setNames(["loss"]).style(["-"]).setlogscale(True)
        logger.display(False)
        logger.plot()
        logger.plot("loss")
    assert capsys.readouterr().out == "<Logger> warning: cannot plot with this version of Torch\n"
    assert (logger.idx, logger.styles) == ({"loss": 1}, {1: ["-"]})
    assert (logger.logscale, logger.showPlot) == (True, False)
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("log-20")
    optim.Logger()
    assert "no path provided, logging to std out" in capsys.readouterr().out
