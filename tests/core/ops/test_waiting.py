"""Results that wait on the way forward: nothing that a program can do tells them from arrays."""

import copy
import operator
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rekindle
from rekindle import no_grad, ops, optim, tensor
from rekindle.core.autograd import Function, saved_tensors_hooks
from rekindle.core.autograd.errors import VersionError
from rekindle.core.errors import RekindleError
from rekindle.core.kernels import chains, dispatch
from rekindle.core.kernels.chains import Chain
from rekindle.core.ops import waiting

FUSED = dispatch.missing("fused") is None
R, C = 128, 1030


@pytest.fixture(autouse=True)
def computed_here(monkeypatch):
    """Without numba, or by the references, results do not wait; here they do."""
    if not FUSED:
        monkeypatch.setattr(waiting, "available", lambda name: dispatch.fast_wanted())
    with dispatch.using("fast"):
        yield


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def leaf(seed=0):
    return tensor(draw(R, C, seed=seed), requires_grad=True)


def waits(x):
    return x._array is None and type(x._described) is Chain and x._chain.step >= 0


def close(found, exact, tolerance=2e-5):
    assert found.shape == exact.shape
    assert np.abs(found - exact).max() <= tolerance * max(np.abs(exact).max(), 1e-3)


# -- what waits ---------------------------------------------------------------------------


@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_arithmetic_waits_and_is_right(function):
    row, column, values = draw(C, seed=1), draw(R, 1, seed=2), draw(R, C).astype(float)
    for value in (2, -0.3, row, column, values):
        for turned in (False, True):
            x = leaf()
            other = x if value is values else tensor(value) if np.ndim(value) else value
            y = function(other, x) if turned else function(x, other)
            exact = function(value, values) if turned else function(values, value)
            if turned and np.size(value) in (R, C):
                continue  # NumPy computes what begins with few elements
            assert waits(y)
            assert (y.shape, y.ndim, y.size, y.dtype) == ((R, C), 2, R * C, np.float32)
            assert (y.stride(), y.is_contiguous(), str(y.device)) == ((C, 1), True, "cpu")
            assert y.nbytes == 4 * R * C
            assert waits(y)
            np.testing.assert_allclose(y.array, exact, 1e-5, 1e-6)
            assert y.array is y.array


@pytest.mark.parametrize("name", ["negative", "square", "tanh", "exp", "sigmoid"])
def test_functions_wait_and_are_right(name):
    values = draw(R, C)
    values[0, :7] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 90, -110]
    y = getattr(ops, name)(tensor(values, requires_grad=True))
    assert waits(y)
    with np.errstate(all="ignore"):
        exact = getattr(ops, name)(tensor(values.astype(float))).numpy().astype(np.float32)
    np.testing.assert_allclose(y.numpy(), exact, rtol=3e-6)
    np.testing.assert_array_equal(np.signbit(y.numpy()[0, 1:]), np.signbit(exact[0, 1:]))


def test_what_does_not_wait():
    x = leaf()
    with no_grad():
        assert not waits(x * 2)
    with dispatch.using("reference"):
        assert not waits(x * 2)
    assert not waits(tensor(draw(R, C)) * 2)  # nothing is recorded
    assert not waits(leaf().astype(rekindle.float64) * 2.0)
    assert not waits(x[:, ::2] * 2)
    assert not waits(x.transpose(0, 1) * 2)
    known = rekindle.Tensor(draw(R, C), requires_grad=True)
    assert not waits(known * 2)
    assert not waits(x * leaf(1))
    assert not waits(ops.tanh(x * 2) * ops.tanh(leaf(1) * 2))
    assert not waits(tensor(draw(7), requires_grad=True) * 2)
    short = tensor(draw(R * C, 2), requires_grad=True)
    assert not waits(short * 2)


def test_two_arrays_are_read_at_once_and_their_chains_wait_on():
    x, y = leaf(), leaf(1)
    a, b = ops.tanh(x * 2), ops.sigmoid(y + 1)
    z = a * b
    assert z._array is not None
    assert waits(a)
    assert waits(b)
    z.sum().backward()
    t, s = np.tanh(2.0 * draw(R, C).astype(float)), 1 / (1 + np.exp(-draw(R, C, seed=1) - 1.0))
    close(z.numpy(), t * s)
    close(x.grad.numpy(), 2 * (1 - t * t) * s)
    close(y.grad.numpy(), t * s * (1 - s))


