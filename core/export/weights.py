"""Weights: named arrays, the names that mean the same array, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import UnreadableError

Array = np.ndarray[Any, Any]

ALIASES = "aliases"
"""Metadata: a JSON object of further names to names in the file."""


@dataclass(slots=True)
class Weights:
    """Named arrays as a file of weights holds them.

    Attributes
    ----------
    arrays : dict
        Name to array, in order.
    aliases : dict
        Further names to names in `arrays`: tied weights are written once.
    metadata : dict
        Text about the whole, by name; empty where the format keeps none.
    """

    arrays: dict[str, Array]
    aliases: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        """Return the array of a name or an alias."""
        return self.arrays[self.aliases.get(name, name)]

    def __contains__(self, name: str) -> bool:
        return self.aliases.get(name, name) in self.arrays

    def texts(self) -> dict[str, str]:
        """Return the metadata with the aliases as text."""
        extra = {ALIASES: json.dumps(self.aliases)} if self.aliases else {}
        return {**self.metadata, **extra}

    @classmethod
    def from_texts(cls, arrays: dict[str, Array], texts: Mapping[str, str]) -> Weights:
        """Return the weights that arrays and metadata of a file make.

        Raises
        ------
        UnreadableError
            If the aliases are not what `texts` writes.
        """
        metadata = dict(texts)
        try:
            aliases = json.loads(metadata.pop(ALIASES, "{}"))
            pairs = {str(alias): str(name) for alias, name in aliases.items()}
        except (ValueError, AttributeError) as error:
            raise UnreadableError(
                f"the metadata entry {ALIASES!r} is no JSON object: {error}"
            ) from None
        return cls(arrays, pairs, metadata)


def c_order(array: Array) -> Array:
    """Return `array` in row-major order, aligned and in native byte order; as it is if it is so.

    Writers take the bytes as they lie: safetensors 0.8 writes any other order scrambled.
    """
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return np.require(np.ascontiguousarray(native).reshape(array.shape), requirements="A")
