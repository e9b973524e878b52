"""Many draws from one set of probabilities, by the alias method, as Torch7 has it.

Torch7's indices are off by one between the two functions, and drawing lowers the table's
indices each time; programs that pinned a stream see that, so it is kept.
Source: torch7 lib/TH/generic/THTensorRandom.c; Walker, An efficient method, 1977.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from . import random
from .errors import BadArgument
from .functions import FLOATING, described
from .memory import store, values, wrote


@described(
    "multinomialAliasSetup_",
    "src *alias:LongTensor=new! *share=new!",
    types=FLOATING,
)
def setup(src: Tensor, alias: Tensor, share: Tensor) -> None:
    """Make the table of the alias method from probabilities: other outcomes, and shares."""
    real = src.dtype.type
    probabilities = values(src).ravel()
    count = probabilities.size
    part = (probabilities * real(count)).tolist()
    other = [0] * count
    small = [i for i, p in enumerate(part) if p < 1.0]
    large = [i for i, p in enumerate(part) if not p < 1.0]
    while small and large:
        big, little = large[-1], small[-1]
        other[little] = big
        part[big] = float(real(part[big] - (1.0 - part[little])))
        if part[big] < 1.0:
            small[-1] = big
            large.pop()
        else:
            small.pop()
    if not min(part) > 0:
        raise BadArgument(2, "q_min is less than 0")
    shares = np.array(part, src.dtype)
    if shares.max() > 1:
        shares /= shares.max()
    shares[np.array(other) <= 0] = 1.0
    store(alias, np.array(other) + 1, "multinomialAliasSetup_")
    store(share, shares, "multinomialAliasSetup_")


@described(
    "multinomialAlias_", "*res:LongTensor gen:Generator=0 alias:LongTensor share", types=FLOATING
)
def draw(res: Tensor, gen: Any, alias: Tensor, share: Tensor) -> None:
    """Fill a LongTensor with outcomes drawn from a table that `setup` made."""
    generator = random.default if gen is None else gen
    table = values(alias)
    table -= 1
    wrote(alias, "multinomialAlias_")
    units = generator.uniform(2 * res.size)
    place = (units[0::2] * table.size).astype(np.int64)
    kept = units[1::2] <= values(share)[place]
    found = np.where(kept, place + 1, table[place])
    values(res)[...] = found.reshape(res.shape)
    wrote(res, "multinomialAlias_")
