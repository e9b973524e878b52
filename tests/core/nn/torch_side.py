"""What tests against PyTorch share: the same layer in both, and everything compared."""

import numpy as np
import pytest

from rekindle.core import nn
from rekindle.core.tensor import Tensor

TOLERANCE = 1e-10


def close(actual, expected, tolerance=TOLERANCE, what=""):
    """Check max|a-b| <= tolerance * max|b|, and the shapes."""
    a = np.asarray(actual.detach() if hasattr(actual, "detach") else actual)
    b = np.asarray(expected.detach() if hasattr(expected, "detach") else expected)
    assert a.shape == b.shape, (what, a.shape, b.shape)
    assert np.array_equal(np.isfinite(a), np.isfinite(b)), what
    b = np.where(np.isfinite(b), b, 0)
    a = np.where(np.isfinite(a), a, 0)
    scale = np.max(np.abs(b), initial=0.0)
    # What is 0 for one, as the gradient of a sum of softmaxes is, is rounding for the other.
    assert np.max(np.abs(a - b), initial=0.0) <= tolerance * max(scale, 1e-3), what


def draws(*shapes, seed=0):
    """Return normal float64 arrays."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


def flat(value):
    """Return the tensors of nested tuples, without None."""
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in flat(part)]
    return [] if value is None else [value]


def both(name, *args, **kwargs):
    """Return a layer of ours and PyTorch's, in double precision, with equal Parameters."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    ours = getattr(nn, name)(*args, **kwargs).double()
    with torch.no_grad():  # norms start as 1 and 0, which would hide mistakes
        for p in theirs.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    result = ours.load_state_dict(theirs.state_dict())
    assert result == ([], [])
    return ours, theirs


def compare(ours, theirs, arrays, *, tolerance=TOLERANCE, options=None, grads=True):
    """Compare outputs, and the gradients of inputs and Parameters, for the same arrays."""
    torch = pytest.importorskip("torch")
    mine, yours = [], []
    for array in arrays:
        array = np.asarray(array)
        floating = array.dtype.kind == "f" and grads
        mine.append(Tensor(array.copy(), requires_grad=floating))
        yours.append(torch.tensor(array.copy(), requires_grad=floating))
    outputs = flat(ours(*mine, **(options or {})))
    expected = flat(theirs(*yours, **(options or {})))
    assert len(outputs) == len(expected)
    for a, b in zip(outputs, expected, strict=True):
        close(a, b, tolerance, "output")
    if not grads:
        return
    rng = np.random.default_rng(1)
    total, other = None, None
    for a, b in zip(outputs, expected, strict=True):
        if not b.requires_grad:
            continue
        g = rng.normal(size=b.shape)
        total = (a * g).sum() if total is None else total + (a * g).sum()
        other = (
            (b * torch.tensor(g)).sum() if other is None else other + (b * torch.tensor(g)).sum()
        )
    if other is None:
        return
    total.backward()
    other.backward()
    for k, (a, b) in enumerate(zip(mine, yours, strict=True)):
        assert (a.grad is None) == (b.grad is None), k
        if b.grad is not None:
            close(a.grad, b.grad, tolerance, f"gradient of input {k}")
    if isinstance(ours, nn.Module):
        found = dict(ours.named_parameters())
        for name, b in theirs.named_parameters():
            if b.grad is None:
                assert found[name].grad is None, name
            else:
                close(found[name].grad, b.grad, tolerance, f"gradient of {name}")
    for (name, a), (_, b) in (
        zip(ours.named_buffers(), theirs.named_buffers(), strict=True)
        if isinstance(ours, nn.Module)
        else ()
    ):
        close(a, b, tolerance, f"buffer {name}")
