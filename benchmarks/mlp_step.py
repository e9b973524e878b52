"""A training step of an MLP 784-1024-1024-10, batch 128, against PyTorch: time and ratio.

Forward, cross entropy, backward and SGD in float32, measured in turns in this process with
two threads each. Needs PyTorch: pip install -e '.[parity]'.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch

import rekindle
from rekindle import ops

SIZES = (784, 1024, 1024, 10)
BATCH, RATE = 128, 0.01


def step(
    x: Any, target: Any, layers: list[tuple[Any, Any]], lib: dict[str, Callable[..., Any]]
) -> float:
    """Take one step and return the loss before it."""
    h = x
    for i, (w, b) in enumerate(layers):
        h = lib["linear"](h, w, b)
        if i + 1 < len(layers):
            h = lib["relu"](h)
    loss = lib["cross_entropy"](h, target)
    loss.backward()
    with lib["no_grad"]():
        for p in (p for layer in layers for p in layer):
            p.sub_(p.grad * RATE)
            p.grad = None
    return float(loss.detach())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    arrays = [
        (rng.normal(size=(m, n)).astype(np.float32) * 0.03, np.zeros(m, np.float32))
        for n, m in pairwise(SIZES)
    ]
    x = rng.normal(size=(BATCH, SIZES[0])).astype(np.float32)
    target = rng.integers(0, SIZES[-1], BATCH)
    functional = torch.nn.functional
    libraries: dict[str, tuple[Callable[..., Any], dict[str, Callable[..., Any]]]] = {
        "rekindle": (
            rekindle.tensor,
            {
                "linear": ops.linear,
                "relu": ops.relu,
                "cross_entropy": ops.cross_entropy,
                "no_grad": rekindle.no_grad,
            },
        ),
        "torch": (
            torch.tensor,
            {
                "linear": functional.linear,
                "relu": functional.relu,
                "cross_entropy": functional.cross_entropy,
                "no_grad": torch.no_grad,
            },
        ),
    }
    models = {
        name: (
            make(x),
            make(target),
            [tuple(make(a.copy(), requires_grad=True) for a in pair) for pair in arrays],
            lib,
        )
        for name, (make, lib) in libraries.items()
    }
    rounds = []
    for _ in range(options.rounds + 2):
        seconds = []
        for model in models.values():
            start = time.perf_counter()
            step(*model)
            seconds.append(time.perf_counter() - start)
        rounds.append(seconds)
    rounds = rounds[2:]
    ours, theirs = (statistics.median(column) * 1e3 for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"rekindle {ours:.2f} ms, torch {theirs:.2f} ms, ratio {ratio:.2f}")
    about = {"numpy": np.__version__, "torch": torch.__version__, "machine": platform.machine()}
    print(", ".join(f"{k} {v}" for k, v in about.items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rekindle_ms": ours, "torch_ms": theirs, "ratio": ratio, **about}, file)


if __name__ == "__main__":
    main()
