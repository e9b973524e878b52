"""One library doing one work in a process of its own, each time that a line arrives.

Libraries in one process disturb each other: the workers of one library's threads spin while
the other one is measured. Here a process that waits for its turn has none that run.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import numpy as np
from works.library import library
from works.works import WORKS

WARM_UPS = 3
ENOUGH = 0.1
"""Seconds that one measurement should at least take."""


def main(name: str, work: str, threads: str) -> None:
    """Answer the first line with what is measured, each further one with its seconds."""
    lib = library(name, int(threads))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = WORKS[work].make(lib)
    result = np.asarray(step().detach()).ravel()
    for _ in range(WARM_UPS):
        start = time.perf_counter()
        step()
        took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = max(1, round(ENOUGH / took))
    say(
        {
            "versions": lib.versions,
            "megabytes": (peak - before) / 1024,
            "values": result[:: max(1, result.size // 64)].astype(float).tolist(),
        }
    )
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(times):
            step()
        say((time.perf_counter() - start) / times)


def say(value: Any) -> None:
    """Write one line."""
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
