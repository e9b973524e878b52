"""What the fused kernels save: each against its reference on the same arrays, in one thread.

Prints milliseconds of processor time, and fused / reference. Needs: pip install -e '.[fast]'.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle import ops, tensor
from rekindle.core.kernels import normalization, softmax, updates
from rekindle.core.kernels.dispatch import using
from rekindle.core.kernels.recurrent import lstm_layer
from rekindle.core.kernels.threads import set_num_threads

ROUNDS = 9


def draw(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def elementary() -> None:
    """GELU from elementary operations, and back."""
    x = tensor(X, requires_grad=True)
    y = 0.5 * x * (1 + ops.tanh(0.8 * (x + 0.04 * x * x * x)))
    y.sum().backward()


def adam() -> None:
    """One step."""
    numbers = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}
    numbers |= {"decay": 0.0, "shrink": 1.0, "root": 0.9}
    updates.adam_update(np, P, X, M, S, None, **numbers)


X, P, M, S = draw(4096, 1024), draw(4096, 1024), draw(4096, 1024), draw(4096, 1024) ** 2
SUMS, WEIGHT, STATE = draw(10, 50, 2048), draw(2048, 512) * 0.05, draw(50, 512)
WORKS: dict[str, Callable[[], Any]] = {
    "gelu 4096x1024": lambda: ops.gelu.forward(np, X),
    "gelu of elementary operations, both ways": elementary,
    "normalised rows 4096x1024": lambda: normalization.standardize(np, X, axes=(1,), eps=1e-5),
    "log_softmax 4096x1024": lambda: softmax.log_softmax(np, X),
    "LSTM layer, 10 times, 50x512": lambda: lstm_layer(
        np, SUMS, WEIGHT, STATE, STATE, reverse=False
    ),
    "Adam, 4,194,304 parameters": adam,
}


def milliseconds(work: Callable[[], Any]) -> float:
    """Return the least time that one run takes."""
    work()
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found) * 1e3


def main() -> None:
    """Measure and print."""
    set_num_threads(1)
    print(f"{'':42}{'reference':>10}{'fused':>10}{'ratio':>8}")
    for title, work in WORKS.items():
        with using("reference"):
            reference = milliseconds(work)
        with using("fast"):
            fused = milliseconds(work)
        print(f"{title:42}{reference:10.2f}{fused:10.2f}{fused / reference:8.2f}")


if __name__ == "__main__":
    main()
