"""Which dtypes tensors have, and which Python data becomes which."""

import numpy as np
import pytest

from rekindle.core import dtypes
from rekindle.core.dtypes import DtypeError, as_array, as_dtype, is_floating
from rekindle.core.errors import RekindleError

TORCH7 = {
    "ByteTensor": "uint8",
    "CharTensor": "int8",
    "ShortTensor": "int16",
    "IntTensor": "int32",
    "LongTensor": "int64",
    "HalfTensor": "float16",
    "FloatTensor": "float32",
    "DoubleTensor": "float64",
}


def test_supported_are_those_of_torch7_and_bool():
    assert {d.name for d in dtypes.SUPPORTED} == {*TORCH7.values(), "bool"}
    assert {d.name for d in dtypes.SUPPORTED if is_floating(d)} == {"float16", "float32", "float64"}


@pytest.mark.parametrize("dtype", dtypes.SUPPORTED, ids=str)
def test_every_spelling_gives_the_same_dtype(dtype):
    for spelling in (dtype, dtype.type, dtype.name, dtype.char, dtype.newbyteorder("S")):
        assert as_dtype(spelling) == dtype
        assert as_dtype(spelling).isnative


@pytest.mark.parametrize(
    "dtype", [np.uint16, "uint64", complex, "complex64", object, "U3", "datetime64[s]", "nonsense"]
)
def test_other_dtypes_are_refused_by_name(dtype):
    with pytest.raises(DtypeError, match=r"bool, uint8, .*, float64; given"):
        as_dtype(dtype)


def test_none_is_no_dtype():
    # NumPy takes it for float64.
    with pytest.raises(DtypeError, match="given None"):
        as_dtype(None)


def test_the_error_is_caught_as_ours_and_as_a_type_error():
    assert issubclass(DtypeError, RekindleError)
    assert issubclass(DtypeError, TypeError)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        ([1.5, 2], "float32"),
        ([[1.0], [2.0]], "float32"),
        ((0.5, [0.5][0]), "float32"),
        ([], "float32"),
        ([[], []], "float32"),
        (3, "int64"),
        ([1, 2], "int64"),
        (range(3), "int64"),
        (True, "bool"),
        ([True, 2.0], "float32"),
        (np.float64(2), "float64"),
        ([np.float64(2), 1.0], "float64"),
        ([1.0, np.float64(2)], "float64"),
        ([np.ones(2), np.ones(2)], "float64"),
        ([[1.0, 2.0], np.ones(2)], "float64"),
        (np.ones(2, np.float16), "float16"),
        (np.ones(2), "float64"),
    ],
)
def test_python_data_has_a_dtype(data, dtype):
    assert as_array(data).dtype == dtype
