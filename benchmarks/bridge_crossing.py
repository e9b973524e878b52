"""Claim: what crosses between Lua and Python costs about what lupa's bare calls cost.

Prints microseconds for what programs do most: `dim`, `size` and elements, which never leave Lua;
calls of the tensor library, beside the same calls from Python; fields and calls of modules.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import rekindle
from rekindle.legacy_nn.bridge import Runtime
from rekindle.legacy_nn.torch7 import api

LUA = {
    "t:dim()": "c = c + t:dim()",
    "t:size(1)": "c = c + t:size(1)",
    "t[3]": "c = c + t[3]",
    "t[3] = i": "t[3] = i",
    "m[{2, 3}]": "c = c + m[{2, 3}]",
    "m[2][3]": "c = c + m[2][3]",
    "m:select(1, 2)": "local a = m:select(1, 2)",
    "t:fill(2)": "t:fill(2)",
    "t:add(2)": "t:add(2)",
    "t:clone()": "local a = t:clone()",
    "t * 2": "local a = t * 2",
    "torch.Tensor(3)": "local a = torch.Tensor(3)",
    "layer.train": "local a = layer.train",
    "layer.output": "local a = layer.output",
    "layer:forward(t)": "layer:forward(t)",
    "python()": "python()",
    "python(1)": "python(1)",
    "python(t)": "python(t)",
}

SETUP = """
    local t, m = torch.Tensor(100):fill(1), torch.Tensor(100, 100):fill(1)
    local layer, c = nn.Identity(), 0
    return function(n) for i = 1, n do {} end end"""


def timed(function: Callable[[int], Any], n: int) -> float:
    """Return the microseconds of one turn of `function(n)`, the best of three."""
    function(n // 10)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        function(n)
        best = min(best, time.perf_counter() - start)
    return best / n * 1e6


def in_python() -> dict[str, float]:
    """Return what calls of the tensor library take from Python."""
    x = rekindle.tensor(np.ones(100))
    found = {}
    for name, args in {"fill": (2,), "add": (2,), "clone": ()}.items():
        method = api.METHODS[name]

        def calls(n: int, method: Any = method, args: Any = args) -> None:
            for _ in range(n):
                method(x, *args)

        found[f"{name} from Python"] = timed(calls, 10000)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("-n", type=int, default=20000, help="turns")
    options = parser.parse_args()
    lua = Runtime()
    lua.require("nn")
    lua.globals.python = lambda *args: None
    results = {
        name: timed(lua.execute(SETUP.format(body)), options.n) for name, body in LUA.items()
    }
    results |= in_python()
    identity = lua.execute("return function(x) return x end")
    with rekindle.no_grad():
        results["Lua function from Python"] = timed(
            lambda n: [identity(i) for i in range(n)], options.n
        )
    for name, took in results.items():
        print(f"{name:26}{took:9.3f} us")
    about = {"python": platform.python_version(), "numpy": np.__version__}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({**results, **about}, file, indent=2)


if __name__ == "__main__":
    main()
