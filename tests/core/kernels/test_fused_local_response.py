"""Local response normalisation by oneDNN in float32 against the reference in float64."""

import numpy as np
import pytest

from rekindle.core.kernels import dispatch
from rekindle.core.kernels.normalization import local_response_norm


@pytest.mark.parametrize("shape", [(2, 96, 9, 7), (1, 17, 4, 4), (3, 3, 30, 30), (4, 1, 9, 40)])
@pytest.mark.parametrize("size", [1, 3, 5, 7])
@pytest.mark.parametrize(("alpha", "beta", "k"), [(1e-4, 0.75, 1.0), (0.5, 0.75, 2.0), (2, 1.5, 1)])
def test_agrees(onednn, layouts, rng, shape, size, alpha, beta, k):
    x = np.tile(rng.normal(size=shape) * 3, (5, 1, 1, 1))
    for lie in layouts.values():
        onednn.check(local_response_norm, x, lie=lie, size=size, alpha=alpha, beta=beta, k=k)


def test_even_sizes_are_left_to_the_reference(onednn, rng):
    x = rng.normal(size=(2, 16, 9, 9)).astype(np.float32)
    kernel = dispatch.KERNELS["local_response_norm"]
    before = kernel.declined.total()
    local_response_norm(np, x, size=4, alpha=1.0, beta=0.75, k=1.0)
    assert kernel.declined.total() == before + 1
