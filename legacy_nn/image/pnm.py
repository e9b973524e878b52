"""PPM and PGM: images as plain numbers.

Source: torch/image ppm.c, generic/ppm.c.
"""

from __future__ import annotations

import re

import numpy as np

from rekindle.core import dtypes

from .errors import ImageError
from .pixels import Array

NUMBER = re.compile(rb"(?:[\s,]|#[^\r\n]*[\r\n])*(\d+)")
CHANNELS = {b"3": 3, b"6": 3, b"2": 1, b"5": 1}


def _numbers(data: bytes, source: str, count: int) -> tuple[list[int], int]:
    """Return the first numbers after the magic, and where the last one ends."""
    if data[:1] != b"P" or data[1:2] not in CHANNELS:
        raise ImageError(f"image: {source} has an unsupported magic number: {data[:2]!r}")
    found, position = [], 2
    for _ in range(count):
        number = NUMBER.match(data, position)
        if number is None:
            raise ImageError(f"image: {source} is a corrupted PPM or PGM file: no header")
        found.append(int(number[1]))
        position = number.end()
    return found, position


def pnm_size(data: bytes, source: str) -> tuple[int, int, int]:
    """Return channels, height and width.

    Raises
    ------
    ImageError
    """
    (width, height), _ = _numbers(data, source, 2)
    return CHANNELS[data[1:2]], height, width


def pnm_pixels(data: bytes, source: str) -> Array:
    """Return (channels, height, width), not scaled to 255 where a binary file has another maximum.

    As in Torch, two bytes of a sample are read with the low one first, though files have the
    high one first.

    Raises
    ------
    ImageError
        If there are fewer samples than the header says.
    """
    (width, height, most), position = _numbers(data, source, 3)
    channels = CHANNELS[data[1:2]]
    count = channels * height * width
    if data[1:2] in b"56":
        dtype = np.dtype("<u2" if most > 255 else "u1")
        body = data[position + 1 : position + 1 + count * dtype.itemsize]
        samples = np.frombuffer(body[: len(body) // dtype.itemsize * dtype.itemsize], dtype)
    else:
        words = data[position:].split()[:count]
        try:
            samples = (255 * np.array(words, dtype=np.int64) // max(most, 1)).astype(dtypes.uint8)
        except ValueError as error:
            raise ImageError(f"image: {source} is a corrupted PPM or PGM file: {error}") from error
    if samples.size < count:
        raise ImageError(
            f"image: {source} is a corrupted file: {samples.size} of {count} samples are there"
        )
    return np.moveaxis(samples.reshape(height, width, channels), 2, 0)


def pnm_text(pixels: Array) -> bytes:
    """Return the content of a binary PPM or PGM file for (channels, height, width) of bytes."""
    channels, height, width = pixels.shape
    magic = "P6" if channels == 3 else "P5"
    return f"{magic}\n{width} {height}\n255\n".encode() + np.moveaxis(pixels, 0, 2).tobytes()
