"""Transforms beside what is imperative: Parameters, backward, writes, buffers, Functions."""

import numpy as np
import pytest

import rekindle
from rekindle import func, nn, ops
from rekindle.core.autograd import Function, checkpoint
from rekindle.core.autograd.errors import InplaceError
from rekindle.core.errors import UseError
from rekindle.core.func import BatchingError, grad, vmap

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))


def tensor(x, **options):
    return rekindle.tensor(x, **options)


def test_grad_touches_no_grad_of_a_parameter_that_it_closes_over():
    w = nn.Parameter(X[0])
    found = grad(lambda x: (w * x * x).sum())(tensor(X[1]))
    assert w.grad is None
    np.testing.assert_allclose(found.numpy(), 2 * X[0] * X[1])


def test_backward_through_a_gradient_reaches_a_parameter_closed_over():
    w = nn.Parameter(X[0])
    found = grad(lambda x: (w * x * x).sum())(tensor(X[1]))
    assert found.requires_grad
    found.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * X[1])


def test_backward_through_vmap_sums_over_samples_for_what_is_outside():
    w, x = nn.Parameter(X[0]), tensor(X, requires_grad=True)
    y = vmap(lambda v: (v * v * w).sum())(x)
    y.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), (X * X).sum(0))
    np.testing.assert_allclose(x.grad.numpy(), 2 * X * X[0])


def test_backward_through_nested_vmaps():
    w, x = nn.Parameter(X[0]), RNG.normal(size=(2, 4, 3))
    shared = nn.Parameter(X)

    def inner(v, s):
        doubled = w * 2  # made inside, of what is outside
        return (v * doubled * s).sum()

    vmap(lambda vs: vmap(inner)(vs, shared))(tensor(x)).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * np.einsum("abi,bi->i", x, X))
    np.testing.assert_allclose(shared.grad.numpy(), 2 * np.einsum("abi,i->bi", x, X[0]))


def test_gradients_asked_for_inside_vmap_belong_to_a_sample():
    w = nn.Parameter(X[0])

    def f(x):
        (g,) = rekindle.grad((w * x * x).sum(), [w])
        return g

    np.testing.assert_allclose(vmap(f)(tensor(X)).numpy(), X * X)


def test_the_same_by_a_transform_and_then_backward_outside():
    w = nn.Parameter(X[0])
    each = vmap(lambda x: grad(lambda w: (w * w * x).sum())(w))(tensor(X))
    np.testing.assert_allclose(each.detach().numpy(), 2 * X * X[0])
    each.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * X.sum(0))


def test_backward_inside_vmap_adds_up_what_a_loop_would():
    w = nn.Parameter(X[0])

    def f(x):
        loss = (w * x).sum()
        loss.backward()
        return loss

    vmap(f)(tensor(X))
    np.testing.assert_allclose(w.grad.numpy(), X.sum(0))
    vmap(f)(tensor(X))
    np.testing.assert_allclose(w.grad.numpy(), 2 * X.sum(0))


def test_backward_inside_vmap_to_a_leaf_that_has_samples():
    def f(x):
        x = x.detach().requires_grad_()
        for _ in range(2):
            (x * x).sum().backward()
        return x.grad

    np.testing.assert_allclose(vmap(f)(tensor(X)).numpy(), 4 * X)


def test_a_leaf_without_samples_is_not_made_inside_vmap():
    with pytest.raises(UseError, match=r"func\.grad"):
        vmap(lambda x: rekindle.zeros(3).requires_grad_())(tensor(X))


def test_backward_inside_grad():
    w = nn.Parameter(X[0])

    def f(x):
        y = (w * x).sum()
        y.backward(retain_graph=True)
        return y

    np.testing.assert_allclose(grad(f)(tensor(X[1])).numpy(), X[0])
    np.testing.assert_allclose(w.grad.numpy(), X[1])


def test_a_history_that_comes_into_vmap_is_not_written_over():
    x = tensor(X, requires_grad=True) * 2
    with pytest.raises(InplaceError, match="came into a vmap"):
        vmap(lambda v: v.mul_(3))(x)
    vmap(lambda v: v.clone().mul_(3))(x).sum().backward()


def test_a_view_that_comes_out_of_vmap_is_not_written_over():
    x = tensor(X, requires_grad=True)
    first = vmap(lambda v: v[0])(x)
    with pytest.raises(InplaceError, match="came out of a vmap"):
        first.mul_(2)
    first.sum().backward()
    assert x.grad.tolist() == [[1, 0, 0]] * 4
    with rekindle.no_grad():
        vmap(lambda v: v[0])(x).fill_(7)
    assert x[:, 0].tolist() == [7] * 4


def test_writes_inside_are_differentiated():
    def f(x):
        y = x * x
        y[1:].mul_(x[:-1])
        y[0] = x[2]
        return y.sum()

    def by_hand(x):
        return x[2] + x[1] ** 2 * x[0] + x[2] ** 2 * x[1]

    np.testing.assert_allclose(
        vmap(grad(f))(tensor(X)).numpy(), vmap(grad(by_hand))(tensor(X)).numpy()
    )
    np.testing.assert_allclose(
        vmap(func.hessian(f))(tensor(X)).numpy(),
        np.stack([func.hessian(by_hand)(tensor(x)).numpy() for x in X]),
    )


def test_a_function_of_the_user_inside():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    def f(x):
        return Cube.apply(x).sum()

    np.testing.assert_allclose(grad(f)(tensor(X[0])).numpy(), 3 * X[0] ** 2)
    np.testing.assert_allclose(vmap(grad(f))(tensor(X)).numpy(), 3 * X**2)
    np.testing.assert_allclose(func.hessian(f)(tensor(X[0])).numpy(), np.diag(6 * X[0]))
    x = tensor(X, requires_grad=True)
    vmap(f)(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * X**2)


