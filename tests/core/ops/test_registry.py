"""Every registered operation: documented, sampled, right, and the same in every layout."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from references import OWN_TESTS, REFERENCES

from rekindle.core import dtypes
from rekindle.core.creation import tensor
from rekindle.core.ops import OPERATIONS, Sample, operation
from rekindle.core.tensor import Tensor

TOLERANCE = {"float16": 3e-3, "float32": 1e-5, "float64": 1e-10}
ELEMENTWISE = {
    "activation", "arithmetic", "comparison", "exponential", "gated_activation", "rounding",
    "special", "trigonometric",
}  # fmt: skip
ARRAY_API = (ELEMENTWISE - {"special"}) | {
    "contraction", "cumulative", "diagonals", "extremes", "factorization", "indexing",
    "joining", "linalg", "parts", "reduction", "shape", "softmax", "solving", "spectral",
}  # fmt: skip
READING = {"embedding", "gather"}  # of the family that also writes by index
BEYOND_THE_ARRAY_API = {
    "diag_embed": "writes through a view of the diagonal",
    "diagonal": "strides are no notion of the array API",
    "gelu": "the error function is SciPy's",
    "overlap_add": "writes through slices that strict arrays do not take",
    "unfold": "strides are no notion of the array API",
    "contiguous": "layout in memory is no notion of the array API",
}


def family(op):
    return op.forward.__module__.rpartition(".")[2]


def operands(op, sample):
    return list(sample.arrays[0] if op.variadic else sample.arrays)


def samples(op):
    return list(op.samples(np.random.default_rng(5)))


def call(op, arrays, params):
    """Return the results of an operation on tensors, as a tuple of arrays."""
    given = [tensor(a) if isinstance(a, (np.ndarray, np.generic)) else a for a in arrays]
    result = op(given, **params) if op.variadic else op(*given, **params)
    results = result if isinstance(result, tuple) else (result,)
    assert len(results) == op.outputs
    for r in results:
        assert isinstance(r, Tensor)
        assert type(r.array) is np.ndarray
        assert r.dtype in dtypes.SUPPORTED
    return tuple(r.numpy() for r in results)


def assert_close(actual, expected, dtype=np.float64):
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    if not expected.size:
        return
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(actual, expected)
        return
    tolerance = TOLERANCE[np.dtype(dtype).name] * np.abs(expected).max()
    np.testing.assert_allclose(actual.astype(np.float64), expected, rtol=0, atol=tolerance)


def operations(chosen):
    """Return the mark that runs a test for each operation that `chosen(op)` holds for."""
    found = [op for op in OPERATIONS.values() if chosen(op)]
    return pytest.mark.parametrize("op", found, ids=[op.name for op in found])


every_operation = operations(lambda op: True)


@every_operation
def test_is_documented(op):
    text = inspect.getdoc(op)
    assert text, f"operation {op.name} has no docstring"
    first = text.splitlines()[0]
    assert first[0].isupper()
    assert first.endswith(".")


@every_operation
def test_has_samples_and_what_to_compare_them_with(op):
    assert samples(op), f"operation {op.name} has no samples"
    own = OWN_TESTS.get(family(op))
    if own is None:
        assert op.name in REFERENCES, f"no reference for operation {op.name} in references.py"
    else:
        text = Path(__file__).with_name(own).read_text(encoding="utf-8")
        assert op.name in text or op.name == "getitem", f"{own} does not test {op.name}"


def test_no_reference_is_left_over():
    assert set(REFERENCES) <= set(OPERATIONS)
    assert set(OWN_TESTS) <= {family(op) for op in OPERATIONS.values()}


@operations(lambda op: op.name in REFERENCES)
def test_forward(op):
    for sample in samples(op):
        arrays = operands(op, sample)
        floats = [a.dtype for a in map(np.asarray, arrays) if a.dtype.kind == "f"]
        (actual,) = call(op, arrays, sample.params)
        expected = REFERENCES[op.name](*arrays, **sample.params)
        assert_close(actual, expected, min(floats, key=lambda d: d.itemsize, default=np.float64))


@every_operation
def test_operands_stay_as_they_are_and_only_views_share_memory(op):
    for sample in samples(op):
        arrays = [
            np.array(a) if isinstance(a, (np.ndarray, np.generic)) else a
            for a in operands(op, sample)
        ]
        before = [a.copy() if isinstance(a, np.ndarray) else a for a in arrays]
        given = [Tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]
        result = op(given, **sample.params) if op.variadic else op(*given, **sample.params)
        for a, b in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(a, b)
        for r in result if isinstance(result, tuple) else (result,):
            for a, t in zip(arrays, given, strict=True):
                if isinstance(t, Tensor) and np.shares_memory(r.array, a):
                    assert op.view, f"{op.name} returns memory of its operand"
                    assert r.storage() is t.storage()


@every_operation
@pytest.mark.parametrize("dtype", dtypes.FLOATING, ids=str)
def test_keeps_the_floating_dtype(op, dtype):
    for sample in samples(op):
        arrays = [
            np.asarray(a, dtype) if getattr(a, "dtype", np.dtype(int)).kind == "f" else a
            for a in operands(op, sample)
        ]
        cast = [isinstance(a, np.ndarray) and a.dtype == dtype for a in arrays]
        if op.name == "astype" or not any(cast):
            continue
        results = call(op, arrays, sample.params)
        wide = [a.astype(np.float64) if c else a for a, c in zip(arrays, cast, strict=True)]
        for actual, expected in zip(results, call(op, wide, sample.params), strict=True):
            if expected.dtype.kind == "f":
                assert actual.dtype == dtype
                if op.name not in ("floor_divide", "remainder"):  # rounding moves their jumps
                    assert_close(actual, expected, dtype)
            else:
                assert actual.dtype == expected.dtype


def strided(array):
    """Return equal values with gaps between them, in a mixed order of dimensions."""
    wide = np.zeros(tuple(2 * n + 1 for n in reversed(array.shape)), array.dtype)
    view = wide.T[tuple(slice(1, None, 2) for _ in array.shape)]
    view[...] = array
    return view


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "strided": strided,
    "backwards": lambda a: np.flip(np.flip(a).copy()),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


@every_operation
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_changes_nothing(op, layout):
    for sample in samples(op):
        plain = [
            np.array(a, order="C") if isinstance(a, np.ndarray) else a for a in operands(op, sample)
        ]
        given = [
            Tensor(LAYOUTS[layout](a)) if isinstance(a, np.ndarray) and a.size and a.ndim else a
            for a in plain
        ]
        result = op(given, **sample.params) if op.variadic else op(*given, **sample.params)
        results = result if isinstance(result, tuple) else (result,)
        for actual, expected in zip(results, call(op, plain, sample.params), strict=True):
            assert actual.dtype == expected.dtype
            name = expected.dtype.name
            tolerance = TOLERANCE.get(name, 0) * 0.01
            np.testing.assert_allclose(actual.numpy(), expected, rtol=tolerance, atol=tolerance)


@operations(lambda op: family(op) in ELEMENTWISE)
def test_elementwise_operations_take_empty_tensors(op):
    for sample in samples(op):
        arrays = [
            np.zeros((0, 3), a.dtype) if isinstance(a, np.ndarray) else a for a in sample.arrays
        ]
        if any(isinstance(a, np.ndarray) for a in arrays):
            (result,) = call(op, arrays, sample.params)
            assert result.shape == (0, 3)


@operations(lambda op: family(op) in ARRAY_API or op.name in READING)
def test_runs_on_the_array_api(op):
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    if op.name in BEYOND_THE_ARRAY_API:
        pytest.skip(BEYOND_THE_ARRAY_API[op.name])

    def converted(value):
        if isinstance(value, tuple):
            return tuple(map(converted, value))
        arrays = isinstance(value, (np.ndarray, np.generic))
        return strict.asarray(np.ascontiguousarray(value)) if arrays else value

    for sample in samples(op):
        index = sample.params.get("index")
        if isinstance(index, tuple) and any(isinstance(i, np.ndarray) for i in index):
            continue  # the array API has arrays of positions only where every index is one
        if op.name == "getitem" and isinstance(index, int):
            sample.params["index"] = (index, ...)  # it wants all dimensions named
        arrays = [converted(a) for a in operands(op, sample)]
        arrays = [
            strict.reshape(a, np.shape(b)) if isinstance(a, strict._array_object.Array) else a
            for a, b in zip(arrays, operands(op, sample), strict=True)
        ]
        params = {k: converted(v) for k, v in sample.params.items()}
        result = op.forward(strict, *arrays, **params)
        results = result if op.outputs > 1 else (result,)
        wanted = call(op, operands(op, sample), sample.params)
        for actual, expected in zip(results, wanted, strict=True):
            assert isinstance(actual, strict._array_object.Array), op.name
            dtype = expected.dtype if expected.dtype.kind == "f" else np.float64
            assert_close(np.asarray(actual), expected, dtype)


def test_an_operation_registers_once():
    with pytest.raises(AssertionError, match="add is registered twice"):

        @operation(samples=lambda rng: [Sample(1)])
        def add(xp, x: "Array"):  # noqa: F821
            """Return x."""
