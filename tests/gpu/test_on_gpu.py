"""The registry and the recorded models on a GPU, against the CPU: `make test-gpu`."""

from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle.core.autograd import grad
from rekindle.core.backend import cuda_available
from rekindle.core.ops import OPERATIONS
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.unsupported import unsupported

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not cuda_available(), reason="no NVIDIA GPU with CuPy here"),
]

MODELS = Path(__file__).parents[1] / "fixtures" / "models"
TOLERANCE = 1e-5
"""Relative; the GPU's sums run in another order, and its libraries round differently."""


def placed(value, device):
    return Tensor(value, device=device) if hasattr(value, "dtype") else value


def evaluated(op, sample, device):
    """Return the results and, where there are rules, the gradients of their sum of squares."""
    arrays = sample.arrays[0] if op.variadic else sample.arrays
    operands = [placed(a, device) for a in arrays]
    leaves = [x for x in operands if isinstance(x, Tensor) and x.dtype.kind == "f"]
    for x in leaves:
        x.requires_grad = True
    params = {k: device if k == "device" else v for k, v in sample.params.items()}
    result = op(operands, **params) if op.variadic else op(*operands, **params)
    results = result if isinstance(result, tuple) else (result,)
    differentiable = [r for r in results if r.requires_grad]
    found = ()
    if differentiable:
        found = grad(
            differentiable, leaves, [r.detach() for r in differentiable], allow_unused=True
        )
    return [*results, *(g for g in found if g is not None)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name):
    op = OPERATIONS[name]
    for sample in op.samples(np.random.default_rng(3)):
        pairs = zip(evaluated(op, sample, "cuda"), evaluated(op, sample, "cpu"), strict=True)
        for ours, reference in pairs:
            assert ours.device.kind == "cuda"
            expected = reference.detach().numpy()
            bound = TOLERANCE * np.abs(expected.astype(float)).max(initial=0)
            np.testing.assert_allclose(ours.detach().numpy(), expected, rtol=0, atol=bound)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.t7")), ids=lambda p: p.stem)
def test_recorded_model(path):
    recorded = rekindle.load(path)
    model, x = recorded.get("model"), recorded.get("input")
    if not isinstance(model, Module) or not isinstance(x, Tensor) or unsupported(model):
        pytest.skip("not one model that runs on one tensor")
    for _, module in model.named_modules():
        for value in vars(module).values():
            if isinstance(value, Tensor):
                value.set_(value.detach().to("cuda"))
    y = model.evaluate()(x.to("cuda"))
    expected = recorded.output.numpy()
    bound = TOLERANCE * np.abs(expected).max()
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=0, atol=bound)
