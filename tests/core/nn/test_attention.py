"""Masks of attention, against NumPy."""

import numpy as np
import pytest

from rekindle.core import nn
from rekindle.core.autograd import check_grads
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor

RNG = np.random.default_rng(4)
Q, K, V = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4)), RNG.normal(size=(2, 5, 6))
SEEN = RNG.random((3, 5)) < 0.6
SEEN[:, 0] = True
ADDED = RNG.normal(size=(3, 5))


def attended(added, scale=0.5):
    """Return what attention is, by its definition."""
    scores = scale * Q @ K.transpose(0, 2, 1) + added
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ V


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, attended(0)),
        ({"scale": 2.0}, attended(0, 2.0)),
        ({"attn_mask": Tensor(ADDED)}, attended(ADDED)),
        ({"attn_mask": Tensor(SEEN)}, attended(np.where(SEEN, 0, -np.inf))),
        ({"is_causal": True}, attended(np.where(np.tri(3, 5) > 0, 0, -np.inf))),
    ],
    ids=["plain", "scale", "added", "seen", "causal"],
)
def test_by_definition(options, expected):
    tensors = [Tensor(x) for x in (Q, K, V)]
    y = F.scaled_dot_product_attention(*tensors, **options)
    assert np.abs(y.numpy() - expected).max() < 1e-13
    check_grads(lambda *x: F.scaled_dot_product_attention(*x, **options), tensors)


@pytest.mark.parametrize("bias", [True, False])
def test_attention_to_itself_is_attention_to_a_copy(bias):
    layer = nn.MultiheadAttention(4, 2, bias=bias, batch_first=True).double()
    found = []
    for key in (lambda x: x, lambda x: x.clone()):
        x = Tensor(K, requires_grad=True)
        layer.zero_grad()
        y, weights = layer(x, key(x), x)
        ((y * y).sum() + (weights**3).sum()).backward()
        found.append([y, weights, x.grad, *(p.grad for p in layer.parameters())])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_padding_is_a_mask_of_keys():
    layer = nn.MultiheadAttention(4, 2, batch_first=True).double()
    x = Tensor(K)
    padding = np.zeros((2, 5), bool)
    padding[0, 3:] = True
    y, weights = layer(x, x, x, key_padding_mask=Tensor(padding))
    assert not weights.detach().numpy()[0, :, 3:].any()
    shorter, _ = layer(x[:1], x[:1, :3], x[:1, :3])
    assert np.allclose(y[:1].detach().numpy(), shorter.detach().numpy(), atol=1e-14)
    whole, _ = layer(x[1:], x[1:], x[1:])
    assert np.allclose(y[1:].detach().numpy(), whole.detach().numpy(), atol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m(x, x, x, attn_mask=Tensor(SEEN)), r"attn_mask has shape \(5, 5\) or"),
        (lambda m, x: m(x, x, x, Tensor(SEEN)), r"key_padding_mask has shape \(2, 5\); given"),
        (lambda m, x: m(x, x, x, is_causal=True), r"give the mask too"),
        (lambda m, x: m(x, x[0], x), r"three tensors of 2 or 3 dimensions"),
        (lambda m, x: nn.MultiheadAttention(5, 2), r"2 heads do not divide 5 features"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call(nn.MultiheadAttention(4, 2, batch_first=True).double(), Tensor(K))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(4, 6, 3, groups=4), r"4 groups do not divide 4 input and 6 output"),
        (lambda: nn.Conv2d(4, 4, 3, padding="other"), r'integers, "valid" or "same"'),
        (lambda: nn.Conv1d(1, 1, 3, 2, "same"), r"a stride of 1"),
        (lambda: nn.Conv2d(1, 1, 3)(Tensor(np.ones((5, 5), "f"))), r"\(N, C, H, W\) or \(C, H,"),
        (lambda: nn.Conv2d(1, 1, (3, 3, 3)), r"kernel_size is one integer or 2"),
        (lambda: nn.BatchNorm2d(3)(Tensor(np.ones((2, 4, 5, 5), "f"))), r"3 channels in dim"),
        (lambda: nn.BatchNorm1d(3)(Tensor(np.ones((1, 3), "f"))), r"more than 1 value per channel"),
        (lambda: nn.LayerNorm(3)(Tensor(np.ones((1, 4), "f"))), r"layer_norm over \(3,\) takes"),
        (lambda: nn.GroupNorm(2, 3), r"2 groups do not divide 3"),
        (lambda: nn.LSTM(3, 4)(Tensor(np.ones((5, 2, 2), "f"))), r"shape \(T, N, 3\) or"),
        (lambda: nn.GRU(3, 4, num_layers=0), r"num_layers and hidden_size are 1 or more"),
        (lambda: nn.LSTMCell(3, 4)(Tensor(np.ones((5, 2), "f"))), r"shape \(N, 3\) or \(3,\)"),
        (lambda: F.interpolate(Tensor(V), 3, mode="cubic"), r"mode is one of nearest"),
        (lambda: F.interpolate(Tensor(V), 3, 2.0), r"one of size and scale_factor"),
        (lambda: F.interpolate(Tensor(V), 3, mode="bilinear"), r"does not take an input of shape"),
        (lambda: F.pad(Tensor(V), [1]), r"pad is pairs"),
        (lambda: F.pad(Tensor(V), [1, 1], "mirror"), r'mode is "constant"'),
        (lambda: F.pixel_shuffle(Tensor(V), 2), r"channels divisible by 4"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), r"padding_idx 3 is no row of 3"),
    ],
)  # fmt: skip
def test_what_layers_refuse(call, message):
    with pytest.raises((ValueError, IndexError), match=message):
        call()
