"""Images in and out, and the numbers that models expect of them."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rekindle
from rekindle.core.checkpoint import Table
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .group import Problem, Unusable

Array = np.ndarray[Any, Any]

MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"P5", b"P6")
"""How files begin that Pillow opens as images."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From numbers 0 to 1, the planes in order RGB, to what a model expects.

    The result is `(x * scale - mean) / std`, with the planes reversed first where `bgr`.

    Attributes
    ----------
    scale : float
    mean, std : array
        Anything that broadcasts to (planes, height, width).
    bgr : bool
    """

    scale: float = 1.0
    mean: Any = 0.0
    std: Any = 1.0
    bgr: bool = False

    def apply(self, pixels: Array) -> Array:
        """Return what the model takes, shape (planes, height, width), float64."""
        planes = pixels[::-1] if self.bgr else pixels
        result: Array = (planes * self.scale - self.mean) / self.std
        return result

    def undo(self, values: Array) -> Array:
        """Return numbers from 0 to 1 for what a model gave."""
        planes: Array = (values * self.std + self.mean) / self.scale
        return planes[::-1] if self.bgr else planes


def _planes(*values: float) -> Array:
    return np.array(values).reshape(-1, 1, 1)


PRESETS = {
    "imagenet": Preprocessing(mean=_planes(0.485, 0.456, 0.406), std=_planes(0.229, 0.224, 0.225)),
    "caffe": Preprocessing(scale=255.0, mean=_planes(103.939, 116.779, 123.68), bgr=True),
    "minus1to1": Preprocessing(mean=0.5, std=0.5),
    "0to1": Preprocessing(),
}
"""imagenet as in fb.resnet.torch, caffe as in loadcaffe's and neural-style's models."""


def preprocessing_named(text: str) -> Preprocessing:
    """Return a preset, or what a .json or .t7 file says.

    The file holds `mean`, and if there are, `std`, `scale` and `bgr`: one number, one per plane,
    or for `mean` and `std` an image (planes, height, width). A .t7 file may be the mean alone.

    Raises
    ------
    Unusable
        If it is neither.
    """
    if text in PRESETS:
        return PRESETS[text]
    path = Path(text)
    if not path.is_file():
        raise Unusable(f"--preprocess {text}: neither a file nor one of {', '.join(PRESETS)}")
    if path.suffix == ".json":
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Unusable(f"{text}: not JSON: {error}") from None
    else:
        fields = rekindle.load(path)
    if isinstance(fields, Tensor):
        fields = {"mean": fields}
    if not isinstance(fields, (dict, Table)) or fields.get("mean") is None:
        raise Unusable(f"{text}: expected mean, and if needed std, scale, bgr")
    return Preprocessing(
        scale=float(fields.get("scale", 1.0)),
        mean=_broadcastable(fields.get("mean"), text),
        std=_broadcastable(fields.get("std", 1.0), text),
        bgr=bool(fields.get("bgr", False)),
    )


def _broadcastable(value: Any, name: str) -> Array:
    if isinstance(value, Table):
        value = value.array()
    if isinstance(value, Storage):
        value = value.tolist()
    try:
        array = np.asarray(value.numpy() if isinstance(value, Tensor) else value, np.float64)
    except (TypeError, ValueError) as error:
        raise Unusable(f"{name}: mean and std are numbers: {error}") from None
    return array.reshape(-1, 1, 1) if array.ndim == 1 else array


def is_image(data: bytes) -> bool:
    """Whether a file begins as an image does."""
    return data.startswith(MAGIC)


def image_tensor(data: bytes, name: str, preprocessing: Preprocessing) -> Tensor:
    """Return an image as a batch of one, shape (1, planes, height, width), float64.

    Grey images have one plane, all others three; transparency is dropped.

    Raises
    ------
    Unusable
        If Pillow cannot read it, or the mean does not fit its size.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            grey = image.mode in ("1", "L", "LA", "I", "I;16", "F")
            pixels = np.asarray(image.convert("L" if grey else "RGB"), np.float64) / 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unusable(f"{name}: an image that Pillow cannot read: {error}") from None
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    try:
        values = preprocessing.apply(planes)
    except ValueError as error:
        raise Unusable(
            f"{name} is {'x'.join(map(str, planes.shape))}, to which the mean does not fit: {error}"
        ) from None
    return Tensor(values[None])


def write_image(path: str, value: Any, preprocessing: Preprocessing | None, extension: str) -> str:
    """Write an output as an image, a batch as tiles; return which numbers became black and white.

    Without preprocessing, numbers all within 0 to 1 are taken as such, numbers within -1 to 1
    as Tanh gives them.

    Raises
    ------
    Problem
        If the output is no image: wrong shape, numbers of an unknown range.
    """
    from PIL import Image

    if not isinstance(value, Tensor):
        raise Problem("the output is a table, not an image: write it to .npz or .t7")
    array = np.asarray(value.numpy(), np.float64)
    array = array.reshape((1,) * max(0, 4 - array.ndim) + array.shape)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or array.size == 0:
        raise Problem(
            f"an output of shape {'x'.join(map(str, value.shape))} is no image of 1 or 3 planes: "
            "write it to .npy or .t7"
        )
    chosen = preprocessing or _range_of(array)
    pixels = np.stack([chosen.undo(image) for image in array])
    tiles = np.clip(np.rint(_tiled(pixels) * 255), 0, 255).astype(np.uint8)
    image = Image.fromarray(tiles[0] if tiles.shape[0] == 1 else tiles.transpose(1, 2, 0))
    image.save(path, format="JPEG" if extension in (".jpg", ".jpeg") else "PNG")
    low, high = chosen.apply(np.zeros((1, 1, 1))), chosen.apply(np.ones((1, 1, 1)))
    return f"black is {low.ravel()[0]:.4g}, white {high.ravel()[0]:.4g}"


def _range_of(array: Array) -> Preprocessing:
    low, high = float(array.min()), float(array.max())
    if low >= 0 and high <= 1:
        return PRESETS["0to1"]
    if low >= -1 and high <= 1:
        return PRESETS["minus1to1"]
    raise Problem(
        f"which numbers are black and white? The output goes from {low:.4g} to {high:.4g}: "
        "say it with --preprocess"
    )


def _tiled(images: Array) -> Array:
    """Return a batch as one image of rows of images, shape (planes, height, width)."""
    count, planes, height, width = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((planes, rows * height, columns * width))
    for i, image in enumerate(images):
        top, left = i // columns * height, i % columns * width
        sheet[:, top : top + height, left : left + width] = image
    return sheet
