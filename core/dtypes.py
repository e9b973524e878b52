"""The element types of tensors: those of Torch7, and bool.

A dtype is NumPy's dtype object, so that NumPy, CuPy and Rekindle agree on names,
promotion and printing without translation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import RekindleError, ShapeError

Dtype = np.dtype[Any]

bool_: Dtype = np.dtype(np.bool_)
uint8: Dtype = np.dtype(np.uint8)
int8: Dtype = np.dtype(np.int8)
int16: Dtype = np.dtype(np.int16)
int32: Dtype = np.dtype(np.int32)
int64: Dtype = np.dtype(np.int64)
float16: Dtype = np.dtype(np.float16)
float32: Dtype = np.dtype(np.float32)
float64: Dtype = np.dtype(np.float64)

SUPPORTED = (bool_, uint8, int8, int16, int32, int64, float16, float32, float64)
FLOATING = (float16, float32, float64)

_BY_NAME = {d.name: d for d in SUPPORTED}
_KNOWN = {d: d for d in SUPPORTED}


class DtypeError(RekindleError, TypeError):
    """A dtype that tensors do not have, or that an operation does not take."""


def as_dtype(dtype: Any) -> Dtype:
    """Return the supported dtype that `dtype` names.

    Parameters
    ----------
    dtype : dtype, type or str
        Anything `numpy.dtype` understands; byte order is dropped.

    Raises
    ------
    DtypeError
        For any other dtype (complex, object, strings, unsigned beyond 8 bits).
    """
    if isinstance(dtype, np.dtype) and dtype in _KNOWN:
        return _KNOWN[dtype]  # the common case; to read `dtype.name` takes microseconds
    try:
        if dtype is not None:  # which NumPy takes for float64
            return _BY_NAME[np.dtype(dtype).name]
    except (KeyError, TypeError):
        pass
    names = ", ".join(_BY_NAME)
    raise DtypeError(f"tensors have one of the dtypes {names}; given {dtype!r}")


def is_floating(dtype: Dtype) -> bool:
    """Whether `dtype` is float16, float32 or float64."""
    return dtype.kind == "f"


def as_array(data: Any, exact: bool = False) -> Any:
    """Return `data` as an array, of the dtype that tensors made of it have.

    Parameters
    ----------
    data : array_like
        Arrays stay as they are. Python's own floats, also in nested lists, give float32 and
        integers int64; what has a dtype of its own keeps it, also inside lists.
    exact : bool
        Leave Python's floats in double precision, to be converted by the caller.
    """
    if hasattr(data, "dtype"):
        return data
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ShapeError(f"rows of one length make a tensor; {error}") from None
    if exact:
        return array
    return array.astype(float32) if array.dtype == float64 and _is_plain(data) else array


def _is_plain(data: Any) -> bool:
    """Whether `data` is Python's own numbers, alone or in nested lists."""
    if isinstance(data, (list, tuple)):
        if any(hasattr(kind, "dtype") for kind in set(map(type, data))):
            return False
        return all(_is_plain(row) for row in data if not isinstance(row, (int, float)))
    return isinstance(data, (int, float))
