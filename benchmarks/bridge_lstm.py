"""Claim: a training step of char-rnn through the Lua bridge takes at most 1.3 times that in Python.

The LSTM of `legacy_overhead.py` (two layers of 128 units, batches of 50, 65 characters, float32),
unrolled over clones. The same step is written in Lua and in Python, each with a model of its own,
and the two are measured in turns, in processor time.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from typing import Any

import numpy as np
from legacy_overhead import BATCH, LAYERS, UNITS, VOCABULARY, lstm

import rekindle
from rekindle import Tensor
from rekindle import legacy_nn as nn
from rekindle.legacy_nn.bridge import Runtime

STEP = """
require 'nn'
return function(clones, criteria, text, start, gradient)
  return function()
    gradient:zero()
    local states, loss = {[0] = start}, 0
    for t = 1, #clones do
      local result = clones[t]:forward{text[t], unpack(states[t - 1])}
      states[t] = {unpack(result, 1, #start)}
      loss = loss + criteria[t]:forward(result[#result], text[t + 1])
    end
    local going = {}
    for i, tensor in ipairs(start) do going[i] = tensor:clone():zero() end
    for t = #clones, 1, -1 do
      local of_scores = criteria[t]:backward(clones[t].output[#start + 1], text[t + 1])
      going[#start + 1] = of_scores
      local passed = clones[t]:backward({text[t], unpack(states[t - 1])}, going)
      going = {unpack(passed, 2)}
    end
    gradient:clamp(-5, 5)
    return loss
  end
end"""


class Unrolled:
    """A model with clones for each step, and what it is trained on."""

    def __init__(self, steps: int) -> None:
        rekindle.torch_seed(1)
        model = lstm()
        self.gradient = model.getParameters()[1]
        shared = ("weight", "bias", "gradWeight", "gradBias")
        self.clones = [model.clone(*shared) for _ in range(steps)]
        self.criteria = [nn.ClassNLLCriterion().float() for _ in range(steps)]
        generator = np.random.default_rng(0)
        self.text = [Tensor(generator.integers(1, VOCABULARY + 1, BATCH)) for _ in range(steps + 1)]
        self.start = [rekindle.zeros((BATCH, UNITS), dtype="float32") for _ in range(2 * LAYERS)]

    def step(self) -> float:
        """Take the step that `STEP` takes, in Python."""
        clones, criteria, text = self.clones, self.criteria, self.text
        self.gradient.zero_()
        states: list[Any] = [self.start]
        loss = 0.0
        for t, clone in enumerate(clones):
            result = clone.forward([text[t], *states[t]])
            states.append(result.array()[:-1])
            loss += criteria[t].forward(result[len(result)], text[t + 1])
        going = [rekindle.zeros((BATCH, UNITS), dtype="float32") for _ in self.start]
        for t in reversed(range(len(clones))):
            output = clones[t].output
            of_scores = criteria[t].backward(output[len(output)], text[t + 1])
            passed = clones[t].backward([text[t], *states[t]], [*going, of_scores])
            going = passed.array()[1:]
        self.gradient.clamp_(min=-5, max=5)
        return loss


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    parser.add_argument("--steps", type=int, default=50, help="length of the sequences")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    in_python, given = Unrolled(options.steps), Unrolled(options.steps)
    in_lua = Runtime().execute(STEP)(
        given.clones, given.criteria, given.text, given.start, given.gradient
    )
    assert abs(in_python.step() - in_lua()) < 1e-3 * options.steps
    assert np.allclose(in_python.gradient.numpy(), given.gradient.numpy(), atol=1e-5)
    rounds = []
    for _ in range(options.rounds):
        took = []
        for step in (in_lua, in_python.step):
            start = time.process_time()
            step()
            took.append(time.process_time() - start)
        rounds.append(took)
    lua, python = (statistics.median(column) * 1e3 for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"Lua {lua:.1f} ms, Python {python:.1f} ms, ratio {ratio:.2f}")
    if options.json:
        about = {"python": platform.python_version(), "numpy": np.__version__}
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"lua_ms": lua, "python_ms": python, "ratio": ratio, **about}, file, indent=2)


if __name__ == "__main__":
    main()
