"""An LSTM and a transformer block, forward and backward."""

from __future__ import annotations

from typing import Any


def lstm(nn: Any) -> Any:
    """Return one layer of 512 units."""
    return nn.LSTM(512, 512)


def transformer_block(nn: Any) -> Any:
    """Return an encoder block: 8 heads, 512 features, 2,048 between."""
    return nn.TransformerEncoderLayer(512, 8, 2048, dropout=0.0, batch_first=True)
