"""How many bytes a long takes in a file: 8 mostly, 4 from Windows and 32-bit machines.

No header says so. The first tensor or storage does: only one of the two sizes leads from
its sizes and strides to something that can stand behind it.
"""

from __future__ import annotations

import struct

import numpy as np

from ..dtypes import Dtype
from .source import Buffer

LongSizeGuess = tuple[int, bool]
"""The size, and whether the other one would be possible too."""

_IMPOSSIBLE, _WEAK, _STRONG = 0, 1, 2
_LARGEST = 1 << 40


def guess_at_tensor(data: Buffer, pos: int, order: str, ndim: int) -> LongSizeGuess:
    """Guess from what follows a tensor's number of dimensions."""
    return _choose(
        _tensor(data, pos, order, ndim, 8) if ndim >= 0 else _IMPOSSIBLE,
        _tensor(data, pos, order, ndim, 4) if ndim >= 0 else _IMPOSSIBLE,
    )


def guess_at_storage(data: Buffer, pos: int, order: str, dtype: Dtype | None) -> LongSizeGuess:
    """Guess from what follows the class of a storage of `dtype`; None means a lone long."""
    if dtype is None:
        return _choose(_storage(data, pos, order, 8, 0), _storage(data, pos, order, 4, 0))
    if dtype == np.int64:  # its elements are longs too
        return _choose(_storage(data, pos, order, 8, 8), _storage(data, pos, order, 4, 4))
    step = dtype.itemsize
    return _choose(_storage(data, pos, order, 8, step), _storage(data, pos, order, 4, step))


def _choose(eight: int, four: int) -> LongSizeGuess:
    if four > eight:
        return 4, eight != _IMPOSSIBLE
    return 8, four != _IMPOSSIBLE


def _longs(data: Buffer, pos: int, order: str, count: int, size: int) -> tuple[int, ...] | None:
    if count > len(data) or pos + count * size > len(data):
        return None
    return struct.unpack_from(f"{order}{count}{'q' if size == 8 else 'i'}", data, pos)


def _int(data: Buffer, pos: int, order: str) -> int | None:
    if pos + 4 > len(data):
        return None
    return int(struct.unpack_from(order + "i", data, pos)[0])


def _tensor(data: Buffer, pos: int, order: str, ndim: int, size: int) -> int:
    if ndim > 64:
        return _IMPOSSIBLE
    numbers = _longs(data, pos, order, 2 * ndim + 1, size)
    if numbers is None or any(abs(n) > _LARGEST for n in numbers):
        return _IMPOSSIBLE
    if any(n < 0 for n in numbers[:ndim]) or numbers[-1] < 0:
        return _IMPOSSIBLE
    pos += (2 * ndim + 1) * size
    tag = _int(data, pos, order)
    if tag == 0:  # no storage
        return _IMPOSSIBLE if ndim else _record(data, pos + 4, order)
    if tag == 4:
        length = _int(data, pos + 8, order)
        if length is None:
            return _IMPOSSIBLE
        if 3 <= length <= 64:  # "V 1", or at once the name in files of before versions
            name = data[pos + 12 : pos + 12 + length]
            if name.startswith(b"V "):
                name = data[pos + 16 + length : pos + 80 + length]
            return _STRONG if name.startswith(b"torch.") and b"Storage" in name else _WEAK
        return _WEAK  # a reference
    return _IMPOSSIBLE


def _storage(data: Buffer, pos: int, order: str, size: int, step: int) -> int:
    numbers = _longs(data, pos, order, 1, size)
    if numbers is None or not 0 <= numbers[0] <= len(data):
        return _IMPOSSIBLE
    return _record(data, pos + size + numbers[0] * step, order)


def _record(data: Buffer, pos: int, order: str) -> int:
    """Return how well a record can begin at `pos`."""
    left = len(data) - pos
    if left < 0:
        return _IMPOSSIBLE
    if left == 0:
        return _STRONG
    tag, argument = _int(data, pos, order), _int(data, pos + 4, order)
    if tag is None or not 0 <= tag <= 8:
        return _IMPOSSIBLE
    if tag == 0:  # nil is never an entry of a table
        return _WEAK
    if argument is None or (tag == 1 and left < 12) or (tag == 2 and not 0 <= argument <= left - 8):
        return _IMPOSSIBLE
    if (tag == 5 and argument not in (0, 1)) or (tag in (3, 4, 8) and argument < 1):
        return _IMPOSSIBLE
    return _STRONG
