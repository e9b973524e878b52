"""jacrev and jacfwd of an MLP 256-256-256 by its input, against torch.func.

In float32, measured in turns in this process, in processor time with one thread each. Needs
PyTorch: pip install -e '.[parity]'.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from func_turns import compared, main

from rekindle import func, nn, tensor

WIDTH = 256


def network(layers: Any) -> Any:
    """Return the network, in the layers of one library or the other."""
    return layers.Sequential(
        layers.Linear(WIDTH, WIDTH), layers.Tanh(), layers.Linear(WIDTH, WIDTH)
    )


def measure(rounds: int) -> dict[str, Any]:
    """Return the numbers."""
    x = np.random.default_rng(0).normal(size=WIDTH).astype(np.float32)
    peer, model = network(torch.nn), network(nn)
    model.load_state_dict({k: tensor(v.numpy()) for k, v in peer.state_dict().items()})
    for p in (*peer.parameters(), *model.parameters()):
        p.requires_grad_(False)
    found = {}
    for name in ("jacrev", "jacfwd"):
        ours, theirs = getattr(func, name)(model), getattr(torch.func, name)(peer)
        a, b = tensor(x), torch.tensor(x)
        assert np.allclose(ours(a).numpy(), theirs(b).numpy(), atol=1e-4)
        found[name] = compared(lambda f=ours, a=a: f(a), lambda f=theirs, b=b: f(b), rounds)
    return found


if __name__ == "__main__":
    main(__doc__, measure)
