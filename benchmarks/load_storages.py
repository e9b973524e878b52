"""Claim: 500 MB of float tensors load at least 50 times faster than with torchfile, uncopied.

The file has 20 tensors of 25 MB among small ones, as a checkpoint has. Resident memory is
measured in a process of its own for each reader: what loading added, and what using one
tensor added (an unaligned storage is copied then, alone).

Run: python benchmarks/load_storages.py [--json FILE] [--rounds N] [--small]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torchfile
from load_common import arguments, by_turns, report

from rekindle.core.checkpoint import Table, load, save

MEMORY = """
import psutil, sys
from rekindle.core.checkpoint import load
import torchfile
process = psutil.Process()
def resident():
    return process.memory_info().rss / 1e6
before = resident()
if sys.argv[2] == "rekindle":
    found = load(sys.argv[1])
    loaded = resident()
    found["layer 3"].weight.numpy().sum()
else:
    found = torchfile.load(sys.argv[1], use_list_heuristic=False)
    loaded = resident()
    found[b"layer 3"][b"weight"].sum()
print(loaded - before, resident() - loaded)
"""


def checkpoint(megabytes: int) -> Table:
    count = megabytes * 1_000_000 // 4 // 20
    generator = np.random.default_rng(0)
    return Table(
        {
            f"layer {i}": Table(
                {
                    "weight": generator.random(count, dtype=np.float32).reshape(10, -1),
                    "bias": generator.random(64, dtype=np.float32),
                    "name": "conv" * (1 + i % 4),
                }
            )
            for i in range(20)
        }
    )


def main() -> None:
    options = arguments(__doc__)
    results: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "storages.t7")
        save(checkpoint(50 if options.small else 500), path)
        seconds = by_turns(
            {
                "rekindle": lambda: load(path),
                "torchfile": lambda: torchfile.load(path, use_list_heuristic=False),
            },
            options.rounds,
        )
        for reader, value in seconds.items():
            results[f"{reader}, seconds"] = value
        results["times faster"] = seconds["torchfile"] / seconds["rekindle"]
        for reader in seconds:
            command = [sys.executable, "-c", MEMORY, path, reader]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            loading, using = map(float, output.split())
            results[f"{reader}, MB resident after loading"] = loading
            results[f"{reader}, MB more after using one tensor"] = using
    report(results, options.json)


if __name__ == "__main__":
    main()
