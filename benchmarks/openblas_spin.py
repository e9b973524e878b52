"""What a small product by NumPy costs the kernels that run after it.

OpenBLAS's threads keep spinning after a product, on cores that the threads of OpenMP need. Each
row is a process of its own, which alternates a product of two 256x256 matrices with a fused
GELU of 1,048,576 elements and measures the GELU: without products; with products as Rekindle
leaves OpenBLAS (one thread beside OpenMP kernels); with OpenBLAS's threads as they were.
Needs the extra: pip install -e '.[fast]'. Exits with 1 if the second row is more than half
slower than the first.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import numpy as np

from rekindle import ops, tensor
from rekindle.core.kernels.openblas import blas_threads, set_blas_threads
from rekindle.core.kernels.threads import get_num_threads

ROWS = {
    "alone": "no products between",
    "limited": "a product before each, as Rekindle leaves OpenBLAS",
    "free": "the same with all of OpenBLAS's threads",
}
ROUNDS = 60


def measure(row: str) -> float:
    """Return the median milliseconds of a GELU."""
    x = tensor(np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32))
    a = np.ones((256, 256), np.float32)
    ops.gelu(x)  # loads the kernel, which limits OpenBLAS
    if row == "free":
        set_blas_threads(get_num_threads())
    seconds = []
    for _ in range(ROUNDS):
        if row != "alone":
            a @ a
        start = time.perf_counter()
        ops.gelu(x)
        seconds.append(time.perf_counter() - start)
        time.sleep(0.001)
    return statistics.median(seconds) * 1e3


def main() -> None:
    """Measure each row in a process of its own and print."""
    if len(sys.argv) > 1:
        print(json.dumps({"ms": measure(sys.argv[1]), "blas": blas_threads()}))
        return
    found = {}
    for row, text in ROWS.items():
        command = [sys.executable, __file__, row]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        found[row] = json.loads(result.stdout)
        threads = found[row]["blas"]
        print(f"{found[row]['ms']:8.3f} ms  {text} (OpenBLAS threads {threads})")
    ratio = found["limited"]["ms"] / found["alone"]["ms"]
    print(f"after products / alone: {ratio:.2f}")
    sys.exit(ratio > 1.5)


if __name__ == "__main__":
    main()
