"""Outputs and gradients take over fresh arrays only where nobody can tell it from a copy."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import ops
from rekindle.core.autograd import no_grad
from rekindle.core.ops.adoption import adopted, became, move_to
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import containers
from rekindle.legacy_nn.values import tensors_in


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


# -- recorded writes --------------------------------------------------------------------


def doubled():
    """Return a leaf, and a recorded tensor of memory of its own."""
    x = tensor(0.5, -1.0).requires_grad_()
    return x, x * 2


def test_a_recorded_tensor_becomes_another_one():
    x, target = doubled()
    target.retain_grad()
    assert became(target, (3 * x).tanh())
    (target * tensor(1.0, 10.0)).sum().backward()
    expected = np.tanh([1.5, -3.0])
    np.testing.assert_array_equal(target.detach().array, expected)
    np.testing.assert_array_equal(target.grad.array, [1, 10])
    np.testing.assert_allclose(x.grad.array, 3 * (1 - expected**2) * [1, 10], rtol=1e-15)


@pytest.mark.parametrize(
    "hold",
    [
        lambda t: t[0:1],
        lambda t: t.detach(),
        lambda t: t.reshape(2, 1),
        lambda t: t.detach().numpy(),
        lambda t: t.storage(),
        lambda t: t * t,  # which saves it
    ],
)
def test_what_others_hold_does_not_become_another_one(hold):
    x, target = doubled()
    kept = hold(target)
    assert not became(target, x.tanh())
    other = x.tanh()
    kept = hold(other)
    assert not became(doubled()[1], other)
    del kept


def test_what_cannot_become_another_one():
    x, target = doubled()
    assert not became(target, tensor(1.0, 2.0))
    assert not became(tensor(1.0, 2.0), x.tanh())
    assert not became(x, x.tanh())
    assert not became(target, x.sum())
    assert not became(target, ops.astype(x, "float32"))
    assert not became(target[0:1], x[0:1].tanh())
    with no_grad():
        assert not became(target, x.tanh())
    assert target.tolist() == [1, -2]


@pytest.mark.parametrize(
    "outer",
    [
        lambda m: nn.Sequential().add(m),
        lambda m: nn.ConcatTable().add(nn.Identity()).add(m),
        lambda m: nn.ConcatTable().add(m).add(nn.MulConstant(3)),
        lambda m: nn.ConcatTable().add(nn.Narrow(1, 1, 1)).add(m),
        lambda m: nn.ConcatTable().add(nn.Square()).add(m),
    ],
)
def test_in_place_modules_write_what_copies_would(outer, monkeypatch):
    """Readers of the same input see what they see where the values are copied."""

    def run():
        model = outer(nn.ReLU(True))
        x = tensor(0.5, -1.0).requires_grad_()
        try:
            result = nn.Sequential().add(nn.MulConstant(2)).add(model)(x)
            total = sum((t * t).sum() for t in tensors_in(result))
            total.backward()
        except rekindle.core.errors.RekindleError as error:
            return str(error)
        return [t.tolist() for t in tensors_in(result)], x.grad.tolist()

    found = run()
    for name in ("adopted", "became"):
        monkeypatch.setattr(containers, name, lambda target, value: False)
    assert found == run()
