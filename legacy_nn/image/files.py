"""Images in files and in compressed bytes: JPEG and PNG through Pillow, PPM and PGM here.

Source: torch/image init.lua load ... getSize, generic/jpeg.c, generic/png.c, generic/ppm.c.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.tensor import Tensor

from ..torch7 import types
from ..torch7.api import METHODS
from ..torch7.memory import shape, values, wrap
from .color import rgb2y
from .display import saturated
from .errors import ImageError, MissingPillow
from .pixels import TYPES, Array
from .png16 import deep_pixels
from .pnm import pnm_pixels, pnm_size, pnm_text

FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "ppm": "PPM", "pgm": "PGM"}
"""Formats by the endings of names."""

PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
"""By the colour type of a PNG file; palettes have colours."""

MAGIC = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"))


def is_supported(ending: str | None) -> bool:
    """Whether there is a format for names with this ending, all small or all capital letters."""
    return ending in FORMATS or (
        isinstance(ending, str) and ending.isupper() and ending.lower() in FORMATS
    )


def load(path: str, depth: float | None = None, kind: str | None = None) -> Tensor:
    """Return an image (channels, height, width) from a JPEG, PNG, PPM or PGM file.

    Parameters
    ----------
    path : str
        The content decides the format; its ending only where that is unknown.
    depth : int, optional
        1 for grey, 3 for colours; by default as it is.
    kind : str, optional
        "byte" for 0 ... 255, "float" or "double" for [0, 1]; by default the default tensor type.

    Raises
    ------
    ImageError
        If it is no such image.
    OSError
        If it cannot be read.
    """
    if not isinstance(path, str):
        raise ImageError("image.load: missing file name")
    data = Path(path).read_bytes()
    return _decoded(data, _format(data, path), depth, kind, path)


def _format(data: bytes, path: str) -> str:
    for magic, name in MAGIC:
        if data.startswith(magic):
            return name
    if re.match(rb"P[2356]", data):
        return "PPM"
    ending = _ending(path)
    if ending is None:
        raise ImageError(f"image.load: unable to determine image type for file: {path}")
    if not is_supported(ending):
        raise ImageError(f"image.load: unknown image type: {ending}")
    return FORMATS[ending.lower()]


def _ending(path: str) -> str | None:
    found = re.search(r"\.([A-Za-z]+)$", path)
    return found[1] if found else None


def _decoded(data: bytes, name: str, depth: Any, kind: Any, source: str) -> Tensor:
    if kind is not None and kind not in TYPES:
        raise ImageError(f"image: the type is byte, float or double; given {kind!r}")
    dtype = types.default_dtype() if kind is None else TYPES[kind]
    if name in ("PPM", "PGM"):
        pixels, most = pnm_pixels(data, source), 255
    else:
        pixels, most = _pixels(data, name, source)
    if dtype == dtypes.uint8 and most > 255:
        pixels = pixels >> 8
    image = wrap(np.ascontiguousarray(pixels).astype(dtype))
    if kind != "byte":
        METHODS["mul"](image, 1 / most)
    return _of_depth(image, depth)


def _pixels(data: bytes, name: str, source: str) -> tuple[Array, int]:
    """Return (channels, height, width) and the highest value that the file can hold."""
    if name == "PNG" and data[24:25] == b"\x10":
        return deep_pixels(data, source), 65535
    opened = _opened(data, name, source)
    if opened.mode in ("1", "P"):
        opened = opened.convert("L" if opened.mode == "1" else "RGB")
    pixels = np.asarray(opened)
    return (pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)), 255


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPillow(
            "JPEG and PNG images need Pillow, which is not installed: pip install pillow"
        ) from error
    return Image


def _opened(data: bytes, name: str, source: str, read: bool = True) -> Any:
    image = _pillow()
    try:
        opened = image.open(io.BytesIO(data), formats=[name])
        if read:
            opened.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(
            f"image: {source} is not a {name} image that can be read: {error}"
        ) from error
    return opened


def _of_depth(image: Tensor, depth: Any) -> Tensor:
    """Return an image with so many channels, 1 or 3."""
    channels = shape(image)[0]
    if depth == 1 and channels != 1:
        if channels == 2:
            return METHODS["narrow"](image, 1, 1, 1)  # type: ignore[no-any-return]
        return METHODS["select"](  # type: ignore[no-any-return]
            rgb2y(METHODS["narrow"](image, 1, 1, 3)), 1, 1
        )
    if depth == 3 and channels != 3:
        if channels == 4:
            return METHODS["narrow"](image, 1, 1, 3)  # type: ignore[no-any-return]
        if channels != 1:
            raise ImageError("image.todepth: image loaded has wrong #channels")
        return wrap(np.repeat(values(image), 3, 0))
    return image


def getSize(path: str) -> Tensor:
    """Return channels, height and width of an image file as a LongTensor, without loading it.

    Raises
    ------
    ImageError
        If it is no such image.
    """
    data = Path(path).read_bytes()
    name = _format(data, path)
    if name in ("PPM", "PGM"):
        size = pnm_size(data, path)
    else:
        opened = _opened(data, name, path, read=False)
        channels = PNG_CHANNELS[data[25]] if name == "PNG" else len(opened.getbands())
        size = (channels, opened.height, opened.width)
    return wrap(np.array(size, np.int64))


def decompress(tensor: Tensor, depth: float | None = None, kind: str | None = None) -> Tensor:
    """Return the image that a ByteTensor holds as a JPEG or PNG file.

    Raises
    ------
    ImageError
        If it holds neither.
    """
    if not isinstance(tensor, Tensor) or tensor.dtype != dtypes.uint8:
        raise ImageError("image.decompress: Input tensor must be a byte tensor")
    data = values(tensor).tobytes()
    for magic, name in MAGIC:
        if data.startswith(magic):
            return _decoded(data, name, depth, kind, "the tensor")
    raise ImageError("image.decompress: Input must be either jpg or png format")


def save(path: str, tensor: Tensor) -> None:
    """Write an image to a file; the ending of its name decides the format.

    Bytes are written as they are; other values are cut to [0, 1] and multiplied by 255, and the
    fraction is dropped, as Torch does.

    Raises
    ------
    ImageError
        For an ending without a format, or channels that it cannot hold.
    """
    if not isinstance(path, str) or not isinstance(tensor, Tensor):
        raise ImageError("image.save: missing file name | tensor to save")
    ending = _ending(path)
    if not is_supported(ending):
        raise ImageError(f"image.save: unknown image type: {ending}")
    assert ending is not None
    name = FORMATS[ending.lower()]
    if name in ("PPM", "PGM"):
        channels = {"PPM": (3,), "PGM": (1,)}[name]
        data = pnm_text(_bytes(tensor, channels, f"image.save{name}"))
    else:
        data = _encoded(tensor, name, 75)
    Path(path).write_bytes(data)


def _bytes(tensor: Tensor, channels: tuple[int, ...], name: str) -> Array:
    """Return (channels, height, width) of bytes."""
    pixels = values(tensor)
    if pixels.dtype != dtypes.uint8:
        image = saturated(wrap(pixels.astype(types.default_dtype())))
        pixels = values(METHODS["mul"](image, 255)).astype(dtypes.uint8)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or len(pixels) not in channels:
        wanted = " or ".join(f"{n}xHxW" for n in channels)
        raise ImageError(f"{name} takes images {wanted}; given size {shape(tensor)}")
    return pixels


def _encoded(tensor: Tensor, name: str, quality: float) -> bytes:
    pixels = _bytes(tensor, (1, 3) if name == "JPEG" else (1, 3, 4), f"image.save{name}")
    image = _pillow().fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2).copy())
    stream = io.BytesIO()
    image.save(stream, name, **({"quality": int(quality)} if name == "JPEG" else {}))
    return stream.getvalue()


def compressJPG(tensor: Tensor, quality: float = 75) -> Tensor:
    """Return an image as a JPEG file in a ByteTensor; quality is from 0 to 100.

    Raises
    ------
    ImageError
        If it has not one or three channels.
    """
    if not 0 <= quality <= 100:
        raise ImageError(f"image.compressJPG: quality should be between 0 and 100; given {quality}")
    return wrap(np.frombuffer(_encoded(tensor, "JPEG", quality), dtypes.uint8).copy())


def compressPNG(tensor: Tensor) -> Tensor:
    """Return an image as a PNG file in a ByteTensor.

    Raises
    ------
    ImageError
        If it has not one, three or four channels.
    """
    return wrap(np.frombuffer(_encoded(tensor, "PNG", 0), dtypes.uint8).copy())
