"""nn.SpatialReSampling of the package nnx, which dpnn scales its crops with."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..fields import set_unless_nil
from ..module import ArgumentError, Module, torch_class


@torch_class("nn.SpatialReSampling")
class SpatialReSampling(Module):
    """Scales images bilinearly; the corners stay where they are.

    Parameters
    ----------
    rwidth, rheight : float, optional
        Factors; or
    owidth, oheight : int, optional
        the size.

    Notes
    -----
    Lua gives a table of these by name. Positions are computed in double precision here, in single
    precision in nnx.

    Source: clementfarabet/lua---nnx SpatialReSampling.lua, generic/SpatialReSampling.c.
    """

    rwidth: float | None = None
    rheight: float | None = None
    owidth: float | None = None
    oheight: float | None = None

    def __init__(
        self,
        rwidth: Any = None,
        rheight: float | None = None,
        owidth: float | None = None,
        oheight: float | None = None,
    ) -> None:
        super().__init__()
        names = {"rwidth": rwidth, "rheight": rheight, "owidth": owidth, "oheight": oheight}
        if isinstance(rwidth, Table):
            names = {name: rwidth.get(name) for name in names}
        set_unless_nil(self, **names)
        for factor, size in (("rwidth", "owidth"), ("rheight", "oheight")):
            if names[factor] is None and names[size] is None:
                raise ArgumentError(f"nn.SpatialReSampling takes {size}, or {factor}")

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 3, 4)
        height = self.oheight if self.rheight is None else self.rheight * x.shape[-2]
        width = self.owidth if self.rwidth is None else self.rwidth * x.shape[-1]
        assert height is not None
        assert width is not None
        batch = x if x.ndim == 4 else ops.unsqueeze(x, 0)
        scaled = ops.upsample_linear(batch, size=(int(height), int(width)), align_corners=True)
        return scaled if x.ndim == 4 else scaled[0]

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        x, g = one_tensor(self, input, 3, 4), one_tensor(self, gradOutput, 3, 4)
        # its size is that of gradOutput, whatever the module scales to
        batch = g if g.ndim == 4 else ops.unsqueeze(g, 0)
        found = ops.upsample_linear_gradient(batch, size=x.shape[-2:], align_corners=True)
        return ops.reshape(found, x.shape)
