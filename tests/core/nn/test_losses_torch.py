"""Losses, embeddings and functions against PyTorch's."""

import numpy as np
import pytest
from torch_side import both, close, compare, draws

from rekindle.core import nn
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor

RNG = np.random.default_rng(5)
CLASSES = RNG.integers(0, 4, 6)
IGNORED = np.where(np.arange(6) == 2, 1, CLASSES)
SIGNS = np.where(RNG.random(6) < 0.5, -1.0, 1.0)
WEIGHT = RNG.uniform(0.5, 2, 4)
SCORES, OTHER, THIRD = draws((6, 4), (6, 4), (6, 4), seed=2)
SHARE = RNG.uniform(0.1, 0.9, (6, 4))
LABELS = np.array(
    [[1, 3, -1, 0], [0, -1, 2, 2], [2, 1, 0, 3], [-1, 0, 0, 0], [3, 3, -1, 1], [0, 1, -1, 2]]
)

LOSSES = [
    ("L1Loss", {}, [SCORES, OTHER]),
    ("MSELoss", {}, [SCORES, OTHER]),
    ("SmoothL1Loss", {"beta": 0.7}, [SCORES, OTHER]),
    ("SmoothL1Loss", {}, [SCORES, OTHER]),
    ("HuberLoss", {"delta": 0.6}, [SCORES, OTHER]),
    ("NLLLoss", {}, [SCORES, CLASSES]),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 1}, [SCORES, IGNORED]),
    ("NLLLoss", {"weight": WEIGHT}, [draws((2, 4, 3, 2))[0], RNG.integers(0, 4, (2, 3, 2))]),
    ("CrossEntropyLoss", {}, [SCORES, CLASSES]),
    ("CrossEntropyLoss", {"label_smoothing": 0.2, "weight": WEIGHT}, [SCORES, CLASSES]),
    ("CrossEntropyLoss", {"label_smoothing": 0.2, "ignore_index": 1}, [SCORES, IGNORED]),
    ("CrossEntropyLoss", {}, [SCORES, SHARE]),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, [SCORES, SHARE]),
    ("BCELoss", {}, [SHARE, SHARE[::-1].copy()]),
    ("BCELoss", {"weight": WEIGHT}, [SHARE, SHARE[::-1].copy()]),
    ("BCEWithLogitsLoss", {}, [SCORES * 3, SHARE]),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT[::-1].copy()}, [SCORES, SHARE]),
    ("KLDivLoss", {}, [SCORES, SHARE]),
    ("KLDivLoss", {"log_target": True}, [SCORES, OTHER]),
    ("PoissonNLLLoss", {}, [SCORES, SHARE * 5]),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, [SHARE, SHARE * 5]),
    ("GaussianNLLLoss", {"full": True}, [SCORES, OTHER, SHARE]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [SCORES, OTHER, SIGNS]),
    ("MarginRankingLoss", {"margin": 0.3}, [SCORES[:, 0], OTHER[:, 0], SIGNS]),
    ("HingeEmbeddingLoss", {}, [SCORES[:, 0], SIGNS]),
    ("SoftMarginLoss", {}, [SCORES[:, 0], SIGNS]),
    ("MultiMarginLoss", {}, [SCORES, CLASSES]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.7, "weight": WEIGHT}, [SCORES, CLASSES]),
    ("MultiLabelMarginLoss", {}, [SCORES, LABELS]),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, [SCORES, (SHARE > 0.5) * 1.0]),
    ("TripletMarginLoss", {"margin": 2.0}, [SCORES, OTHER, THIRD]),
    ("TripletMarginLoss", {"p": 3.0, "swap": True}, [SCORES, OTHER, THIRD]),
    ("TripletMarginWithDistanceLoss", {"swap": True}, [SCORES, OTHER, THIRD]),
]  # fmt: skip


# PyTorch warns that the mean of all elements is not what the divergence needs.
REDUCED = [
    (*case, reduction)
    for case in LOSSES
    for reduction in ("batchmean" if case[0] == "KLDivLoss" else "mean", "sum", "none")
]


