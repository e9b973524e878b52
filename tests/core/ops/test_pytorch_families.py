"""Spatial and normalising families and losses against PyTorch, to second derivatives."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import grad
from rekindle.core.creation import tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional


def normal(*shape):
    return np.random.default_rng(sum(shape) * len(shape)).normal(size=shape)


X1, X2, X3 = normal(2, 4, 7), normal(2, 4, 7, 6), normal(2, 4, 5, 4, 3)
W, B = normal(4) + 2, normal(4)
MEAN, VARIANCE = normal(4), normal(4) ** 2 + 0.5
CLASSES = np.array([[2, 0, 1], [3, 3, 0]])
SCORES = normal(2, 4, 3)
ROWS = np.array([[5, 0, 5], [2, 1, 1]])
ALIGNED = {"mode": "bilinear", "align_corners": True}
SHIFTED = {"mode": "bilinear", "align_corners": False}
CONVOLUTION = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
TRANSPOSED = {"stride": (2, 3), "padding": (1, 0), "dilation": (2, 1), "groups": 2}

# name, operands that have gradients, ours, PyTorch's
CASES = [
    ("conv1d", (X1, normal(6, 4, 3), normal(6)), ops.convolution, F.conv1d),
    (
        "conv2d",
        (X2, normal(6, 2, 3, 2), normal(6)),
        lambda x, w, b: ops.convolution(x, w, b, **CONVOLUTION),
        lambda x, w, b: F.conv2d(x, w, b, **CONVOLUTION),
    ),
    (
        "conv3d",
        (X3, normal(3, 4, 2, 3, 1)),
        lambda x, w: ops.convolution(x, w, None, padding=1),
        lambda x, w: F.conv3d(x, w, None, padding=1),
    ),
    (
        "transposed1d",
        (X1, normal(4, 3, 3), normal(3)),
        lambda x, w, b: ops.transposed_convolution(x, w, b, stride=2, extra=1),
        lambda x, w, b: F.conv_transpose1d(x, w, b, stride=2, output_padding=1),
    ),
    (
        "transposed2d",
        (X2, normal(4, 3, 3, 2), normal(6)),
        lambda x, w, b: ops.transposed_convolution(x, w, b, extra=(1, 2), **TRANSPOSED),
        lambda x, w, b: F.conv_transpose2d(x, w, b, output_padding=(1, 2), **TRANSPOSED),
    ),
    (
        "transposed3d",
        (X3, normal(4, 2, 2, 1, 3)),
        lambda x, w: ops.transposed_convolution(x, w, None, stride=2),
        lambda x, w: F.conv_transpose3d(x, w, None, stride=2),
    ),
    (
        "max_pool",
        (X2,),
        lambda x: ops.max_pool(x, kernel=3, stride=2, padding=1, ceil_mode=True)[0],
        lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    ),
    (
        "max_pool dilated",
        (X3,),
        lambda x: ops.max_pool(x, kernel=2, stride=1, dilation=(2, 1, 2))[0],
        lambda x: F.max_pool3d(x, 2, 1, dilation=(2, 1, 2)),
    ),
    (
        "avg_pool",
        (X2,),
        lambda x: ops.avg_pool(x, kernel=3, stride=2, padding=1, count_include_pad=False),
        lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    ),
    (
        "adaptive_avg_pool",
        (X2,),
        lambda x: ops.adaptive_avg_pool(x, size=(3, 4)),
        lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
    ),
    (
        "adaptive_max_pool",
        (X2,),
        lambda x: ops.adaptive_max_pool(x, size=(3, 4))[0],
        lambda x: F.adaptive_max_pool2d(x, (3, 4)),
    ),
    (
        "lp_pool",
        (np.abs(X2),),
        lambda x: ops.lp_pool(x, p=3, kernel=2),
        lambda x: F.lp_pool2d(x, 3, 2),
    ),
    (
        "max_unpool",
        (X2,),
        lambda x: ops.max_unpool(*ops.max_pool(x, kernel=2), size=(7, 6)),
        lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=(7, 6)),
    ),
    (
        "batch_norm",
        (X2, MEAN, VARIANCE, W, B),
        lambda x, m, v, w, b: ops.batch_norm(x, m, v, w, b, eps=1e-3),
        lambda x, m, v, w, b: (
            (x - m[:, None, None]) / (v[:, None, None] + 1e-3).sqrt() * w[:, None, None]
            + b[:, None, None]
        ),
    ),
    (
        "batch_norm training",
        (X2, W, B),
        lambda x, w, b: ops.batch_norm_training(x, w, b)[0],
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    ),
    (
        "layer_norm",
        (X2, normal(6), normal(6)),
        ops.layer_norm,
        lambda x, w, b: F.layer_norm(x, (6,), w, b),
    ),
    (
        "group_norm",
        (X2, W, B),
        lambda x, w, b: ops.group_norm(x, w, b, groups=2),
        lambda x, w, b: F.group_norm(x, 2, w, b),
    ),
    (
        "instance_norm",
        (X2, W, B),
        ops.instance_norm,
        lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
    ),
    (
        "local_response_norm",
        (X2,),
        lambda x: ops.local_response_norm(x, size=3, alpha=0.5, beta=0.75, k=2.0),
        lambda x: F.local_response_norm(x, 3, alpha=0.5, beta=0.75, k=2.0),
    ),
    (
        "renorm",
        (X1,),
        lambda x: ops.renorm(x, p=2, axis=1, limit=3.5),
        lambda x: torch.renorm(x, 2, 1, 3.5),
    ),
    ("softmax", (X1,), lambda x: ops.softmax(x, axis=1), lambda x: F.softmax(x, 1)),
    ("log_softmax", (X1,), lambda x: ops.log_softmax(x, axis=0), lambda x: F.log_softmax(x, 0)),
    (
        "logsumexp",
        (X1,),
        lambda x: ops.logsumexp(x, axis=(0, 2)),
        lambda x: torch.logsumexp(x, (0, 2)),
    ),
    (
        "nearest",
        (X2,),
        lambda x: ops.upsample_nearest(x, size=(9, 12)),
        lambda x: F.interpolate(x, (9, 12)),
    ),
    (
        "linear",
        (X2,),
        lambda x: ops.upsample_linear(x, size=(9, 4), align_corners=False),
        lambda x: F.interpolate(x, (9, 4), **SHIFTED),
    ),
    (
        "linear with corners",
        (normal(1, 2, 3, 5),),
        lambda x: ops.upsample_linear(x, size=(5, 9)),
        lambda x: F.interpolate(x, (5, 9), **ALIGNED),
    ),
    *(
        (
            mode,
            (X2,),
            lambda x, pad=pad: pad(x, padding=[(1, 2), (3, 0)]),
            lambda x, mode=mode: F.pad(x, (3, 0, 1, 2), mode=mode),
        )
        for mode, pad in [
            ("constant", ops.pad),
            ("reflect", ops.pad_reflect),
            ("replicate", ops.pad_replicate),
            ("circular", ops.pad_circular),
        ]
    ),
    (
        "embedding",
        (normal(6, 3),),
        lambda w: ops.embedding(w, tensor(ROWS)),
        lambda w: F.embedding(torch.tensor(ROWS), w),
    ),
    (
        "gather",
        (normal(6, 3),),
        lambda x: ops.gather(x, tensor(ROWS), axis=0),
        lambda x: torch.gather(x, 0, torch.tensor(ROWS)),
    ),
    (
        "scatter_add",
        (normal(6, 3), normal(2, 3)),
        lambda x, s: ops.scatter_add(x, tensor(ROWS), s, axis=0),
        lambda x, s: torch.scatter_add(x, 0, torch.tensor(ROWS), s),
    ),
    (
        "index_add",
        (normal(2, 6), normal(2, 3)),
        lambda x, s: ops.index_add(x, tensor(ROWS[0]), s, axis=1),
        lambda x, s: torch.index_add(x, 1, torch.tensor(ROWS[0]), s),
    ),
    *(
        (
            f"grid_sample {padding_mode} {align_corners}",
            (normal(2, 3, 4, 5), normal(2, 3, 4, 2)),
            lambda x, g, p=padding_mode, a=align_corners: ops.grid_sample(
                x, g, padding_mode=p, align_corners=a
            ),
            lambda x, g, p=padding_mode, a=align_corners: F.grid_sample(
                x, g, padding_mode=p, align_corners=a
            ),
        )
        for padding_mode in ("zeros", "border", "reflection")
        for align_corners in (True, False)
    ),
    *(
        (
            f"cross_entropy {reduction}",
            (SCORES,),
            lambda x, r=reduction: ops.cross_entropy(
                x, tensor(CLASSES), tensor(W), ignore_index=1, label_smoothing=0.1, reduction=r
            ),
            lambda x, r=reduction: F.cross_entropy(
                x,
                torch.tensor(CLASSES),
                torch.tensor(W),
                ignore_index=1,
                label_smoothing=0.1,
                reduction=r,
            ),
        )
        for reduction in ("none", "mean", "sum")
    ),
    (
        "binary_cross_entropy_with_logits",
        (X1, normal(2, 4, 7) * 0.1 + 0.5),
        ops.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits,
    ),
    (
        "binary_cross_entropy",
        (1 / (1 + np.exp(-X1)),),
        lambda x: ops.binary_cross_entropy(x, tensor(X1 > 0).astype("float64")),
        lambda x: F.binary_cross_entropy(x, torch.tensor(X1 > 0).double()),
    ),
    *(
        (name, (X1, X1[::-1].copy()), getattr(ops, name), getattr(F, name))
        for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
    ),
    (
        "kl_div",
        (X1, np.abs(X1)),
        lambda x, t: ops.kl_div(x, t, reduction="batchmean"),
        lambda x, t: F.kl_div(x, t, reduction="batchmean"),
    ),
    (
        "poisson_nll_loss",
        (X1,),
        lambda x: ops.poisson_nll_loss(x, tensor(np.round(np.abs(X1) * 3)), full=True),
        lambda x: F.poisson_nll_loss(x, torch.tensor(np.round(np.abs(X1) * 3)), full=True),
    ),
    ("gaussian_nll_loss", (X1, X1[::-1].copy(), X1**2), ops.gaussian_nll_loss, F.gaussian_nll_loss),
    (
        "cosine_embedding_loss",
        (X1[:, 0], X1[:, 1]),
        lambda x, y: ops.cosine_embedding_loss(x, y, tensor(np.array([1.0, -1.0]))),
        lambda x, y: F.cosine_embedding_loss(x, y, torch.tensor([1.0, -1.0])),
    ),
    (
        "triplet_margin_loss",
        (X1[:, 0], X1[:, 1], X1[:, 2]),
        lambda a, p, n: ops.triplet_margin_loss(a, p, n, swap=True),
        lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True),
    ),
]
POSITIONS_OF_FLOAT32 = {"linear with corners"}  # as Torch7's are


def derivatives(f, operands, weigh, grad):
    """Return the value of f, its gradients, and theirs along one direction."""
    y = f(*operands)
    weights = weigh(y.shape, 1)
    first = grad(y, operands, weights)
    along = sum((g * weigh(g.shape, 2 + i)).sum() for i, g in enumerate(first))
    along = along + (y * y).sum() * 0  # so that linear functions have second derivatives too
    return y, *first, *grad(along, [*operands], None)


@pytest.mark.parametrize(
    ("operands", "ours", "theirs"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_agrees_with_pytorch(request, operands, ours, theirs):
    mine = derivatives(
        ours,
        [tensor(a, requires_grad=True) for a in operands],
        lambda shape, seed: tensor(np.random.default_rng(seed).normal(size=shape)),
        lambda y, xs, g: grad(y, xs, g, create_graph=True),
    )
    expected = derivatives(
        theirs,
        [torch.tensor(a, requires_grad=True) for a in operands],
        lambda shape, seed: torch.tensor(np.random.default_rng(seed).normal(size=tuple(shape))),
        lambda y, xs, g: torch.autograd.grad(y, xs, g, create_graph=True),
    )
    tolerance = 1e-6 if request.node.callspec.id in POSITIONS_OF_FLOAT32 else 1e-10
    for a, b in zip(mine, expected, strict=True):
        b = b.detach().numpy()
        assert a.shape == b.shape
        np.testing.assert_allclose(a.numpy(), b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1))
