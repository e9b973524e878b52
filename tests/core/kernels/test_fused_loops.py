"""Machine code of chains against the reference and against NumPy in double precision."""

import gc
import weakref
from threading import Thread

import numpy as np
import pytest

from rekindle.core.kernels.programs import STEPS
from rekindle.core.kernels.threads import get_num_threads, set_num_threads

pytest.importorskip("numba")

from rekindle.core.kernels.fused import activation
from rekindle.core.kernels.fused.chains import PIECE, compute_chain
from rekindle.core.kernels.fused.loops import loop

ADD, SUBTRACT, MULTIPLY, DIVIDE, TANH, EXP, SIGMOID = range(len(STEPS))
PROGRAM = np.array(
    [
        (MULTIPLY, 0, 1),  # 5: of what broadcasts along the row
        (ADD, 2, 5),
        (TANH, 6, 6),
        (DIVIDE, 7, 3),
        (SUBTRACT, 8, 2),
        (MULTIPLY, 9, 4),
        (MULTIPLY, 10, 10),
    ],
    np.int64,
)
"""Of a number, a column, the large array, a row and another large one."""


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def values(rows, columns):
    divisors = np.abs(draw(1, columns, seed=1)) + 1
    return [0.75, draw(rows, 1), draw(rows, columns), divisors, draw(rows, columns, seed=2)]


def agree(found, exact, tolerance=2e-6):
    assert found.dtype == np.float32
    assert found.shape == exact.shape
    assert np.abs(found - exact).max() <= tolerance * np.abs(exact).max()


@pytest.mark.parametrize("rows", [1, 37])
@pytest.mark.parametrize("columns", [16, 17, 31, 5001])
@pytest.mark.parametrize("sums", range(4))
@pytest.mark.parametrize("keep", [False, True])
def test_rows_of_any_length(rows, columns, sums, keep):
    given = values(rows, columns)
    double = [np.float64(v) for v in given]
    exact = ((np.tanh(double[2] + 0.75 * double[1]) / double[3] - double[2]) * double[4]) ** 2
    found = compute_chain(PROGRAM, given, shape=exact.shape, sums=sums, keep=keep)
    results = found if keep and sums else (found,)
    if keep or not sums:
        agree(results[0], exact)
    if sums:
        agree(results[-1], exact.sum(axis={1: 1, 2: 0, 3: None}[sums]), 1e-5)


@pytest.mark.parametrize("sums", [0, 3])
@pytest.mark.parametrize("size", [16, PIECE - 1, PIECE, PIECE + 1, 8 * PIECE + 5])
def test_arrays_of_any_size(size, sums):
    x, y = draw(1, size), draw(1, size, seed=1)
    program = np.array([(MULTIPLY, 0, 1), (SUBTRACT, 3, 2)], np.int64)
    exact = x.astype(float) * y - 2.5
    found = compute_chain(program, [x, y, 2.5], shape=x.shape, sums=sums)
    agree(found, exact.sum() if sums else exact, 1e-5)


@pytest.mark.parametrize("name", STEPS[TANH:])
def test_functions(name):
    x = np.concatenate(
        [
            np.linspace(-80, 80, 200_001),
            np.linspace(-10, 10, 200_001),
            np.logspace(-37, 0, 20_001),
            -np.logspace(-37, 0, 20_001),
        ]
    ).astype(np.float32)
    double = x.astype(float)
    exact = 1 / (1 + np.exp(-double)) if name == "sigmoid" else getattr(np, name)(double)
    program = np.array([(STEPS.index(name), 0, 0)], np.int64)
    found = compute_chain(program, [x], shape=x.shape)
    near = np.abs(found - exact) <= 4 * np.spacing(np.abs(exact).astype(np.float32))
    assert near.all()
    if name != "sigmoid":  # numba's are the same
        np.testing.assert_array_equal(found, getattr(activation, name)(x))
    with np.errstate(over="ignore"):
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 100, -120] * 3, np.float32)
    found = compute_chain(program, [special], shape=special.shape)
    wanted = {
        "tanh": [0.0, -0.0, 1, -1, np.nan, 1, -1],
        "exp": [1, 1, np.inf, 0, np.nan, np.inf, 0],
        "sigmoid": [0.5, 0.5, 1, 0, np.nan, 1, 0],
    }[name]
    np.testing.assert_array_equal(found, wanted * 3)
    np.testing.assert_array_equal(np.signbit(found[:2]), np.signbit(wanted[:2]))


def test_a_program_without_a_large_operand():
    program = np.array([(MULTIPLY, 0, 1), (ADD, 2, 0)], np.int64)
    column = draw(20, 1)
    found = compute_chain(program, [column, 3.0], shape=(20, 40), sums=2, keep=True)
    agree(found[0], np.broadcast_to(column * 4, (20, 40)))
    agree(found[1], np.full(40, column.sum() * 4), 1e-5)


@pytest.mark.parametrize(
    "shape", [(3, 50, 17), (1, 1, 40), (1, 50, 17), (3, 1, 33), (3, 50, 16)], ids=str
)
def test_all_ways_to_broadcast(shape):
    x = draw(*shape)
    program = np.array([(MULTIPLY, 0, 1), (ADD, 2, 1)], np.int64)
    kinds = [tuple(n if k >> a & 1 else 1 for a, n in enumerate(shape)) for k in range(8)]
    others = [draw(*kind, seed=1) for kind in kinds]
    others += [np.float32([2]), draw(shape[-1]), draw(*shape[1:]), np.asfortranarray(draw(*shape))]
    others += [np.broadcast_to(draw(1), shape), draw(*shape[:-1], 40)[..., : shape[-1]]]
    for other in others:
        exact = x.astype(float) * other + other
        for sums, axis in enumerate([None, 2, (0, 1), None]):
            found = compute_chain(program, [x, other], shape=shape, sums=sums)
            agree(found, exact.sum(axis=axis) if sums else exact, 2e-5)


def compute_at_once(results):
    """Compute all of some programs, each with code that nobody has made yet."""
    x = draw(50, 300)
    for k in range(12):
        program = np.array([(ADD, 0, 0)] + [(MULTIPLY, 1 + i, 0) for i in range(k)], np.int64)
        results.append((k, compute_chain(program, [x], shape=x.shape)))


def test_code_is_made_in_several_threads():
    loop.cache_clear()
    results = []
    threads = [Thread(target=compute_at_once, args=(results,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 72
    x = draw(50, 300).astype(float)
    for k, found in results:
        agree(found, 2 * x ** (k + 1), 1e-5)


def test_threads_compute_the_same():
    given, before, found = values(37, 5001), get_num_threads(), []
    for count in (1, 2):
        set_num_threads(count)
        found.append(compute_chain(PROGRAM, given, shape=(37, 5001), sums=1, keep=True))
    set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_code_goes_with_its_loop():
    made = loop(PROGRAM.tobytes(), (False, False, True, True, True), 0, True)
    assert made is loop(PROGRAM.tobytes(), (False, False, True, True, True), 0, True)
    gone = weakref.ref(made._engine)
    del made
    loop.cache_clear()
    gc.collect()
    assert gone() is None
