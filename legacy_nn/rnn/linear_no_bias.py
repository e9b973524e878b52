"""nn.LinearNoBias: a linear map without a bias."""

from __future__ import annotations

from ..fields import add_parameter
from ..linear import Linear
from ..module import Module, torch_class


@torch_class("nn.LinearNoBias")
class LinearNoBias(Linear):
    """y = x W', on one sample or a batch.

    Parameters
    ----------
    inputSize, outputSize : int

    Source: Element-Research/rnn LinearNoBias.lua.
    """

    def __init__(self, inputSize: int, outputSize: int) -> None:
        Module.__init__(self)
        add_parameter(self, "weight", "gradWeight", (outputSize, inputSize))
        self.reset()
