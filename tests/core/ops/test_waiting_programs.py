"""Programs and threads whose results wait: nothing tells them from those of the reference."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waits import C, R, close, draw, leaf, results_wait

import rekindle
from rekindle import no_grad, ops, tensor
from rekindle.core.errors import RekindleError
from rekindle.core.kernels import chains, dispatch


@pytest.fixture(autouse=True)
def computed_here(monkeypatch):
    with results_wait(monkeypatch):
        yield


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
