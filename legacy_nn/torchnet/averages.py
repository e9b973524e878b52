"""Meters of numbers and times: means, errors, seconds.

Source: torchnet/torchnet meter.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .meter import Meter, array, check, check_same, ratio, root


class AverageValueMeter(Meter):
    """Mean and standard deviation of numbers.

    Source: torchnet/torchnet meter/averagevaluemeter.lua.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all numbers."""
        self.sum = self.n = self.var = 0.0

    def add(self, value: float, n: float = 1) -> None:
        """Add a number, with a weight.

        Raises
        ------
        TorchnetError
            For a negative weight.
        """
        check(n >= 0, f"the weight n of a number cannot be negative, got {n}")
        self.sum += n * value
        self.n += n
        self.var += n * value * value

    def value(self) -> tuple[float, float]:
        """Return the mean and the standard deviation; nan where there are too few numbers."""
        mean = ratio(self.sum, self.n)
        return mean, root(ratio(self.var - self.n * mean * mean, self.n - 1))


class MovingAverageValueMeter(Meter):
    """Mean and standard deviation of the last numbers.

    Parameters
    ----------
    windowsize : int
        How many numbers count.

    Source: torchnet/torchnet meter/movingaveragevaluemeter.lua.
    """

    def __init__(self, windowsize: int) -> None:
        check(windowsize >= 1, f"windowsize should be 1 or more, got {windowsize}")
        self.windowsize = windowsize
        self.reset()

    def reset(self) -> None:
        """Forget all numbers."""
        self.sum = self.var = 0.0
        self.n = 0
        self.valuequeue = np.zeros(self.windowsize)

    def add(self, value: float) -> None:
        """Add a number, which takes the place of the oldest in a full window."""
        place = self.n % self.windowsize
        old = float(self.valuequeue[place])
        self.sum += value - old
        self.var += value * value - old * old
        self.valuequeue[place] = value
        self.n += 1

    def value(self) -> tuple[float, float]:
        """Return the mean and the standard deviation."""
        n = min(self.n, self.windowsize)
        mean = self.sum / max(1, n)
        return mean, root((self.var - n * mean * mean) / max(1, n - 1))


class MSEMeter(Meter):
    """Mean squared error.

    Parameters
    ----------
    root : bool
        Whether the value is the square root of it.

    Source: torchnet/torchnet meter/msemeter.lua.
    """

    def __init__(self, root: bool = False) -> None:
        self.root = root
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self.n, self.sesum = 0, 0.0

    def add(self, output: Any, target: Any) -> None:
        """Add samples.

        Parameters
        ----------
        output, target : Tensor or array, of one shape
        """
        output, target = array(output), array(target)
        check_same(output, target)
        self.n += output.size
        self.sesum += float(np.square(output - target).sum())

    def value(self) -> float:
        """Return the error, 0 without samples."""
        mean = self.sesum / max(1, self.n)
        return root(mean) if self.root else mean


class TimeMeter(Meter):
    """Seconds since the last reset.

    Parameters
    ----------
    unit : bool
        Whether the value is the seconds for each unit that `incUnit` counted.

    Source: torchnet/torchnet meter/timemeter.lua.
    """

    def __init__(self, unit: bool = False) -> None:
        self.unit = unit
        self.reset()

    def reset(self) -> None:
        """Start again from 0, running."""
        self.n = 0
        self._before = 0.0
        self._since: float | None = time.monotonic()

    def stop(self) -> None:
        """Stop the clock."""
        self._before, self._since = self._seconds(), None

    def resume(self) -> None:
        """Let a stopped clock go on."""
        if self._since is None:
            self._since = time.monotonic()

    def incUnit(self, value: int = 1) -> None:
        """Count units."""
        self.n += value

    def value(self) -> float:
        """Return the seconds, or the seconds for each unit."""
        return ratio(self._seconds(), self.n) if self.unit else self._seconds()

    def _seconds(self) -> float:
        running = 0.0 if self._since is None else time.monotonic() - self._since
        return self._before + running
