"""Runs one problem with an optimiser of ours and with PyTorch's, where that is installed."""

from __future__ import annotations

from typing import Any

import numpy as np

import rekindle
from rekindle.core import optim

SHAPES = ((3, 4), (4,), (1,))


def starts(seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """Return the first values of the parameters."""
    draw = np.random.default_rng(seed)
    return [draw.standard_normal(shape) for shape in SHAPES]


def loss_of(params: Any) -> Any:
    """A loss with a narrow valley, of tensors of either library."""
    a, b, c = params
    return ((a * b - 0.3) ** 2).sum() + 0.1 * (-a * 0.5).exp().sum() + ((c - 2.0) ** 4).sum()


def trajectory(cls: str, options: dict[str, Any], steps: int, schedule: Any = None) -> Any:
    """Return the parameters after each step with ours."""
    params = [rekindle.Parameter(x.copy()) for x in starts()]
    optimizer = getattr(optim, cls)(params, **options)
    plan = schedule(optim, optimizer) if schedule else None

    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_of(params)
        loss.backward()
        return loss

    path = []
    for _ in range(steps):
        optimizer.step(closure)
        if plan is not None:
            plan.step()
        path.append(np.concatenate([p.numpy().ravel() for p in params]))
    return np.array(path)


def torch_trajectory(cls: str, options: dict[str, Any], steps: int, schedule: Any = None) -> Any:
    """Return the same with PyTorch's."""
    import torch

    params = [torch.nn.Parameter(torch.tensor(x)) for x in starts()]
    optimizer = getattr(torch.optim, cls)(params, **options)
    plan = schedule(torch.optim.lr_scheduler, optimizer) if schedule else None

    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_of(params)
        loss.backward()
        return loss

    path = []
    for _ in range(steps):
        optimizer.step(closure)
        if plan is not None:
            plan.step()
        path.append(np.concatenate([p.detach().numpy().ravel() for p in params]))
    return np.array(path)
