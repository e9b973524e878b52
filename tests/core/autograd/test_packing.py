"""What operations save, kept in another form."""

import gc
import pickle
import weakref

import numpy as np
import pytest
from graphs import constant, leaf

from rekindle.core import ops
from rekindle.core.autograd import (
    GraphError,
    VersionError,
    checkpoint,
    grad,
    jvp,
    profile,
    saved_tensors_hooks,
)
from rekindle.core.creation import tensor


def through_bytes():
    """Return hooks that keep bytes, and how often each was called."""
    calls = [0, 0]

    def pack(t):
        calls[0] += 1
        return pickle.dumps(t.numpy())

    def unpack(kept):
        calls[1] += 1
        return tensor(pickle.loads(kept))

    return saved_tensors_hooks(pack, unpack), calls


def test_nothing_else_holds_what_was_packed():
    x = leaf(np.ones(1000))
    hooks, _ = through_bytes()
    with hooks:
        y = x * 2
        held = weakref.ref(y)
        z = ops.exp(y)
    del y
    gc.collect()
    assert held() is None
    z.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(2), rtol=1e-12)


@pytest.mark.parametrize("f", [
    lambda x: ops.concat([x * x, ops.exp(x)]),
    lambda x: ops.sort(x)[0] * x,
    lambda x: ops.softmax(x * x, axis=0),
    lambda x: checkpoint(lambda x: ops.sin(x) * x, x),
    lambda x: x @ ops.reshape(x, (3, 1)),
])  # fmt: skip
def test_gradients_of_any_order_are_the_same(f):
    x = leaf([0.5, -1.0, 2.0])
    hooks, calls = through_bytes()
    with hooks:
        y = ops.sum(f(x))
        (g,) = grad(y, x, create_graph=True)
        (h,) = grad((g * g).sum(), x)
    z = ops.sum(f(x))
    (expected,) = grad(z, x, create_graph=True)
    (second,) = grad((expected * expected).sum(), x)
    np.testing.assert_allclose(g.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(h.numpy(), second.numpy(), rtol=1e-12)
    assert min(calls) > 0


def test_each_pass_unpacks_again():
    x = leaf([1.0])
    hooks, calls = through_bytes()
    with hooks:
        y = ops.exp(x)
    assert calls == [1, 0]
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    assert calls == [1, 2]
    y.backward()
    with pytest.raises(GraphError, match="second backward pass through exp"):
        y.backward()
    assert calls == [1, 3]


def test_forward_mode_unpacks_too():
    hooks, calls = through_bytes()

    def f(x):
        with hooks:
            return ops.exp(x) * x

    _, tangent = jvp(f, [constant([0.5])], [constant([1.0])])
    np.testing.assert_allclose(tangent.numpy(), [np.exp(0.5) * 1.5], rtol=1e-12)
    assert calls[0] == calls[1] > 0


def test_what_is_outside_of_the_block_is_checked_as_ever():
    x = leaf([1.0])
    y = x * 2
    hooks, _ = through_bytes()
    with hooks:
        inside = ops.exp(y)
    outside = ops.exp(y)
    outside.mul_(3)
    inside.mul_(3)  # was packed before
    inside.sum().backward(retain_graph=True)
    assert x.grad.item() == pytest.approx(6 * np.exp(2))
    with pytest.raises(VersionError, match="gradient of exp"):
        outside.sum().backward()


@pytest.mark.parametrize(
    ("unpack", "message"),
    [
        (lambda t: 7, "returned a int for what exp saved; return a tensor"),
        (lambda t: t[:1], r"float64 of shape \(1,\) for what exp saved, which was float64"),
        (lambda t: t.astype("float32"), "returned float32"),
    ],
)
def test_what_comes_back_has_to_fit(unpack, message):
    x = leaf([1.0, 2.0])
    with saved_tensors_hooks(lambda t: t, unpack):
        y = ops.exp(x)
    with pytest.raises(GraphError, match=message):
        y.sum().backward()


def test_beside_a_profiler():
    hooks, calls = through_bytes()
    with profile() as seen, hooks:
        ops.exp(leaf([1.0])).backward()
    assert seen.calls["exp"] == 1
    assert calls == [1, 1]
