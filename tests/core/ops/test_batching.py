"""Batching rules: every operation inside vmap against a loop over the samples."""

import itertools

import numpy as np
import pytest

import rekindle
from rekindle.core.autograd import no_grad
from rekindle.core.backend import BatchingError
from rekindle.core.func import vmap
from rekindle.core.ops import OPERATIONS

WITHOUT = {"argwhere", "masked_select"}
"""How large their results are depends on the values."""

SIZE = 3


def is_array(x):
    return isinstance(x, np.ndarray) or hasattr(x, "dtype")


def samples_like(x):
    """Return three variations of an operand that are as good as it."""
    x = np.asarray(x)
    if x.dtype.kind == "f":
        return np.stack([x * (1 - 0.03 * k) for k in range(SIZE)]).astype(x.dtype)
    return np.stack([np.roll(x, k).reshape(x.shape) for k in range(SIZE)])


def cases(op, seed=0):
    """Yield (operands, metadata) of the samples: operands as a flat list."""
    for sample in op.samples(np.random.default_rng(seed)):
        arrays = list(sample.arrays[0]) if op.variadic else list(sample.arrays)
        yield arrays, sample.params


def choices(arrays):
    """Yield which operands have samples, each time with the dimension that these are along."""
    own = [i for i, x in enumerate(arrays) if is_array(x)]
    subsets = [s for n in range(1, len(own) + 1) for s in itertools.combinations(own, n)]
    if len(subsets) > 7:
        subsets = [*((i,) for i in own), tuple(own)]
    for k, subset in enumerate(subsets):
        yield subset, 0 if k % 2 == 0 else -1


def call(op, operands, params):
    return op(operands, **params) if op.variadic else op(*operands, **params)


def calling(op, params):
    return lambda *xs: call(op, list(xs), params)


def listed(y):
    return list(y) if isinstance(y, tuple) else [y]


def given(arrays, subset):
    """Return the samples of each operand, or the operand that all share."""
    return [samples_like(x) if i in subset else x for i, x in enumerate(arrays)]


def tensors(values):
    return [rekindle.tensor(x) if is_array(x) else x for x in values]


def along(values, subset, axis):
    """Return tensors of which the samples are along `axis`, and the in_axes that say so."""
    moved = [
        np.moveaxis(x, 0, axis if axis >= 0 else x.ndim - 1) if i in subset else x
        for i, x in enumerate(values)
    ]
    return tensors(moved), tuple(axis if i in subset else None for i in range(len(values)))


def each(values, subset, k):
    return tensors([x[k] if i in subset else x for i, x in enumerate(values)])


def close(found, wanted, dtype):
    tol = {np.dtype("float32"): 2e-5, np.dtype("float16"): 2e-2}.get(np.dtype(dtype), 1e-10)
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    if wanted.size:
        same = np.isnan(found) & np.isnan(wanted) if wanted.dtype.kind == "f" else None
        a, b = (np.where(same, 0, v) if same is not None else v for v in (found, wanted))
        finite = np.abs(b[np.isfinite(b)]).max(initial=0.0)
        np.testing.assert_allclose(
            a.astype(float), b.astype(float), rtol=0, atol=tol * max(finite, 1e-3)
        )


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_each_operation_on_samples_is_a_loop_over_them(name):
    op = OPERATIONS[name]
    if name in WITHOUT:
        arrays, _ = next(cases(op))
        operands, axes = along(given(arrays, (0,)), (0,), 0)
        with pytest.raises(BatchingError, match=name):
            vmap(op, axes)(*operands)
        return
    for arrays, params in cases(op):
        for subset, axis in choices(arrays):
            values = given(arrays, subset)
            operands, axes = along(values, subset, axis)
            with no_grad():
                found = listed(vmap(calling(op, params), axes)(*operands))
                rows = [listed(call(op, each(values, subset, k), params)) for k in range(SIZE)]
            for j, y in enumerate(found):
                wanted = np.stack([row[j].numpy() for row in rows])
                close(y.numpy(), wanted, wanted.dtype)


def derivatives(op):
    """Yield what to differentiate: (arrays, subset, axis, floating operands) in float64."""
    seen = 0
    for arrays, params in cases(op, 1):
        if any(is_array(x) and x.dtype == np.float32 for x in arrays):
            continue
        moving = [i for i, x in enumerate(arrays) if is_array(x) and x.dtype.kind == "f"]
        if not moving or any(is_array(x) and x.size == 0 for x in arrays):
            continue
        for subset, axis in choices(arrays):
            yield arrays, params, subset, axis, moving
        seen += 1
        if seen == 2:
            return


RULES = sorted(n for n, op in OPERATIONS.items() if op.vjp_rules and n not in WITHOUT)


@pytest.mark.parametrize("recorded", [False, True], ids=["arrays", "tensors"])
@pytest.mark.parametrize("name", [n for n in RULES if n != "masked_scatter"])
def test_vjp_of_each_operation_on_samples(name, recorded):
    op, rng = OPERATIONS[name], np.random.default_rng(2)
    for arrays, params, subset, axis, _ in derivatives(op):
        values = given(arrays, subset)
        results = listed(call(op, each(values, subset, 0), params))
        gs = [rng.normal(size=(SIZE, *y.shape)) for y in results if y.dtype.kind == "f"]
        if not gs:
            return

        def pulled(g, *xs, params=params):
            operands = (list(xs),) if op.variadic else xs
            found = op.vjp(g if op.outputs != 1 else g[0], *operands, **params)
            return [x for x in found if x is not None]

        operands, axes = along(values, subset, axis)
        with rekindle.core.autograd.set_grad_enabled(recorded):
            found = vmap(pulled, (0, *axes))([rekindle.tensor(g) for g in gs], *operands)
            rows = [
                pulled([rekindle.tensor(g[k]) for g in gs], *each(values, subset, k))
                for k in range(SIZE)
            ]
        for j, x in enumerate(found):
            close(x.numpy(), np.stack([row[j].numpy() for row in rows]), "float64")


@pytest.mark.parametrize("name", sorted(n for n in RULES if OPERATIONS[n].jvp_rules))
def test_jvp_of_each_operation_on_samples(name):
    op, rng = OPERATIONS[name], np.random.default_rng(3)
    for arrays, params, subset, axis, moving in derivatives(op):
        values = given(arrays, subset)
        ruled = [i for i in moving if op.operands[0 if op.variadic else i] in op.jvp_rules]
        if not ruled:
            continue
        ts = [rng.normal(size=(SIZE, *np.shape(arrays[i]))) for i in ruled]

        def pushed(t, *xs, ruled=ruled, params=params):
            tangents = [None] * len(xs)
            for i, v in zip(ruled, t, strict=True):
                tangents[i] = v
            operands = (list(xs),) if op.variadic else xs
            return [y for y in listed(op.jvp(tangents, *operands, **params)) if y.dtype.kind == "f"]

        operands, axes = along(values, subset, axis)
        with no_grad():
            found = vmap(pushed, (0, *axes))([rekindle.tensor(t) for t in ts], *operands)
            rows = [
                pushed([rekindle.tensor(t[k]) for t in ts], *each(values, subset, k))
                for k in range(SIZE)
            ]
        for j, y in enumerate(found):
            close(y.numpy(), np.stack([row[j].numpy() for row in rows]), "float64")
