"""Per-sample gradients of a small convolutional network, batch 64, against torch.func.

`vmap(grad(loss), (None, 0, 0))` of two convolutions and two linear layers in float32, measured
in turns in this process, in processor time with one thread each. The claim is for the kernels of
the extra fast; convolutions in plain NumPy take about 1.5 of PyTorch's time here. Needs PyTorch:
pip install -e '.[parity,fast]'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from func_turns import compared, main

from rekindle import func, nn, tensor

BATCH = 64


def network(layers: Any) -> Any:
    """Return the network, in the layers of one library or the other."""
    return layers.Sequential(
        layers.Conv2d(1, 16, 5),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Conv2d(16, 32, 5),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Flatten(),
        layers.Linear(512, 64),
        layers.ReLU(),
        layers.Linear(64, 10),
    )


def gradients(library: Any, transforms: Any, model: Any, x: Any, y: Any) -> Callable[[], Any]:
    """Return what computes the gradients of all samples."""
    params = {name: p.detach() for name, p in model.named_parameters()}

    def loss(params: Any, x: Any, y: Any) -> Any:
        out = transforms.functional_call(model, params, (x.unsqueeze(0),))
        return library.functional.cross_entropy(out, y.unsqueeze(0))

    each = transforms.vmap(transforms.grad(loss), (None, 0, 0))
    return lambda: each(params, x, y)


def measure(rounds: int) -> dict[str, Any]:
    """Return the numbers."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, 1, 28, 28)).astype(np.float32)
    y = rng.integers(0, 10, BATCH)
    peer = network(torch.nn)
    model = network(nn)
    model.load_state_dict({k: tensor(v.numpy()) for k, v in peer.state_dict().items()})
    ours = gradients(nn, func, model, tensor(x), tensor(y))
    theirs = gradients(torch.nn, torch.func, peer, torch.tensor(x), torch.tensor(y))
    a, b = ours(), theirs()
    assert all(np.allclose(a[k].numpy(), b[k].numpy(), rtol=1e-3, atol=1e-5) for k in a)
    return {"per-sample gradients": compared(ours, theirs, rounds)}


if __name__ == "__main__":
    main(__doc__, measure)
