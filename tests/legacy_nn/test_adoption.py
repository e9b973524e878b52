"""Outputs and gradients take over fresh arrays only where nobody can tell it from a copy."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core.ops.adoption import adopted, move_to
from rekindle.core.tensor import Tensor


def tensor(*values):
    return Tensor(np.array(values, np.float64))


def tanh_run():
    """Return a module that has run once, so that its output has its size."""
    module = nn.Tanh()
    module.forward(tensor(1.0, 2.0))
    return module


def test_an_output_that_nothing_views_takes_the_fresh_array():
    module = tanh_run()
    output, before, version = module.output, id(module.output.array), module.output.version
    assert module.forward(tensor(3.0, -3.0)) is output
    np.testing.assert_array_equal(output.array, np.tanh([3.0, -3.0]))
    assert output.version == version + 1
    assert id(output.array) != before  # made while the one from before was still there


def test_other_memory_is_a_tensor_s_own():
    target = tensor(1.0)
    view = target[0:1]
    assert move_to(target, tensor(2.0, 3.0)) is target
    assert (target.tolist(), view.tolist()) == ([2.0, 3.0], [1.0])
    assert target.storage().tolist() == [2.0, 3.0]
    assert adopted(tensor(1.0, 2.0), tensor(3.0, 4.0))


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t[0:1],
        lambda t: t.detach(),
        lambda t: t.reshape(2, 1),
        lambda t: t.numpy(),
        lambda t: np.asarray(t)[0:1],
        lambda t: t.storage(),
        lambda t: Tensor.view_of(t.storage(), 0, (1,), (1,)),
        lambda t: rekindle.empty(0, dtype="float64").set_(t),
        lambda t: memoryview(t.numpy()),
    ],
)
def test_what_views_an_output_sees_the_next_one(view):
    module = tanh_run()
    kept = view(module.output)
    module.forward(tensor(3.0, 4.0))
    first = kept.tolist() if hasattr(kept, "tolist") else list(kept)
    assert np.ravel(first)[0] == np.tanh(3.0)
    module.output.array[0] = 7  # and stays a view after it
    assert np.ravel(kept.tolist())[0] == 7


def test_what_views_a_gradient_sees_the_next_one():
    module = tanh_run()
    x = tensor(1.0, 2.0)
    module.backward(x, tensor(1.0, 1.0))
    kept, gradient = module.gradInput[0:1], module.gradInput
    assert module.backward(x, tensor(2.0, 1.0)) is gradient
    assert kept.item() == gradient.tolist()[0] == 2 * (1 - np.tanh(1.0) ** 2)


def test_what_a_module_keeps_for_itself_is_copied():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = tensor(5.0, 6.0)

        def compute(self, input):
            return self.rows

    module = Constant()
    for _ in range(2):
        module.forward(tensor(0.0, 0.0)).fill_(0)
        assert module.rows.tolist() == [5.0, 6.0]


def test_an_output_saved_by_a_graph_is_copied_into():
    module = tanh_run()
    x = tensor(2.0, 3.0).requires_grad_()
    product = x * module.output
    module.forward(tensor(0.5, 0.5))
    with pytest.raises(rekindle.core.errors.RekindleError, match="overwritten"):
        product.sum().backward()


def test_what_cannot_be_taken_over():
    fresh = tensor(1.0, 2.0)
    assert adopted(fresh, tensor(3.0, 4.0))
    assert fresh.tolist() == [3.0, 4.0]
    assert not adopted(fresh, tensor(3.0))
    assert not adopted(fresh, Tensor(np.zeros(2, np.float32)))
    assert not adopted(fresh, Tensor(np.zeros((2, 2)))[0])
    held = np.zeros(2)
    assert not adopted(fresh, Tensor(held))
    assert not adopted(tensor(1.0, 2.0).requires_grad_(), tensor(3.0, 4.0))