def test_a_checkpoint_inside():
    def f(x):
        return checkpoint(lambda v: ops.sin(v) * v, x).sum()

    wanted = np.cos(X) * X + np.sin(X)
    np.testing.assert_allclose(vmap(grad(f))(tensor(X)).numpy(), wanted)


def test_a_recording_from_outside_is_pulled_back_in_a_batch():
    """The vmap of the recording is over, that of the cotangents runs."""
    w = nn.Parameter(X[0])
    _, pull = func.vjp(lambda x, w: vmap(lambda v: v * v * w)(x), tensor(X), w)
    cotangents = RNG.normal(size=(5, 4, 3))
    of_x, of_w = vmap(pull)(tensor(cotangents))
    np.testing.assert_allclose(of_x.detach().numpy(), cotangents * 2 * X * X[0])
    np.testing.assert_allclose(of_w.detach().numpy(), (cotangents * X * X).sum(1))


# -- modules ----------------------------------------------------------------------------------


def test_batch_norm_refuses_to_write_running_moments_of_each_sample():
    x = tensor(RNG.normal(size=(2, 5, 3)).astype(np.float32))
    norm = nn.BatchNorm1d(3)
    before = norm.running_mean.tolist()
    with pytest.raises(BatchingError, match="track_running_stats=False"):
        vmap(norm)(x)
    assert norm.running_mean.tolist() == before
    assert vmap(norm.eval())(x).shape == x.shape
    plain = nn.BatchNorm1d(3, track_running_stats=False)
    found = vmap(plain)(x).numpy()
    np.testing.assert_allclose(found, np.stack([plain(v).numpy() for v in x]), rtol=1e-5)


def test_batch_norm_in_grad_moves_its_running_moments():
    x = tensor(RNG.normal(size=(5, 3)).astype(np.float32))
    norm, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    params = dict(norm.named_parameters())
    grad(lambda p: func.functional_call(norm, p, x).sum())(params)
    other(x)
    np.testing.assert_array_equal(norm.running_mean.numpy(), other.running_mean.numpy())


def test_buffers_with_samples_are_moved_each():
    models = [nn.BatchNorm1d(3) for _ in range(2)]
    params, buffers = func.stack_module_state(models)
    buffers.pop("num_batches_tracked")
    x = tensor(RNG.normal(size=(2, 5, 3)).astype(np.float32))
    found = vmap(lambda p, b, v: func.functional_call(models[0], (p, b), v))(params, buffers, x)
    for k in range(2):
        np.testing.assert_allclose(
            found[k].detach().numpy(), models[1](x[k]).detach().numpy(), rtol=1e-5
        )
        fresh = nn.BatchNorm1d(3)
        fresh(x[k])
        np.testing.assert_allclose(buffers["running_mean"][k].numpy(), fresh.running_mean.numpy())


def test_functional_call_leaves_the_module_as_it_was():
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    own = dict(model.named_parameters())
    zeros = {k: rekindle.zeros_like(v) for k, v in own.items()}
    x = tensor(X.astype(np.float32))
    assert func.functional_call(model, zeros, x).tolist() == [[0, 0]] * 4
    assert all(dict(model.named_parameters())[k] is v for k, v in own.items())
    part = {"0.bias": own["0.bias"] + 1}
    found = func.functional_call(model[0], [{"bias": part["0.bias"]}], (x,))
    np.testing.assert_allclose(
        found.detach().numpy(), (model[0](x) + 1).detach().numpy(), rtol=1e-5
    )
    with pytest.raises(RuntimeError, match="stop"):
        func.functional_call(model, zeros, (_Stops(),))
    assert all(dict(model.named_parameters())[k] is v for k, v in own.items())


class _Stops:
    """What no layer takes."""

    def __getattr__(self, name):
        raise RuntimeError("stop")


def test_functional_call_names_what_is_wrong():
    model = nn.Linear(3, 2)
    with pytest.raises(func.TransformError, match="'wight'"):
        func.functional_call(model, {"wight": model.weight}, tensor(X))
    with pytest.raises(func.TransformError, match="twice"):
        func.functional_call(model, [{"bias": model.bias}] * 2, tensor(X))
    with pytest.raises(func.TransformError, match="at least one"):
        func.stack_module_state([])


def test_a_parameter_with_two_names_is_replaced_under_both():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    x = rekindle.ones((1, 2))
    found = func.functional_call(model, {"0.weight": rekindle.eye(2) * 2}, x)
    assert found.tolist() == [[4, 4]]


def test_per_sample_gradients_of_a_convolutional_network():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.GroupNorm(2, 4),
        nn.Conv2d(4, 2, 3, stride=2), nn.Flatten(), nn.Linear(2, 3),
    )  # fmt: skip
    x = tensor(RNG.normal(size=(5, 1, 6, 6)).astype(np.float32))
    y = tensor(RNG.integers(0, 3, 5))
    params = {k: p.detach() for k, p in model.named_parameters()}

    def loss(p, x, y):
        out = func.functional_call(model, p, x.unsqueeze(0))
        return nn.functional.cross_entropy(out, y.unsqueeze(0))

    found = vmap(grad(loss), (None, 0, 0))(params, x, y)
    for k in range(5):
        model.zero_grad()
        nn.functional.cross_entropy(model(x[k : k + 1]), y[k : k + 1]).backward()
        for name, p in model.named_parameters():
            scale = np.abs(p.grad.numpy()).max()
            assert np.abs(found[name][k].numpy() - p.grad.numpy()).max() <= 1e-5 * scale
