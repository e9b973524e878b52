"""What the func_*.py benchmarks share: two functions, measured in turns."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

MOST = 1.2
"""The ratio that is claimed."""


def compared(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> dict[str, float]:
    """Return the medians of processor time, in milliseconds, and their ratio."""
    times: tuple[list[float], list[float]] = [], []
    for k in range(rounds + 2):
        for f, spent in zip((ours, theirs), times, strict=True):
            start = time.process_time()
            f()
            if k > 1:
                spent.append(time.process_time() - start)
    a, b = (1000 * statistics.median(t) for t in times)
    return {"rekindle_ms": round(a, 3), "torch_ms": round(b, 3), "ratio": round(a / b, 3)}


def main(doc: str | None, measure: Callable[[int], dict[str, Any]]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(options.rounds)
    for name, row in found.items():
        print(
            f"{name:<28} rekindle {row['rekindle_ms']:9.3f} ms   torch {row['torch_ms']:9.3f} ms   "
            f"ratio {row['ratio']:.2f} (claimed: at most {MOST})"
        )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
