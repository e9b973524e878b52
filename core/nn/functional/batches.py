"""Images with and without a batch: layers take (N, C, *spatial) and (C, *spatial)."""

from __future__ import annotations

from ...errors import ShapeError
from ...tensor import Tensor


def batched(name: str, input: Tensor, ndim: int) -> tuple[Tensor, bool]:
    """Return images as a batch, and whether they were none.

    Raises
    ------
    ShapeError
        If there are not `ndim` spatial dimensions.
    """
    if input.ndim == ndim + 2:
        return input, False
    if input.ndim == ndim + 1:
        return input.unsqueeze(0), True
    sizes = ", ".join("LHWD"[:1] if ndim == 1 else ("HW" if ndim == 2 else "DHW"))
    raise ShapeError(
        f"{name} takes an input of shape (N, C, {sizes}) or (C, {sizes}); given {input.shape}"
    )


def unbatched(output: Tensor, single: bool) -> Tensor:
    """Return the only image of a batch that `batched` made, else the batch."""
    return output.squeeze(axis=0) if single else output
