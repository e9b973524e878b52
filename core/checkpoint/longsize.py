"""How many bytes a long takes in a file: 8 mostly, 4 from Windows and 32-bit machines.

No header says so. The first tensor or storage does: mostly, only one of the two sizes leads
from its sizes and strides to something that can stand behind it.
"""

from __future__ import annotations

import struct
from typing import Any, Literal

import numpy as np

from ..dtypes import Dtype
from .source import Buffer

Order = Literal["<", ">"]

LongSizeGuess = tuple[int, bool]
"""The size, and whether the other one would be possible too."""

_IMPOSSIBLE, _WEAK, _STRONG = 0, 1, 2
_LARGEST = 1 << 40
_SAMPLE = 1000


def guess_at_tensor(data: Buffer, pos: int, order: Order, ndim: int) -> LongSizeGuess:
    """Guess from what follows a tensor's number of dimensions."""
    return _choose(_tensor(data, pos, order, ndim, 8), _tensor(data, pos, order, ndim, 4))


def guess_at_storage(data: Buffer, pos: int, order: Order, dtype: Dtype | None) -> LongSizeGuess:
    """Guess from what follows the class of a storage of `dtype`; None means a lone long."""
    step = 0 if dtype is None else dtype.itemsize
    step_of_four = 4 if dtype == np.int64 else step  # its elements are longs too
    eight = _storage(data, pos, order, 8, step)
    four = _storage(data, pos, order, 4, step_of_four)
    if four and not eight and _cut_short(data, pos, order, dtype):
        return 8, False
    return _choose(eight, four)


def _choose(eight: int, four: int) -> LongSizeGuess:
    if four > eight:
        return 4, eight != _IMPOSSIBLE
    return 8, four == eight != _IMPOSSIBLE


def _longs(data: Buffer, pos: int, order: Order, count: int, size: int) -> tuple[int, ...] | None:
    if pos + count * size > len(data):
        return None
    return struct.unpack_from(f"{order}{count}{'q' if size == 8 else 'i'}", data, pos)


def _int(data: Buffer, pos: int, order: Order) -> int | None:
    if pos + 4 > len(data):
        return None
    return int(struct.unpack_from(order + "i", data, pos)[0])


def _tensor(data: Buffer, pos: int, order: Order, ndim: int, size: int) -> int:
    """Return how well longs of `size` bytes explain what follows the number of dimensions."""
    numbers = _longs(data, pos, order, 2 * ndim + 1, size)
    if numbers is None or any(abs(n) > _LARGEST for n in numbers):
        return _IMPOSSIBLE
    if any(n < 0 for n in numbers[:ndim]) or numbers[-1] < 1:
        return _IMPOSSIBLE
    pos += (2 * ndim + 1) * size
    tag, index, length = (_int(data, pos + skip, order) for skip in (0, 4, 8))
    if tag == 0:  # no storage
        return _IMPOSSIBLE if ndim else _record_after_nothing(data, pos + 4, order, size)
    if tag != 4 or index is None or index < 1:
        return _IMPOSSIBLE
    if length is not None and 3 <= length <= 64:  # "V 1", or the name in files of before versions
        name = data[pos + 12 : pos + 12 + length]
        if name.startswith(b"V "):
            name = data[pos + 16 + length : pos + 80 + length]
        if name.startswith(b"torch.") and len(name) > 25 and b"Storage" not in name:
            return _IMPOSSIBLE
    return _STRONG


def _storage(data: Buffer, pos: int, order: Order, size: int, step: int) -> int:
    """Return how well a long of `size` bytes and elements of `step` bytes explain what follows."""
    numbers = _longs(data, pos, order, 1, size)
    if numbers is None or not -len(data) * (step == 0) <= numbers[0] <= len(data):
        return _IMPOSSIBLE
    if numbers[0] == 0:
        return _record_after_nothing(data, pos + size, order, size)
    return _record(data, pos + size + numbers[0] * step, order)


def _record_after_nothing(data: Buffer, pos: int, order: Order, size: int) -> int:
    """Return how well something empty can end at `pos`.

    Where the file ends too, a file with 8-byte longs was cut by 4 bytes: who would keep a
    file with 4-byte longs and no contents?
    """
    return _IMPOSSIBLE if size == 4 and pos == len(data) else _record(data, pos, order)


def _record(data: Buffer, pos: int, order: Order) -> int:
    """Return how well a record can begin at `pos`."""
    left = len(data) - pos
    if left == 0:
        return _STRONG
    tag, argument = _int(data, pos, order), _int(data, pos + 4, order)
    if tag is None or not 0 <= tag <= 8:
        return _IMPOSSIBLE
    if tag == 0:  # nil is never an entry of a table
        return _WEAK
    if argument is None or (tag == 1 and left < 12):
        return _IMPOSSIBLE
    if tag in (2, 6) and not 0 <= argument <= left - 8:
        return _IMPOSSIBLE
    if (tag == 5 and argument not in (0, 1)) or (tag in (3, 4, 7, 8) and argument < 1):
        return _IMPOSSIBLE
    return _STRONG


def _runs_out(data: Buffer, pos: int, order: Order) -> bool:
    """Whether a record begins at `pos` and the file ends inside it."""
    tag, argument = _int(data, pos, order), _int(data, pos + 4, order)
    if tag is None or argument is None:
        return True
    left = len(data) - pos
    return (tag == 1 and left < 12) or (tag in (2, 6) and argument > left - 8)


def _cut_short(data: Buffer, pos: int, order: Order, dtype: Dtype | None) -> bool:
    """Whether this seems to be a storage of an 8-byte file whose end is missing.

    A file that is one storage and lost some last bytes can be, byte for byte, a whole file
    with 4-byte longs: what was the upper half of the size then is the first element. The
    elements tell, as far as their type can.
    """
    long, short = _longs(data, pos, order, 1, 8), _longs(data, pos, order, 1, 4)
    if long is None or short is None or long[0] > _LARGEST:
        return False
    if dtype is None:
        return long[0] > 0 and short[0] in (0, long[0]) and _runs_out(data, pos + 8, order)
    if pos + 8 + long[0] * dtype.itemsize <= len(data):
        return False
    if long[0] != short[0]:  # big-endian: an empty storage, and then something
        return short[0] == 0 < long[0]
    rest = data[pos + 4 : pos + 4 + 8 * _SAMPLE]
    if not any(rest):
        return False  # all zero, whichever it is
    if dtype == np.float64:
        return _usual_doubles(rest[4:], order) > _usual_doubles(rest, order)
    if dtype == np.int64:
        values: Any = np.frombuffer(rest[4:], order + "i8", (len(rest) - 4) // 8)
        beyond_int32 = (values >= 1 << 31) | (values < -(1 << 31))
        return bool(np.all(~beyond_int32 | (np.abs(values >> 32) > 1)))
    return True


def _usual_doubles(raw: bytes, order: Order) -> float:
    """Return the share of doubles that are 0 or of a usual size."""
    values = np.abs(np.frombuffer(raw, order + "f8", len(raw) // 8))
    usual = (values == 0) | ((values > 1e-30) & (values < 1e30))
    return float(np.mean(usual)) if len(values) else 0.0