@pytest.mark.parametrize(
    ("name", "options", "arrays", "reduction"), REDUCED, ids=lambda v: str(v)[:40]
)
def test_loss(name, options, arrays, reduction):
    torch = pytest.importorskip("torch")
    tensors = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    plain = {k: v for k, v in options.items() if k not in tensors}
    ours = getattr(nn, name)(
        **{k: Tensor(v) for k, v in tensors.items()}, **plain, reduction=reduction
    )
    theirs = getattr(torch.nn, name)(
        **{k: torch.tensor(v) for k, v in tensors.items()}, **plain, reduction=reduction
    )
    # Targets that are probabilities have gradients in ours and, where it has them, in PyTorch.
    target = arrays[-1] if name != "GaussianNLLLoss" and "Triplet" not in name else None
    if target is None:
        compare(ours, theirs, arrays)
    else:
        compare(
            lambda *x: ours(*x, Tensor(target)), lambda *x: theirs(*x, torch.tensor(target)),
            arrays[:-1],
        )  # fmt: skip


INDEX = np.array([[1, 4, 4], [0, 2, 1]])


@pytest.mark.parametrize(
    "options",
    [{}, {"padding_idx": 1}, {"padding_idx": -1, "scale_grad_by_freq": True}, {"max_norm": 1.0}],
    ids=str,
)
def test_embedding(options):
    ours, theirs = both("Embedding", 5, 3, **options)
    compare(ours, theirs, [INDEX])
    close(ours.weight, theirs.weight)
    fresh, other = both("Embedding", 5, 3, **options)
    assert repr(fresh) == repr(other)


BAGS = [
    (mode, options)
    for mode in ("mean", "sum", "max")
    for options in ({}, {"padding_idx": 1}, {"include_last_offset": True}, {"max_norm": 0.8})
]


@pytest.mark.parametrize(("mode", "options"), BAGS, ids=str)
def test_embedding_bag(mode, options):
    torch = pytest.importorskip("torch")
    ours, theirs = both("EmbeddingBag", 5, 3, mode=mode, **options)
    assert repr(ours).startswith("EmbeddingBag(5, 3")
    compare(ours, theirs, [INDEX])
    offsets = np.array([0, 2, 2, 6] if options.get("include_last_offset") else [0, 2, 2, 5])
    ours.zero_grad()
    theirs.zero_grad()
    compare(
        lambda i: ours(i, Tensor(offsets)), lambda i: theirs(i, torch.tensor(offsets)),
        [INDEX.reshape(-1)],
    )  # fmt: skip
    close(ours.weight.grad, theirs.weight.grad)
    if mode == "sum":
        compare(
            lambda w: ours(Tensor(INDEX), None, w),
            lambda w: theirs(torch.tensor(INDEX), None, w),
            draws((2, 3)),
        )


def test_embedding_bag_scales_gradients_by_frequency():
    """By what the documentation says; PyTorch's own CPU kernel divides by counts of others."""
    bag = nn.EmbeddingBag(5, 3, mode="sum", scale_grad_by_freq=True)
    bag(Tensor(INDEX)).sum().backward()
    read = np.isin(np.arange(5), INDEX)
    assert np.array_equal(bag.weight.grad.numpy(), np.repeat(read[:, None], 3, 1) * 1.0)


def test_one_hot_and_normalize():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.functional
    close(F.one_hot(Tensor(INDEX)), theirs.one_hot(torch.tensor(INDEX)))
    close(F.one_hot(Tensor(INDEX), 7), theirs.one_hot(torch.tensor(INDEX), 7))
    compare(F.normalize, theirs.normalize, draws((3, 4)))
    compare(lambda x: F.normalize(x, 3.0, 0), lambda x: theirs.normalize(x, 3.0, 0), draws((3, 4)))


def test_shuffles_and_area():
    theirs = pytest.importorskip("torch").nn.functional
    for size in (3, (4, 7)):
        compare(
            lambda x: F.interpolate(x, size, mode="area"),  # noqa: B023
            lambda x: theirs.interpolate(x, size, mode="area"),  # noqa: B023
            draws((2, 3, 8, 9)),
        )
