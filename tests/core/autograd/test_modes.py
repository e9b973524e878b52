"""What is in force while operations run."""

import asyncio
import threading

import numpy as np
import pytest
from graphs import leaf

from rekindle.core import ops
from rekindle.core.autograd import (
    AnomalyError,
    Function,
    detect_anomaly,
    enable_grad,
    grad,
    is_grad_enabled,
    no_grad,
    profile,
)
from rekindle.core.creation import tensor


def test_blocks_nest():
    x = leaf([1.0])
    states = [is_grad_enabled()]
    with no_grad():
        states.append((x * 2).requires_grad)
        with enable_grad():
            states.append((x * 2).requires_grad)
        states.append(ops.exp(x).requires_grad)
    assert [*states, is_grad_enabled()] == [True, False, True, False, True]


def test_blocks_end_with_exceptions_and_can_be_used_again():
    block = no_grad()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), block:
            raise ZeroDivisionError
        assert is_grad_enabled()
    with block, block:
        assert not is_grad_enabled()


def test_decorators():
    @no_grad()
    def outer(x):
        """Say something."""
        return (x * 2).requires_grad, inner(x)

    @enable_grad()
    def inner(x):
        return (x * 2).requires_grad

    assert outer.__doc__ == "Say something."
    assert outer(leaf([1.0])) == (False, True)


def test_coroutines_are_not_decorated():
    async def coroutine():
        return 1

    async def generator():
        yield 1

    for function in (coroutine, generator):
        with pytest.raises(TypeError, match="use `with` inside"):
            no_grad()(function)


def test_threads_and_tasks_have_their_own():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]

    async def task(on):
        with enable_grad() if on else no_grad():
            await asyncio.sleep(0)
            return is_grad_enabled()

    async def both():
        return await asyncio.gather(task(True), task(False))

    assert asyncio.run(both()) == [True, False]


# -- detect_anomaly -------------------------------------------------------------------------


def build(x):
    return ops.sqrt(x) * 0  # the line that makes it


def test_anomalies_name_the_line_that_made_them():
    with detect_anomaly(), np.errstate(all="ignore"):
        y = build(leaf([0.0]))
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    message = str(caught.value)
    assert message.startswith("the gradient of sqrt for operand 0 has nan; sqrt was called at\n")
    assert "# the line that makes it" in message
    assert "in build" in message
    assert "core/autograd/modes" not in message
    assert "ops/op.py" not in message
    assert isinstance(caught.value, FloatingPointError)


def test_anomalies_of_functions_and_of_recorded_passes():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    x = leaf([1.0])
    with detect_anomaly():
        y = Bad.apply(x)  # applied here
        with pytest.raises(AnomalyError, match=r"(?s)gradient of Bad.*# applied here"):
            grad(y, x)
        with pytest.raises(AnomalyError, match="gradient of Bad"):
            grad(y, x, create_graph=True)


def test_anomalies_in_what_was_recorded_before():
    y = ops.sqrt(leaf([0.0])) * 0
    with (
        detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(AnomalyError, match="inside detect_anomaly"),
    ):
        y.backward()


def test_infinities_are_no_anomalies():
    x = leaf([0.0])
    with detect_anomaly(), np.errstate(all="ignore"):
        ops.sqrt(x).backward()
    assert x.grad.tolist() == [np.inf]


# -- profile --------------------------------------------------------------------------------


def test_calls_time_and_bytes():
    x = tensor(np.ones(1000))
    with profile() as measured:
        for _ in range(3):
            x + x
        ops.exp(x)
        x.sum(axis=0)
    x * 2
    assert measured.calls == {"add": 3, "exp": 1, "sum": 1}
    assert measured.nbytes == {"add": 3 * 8000, "exp": 8000, "sum": 8}
    assert all(s > 0 for s in measured.seconds.values())
    text = str(measured)
    assert text.splitlines()[0].split() == ["operation", "calls", "ms", "MB"]
    assert "add" in text


def test_backward_passes_are_listed_by_operation():
    x = leaf(np.ones(1000))
    y = (ops.exp(x) * x).sum()
    with profile() as measured:
        y.backward()
    assert measured.calls == {"sum backward": 1, "multiply backward": 1, "exp backward": 1}
    assert measured.nbytes["multiply backward"] == 2 * 8000


def test_recorded_backward_passes_are_listed_as_the_operations_they_are():
    x = leaf([1.0])
    y = ops.exp(x)
    with profile() as measured:
        grad(y, x, create_graph=True)
    assert measured.calls == {"multiply": 1}
