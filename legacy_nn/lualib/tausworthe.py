"""The random generator behind LuaJIT's `math.random`, value for value.

Four combined Tausworthe generators of period 2^223.
Source: P. L'Ecuyer, "Tables of maximally equidistributed combined LFSR generators", 1999
(64-bit generators); parameters and seeding as in LuaJIT 2.1 (lj_prng.c, lib_math.c).
"""

from __future__ import annotations

import math
import struct

MASK = 2**64 - 1
PARTS = ((63, 31, 18), (58, 19, 28), (55, 24, 7), (47, 21, 8))
"""k, q and s of each generator: k bits of state count."""


class Tausworthe:
    """The generator.

    Parameters
    ----------
    seed : float
        LuaJIT starts with 0.

    Examples
    --------
    >>> f"{Tausworthe(0).random():.14g}"
    '0.79420629243124'
    """

    def __init__(self, seed: float = 0.0) -> None:
        self._state: list[int] = []
        self.seed(seed)

    def seed(self, seed: float) -> None:
        """Start anew from a number."""
        self._state = []
        value = float(seed)
        for k, _, _ in PARTS:
            value = value * math.pi + math.e
            (bits,) = struct.unpack("<Q", struct.pack("<d", value))
            lowest = 1 << (64 - k)
            self._state.append(bits + lowest if bits < lowest else bits)
        for _ in range(10):
            self.bits()

    def bits(self) -> int:
        """Return the next 64 bits."""
        result = 0
        state = self._state
        for i, (k, q, s) in enumerate(PARTS):
            z = state[i]
            kept = z & (MASK << (64 - k))
            z = ((((z << q) & MASK) ^ z) >> (k - s)) ^ ((kept << s) & MASK)
            state[i] = z
            result ^= z
        return result

    def random(self) -> float:
        """Return the next number from 0 to 1, without 1, in steps of 2^-52."""
        return (self.bits() & (2**52 - 1)) * 2.0**-52