def test_sums_are_those_of_chains():
    exact = 2 * draw(R, C).astype(float) + 1
    for way in ("sum", "mean"):
        for axis in (None, -1, 0, (0, 1), (1,), (-2, 1), np.int64(1)):
            for keepdims in (False, True):
                y = leaf() * 2 + 1
                found = getattr(y, way)(axis=axis, keepdims=keepdims)
                assert waits(y)
                wanted = getattr(exact, way)(axis=axis, keepdims=keepdims)
                assert type(found.array) is np.ndarray
                assert found.dtype == np.float32
                assert found.shape == wanted.shape
                np.testing.assert_allclose(found.numpy(), wanted, 1e-4, 1e-5)
    y = leaf() * 2
    with pytest.raises(RekindleError, match="mean: axis 2 is out of bounds"):
        y.mean(axis=2)
    with pytest.raises(RekindleError, match="sum: duplicate"):
        y.sum(axis=(1, 1))


def test_a_long_chain_that_is_summed_is_written_down():
    x = leaf()
    y = x
    for _ in range(7):
        y = y * 0.5 + x
    y.mean(axis=-1)
    assert not waits(y)
    assert waits(y - 1)


def test_errors_are_those_of_the_call():
    y = leaf() * 2
    for other in (tensor(draw(C - 1)), tensor(draw(3, 1, C + 1))):
        with pytest.raises(RekindleError, match="add: operands could not be broadcast") as info:
            y + other
        with dispatch.using("reference"), pytest.raises(RekindleError) as wanted:
            y + other
        assert str(info.value) == str(wanted.value)


def test_memory_is_no_more_than_without():
    x = leaf()
    kept = [x]
    for k in range(40):
        kept.append(kept[-1] * 0.9 + float(k))
    before = rekindle.memory_stats().used
    total = sum(waits(y) for y in kept)
    held = {id(a) for y in kept[1:] if waits(y) for a in y._chain.arrays()}
    assert len(held) + sum(not waits(y) for y in kept) <= len(kept)
    assert total
    del kept
    assert rekindle.memory_stats().used <= before


# -- doors: whatever gets at memory gets what waits computed first ---------------------------


def by_numpy(x):
    x.detach().numpy()[...] = 0


def by_array(x):
    x.array[...] = 0


def by_asarray(x):
    np.asarray(x.detach())[...] = 0


def by_dlpack(x):
    np.from_dlpack(x.detach())[...] = 0


def by_item(x):
    with no_grad():
        x[...] = 0


def by_part(x):
    with no_grad():
        x[3:].fill_(0)


def by_method(x):
    with no_grad():
        x.mul_(0)


def by_copy(x):
    with no_grad():
        x.copy_(tensor(np.zeros((R, C), np.float32)))


def by_operator(x):
    with no_grad():
        x *= 0


def by_storage(x):
    x.storage().array[...] = 0


def by_raw_storage(x):
    x.storage().raw[...] = 0


def by_view(x):
    x.detach().reshape(-1).array[...] = 0


def by_geometry(x):
    rekindle.Tensor.view_of(x.storage(), 0, (5,), (1,)).array[...] = 0


def by_sharing(x):
    shared = x.detach().share_memory_()
    shared.array[...] = 0


def by_optimiser(x):
    x.grad = tensor(np.ones((R, C), np.float32))
    optim.SGD([x], lr=3.0).step()


def by_thread(x):
    thread = threading.Thread(target=by_item, args=(x,))
    thread.start()
    thread.join()


def by_backward(x):
    z = leaf(5)
    z.grad = x.detach()
    (z * 2).sum().backward()


def by_packing(x):
    given = []
    with saved_tensors_hooks(lambda t: given.append(t) or t, lambda t: t):
        ops.sin(x)
    given[0].detach()[...] = 0


def by_quick_copy(x):
    from rekindle.core.ops.inplace import overwritten

    with no_grad():
        assert overwritten(x, tensor(np.zeros((R, C), np.float32)))


def by_quick_addition(x):
    from rekindle.core.ops.inplace import increased

    with no_grad():
        assert increased(x, tensor(np.ones((R, C), np.float32)))


