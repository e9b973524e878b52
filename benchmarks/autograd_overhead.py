"""What recording and going back cost: 1,000 chained operations on 10 elements, against PyTorch.

Prints microseconds per operation and the ratio to PyTorch eager, measured in turns in this
process with two threads each. Needs PyTorch: pip install -e '.[parity]'.
"""

from __future__ import annotations

import argparse
import json
import operator
import platform
import statistics
import time
from typing import Any

import numpy as np
import torch

import rekindle

LENGTH = 1000
OPERATORS = {
    "add": [operator.add],
    "mul": [operator.mul],
    "sub": [operator.sub],
    "mixed": [operator.add, operator.mul, operator.sub, operator.mul],
}
"""Chains repeat these in turn."""


def passes(x: Any, w: Any, g: Any, operators: list[Any]) -> tuple[float, float]:
    """Return the seconds that a chain took forward and backward."""
    chain = operators * (LENGTH // len(operators))
    start = time.perf_counter()
    y = x
    for apply in chain:
        y = apply(y, w)
    middle = time.perf_counter()
    y.backward(g)
    return middle - start, time.perf_counter() - middle


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(2)
    values = np.ones(10, np.float32), np.full(10, 1.0001, np.float32)
    ours = [rekindle.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    results: dict[str, Any] = {}
    print(f"{'us per operation':18}{'rekindle':>10}{'torch':>10}{'ratio':>8}")
    for name, operators in OPERATORS.items():
        rounds = [
            (
                *passes(*ours, rekindle.ones(10), operators),
                *passes(*theirs, torch.ones(10), operators),
            )
            for _ in range(options.rounds)
        ]
        medians = [statistics.median(column) / LENGTH * 1e6 for column in zip(*rounds, strict=True)]
        for k, way in enumerate(("forward", "backward")):
            a, b = medians[k], medians[k + 2]
            ratio = statistics.median(r[k] / r[k + 2] for r in rounds)
            results[f"{name} {way}"] = {"rekindle_us": a, "torch_us": b, "ratio": ratio}
            print(f"{name + ' ' + way:18}{a:10.2f}{b:10.2f}{ratio:8.2f}")
    about = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    print(", ".join(f"{k} {v}" for k, v in about.items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({**results, **about}, file, indent=2)


if __name__ == "__main__":
    main()
