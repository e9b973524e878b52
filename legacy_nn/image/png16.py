"""PNG files with 16 bits for each sample, which Pillow reads with 8 where they have colours.

Source: the PNG specification, sections 5, 9 and 11.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from .errors import ImageError
from .pixels import Array

CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


def deep_pixels(data: bytes, source: str) -> Array:
    """Return the samples (channels, height, width) of a PNG file with 16 bits for each.

    Raises
    ------
    ImageError
        If the file is broken, or interlaced.
    """
    try:
        width, height, _, color, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
        if interlaced:
            raise ImageError(f"image: {source} is an interlaced PNG of 16 bits, which is not read")
        channels = CHANNELS[color]
        packed = zlib.decompressobj().decompress(
            _content(data), height * (width * channels * 2 + 1)
        )
        lines = np.frombuffer(packed, np.uint8).reshape(height, 1 + width * channels * 2)
    except (struct.error, zlib.error, KeyError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"image: {source} is not a PNG image that can be read: {error}") from error
    raw = _unfiltered(lines, 2 * channels)
    samples = raw.reshape(height, width, channels, 2).astype(np.uint16)
    return np.moveaxis(samples[..., 0] << 8 | samples[..., 1], 2, 0)


def _content(data: bytes) -> bytes:
    """Return the bodies of all IDAT chunks."""
    parts, position = [], 8
    while position + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if kind == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        position += length + 12
    return b"".join(parts)


def _unfiltered(lines: Array, step: int) -> Array:
    """Undo the filters of lines of bytes, each behind its filter's number."""
    before = np.zeros(lines.shape[1] - 1, np.uint8)
    found = []
    for line in lines:
        kind, row = int(line[0]), line[1:].copy()
        if kind == 1:
            row = np.cumsum(row.reshape(-1, step), 0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            row = row + before
        elif kind in (3, 4):
            _predicted(row, before, step, kind)
        elif kind:
            raise ImageError(f"image: a PNG file has lines with the unknown filter {kind}")
        found.append(row)
        before = row
    return np.stack(found)


def _predicted(row: Array, before: Array, step: int, kind: int) -> None:
    """Add to every byte the mean of, or the nearest among, its neighbours; in place."""
    values, above = row.tolist(), before.tolist()
    for i, value in enumerate(values):
        a = values[i - step] if i >= step else 0
        b = above[i]
        if kind == 3:
            predicted = (a + b) // 2
        else:
            c = above[i - step] if i >= step else 0
            p = a + b - c
            predicted = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        values[i] = (value + predicted) & 255
    row[:] = values
