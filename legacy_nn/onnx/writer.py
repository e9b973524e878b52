"""The nodes and constants of an ONNX graph, while it is put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

Array = np.ndarray[Any, Any]


class Writer:
    """Collects nodes.

    Parameters
    ----------
    dtype : dtype
        Of the model's numbers.

    Attributes
    ----------
    nodes : list
        NodeProto, in the order in which they can run.
    initializers : dict of str to ndarray
        Constants and weights by name.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.initializers: dict[str, Array] = {}
        self._tensors: dict[Any, str] = {}
        self._constants: dict[Any, str] = {}
        self._count = 0
        self.scope = ""

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        return self.outputs(1, kind, *inputs, **attributes)[0]

    def outputs(self, count: int, kind: str, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node and return the names of its first outputs."""
        from onnx import helper

        self._count += 1
        name = f"{kind.lower()}_{self._count}"
        names = [name, *(f"{name}_{i}" for i in range(1, count))]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name, **attributes))
        return names

    def names(self, stem: str, count: int) -> list[str]:
        """Return new names for values."""
        self._count += 1
        return [f"{stem}_{self._count}_{i}" for i in range(count)]

    def split(self, x: str, axis: int, count: int) -> list[str]:
        """Add a node that cuts x into equal parts and return their names."""
        from onnx import helper

        self._count += 1
        names = [f"split_{self._count}_{i}" for i in range(count)]
        self.nodes.append(
            helper.make_node("Split", [x], names, names[0], axis=axis, num_outputs=count)
        )
        return names

    def weight(self, tensor: Tensor, name: str) -> str:
        """Return the name of a tensor of the model, which is written once."""
        key = (id(tensor.storage()), tensor.storage_offset(), tensor.shape, tensor.stride())
        if key not in self._tensors:
            free = f"{self.scope}.{name}" if self.scope else name
            self._tensors[key] = free
            self.initializers[free] = np.array(tensor.numpy(), order="C")
        return self._tensors[key]

    def number(self, value: float) -> str:
        """Return the name of a number of the model's type."""
        return self.constant(np.array(value, self.dtype))

    def integers(self, values: Any) -> str:
        """Return the name of int64 numbers: axes, shapes, indices."""
        return self.constant(np.array(values, np.int64))

    def constant(self, array: Array) -> str:
        """Return the name of a constant, which is written once."""
        key = (array.dtype.name, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = f"constant_{len(self._constants)}"
            self.initializers[self._constants[key]] = array
        return self._constants[key]
