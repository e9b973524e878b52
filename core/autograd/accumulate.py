"""Where gradients end: fitted to what they are gradients of, and added up.

Broadcasting is undone here and nowhere else.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..backend import Batched, holds_alone
from ..kernels.totals import total
from ..tensor import Tensor
from .errors import GraphError
from .levels import for_leaf, outside
from .modes import setting
from .node import Node
from .parts import Parts
from .versions import count_write

_LOCKS = [threading.Lock() for _ in range(64)]


def lock_of(tensor: Tensor) -> threading.Lock:
    """Return the lock for writing to the `grad` of a tensor.

    It is the one of the tensor's address: few share one, and nobody holds two.
    """
    return _LOCKS[id(tensor) // 64 % len(_LOCKS)]


def fitted(
    g: Any, shape: tuple[int, ...], dtype: Any, node: Node | None, parent: Any = None
) -> Any:
    """Return `g` summed over what was broadcast and converted: of `shape` and `dtype`.

    Parameters
    ----------
    g : array or Tensor
    shape, dtype
        Of the operand that `g` is the gradient of.
    node : Node or None
        The node that computed `g`.
    parent : Node or Tensor, optional
        What `g` is for, where that may be outside of a vmap; see levels.py.

    Raises
    ------
    GraphError
        If an operand of `shape` does not broadcast to the shape of `g`.
    """
    if parent is not None:
        g = outside(g, parent)
    if g.shape != shape:
        extra = len(g.shape) - len(shape)
        repeated = [i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1]
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
            raise GraphError(
                f"the gradient that {node.name if node else 'a hook'} computed has shape "
                f"{g.shape}; its operand has shape {shape}"
            )
        axes = (*range(extra), *repeated)
        plain = type(g) is np.ndarray
        g = total(np, g, axis=axes, keepdims=True) if plain else g.sum(axis=axes, keepdims=True)
        g = g.reshape(shape)
    return g if g.dtype == dtype else g.astype(dtype)


def is_fresh(g: Any, node: Node | None, arrived: Any) -> bool:
    """Whether nobody can hold the memory of `g`, which `node` computed from `arrived`.

    False where it is not known: what a Function or a hook returned, views, saved values.
    """
    return (
        node is not None
        and isinstance(g, np.ndarray)
        and g is not arrived
        and holds_alone(g)
        and g.flags.writeable
        and node.op.computes_afresh
        and node.hooks is None
        and not isinstance(arrived, Parts)
        and all(g is not s for s in node.saved or ())
    )


def accumulate(tensor: Tensor, g: Any, fresh: bool, graph: bool) -> None:
    """Add `g` to the `grad` of a tensor, in place: who holds the gradient sees it grow.

    Parameters
    ----------
    g : array, or Tensor under `graph`
        Of the tensor's shape and dtype.
    fresh : bool
        Whether `g` may become the gradient without a copy.
    graph : bool
        Whether to record the addition.
    """
    if type(g._array if isinstance(g, Tensor) else g) is Batched:
        g = for_leaf(g, tensor)
    with lock_of(tensor):
        grad = tensor.grad
        if grad is None:
            tensor.grad = g.clone() if graph else Tensor(g if fresh else g.copy())
        elif grad.shape != g.shape:
            raise GraphError(
                f"a gradient of shape {g.shape} cannot be added to a `grad` of shape {grad.shape}; "
                "set it to None, or to a tensor of the right shape"
            )
        elif graph:
            with setting(grad=True):
                grad.add_(g)
        else:
            array = grad.array
            array += g
            count_write(grad._version, "backward")


class Totals:
    """Gradients that are added up before anything is done with them."""

    def __init__(self) -> None:
        self._sums: dict[Any, list[Any]] = {}

    def add(self, target: Any, g: Any, node: Node | None, arrived: Any) -> None:
        """Add a gradient for `target`, which `node` computed from `arrived`."""
        g = fitted(g, target.shape, target.dtype, node, target)
        entry = self._sums.get(target)
        if entry is None:
            self._sums[target] = [g, is_fresh(g, node, arrived)]
        elif entry[1]:
            entry[0] += g
        else:
            entry[0] = entry[0] + g
            entry[1] = isinstance(entry[0], np.ndarray)

    def items(self) -> list[tuple[Any, Any, bool]]:
        """Return (target, total, whether nobody else can hold it)."""
        return [(target, g, fresh) for target, (g, fresh) in self._sums.items()]
