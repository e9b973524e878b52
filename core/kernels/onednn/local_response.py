"""Local response normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import SMALL, Declined
from .layout import as_images
from .library import library
from .memory import Array, address, empty_images, images
from .primitives import DST, FORWARD, SRC, Description, Primitive, prepared

_ACROSS_CHANNELS = 0xAFF


def local_response_norm(x: Array, *, size: int, alpha: float, beta: float, k: float) -> Any:
    """See `core.kernels.normalization.local_response_norm`; the result is channels-last."""
    if x.ndim != 4 or not x.size or size < 1:
        return SMALL
    if x.dtype != np.float32:
        return Declined(f"dtype {x.dtype}")
    if size % 2 == 0:
        return Declined("an even number of channels, which has no middle")
    key = (x.shape, size, alpha, beta, k)
    run = prepared(("local response norm", *key), _forward, *key)
    x, out = as_images(x), empty_images(x.shape)
    run(address(x), address(out))
    return out


def _forward(shape: tuple[int, ...], size: int, alpha: float, beta: float, k: float) -> Primitive:
    order = images(shape)
    made = Description(
        "lrn_forward",
        *(library().engine, FORWARD, _ACROSS_CHANNELS, order, order, size, alpha, beta, k, None),
    )
    return Primitive(made, [(SRC, order.handle), (DST, order.handle)])
