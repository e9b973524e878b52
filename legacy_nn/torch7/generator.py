"""Torch7's random generator: its stream of numbers, value for value.

NumPy's MT19937 under its legacy seeding gives the same raw 32-bit words; what Torch7 makes
of the words is here. Source: torch7 lib/TH/THRandom.c.
"""

from __future__ import annotations

import math
import secrets
from typing import Any, ClassVar

import numpy as np

from rekindle.core.errors import RekindleError

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Words = np.ndarray[Any, np.dtype[np.uint64]]

_STATE = np.dtype(
    [
        ("initial_seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("key", "<u8", 624),
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),
        ("normal_rho", "<f8"),
        ("normal_is_valid", "<i4"),
        ("padding", "<i4"),
    ]
)
"""The C structure THGenerator on a 64-bit machine, which is what Torch7 calls the state."""


class RandomError(RekindleError, ValueError):
    """An argument that a random function does not take."""


class Generator:
    """A stream of random numbers, as torch.Generator.

    All draws advance one stream; each word of it makes one uniform number.

    Parameters
    ----------
    seed : int, optional
        As for `manual_seed`; by default one from the operating system.

    Source: torch7 lib/TH/THRandom.c.
    """

    t7_typename: ClassVar[str] = "torch.Generator"
    lua_type: ClassVar[str] = "userdata"

    def __init__(self, seed: float | None = None) -> None:
        self._bits = np.random.MT19937()
        if seed is None:
            self.seed()
        else:
            self.manual_seed(seed)

    # -- seed and state -----------------------------------------------------------------

    def manual_seed(self, seed: float) -> None:
        """Start the stream that belongs to `seed`; its lowest 32 bits count."""
        self._initial_seed = int(seed) & (2**64 - 1)
        seeded: Any = np.random.RandomState(self._initial_seed & (2**32 - 1))
        self._bits.state = seeded.get_state(legacy=False)
        self._undrawn = True
        self._normal_x = self._normal_y = self._normal_rho = 0.0
        self._normal_is_valid = False
        self._legacy: np.random.RandomState | None = None

    def seed(self) -> int:
        """Start a stream that nobody can foresee; return its seed."""
        self.manual_seed(secrets.randbits(64))
        return self.initial_seed()

    def initial_seed(self) -> int:
        """Return the seed of the stream, as a signed 64-bit number."""
        return self._initial_seed - (2**64 if self._initial_seed >= 2**63 else 0)

    def get_state(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the state as Torch7's getRNGState does: uint8, shape (5048,)."""
        inner: Any = self._bits.state["state"]
        state = np.zeros((), _STATE)
        state["initial_seed"] = self._initial_seed
        state["seeded"] = 1
        state["key"] = inner["key"]
        if self._undrawn:
            state["left"] = 1
        else:
            state["left"], state["next"] = 625 - inner["pos"], inner["pos"]
        state["normal_x"] = self._normal_x
        state["normal_y"] = self._normal_y
        state["normal_rho"] = self._normal_rho
        state["normal_is_valid"] = self._normal_is_valid
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Continue the stream from what `get_state`, or Torch7's getRNGState, returned.

        Parameters
        ----------
        state : array of uint8, shape (5048,)

        Raises
        ------
        RandomError
            If it is no such state.
        """
        data = np.ascontiguousarray(state)
        if data.dtype != np.uint8 or data.size != _STATE.itemsize:
            raise RandomError(
                f"a generator's state has {_STATE.itemsize} bytes of uint8; "
                f"given {data.size} of {data.dtype}"
            )
        fields = np.frombuffer(data.tobytes(), _STATE)[0]
        if fields["seeded"] != 1 or not 0 < fields["left"] <= 624 or fields["next"] > 624:
            raise RandomError("these bytes are not the state of a seeded generator")
        self._initial_seed = int(fields["initial_seed"])
        self._undrawn = bool(fields["next"] == 0)
        key = fields["key"].astype(np.uint32)
        # Torch7 makes the next 624 words once `left` has come down to 1, whatever `next` says
        position = 624 if fields["left"] == 1 else int(fields["next"])
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._normal_x = float(fields["normal_x"])
        self._normal_y = float(fields["normal_y"])
        self._normal_rho = float(fields["normal_rho"])
        self._normal_is_valid = bool(fields["normal_is_valid"])
        self._legacy = None

    @property
    def t7_payload(self) -> bytes:
        """What files hold of it: the state."""
        return self.get_state().tobytes()

    # -- draws --------------------------------------------------------------------------

    def words(self, count: int) -> Words:
        """Return the next `count` raw words, each from 0 to 2^32 - 1."""
        if count:
            self._undrawn = False
        return self._bits.random_raw(count)

    def _unit(self, count: int) -> Doubles:
        unit: Doubles = self.words(count).astype(np.float64) * 2.0**-32
        return unit

    def gamma(self, shape: Any, scale: Any) -> Doubles:
        """Return draws of gamma distributions, by the algorithm that randomkit has.

        Parameters
        ----------
        shape, scale : ndarray
            Of one shape, which is that of the result.
        """
        drawn: Doubles = self.legacy().gamma(shape, scale)
        return drawn

    def legacy(self) -> np.random.RandomState:
        """Return the distributions that randomkit took over from NumPy, on this stream.

        They make two normal numbers at once, and keep the second until another seed.
        """
        self._undrawn = False
        if self._legacy is None:
            self._legacy = np.random.RandomState(self._bits)
        return self._legacy

    def uniform(self, count: int, a: float = 0.0, b: float = 1.0) -> Doubles:
        """Return `count` numbers between a and b, b excluded."""
        return self._unit(count) * (b - a) + a

    def normal(self, count: int, mean: float = 0.0, stdv: float = 1.0) -> Doubles:
        """Return `count` normally distributed numbers.

        Box and Muller's method makes two from two words; where `count` is odd, the second
        is kept for the next call.

        Raises
        ------
        RandomError
            If `stdv` is not positive.
        """
        if not stdv > 0:
            raise RandomError(f"the standard deviation must be positive; given {stdv}")
        out = np.empty(count)
        rest = out
        if self._normal_is_valid and count:
            out[0] = self._normal_rho * math.sin(2.0 * math.pi * self._normal_x)
            self._normal_is_valid = False
            rest = out[1:]
        if rest.size:
            unit = self._unit(rest.size + rest.size % 2)
            x, y = unit[0::2], unit[1::2]
            rho = np.sqrt(-2.0 * np.log(1.0 - y))
            rest[0::2] = rho * np.cos(2.0 * math.pi * x)
            rest[1::2] = (rho * np.sin(2.0 * math.pi * x))[: rest.size // 2]
            self._normal_x, self._normal_y = float(x[-1]), float(y[-1])
            self._normal_rho = float(rho[-1])
            self._normal_is_valid = rest.size % 2 == 1
        return out * stdv + mean

    def exponential(self, count: int, lambd: float) -> Doubles:
        """Return `count` exponentially distributed numbers of mean 1 / `lambd`."""
        return -1.0 / lambd * np.log(1.0 - self._unit(count))

    def cauchy(self, count: int, median: float = 0.0, sigma: float = 1.0) -> Doubles:
        """Return `count` numbers of the Cauchy distribution."""
        return median + sigma * np.tan(math.pi * (self._unit(count) - 0.5))

    def log_normal(self, count: int, mean: float = 1.0, stdv: float = 2.0) -> Doubles:
        """Return exp of `count` normal numbers; `mean` and `stdv` are those of the logarithm."""
        return np.exp(self.normal(count, mean, stdv))

    def geometric(self, count: int, p: float) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return `count` integers i >= 1, each with probability (1 - p) p^(i - 1).

        Raises
        ------
        RandomError
            If `p` is not between 0 and 1.
        """
        if not 0 < p < 1:
            raise RandomError(f"a geometric distribution needs 0 < p < 1; given {p}")
        failures = np.log(1.0 - self._unit(count)) / math.log(p)
        return failures.astype(np.int64) + 1

    def bernoulli(self, count: int, p: float | Doubles = 0.5) -> np.ndarray[Any, np.dtype[np.bool]]:
        """Return `count` times true with probability `p`, or with each of `count` probabilities.

        Raises
        ------
        RandomError
            If a probability is not between 0 and 1.
        """
        if not np.all((np.asarray(p) >= 0) & (np.asarray(p) <= 1)):
            raise RandomError(f"a probability must be between 0 and 1; given {p}")
        hits: np.ndarray[Any, np.dtype[np.bool]] = self._unit(count) <= p
        return hits

    def integers(self, count: int, low: int, high: int) -> Words:
        """Return `count` integers from `low` to `high`, both included, modulo 2^64.

        A negative one comes as C's unsigned long, which is what Torch7 stores in a tensor.

        Raises
        ------
        RandomError
            If `high` is below `low`.
        """
        if high < low:
            raise RandomError(f"the upper bound must not be below the lower; given {low}, {high}")
        return self.words(count) % np.uint64(high + 1 - low) + np.uint64(low % 2**64)

    def permutation(self, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the numbers 1 to n in random order.

        Raises
        ------
        RandomError
            If `n` is not positive.

        Source: torch7 lib/TH/generic/THTensorMath.c, randperm.
        """
        if n < 1:
            raise RandomError(f"a permutation needs at least one element; given {n}")
        steps = (self.words(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)).tolist()
        order = list(range(1, n + 1))
        for i, step in enumerate(steps):
            order[i], order[i + step] = order[i + step], order[i]
        return np.array(order, np.int64)
