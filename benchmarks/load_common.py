"""What the load benchmarks share: timing by turns, and the report."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any


def arguments(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each reader")
    parser.add_argument("--small", action="store_true", help="a tenth of the data")
    return parser.parse_args()


def by_turns(readers: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each reader; they take turns, so that noise hits all."""
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, read in readers.items():
            start = time.perf_counter()
            result = read()
            seconds[name].append(time.perf_counter() - start)
            del result
    return {name: statistics.median(values) for name, values in seconds.items()}


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def report(results: dict[str, Any], file: str | None) -> None:
    packages = ("numpy", "torchfile")
    about = {
        "python": sys.version.split()[0],
        "machine": f"{platform.machine()} {platform.system()}",
        "commit": commit(),
        **{name: version(name) for name in packages},
    }
    for name, value in results.items():
        print(f"{name:40} {value:10.3f}" if isinstance(value, float) else f"{name:40} {value}")
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    if file is not None:
        with open(file, "w", encoding="utf-8") as out:
            json.dump({**results, **about}, out, indent=2)
