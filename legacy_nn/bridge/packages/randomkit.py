"""The package randomkit: NumPy's distributions, drawn from Torch's stream.

Of the algorithms that randomkit took over from NumPy, NumPy has kept those of RandomState. Source:
deepmind/torch-randomkit README.md, luasrc/wrapC.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from ...torch7 import random
from ..toolbox import Toolbox
from ..vectorised import vectorised

PARAMETERS = {
    **dict.fromkeys(("double", "gauss", "standard_exponential", "standard_cauchy"), 0),
    **dict.fromkeys(("random_sample", "standard_normal"), 0),
    **dict.fromkeys(("exponential", "standard_gamma", "chisquare", "poisson", "standard_t"), 1),
    **dict.fromkeys(("pareto", "weibull", "power", "rayleigh", "zipf", "geometric"), 1),
    **dict.fromkeys(("logseries", "interval"), 1),
    **dict.fromkeys(("normal", "uniform", "gamma", "beta", "noncentral_chisquare", "f"), 2),
    **dict.fromkeys(("binomial", "negative_binomial", "vonmises", "laplace", "gumbel"), 2),
    **dict.fromkeys(("logistic", "lognormal", "wald", "randint"), 2),
    **dict.fromkeys(("noncentral_f", "hypergeometric", "triangular"), 3),
}
"""How many parameters each distribution has."""

NUMPY = {"double": "random_sample", "gauss": "standard_normal"}
WHOLE = {"binomial": (0,), "hypergeometric": (0, 1, 2)}
"""Which parameters are whole numbers."""


def _sampler(name: str) -> Callable[..., Any]:
    def draw(size: Any, *parameters: Any) -> Any:
        stream = random.default.legacy()
        if name == "interval":  # 0 to the largest, as randint is
            return stream.randint(0, np.asarray(parameters[0]).astype(int) + 1, size or None)
        if name == "randint":
            low, high = (np.asarray(p).astype(int) for p in parameters)
            return stream.randint(low, high + 1, size or None)
        given = [
            np.trunc(p).astype(int) if i in WHOLE.get(name, ()) else p
            for i, p in enumerate(parameters)
        ]
        return getattr(stream, NUMPY.get(name, name))(*given, size=size or None)

    return draw


def _bytes(result: Tensor) -> Tensor:
    """Fill a ByteTensor."""
    raw = np.frombuffer(random.default.legacy().bytes(result.size), np.uint8)
    return result.copy_(Tensor(raw.copy()).reshape(result.shape))


def load(tools: Toolbox) -> Any:
    """Return the functions by their names."""
    functions = {
        name: vectorised(f"randomkit.{name}", count, _sampler(name))
        for name, count in PARAMETERS.items()
    }
    return tools.table({**functions, "bytes": _bytes})
