"""How many lines of Lua a second become Python: the aim is 5,000, formatting not counted.

Translates a folder of Lua files several times, from their bytes to text, and prints the median in
seconds of processor time, which other programs on the machine do not change.

Run: python benchmarks/transpile_speed.py [FOLDER] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from rekindle.transpiler.project import Project, collect

PROGRAMS = Path(__file__).parents[1] / "tests" / "fixtures" / "programs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=PROGRAMS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sources = collect([options.folder])
    lines = sum(source.content.count(b"\n") for source in sources)
    seconds = []
    for _ in range(options.rounds):
        start = time.process_time()
        Project(sources).translate()
        seconds.append(time.process_time() - start)
    speed = lines / statistics.median(seconds)
    print(json.dumps({"files": len(sources), "lines": lines, "lines_per_second": round(speed)}))


if __name__ == "__main__":
    main()
