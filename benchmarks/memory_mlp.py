"""Peak memory of a training step of a 50-layer MLP, against PyTorch.

Each library runs in a process of its own; the peak is that of resident memory over what it
was before the step. Needs PyTorch and psutil: pip install -e '.[parity,bench]'.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import numpy as np

LAYERS, WIDTH, BATCH = 50, 512, 8192


def run(library: str) -> None:
    """Take two steps in this process and print the growth of the peak, in MB."""
    import psutil

    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(WIDTH, WIDTH)).astype(np.float32) * 0.04 for _ in range(LAYERS)]
    x = rng.normal(size=(BATCH, WIDTH)).astype(np.float32)
    if library == "torch":
        import torch

        torch.set_num_threads(2)
        make, linear, tanh = torch.tensor, torch.nn.functional.linear, torch.tanh
    else:
        import rekindle

        make, tanh = rekindle.tensor, rekindle.ops.tanh

        def linear(x, w):
            return rekindle.ops.linear(x, w, None)

    parameters = [make(w, requires_grad=True) for w in weights]
    start = make(x)
    before = psutil.Process().memory_info().rss
    h = start
    for w in parameters:
        h = tanh(linear(h, w))
    (h * h).sum().backward()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print((peak - before) / 1e6)


def main() -> None:
    """Measure both and print the ratio."""
    peaks = {}
    for library in ("rekindle", "torch"):
        command = [sys.executable, __file__, library]
        peaks[library] = float(subprocess.run(command, capture_output=True, check=True).stdout)
        print(f"{library:10}{peaks[library]:10.0f} MB")
    print(f"ratio {peaks['rekindle'] / peaks['torch']:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        main()
