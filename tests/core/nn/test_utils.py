"""Clipping, vectors, weight norm and spectral norm."""

import copy

import numpy as np
import pytest
from torch_side import both, close, compare, draws

from rekindle.core import nn
from rekindle.core.autograd import no_grad
from rekindle.core.nn import utils
from rekindle.core.tensor import Parameter, Tensor


def parameters():
    """Return Parameters with gradients whose 2-norm is 13, one without, and the gradients."""
    gradients = [np.array([3.0, 0.0]), np.array([[4.0], [12.0]])]
    found = [Parameter(np.zeros_like(g)) for g in gradients]
    for p, g in zip(found, gradients, strict=True):
        p.grad = Tensor(g.copy())
    return [*found, Parameter(np.zeros(2))], gradients


@pytest.mark.parametrize(
    ("p", "norm"),
    [(2.0, 13.0), (1.0, 19.0), (float("inf"), 12.0), (3.0, (27 + 64 + 1728) ** (1 / 3))],
)
def test_clip_grad_norm(p, norm):
    given, gradients = parameters()
    assert utils.clip_grad_norm_(given, 100.0, p).item() == pytest.approx(norm, rel=1e-12)
    for q, g in zip(given, gradients, strict=False):
        assert np.array_equal(q.grad.numpy(), g)
    kept = given[0].grad
    utils.clip_grad_norm_(iter(given), 2.0, p)
    assert given[0].grad is kept
    for q, g in zip(given, gradients, strict=False):
        assert np.allclose(q.grad.numpy(), g * 2 / (norm + 1e-6), rtol=1e-12)


def test_clip_grad_norm_of_what_is_not_finite():
    given, _ = parameters()
    given[0].grad.fill_(np.inf)
    with pytest.raises(RuntimeError, match=r"the norm of order 2.0 of the gradients is inf"):
        utils.clip_grad_norm_(given, 1.0, error_if_nonfinite=True)
    assert given[1].grad.numpy()[1, 0] == 12
    assert utils.clip_grad_norm_([], 1.0).item() == 0


def test_clip_grad_value():
    given, gradients = parameters()
    utils.clip_grad_value_(given, 3.5)
    for q, g in zip(given, gradients, strict=False):
        assert np.array_equal(q.grad.numpy(), np.clip(g, -3.5, 3.5))


def test_vectors():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = utils.parameters_to_vector(net.parameters())
    expected = np.concatenate([p.numpy().ravel() for p in net.parameters()])
    assert np.array_equal(vector.detach().numpy(), expected)
    vector.sum().backward()
    assert (net[0].weight.grad.numpy() == 1).all()
    weight = net[0].weight
    utils.vector_to_parameters(Tensor(np.arange(13.0)), net.parameters())
    assert net[0].weight is weight
    assert np.array_equal(net[1].weight.numpy(), [[9, 10, 11]])
    with pytest.raises(ValueError, match=r"take a vector of 13; given \(12,\)"):
        utils.vector_to_parameters(Tensor(np.arange(12.0)), net.parameters())


@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_weight_norm_is_the_weight_by_other_parameters(dim):
    layer = nn.Conv2d(3, 4, 2).double()
    weight, x = layer.weight.numpy().copy(), Tensor(draws((2, 3, 5, 5))[0])
    y = layer(x).detach().numpy()
    assert utils.weight_norm(layer, dim=dim) is layer
    assert sorted(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    axes = None if dim is None else tuple(a for a in range(4) if a != dim % 4)
    norms = np.sqrt((weight**2).sum(axis=axes, keepdims=dim is not None))
    assert np.allclose(layer.weight_g.numpy(), norms, rtol=1e-14)
    assert np.allclose(layer(x).detach().numpy(), y, atol=1e-13)
    layer.weight_g.detach().mul_(2)
    layer.weight_v.detach().mul_(7)
    assert np.allclose(layer(x).detach().numpy(), 2 * y - layer.bias.numpy().reshape(4, 1, 1))
    layer(x).sum().backward()
    assert layer.weight_g.grad.numpy().any()
    copied = copy.deepcopy(layer)
    copied.weight_g.detach().zero_()
    assert np.allclose(copied(x).detach().numpy().std(axis=(0, 2, 3)), 0)
    assert layer(x).detach().numpy().std() > 0
    utils.remove_weight_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert np.allclose(layer.weight.numpy(), 2 * weight, rtol=1e-13)
    with pytest.raises(ValueError, match="'weight' of Conv2d is not normed by WeightNorm"):
        utils.remove_weight_norm(layer)
    with pytest.raises(ValueError, match="Conv2d has no Parameter 'w' of its own"):
        utils.weight_norm(layer, "w")


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_is_pytorchs(dim):
    torch = pytest.importorskip("torch")
    ours, theirs = both("Linear", 3, 4)
    utils.weight_norm(ours, dim=dim)
    torch.nn.utils.weight_norm(theirs, dim=dim)
    assert set(ours.state_dict()) == set(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    compare(ours, theirs, draws((5, 3)))


def test_spectral_norm_divides_by_the_largest_singular_value():
    left, _, right = np.linalg.svd(draws((3, 4))[0], full_matrices=False)
    # Every step brings the vectors closer by the ratio of the two largest, however they start.
    weight = left @ np.diag([3.0, 1.5, 0.5]) @ right
    layer = nn.Linear(4, 3).double()
    with no_grad():
        layer.weight.copy_(Tensor(weight))
    utils.spectral_norm(layer, n_power_iterations=50)
    assert np.allclose(layer.weight.detach().numpy(), weight / 3, rtol=1e-8)
    layer(Tensor(np.ones((1, 4)))).sum().backward()
    assert layer.weight_orig.grad.numpy().any()
    assert copy.deepcopy(layer)(Tensor(np.ones((1, 4)))).shape == (1, 3)
    utils.remove_spectral_norm(layer)
    assert np.allclose(layer.weight.numpy(), weight / 3, rtol=1e-8)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize("kind", ["Conv2d", "ConvTranspose2d"])
def test_spectral_norm_is_pytorchs(kind):
    torch = pytest.importorskip("torch")
    ours, theirs = both(kind, 3, 4, 2)
    utils.spectral_norm(ours)
    torch.nn.utils.spectral_norm(theirs)
    ours.load_state_dict(theirs.state_dict())
    for _ in range(3):  # a step of the power iteration each
        compare(ours, theirs, draws((2, 3, 5, 5)))
        close(ours.weight_u, theirs.weight_u)
        ours.zero_grad()
        theirs.zero_grad()
    compare(ours.eval(), theirs.eval(), draws((2, 3, 5, 5)))
