"""What a call costs beyond the arithmetic: operations on float32 tensors of shape (3, 4).

Prints microseconds per call for Rekindle, the same NumPy call, and PyTorch where it is
installed, all measured in turns in this process; the ratio is the median of those turns.
"""

from __future__ import annotations

import importlib.util
import operator
import platform
import statistics
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import rekindle

ROUNDS, CALLS = 15, 20_000

STATEMENTS = {
    "x + y": "x + y",
    "x * 2.0": "x * 2.0",
    "z += y": "iadd(z, y)",
    "exp": "exp(x)",
    "x[0]": "x[0]",
    "x.sum()": "x.sum()",
    "x @ w": "x @ w",
}


def operands(make: Callable[[Any], Any], exp: Any) -> dict[str, Any]:
    """Return the names that the statements use."""
    ones = np.ones((3, 4), np.float32)
    return {
        "x": make(ones.copy()),
        "y": make(ones.copy()),
        "z": make(ones.copy()),
        "w": make(ones.T.copy()),
        "exp": exp,
        "iadd": operator.iadd,
    }


def peers() -> dict[str, dict[str, Any]]:
    """Return the libraries to compare, Rekindle first."""
    found = {
        "rekindle": operands(rekindle.tensor, rekindle.ops.exp),
        "numpy": operands(np.asarray, np.exp),
    }
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        found["torch"] = operands(torch.from_numpy, torch.exp)
    return found


def main() -> None:
    """Measure and print."""
    libraries = peers()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    print(f"{'us per call':12}" + "".join(f"{name:>11}" for name in libraries) + "   / numpy")
    for label, statement in STATEMENTS.items():
        rounds = [
            [
                timeit.timeit(statement, globals=names, number=CALLS) / CALLS * 1e6
                for names in libraries.values()
            ]
            for _ in range(ROUNDS)
        ]
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        ratio = statistics.median(row[0] / row[1] for row in rounds)
        print(f"{label:12}" + "".join(f"{t:11.2f}" for t in medians) + f"{ratio:10.1f}")


if __name__ == "__main__":
    main()
