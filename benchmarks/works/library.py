"""The two libraries under the names that the works use, so that each work is written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Library:
    """What a work needs of a framework; `nn` and `functional` have the same names in both."""

    name: str
    versions: dict[str, str]
    nn: Any
    functional: Any
    optim: Any
    tensor: Any
    no_grad: Any
    tanh: Any

    def normal(self, seed: int, *shape: int) -> Any:
        """Return a tensor of normal float32 numbers, the same in both libraries."""
        return self.tensor(np.random.default_rng(seed).standard_normal(shape, np.float32))

    def fill(self, model: Any) -> Any:
        """Give the parameters of a model values that do not depend on the library; return it."""
        draw = np.random.default_rng(1)
        with self.no_grad():
            for p in model.parameters():
                shape = tuple(p.shape)
                scale = np.sqrt(2.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
                values = draw.standard_normal(shape, np.float32) * np.float32(scale)
                p.copy_(self.tensor(values if len(shape) > 1 else values + np.float32(0.5)))
        return model


def library(name: str, threads: int) -> Library:
    """Return the library called `name`, with its number of threads set."""
    if name == "torch":
        import torch

        torch.set_num_threads(threads)
        return Library(
            name,
            {"torch": torch.__version__},
            torch.nn,
            torch.nn.functional,
            torch.optim,
            torch.tensor,
            torch.no_grad,
            torch.tanh,
        )
    import rekindle
    from rekindle import nn

    rekindle.set_num_threads(threads)
    return Library(
        name,
        {"rekindle": rekindle.__version__, "numpy": np.__version__},
        nn,
        nn.functional,
        rekindle.optim,
        rekindle.tensor,
        rekindle.no_grad,
        rekindle.ops.tanh,
    )
