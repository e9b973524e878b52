"""With the collector off, all that was made goes when nothing needs it any more."""

import weakref

import numpy as np
import pytest
from graphs import constant, leaf, no_collector

from rekindle.core import ops
from rekindle.core.autograd import (
    Function,
    VersionError,
    checkpoint,
    detect_anomaly,
    grad,
    jvp,
    no_grad,
    profile,
    saved_tensors_hooks,
)
from rekindle.core.tensor import Tensor


class SavesBoth(Function):
    @staticmethod
    def forward(ctx, x, scale):
        y, z = x * scale, ops.exp(x)
        ctx.save_for_backward(x, y, z)
        return y, z

    @staticmethod
    def backward(ctx, g, h):
        _, _, z = ctx.saved_tensors
        return g * 2 + h * z, None


def chain(x):
    return ops.exp(ops.tanh(x)) * x


def function(x):
    y, z = SavesBoth.apply(x, 2.0)
    return y * z


def function_then_write(x):
    y = x * 1
    z, _ = SavesBoth.apply(y, 2.0)
    y.add_(z)  # y now comes from what saved it
    return y


def constant_that_becomes_part_of_what_saved_it(x):
    y = constant([1.0, 2.0, 3.0])
    z = x * y
    y.add_(z)
    return y * 1


def writes(x):
    y = x * 1
    view, other = y[:2], y[1:]
    view.mul_(x[1:])
    y[0] = x[1] * x[1]
    return y * other.sum()


def views(x):
    y = (x * 1).reshape(3, 1)
    return (y.T[0], y[1:].T)[0] * 2


def several_outputs(x):
    values, _ = ops.sort(x)
    return values * values


def checkpointed(x):
    return checkpoint(lambda x: checkpoint(chain, ops.exp(x)) * x, x)


def hooked(x):
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_hook(lambda inputs, outputs: None)
    return y * 3


def hooked_before_and_after(x):
    y, z = SavesBoth.apply(x * 1, 2.0)
    y.grad_fn.register_prehook(lambda outer: outer)
    x.register_post_accumulate_grad_hook(lambda leaf: None)
    return y * z


class Writes(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.mark_dirty(x)
        x.mul_(y)
        ctx.save_for_backward(x, y)
        return x, 7, y * 1

    @staticmethod
    def backward(ctx, g, _, h):
        x, y = ctx.saved_tensors
        return g * y, g * x / y + h


def function_that_writes(x):
    y = x * 1
    z, _, w = Writes.apply(y, x)
    return z * w


def function_that_writes_a_view(x):
    y = x * 1
    Writes.apply(y[:2], x[1:])
    return y * 2


def packed(x):
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        return function_that_writes(x) * chain(x)


def second_order(x):
    (g,) = grad((ops.exp(x) * x).sum(), x, create_graph=True)
    return g * g


def second_order_of_function(x):
    (g,) = grad(function(x).sum(), x, create_graph=True)
    return g


def forward_mode(x):
    return jvp(function, [x], [constant([1.0, 1.0, 1.0])])[1]


PROGRAMS = [
    chain,
    function,
    writes,
    views,
    several_outputs,
    checkpointed,
    hooked,
    hooked_before_and_after,
    function_that_writes,
    function_that_writes_a_view,
    packed,
    second_order,
    second_order_of_function,
    forward_mode,
]


SPOILT = [function_then_write, constant_that_becomes_part_of_what_saved_it]


def graph_of(y):
    """Return weak references to the nodes behind a tensor."""
    seen, pending = {}, [y.grad_fn]
    while pending:
        node = pending.pop()
        if node is not None and not isinstance(node, Tensor) and id(node) not in seen:
            seen[id(node)] = weakref.ref(node)
            pending.extend(node.parents)
    return list(seen.values())


@pytest.mark.parametrize("run", PROGRAMS)
@pytest.mark.parametrize("end", ["dropped", "backward", "retained", "recorded", "failed"])
def test_nothing_stays(run, end):
    with no_collector():
        x = leaf([0.1, 0.2, 0.3])
        y = run(x)
        watched = [weakref.ref(t) for t in (x, y, y.array)] + graph_of(y)
        total = y.sum()
        if end == "backward":
            total.backward()
        elif end == "retained":
            total.backward(retain_graph=True)
        elif end == "recorded":
            (g,) = grad(total, x, create_graph=True)
            watched += graph_of(g)
            del g
        elif end == "failed":
            total.grad_fn.register_hook(lambda inputs, outputs: 3)
            with pytest.raises(RuntimeError):
                total.backward()
        del x, y, total
        assert [w() for w in watched] == [None] * len(watched)


@pytest.mark.parametrize("run", SPOILT)
@pytest.mark.parametrize("end", ["dropped", "failed"])
def test_nothing_stays_of_what_cannot_be_differentiated(run, end):
    with no_collector():
        x = leaf([0.1, 0.2, 0.3])
        y = run(x)
        watched = [weakref.ref(t) for t in (x, y)] + graph_of(y)
        failed = False
        if end == "failed":
            try:
                y.sum().backward()
            except VersionError:
                failed = True
        del x, y
        assert [w() for w in watched] == [None] * len(watched)
        assert failed == (end == "failed")


def test_values_computed_again_go_with_the_pass():
    with no_collector():
        arrays = []

        def f(x):
            y = ops.exp(x)
            arrays.append(weakref.ref(y.array))
            return y * y

        x = leaf(np.ones(10))
        y = checkpoint(f, x)
        assert [a() for a in arrays] == [None]
        y.sum().backward()
        assert [a() for a in arrays] == [None, None]


def test_watched_programs():
    with no_collector():
        x = leaf([0.1, 0.2, 0.3])
        with detect_anomaly(), profile():
            y = chain(x)
            watched = [weakref.ref(x), *graph_of(y)]
            y.sum().backward()
        del x, y
        assert [w() for w in watched] == [None] * len(watched)


def test_gradients_accumulated_with_a_graph_go_with_the_leaf():
    with no_collector():
        x = leaf([0.5])
        (x * 3).backward(create_graph=True)  # a gradient that does not depend on x
        watched = [weakref.ref(x), weakref.ref(x.grad)]
        del x
        assert [w() for w in watched] == [None, None]


def test_nothing_is_kept_without_recording():
    with no_collector():
        x = leaf([0.1, 0.2, 0.3])
        with no_grad():
            y = chain(x)
            array = weakref.ref(y.array)
            z = y[1:]
        assert z.grad_fn is None
        del y, z
        assert array() is None
