"""nn.StochasticGradient: training one example at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rekindle.core.checkpoint import Table

from .classes import TorchClass, torch_class
from .lualib import call, first
from .torch7 import random


@torch_class("nn.StochasticGradient")
class StochasticGradient(TorchClass):
    """Trains a module on the examples of a data set, one after the other.

    Parameters
    ----------
    module : Module
    criterion : Criterion

    Attributes
    ----------
    learningRate : float
        0.01 at first.
    learningRateDecay : float
        In iteration i the rate is learningRate / (1 + i * learningRateDecay); 0 at first.
    maxIteration : int
        Passes over the data; 25 at first, and 0 means no end.
    shuffleIndices : bool
        Whether the examples come in random order, the same in each pass; True at first.
    verbose : bool
        Whether the error of each pass is printed; True at first. Three lines are printed
        anyway, as by Torch7.
    hookExample, hookIteration : callable, optional
        Called as `hookExample(trainer, example)` and `hookIteration(trainer, iteration,
        currentError)`.

    Source: torch/nn StochasticGradient.lua.
    """

    hookExample: Callable[..., Any] | None = None
    hookIteration: Callable[..., Any] | None = None

    def __init__(self, module: Any, criterion: Any) -> None:
        self.learningRate = 0.01
        self.learningRateDecay = 0.0
        self.maxIteration = 25
        self.shuffleIndices = True
        self.module = module
        self.criterion = criterion
        self.verbose = True

    def train(self, dataset: Any) -> None:
        """Train on examples, each a pair of an input and a target.

        Parameters
        ----------
        dataset : object with `size()` and elements 1, 2, ..., Table, list or tuple
        """
        count, get = _examples(dataset)
        order = random.default.permutation(count).tolist()
        if not self.shuffleIndices:
            order = list(range(1, count + 1))
        rate, iteration = self.learningRate, 1
        print("# StochasticGradient: training")
        while True:
            error = sum(self._step(get(i), rate) for i in order) / count
            if self.hookIteration is not None:
                self.hookIteration(self, iteration, error)
            if self.verbose:
                print(f"# current error = {error:.14g}")
            iteration += 1
            rate = self.learningRate / (1 + iteration * self.learningRateDecay)
            if 0 < self.maxIteration < iteration:
                print("# StochasticGradient: you have reached the maximum number of iterations")
                print(f"# training error = {error:.14g}")
                return

    def _step(self, example: Any, rate: float) -> float:
        """Take a step for one example and return its loss."""
        input, target = (example[1], example[2]) if isinstance(example, Table) else example
        module, criterion = self.module, self.criterion
        loss: float = criterion.forward(module.forward(input), target)
        module.updateGradInput(input, criterion.updateGradInput(module.output, target))
        module.accUpdateGradParameters(input, criterion.gradInput, rate)
        if self.hookExample is not None:
            self.hookExample(self, example)
        return loss


def _examples(dataset: Any) -> tuple[int, Callable[[int], Any]]:
    """Return the number of examples, and a function that returns example i, from 1."""
    if isinstance(dataset, Sequence):
        return len(dataset), lambda i: dataset[i - 1]
    size = getattr(dataset, "size", None)
    if isinstance(dataset, Table) and size is not None:
        return int(first(call(size, dataset))), dataset.__getitem__  # a method of Lua's
    size = size() if callable(size) else len(dataset)
    return int(size), dataset.__getitem__