DOORS = [f for name, f in sorted(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("door", DOORS, ids=lambda f: f.__name__[3:])
def test_what_waits_is_computed_before_its_memory_is_written(door):
    x = leaf()
    exact = np.tanh(draw(R, C).astype(float)) * 2
    y = ops.tanh(x)
    z = y * 2
    w = tensor(np.ones((R, C), np.float32), requires_grad=True)
    total = (w * (x + 1)).sum()  # saves a chain that reads x, and keeps no tensor of it
    assert waits(y)
    assert waits(z)
    door(x)
    assert np.abs(x.detach().numpy() - draw(R, C)).max() > 0.5
    close(z.numpy(), exact)
    close(y.numpy(), exact / 2)
    total.backward()
    close(w.grad.numpy(), draw(R, C) + 1.0)


@pytest.mark.parametrize("door", DOORS, ids=lambda f: f.__name__[3:])
def test_what_was_computed_in_between_may_be_written_too(door):
    x = leaf()
    y = x * 2 + 1
    for _ in range(4):
        y = y * 0.5 + x
    z = ops.tanh(y)
    y.mean(axis=-1)
    assert not waits(y)
    assert waits(z)
    exact = np.tanh(y.numpy().astype(float)) if door is by_numpy else None
    y = y.detach()
    y.requires_grad_()
    if exact is None:
        values = draw(R, C).astype(float)
        exact = values * 2 + 1
        for _ in range(4):
            exact = exact * 0.5 + values
        exact = np.tanh(exact)
    door(y)
    close(z.numpy(), exact)


def test_an_array_that_was_handed_out_before():
    for get in (lambda x: x.array, lambda x: x.detach().numpy(), lambda x: x.storage().array):
        x = leaf()
        held = get(x)
        y = x * 2
        held[...] = 0
        close(y.numpy(), 2 * draw(R, C))


def test_writing_into_what_waits():
    x = leaf()
    y = x * 2
    z = y + 1
    y.mul_(3)
    y[0] = 7.0
    z.add_(y)
    exact = 6 * draw(R, C)
    exact[0] = 7
    close(y.detach().numpy(), exact)
    close(z.detach().numpy(), exact + 2 * draw(R, C) + 1)
    z.sum().backward()
    slope = np.full((R, C), 8.0)
    slope[0] = 2
    close(x.grad.numpy(), slope)


def test_views_copies_and_detached_tensors_of_what_waits():
    x = leaf()
    for use in (
        lambda y: y.detach(),
        lambda y: y.reshape(C, R).reshape(R, C),
        lambda y: y.clone(),
        lambda y: y.transpose(0, 1).transpose(0, 1),
        lambda y: copy.deepcopy(y.detach()),
        lambda y: y[...],
    ):
        y = x * 2
        close(use(y).detach().numpy(), 2 * draw(R, C))
    y = x * 2
    part = y[3]
    with no_grad():
        part.zero_()
    assert not y.detach().numpy()[3].any()
    assert float((x * 0 + 1).sum()) == R * C
    assert (x * 2).storage().size == R * C
    assert "requires_grad" in repr(x * 2) or repr(x * 2)


def test_saved_values_that_change_are_noticed():
    x, w = leaf(), leaf(1)
    y = x * 2
    z = (y * w).sum()
    with no_grad():
        y.zero_()
    with pytest.raises(VersionError):
        z.backward()
    a = ops.tanh(x)
    b = a * 1
    a.detach().zero_()
    with pytest.raises(VersionError):
        b.sum().backward()


def test_second_gradients_forward_mode_and_hooks():
    x = leaf()
    exact = draw(R, C).astype(float)
    (g,) = rekindle.grad((ops.tanh(x) * x).sum(), x, create_graph=True)
    t = np.tanh(exact)
    close(g.detach().numpy(), t + exact * (1 - t * t), 5e-5)
    (h,) = rekindle.grad(g.sum(), x)
    close(h.numpy(), 2 * (1 - t * t) - 2 * exact * t * (1 - t * t), 5e-5)
    seen = []
    x = leaf()
    y = x * 3
    y.register_hook(lambda g: seen.append(g.numpy().copy()))
    y.retain_grad()
    (y * y).sum().backward()
    close(seen[0], 6 * exact)
    close(y.grad.numpy(), 6 * exact)
    close(x.grad.numpy(), 18 * exact)


def test_kept_graphs_give_the_same_again():
    x = leaf()
    y = ops.sigmoid(x * 2) * x
    loss = (y * y).sum()
    loss.backward(retain_graph=True)
    first = x.grad.numpy().copy()
    for _ in range(3):
        x.grad = None
        loss.backward(retain_graph=True)
        close(x.grad.numpy(), first, 1e-6)


def test_threads_share_tensors():
    shared = leaf(9)
    wrong = []

    def work(k):
        values = draw(R, C, seed=k).astype(float)
        s = 1 / (1 + np.exp(-values))
        slope = 2 * (1 - np.tanh(2 * values) ** 2) - 3 * s * (1 - s)
        for i in range(8):
            x = leaf(k)
            y, z, a = ops.tanh(x * 2) + shared * 0.5, ops.sigmoid(x) * 3, shared * 2
            (y - z.mean(axis=-1, keepdims=True)).sum().backward()
            if i % 3 == k % 3:
                x.detach().numpy()[...] = 0
            for found, exact in ((x.grad, slope), (z, 3 * s), (a, 2 * draw(R, C, seed=9))):
                if np.abs(found.detach().numpy() - exact).max() > 1e-4:
                    wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class Zeroing(Function):
    """The identity, whose way back writes into a tensor of the program."""

    target = None

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        with no_grad():
            Zeroing.target.zero_()
        return g


def test_code_of_the_program_may_write_on_the_way_back():
    x, w = leaf(), leaf(1)
    Zeroing.target = w
    first = Zeroing.apply(x)  # comes last on the way back
    second = x * w
    (first.sum() + second.sum()).backward()
    close(x.grad.numpy(), 1 + draw(R, C, seed=1))
    close(w.detach().numpy(), np.zeros((R, C)))


# -- programs -----------------------------------------------------------------------------

VALUES = st.integers(0, 30)
STEPS = st.one_of(
    st.tuples(st.sampled_from("+-*"), VALUES, VALUES),
    st.tuples(st.sampled_from("+-*/r"), VALUES, st.sampled_from([2, 0.5, -1.25])),
    st.tuples(st.sampled_from(["tanh", "sigmoid", "negative", "row", "column", "centred"]), VALUES),
    st.tuples(st.sampled_from(["mul_", "add_", "set", "part", "zero"]), VALUES, VALUES),
    st.tuples(st.sampled_from(["drop", "read", "hold", "write", "relu", "view", "grad"]), VALUES),
)


def run(program):
    """Return what a program has at its end, or the kind of its error."""
    leaves = [leaf(0), leaf(1)]
    row, column = tensor(draw(C, seed=2), requires_grad=True), tensor(draw(R, 1, seed=3))
    pool, held, seen = [*leaves], [], []
    try:
        for name, k, *rest in program:
            x = pool[k % len(pool)]
            y = rest[0] if rest and not isinstance(rest[0], int) else None
            if rest and name in ("+", "-", "*", "mul_", "add_", "set") and y is None:
                y = 2 if rest[0] == 2 else pool[rest[0] % len(pool)]
            match name:
                case "+":
                    pool.append((x + y) * 0.5)
                case "-":
                    pool.append((x - y) * 0.5)
                case "*":
                    pool.append(ops.tanh(x) * y)
                case "/" | "r":
                    pool.append(x / rest[0] if name == "/" else rest[0] - x)
                case "tanh" | "sigmoid" | "negative" | "relu":
                    pool.append(getattr(ops, name)(x))
                case "row":
                    pool.append(x * row + row)
                case "column":
                    pool.append((x - column) * 0.5)
                case "centred":
                    pool.append(x - x.mean(axis=-1, keepdims=True))
                case "mul_":
                    x.mul_(ops.tanh(y) if isinstance(y, rekindle.Tensor) else 0.5)
                case "add_":
                    with no_grad():
                        x.add_(y)
                case "set":
                    x[3] = 0.25 if isinstance(y, int) else y[5]
                case "part":
                    with no_grad():
                        x[2:9] = float(rest[0])
                case "zero":
                    with no_grad():
                        x.mul_(0.5)
                case "drop":
                    if len(pool) > 3:
                        del pool[k % len(pool)]
                case "read":
                    seen.append(x.detach().numpy().copy())
                case "hold":
                    held.append(x.array)
                case "write":
                    if held:
                        held[k % len(held)][:5] = 0.125
                case "view":
                    pool.append(x.reshape(-1)[: R * C].reshape(R, C))
                case "grad":
                    (x.mean() * 3).backward(retain_graph=True)
            x = y = None
        sum(p.sum() for p in pool).backward()
    except RekindleError as error:
        return type(error).__name__
    found = [p.detach().numpy() for p in pool]
    return [*found, *seen, *(t.grad.numpy() for t in (*leaves, row) if t.grad is not None)]


@settings(max_examples=40)
@given(st.lists(STEPS, min_size=3, max_size=14))
def test_programs_are_those_of_the_reference(program):
    found = run(program)
    with dispatch.using("reference"):
        wanted = run(program)
    if isinstance(wanted, str) or isinstance(found, str):
        assert found == wanted
        return
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        close(a, b, 2e-4)


def test_a_write_waits_for_what_another_thread_reads(monkeypatch):
    x = leaf()
    y = x * 2.0 + 1.0
    exact = float((x.detach() * 2.0 + 1.0).mean().item())
    reading, found = threading.Event(), []
    original = chains.compute_chain

    def slow(*args, **params):
        if threading.current_thread() is thread:
            reading.set()
            time.sleep(0.1)
        return original(*args, **params)

    monkeypatch.setattr(chains, "compute_chain", slow)
    thread = threading.Thread(target=lambda: found.append(y.mean().item()))
    thread.start()
    reading.wait()
    with no_grad():
        x.add_(100.0)
    thread.join()
    assert found[0] == pytest.approx(exact, abs=1e-5)
    np.testing.assert_allclose(x.numpy(), draw(R, C) + 100.0, rtol=1e-6)
