"""Claim: an ascii file of 50 MB loads in seconds.

torchfile reads no ascii files, so the peer is the same data in binary, read by torchfile: what
somebody with Torch7 at hand would do. Two files: tensors of floats, and small tables.

Run: python benchmarks/load_ascii.py [--json FILE] [--rounds N] [--small]
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import torchfile
from load_common import arguments, by_turns, report

from rekindle.core.checkpoint import Table, load, save


def tensors(megabytes: int) -> Table:
    generator = np.random.default_rng(0)
    count = megabytes * 1_000_000 // 12 // 10  # some 12 characters a number
    return Table([generator.standard_normal(count).astype(np.float32) for _ in range(10)])


def tables(megabytes: int) -> Table:
    count = megabytes * 1_000_000 // 65
    return Table(Table({"name": f"item {i}", "value": i * 0.5}) for i in range(count))


def main() -> None:
    options = arguments(__doc__)
    megabytes = 5 if options.small else 50
    results: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, build in (("tensors", tensors), ("tables", tables)):
            ascii_path = str(Path(folder) / f"{name}.ascii.t7")
            binary_path = str(Path(folder) / f"{name}.t7")
            value = build(megabytes)
            save(value, ascii_path, "ascii")
            save(value, binary_path)
            seconds = by_turns(
                {
                    "rekindle, ascii": lambda path=ascii_path: load(path),  # type: ignore[misc]
                    "torchfile, binary": lambda path=binary_path: torchfile.load(  # type: ignore[misc]
                        path, use_list_heuristic=False
                    ),
                },
                options.rounds,
            )
            results[f"{name}: ascii file, MB"] = os.path.getsize(ascii_path) / 1e6
            for reader, value in seconds.items():
                results[f"{name}: {reader}, seconds"] = value
    report(results, options.json)


if __name__ == "__main__":
    main()
