"""The table of times against PyTorch: one row for each work, as ratios in one run.

Each library does a work in a process of its own, with two threads; the two take turns, and the
ratio is the median of the ratios of neighbours. Before that, both must have computed the same.
Megabytes are the growth of the peak of resident memory while a work is built and done four times.

Run: make bench, or python benchmarks/bench.py --peer PYTHON [--only NAME ...] [--json FILE],
where PYTHON is an interpreter that has PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from works.works import WORKS

HERE = Path(__file__).parent
TOLERANCE = 1e-3
"""Of float32 results of deep networks, relative to the largest."""


class Worker:
    """A process that does one work when it is its turn."""

    def __init__(self, python: str, library: str, work: str, threads: int) -> None:
        command = [python, str(HERE / "worker.py"), library, work, str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about: dict[str, Any] = self._answer()

    def seconds(self) -> float:
        """Return what the work took, once."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended")  # type: ignore[arg-type]
        return json.loads(line)


def measured(work: str, peer: str, rounds: int, threads: int) -> dict[str, Any]:
    """Return one row of the table."""
    workers = []
    try:
        for python, library in ((sys.executable, "rekindle"), (peer, "torch")):
            workers.append(Worker(python, library, work, threads))
        ours, theirs = (np.array(worker.about["values"]) for worker in workers)
        error = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        pairs = [[worker.seconds() for worker in workers] for _ in range(rounds)]
    finally:
        for worker in workers:
            worker.close()
    row = {
        "ratio": statistics.median(a / b for a, b in pairs),
        "rekindle_ms": statistics.median(a for a, _ in pairs) * 1e3,
        "torch_ms": statistics.median(b for _, b in pairs) * 1e3,
        "memory_ratio": workers[0].about["megabytes"] / max(workers[1].about["megabytes"], 1),
        "error": error,
        "versions": workers[0].about["versions"] | workers[1].about["versions"],
    }
    if not error < TOLERANCE:
        raise SystemExit(f"{work}: the libraries differ by {error:.1e} of the largest value")
    return row


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="one that has PyTorch")
    parser.add_argument("--only", nargs="+", choices=list(WORKS), default=list(WORKS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    print("| work | Rekindle, ms | PyTorch, ms | ratio | target | memory | Torch7, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in options.only:
        work = WORKS[name]
        row = rows[name] = measured(name, options.peer, options.rounds, options.threads)
        torch7 = "" if work.torch7_ms is None else f"{work.torch7_ms:g}"
        print(
            f"| {work.title} | {row['rekindle_ms']:.2f} | {row['torch_ms']:.2f} "
            f"| {row['ratio']:.2f} | {work.target:.2f} | {row['memory_ratio']:.2f} | {torch7} |",
            flush=True,
        )
    about: dict[str, Any] = next(iter(rows.values()))["versions"] | {
        "python": platform.python_version(),
        "machine": machine(),
        "threads": options.threads,
        "rounds": options.rounds,
    }
    print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()))
    if options.json:
        text = json.dumps({"about": about, "rows": rows}, indent=2)
        Path(options.json).write_text(text, encoding="utf-8")


def machine() -> str:
    """Return the processor's name, and how many of its cores are ours."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        name = next(
            (x.partition(":")[2].strip() for x in lines if x.startswith("model name")), name
        )
    return f"{name}, {cores} cores"


if __name__ == "__main__":
    main()
