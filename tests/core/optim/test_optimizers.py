"""Optimisers: PyTorch's trajectories, formulas by hand, groups, states, errors."""

import copy

import numpy as np
import pytest
from torch_reference import torch_trajectory, trajectory

import rekindle
from rekindle.core import optim
from rekindle.core.autograd.errors import VersionError

CASES = [
    ("SGD", {"lr": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.9}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.001, "maximize": True}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.3}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
    ("LBFGS", {"lr": 0.1, "max_iter": 4}),
    ("LBFGS", {"max_iter": 5, "history_size": 3, "line_search_fn": "strong_wolfe"}),
]


@pytest.mark.parametrize(("cls", "options"), CASES, ids=str)
def test_the_trajectory_is_pytorchs(cls: str, options: dict[str, object]) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed ([parity])")
    # LBFGS divides by differences of gradients: rounding errors grow tenfold with every step
    steps = 8 if cls == "LBFGS" else 20
    ours, theirs = trajectory(cls, options, steps), torch_trajectory(cls, options, steps)
    # the valley's curvature multiplies rounding errors of a step in the next ones
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)


SCHEDULES = [
    lambda m, o: m.StepLR(o, 3, gamma=0.5),
    lambda m, o: m.MultiStepLR(o, [2, 5, 5], gamma=0.3),
    lambda m, o: m.ExponentialLR(o, 0.9),
    lambda m, o: m.LambdaLR(o, lambda e: 1 / (1 + e)),
    lambda m, o: m.LinearLR(o, 0.2, 1.0, total_iters=4),
    lambda m, o: m.ConstantLR(o, 0.5, total_iters=3),
    lambda m, o: m.CosineAnnealingLR(o, 6, eta_min=0.001),
    lambda m, o: m.OneCycleLR(o, 0.02, total_steps=30),
    lambda m, o: m.OneCycleLR(o, 0.02, total_steps=30, anneal_strategy="linear", pct_start=0.5),
    lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.1, 1.0, 3), m.ExponentialLR(o, 0.8)], milestones=[4]
    ),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_are_pytorchs(schedule: object) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed ([parity])")
    options = {"lr": 0.02, "momentum": 0.9}
    ours = trajectory("SGD", options, 12, schedule)
    theirs = torch_trajectory("SGD", options, 12, schedule)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)


def test_plateau_is_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed ([parity])")
    measures = [3, 2, 2, 2, 2, 1.9, 1.9, 1.9, 1.9, 1.9, 1, 1, 1, 1, 1, 1]
    for mode in ("min", "max"):
        for options in ({}, {"threshold_mode": "abs", "threshold": 0.05, "cooldown": 2}):
            p = rekindle.Parameter(np.zeros(1))
            ours = optim.SGD([p], lr=1.0)
            theirs = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
            a = optim.ReduceLROnPlateau(ours, mode, patience=1, factor=0.5, **options)
            b = torch.optim.lr_scheduler.ReduceLROnPlateau(
                theirs, mode, patience=1, factor=0.5, **options
            )
            for m in measures:
                a.step(m)
                b.step(m)
                assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"])


def one(value: float, grad: float) -> rekindle.Tensor:
    p = rekindle.Parameter(np.array([value]))
    p.grad = rekindle.Tensor(np.array([grad]))
    return p


def test_formulas_by_hand() -> None:
    p = one(1.0, 2.0)
    optim.SGD([p], lr=0.1, weight_decay=0.5).step()
    assert p.item() == pytest.approx(1 - 0.1 * (2 + 0.5))
    p = one(1.0, 2.0)
    optim.Adam([p], lr=0.1, eps=0.0).step()
    assert p.item() == pytest.approx(1 - 0.1)  # the first step has the length lr
    p = one(1.0, 2.0)
    optim.AdamW([p], lr=0.1, eps=0.0, weight_decay=0.5).step()
    assert p.item() == pytest.approx(1 * (1 - 0.05) - 0.1)
    p = one(1.0, 2.0)
    optim.Adagrad([p], lr=0.1, eps=0.0, initial_accumulator_value=5.0).step()
    assert p.item() == pytest.approx(1 - 0.1 * 2 / 3)
    p = one(1.0, 2.0)
    optim.RMSprop([p], lr=0.1, alpha=0.75, eps=0.0).step()
    assert p.item() == pytest.approx(1 - 0.1 * 2 / 1)
    p = one(1.0, 2.0)
    optim.Adadelta([p], lr=1.0, rho=0.75, eps=1.0).step()
    assert p.item() == pytest.approx(1 - 2 / np.sqrt(2))


def test_lbfgs_finds_the_minimum_of_rosenbrocks_valley() -> None:
    p = rekindle.Parameter(np.array([-1.2, 1.0]))
    optimizer = optim.LBFGS(
        [p], max_iter=100, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure() -> rekindle.Tensor:
        optimizer.zero_grad()
        loss = 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(p.numpy(), [1, 1], atol=1e-5)


def test_groups_have_options_of_their_own() -> None:
    a, b = one(1.0, 1.0), one(1.0, 1.0)
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    optimizer.step()
    assert a.item() == pytest.approx(0.9)
    assert b.item() == pytest.approx(0.5)


@pytest.mark.parametrize(("cls", "options"), CASES[:18], ids=str)
def test_a_state_goes_on_bit_for_bit(cls: str, options: dict[str, object]) -> None:
    def make() -> tuple[rekindle.Tensor, optim.Optimizer]:
        p = rekindle.Parameter(np.linspace(-1, 1, 6).reshape(2, 3))
        return p, getattr(optim, cls)([p], **options)

    def run(p: rekindle.Tensor, optimizer: optim.Optimizer, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            (p**4).sum().backward()
            optimizer.step()

    p, optimizer = make()
    run(p, optimizer, 5)
    q, other = make()
    q.array[...] = p.array
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    run(p, optimizer, 5)
    run(q, other, 5)
    np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_zero_grad_drops_or_fills() -> None:
    p = one(1.0, 2.0)
    kept = p.grad
    optim.SGD([p]).zero_grad(set_to_none=False)
    assert p.grad is kept
    assert p.grad.item() == 0
    optim.SGD([p]).zero_grad()
    assert p.grad is None


def test_a_step_counts_as_a_write() -> None:
    p = rekindle.Parameter(np.ones(2))
    loss = (p * p).sum()
    p.grad = rekindle.Tensor(np.ones(2))
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(VersionError, match=r"SGD\.step"):
        loss.backward()


def test_misuse_says_what_to_do() -> None:
    p = one(1.0, 1.0)
    with pytest.raises(optim.OptimizerError, match="list of parameters"):
        optim.SGD(p)  # type: ignore[arg-type]
    with pytest.raises(optim.OptimizerError, match="given none"):
        optim.SGD([])
    with pytest.raises(optim.OptimizerError, match="more than once"):
        optim.SGD([p, p])
    with pytest.raises(optim.OptimizerError, match="detach"):
        optim.SGD([p * 2])
    with pytest.raises(optim.OptimizerError, match="lr is 0 or more; given -1"):
        optim.Adam([p], lr=-1)
    with pytest.raises(optim.OptimizerError, match="no option 'rate'"):
        optim.SGD([{"params": [p], "rate": 1}])
    with pytest.raises(optim.OptimizerError, match="nesterov"):
        optim.SGD([p], nesterov=True)
    with pytest.raises(optim.OptimizerError, match="needs a closure"):
        optim.LBFGS([p]).step()
    saved = optim.SGD([p, one(1.0, 1.0)]).state_dict()
    with pytest.raises(optim.OptimizerError, match=r"groups of \[2\] parameters"):
        optim.SGD([p]).load_state_dict(saved)
