"""The rules of an operation, called directly instead of through a recorded graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.accumulate import fitted
from ..autograd.alias import alias
from ..autograd.forward import jvp
from ..autograd.modes import MODE, setting
from ..autograd.reverse import grad
from ..dtypes import is_floating
from ..errors import UseError
from ..tensor import Tensor
from .namespaces import array_namespace
from .rules import SHAPE, Rule


class DirectCalls:
    """The rules of an operation as functions of values that the caller has."""

    name: str
    operands: tuple[str, ...]
    output_names: tuple[str, ...]
    variadic: bool
    defaults: dict[str, Any]
    vjp_rules: dict[str, Rule]
    call: Callable[..., Any]

    def vjp(self, g: Any, *operands: Any, **params: Any) -> tuple[Tensor | None, ...]:
        """Return the gradient of each operand for the gradient `g` of the result.

        Parameters
        ----------
        g : Tensor, of the result's shape, or a sequence of one for each floating result
        *operands : Tensor, array or number
            Of a variadic operation: one sequence.
        **params
            The operation's metadata.

        Returns
        -------
        tuple of Tensor or None
            Of the operands' shapes; None for an operand that has no gradient, and for numbers.
            Can be differentiated again, unless called inside `no_grad`.
        """
        graph = MODE.get().grad
        given = list(operands[0]) if self.variadic else list(operands)
        moving = [i for i, x in enumerate(given) if hasattr(x, "dtype") and is_floating(x.dtype)]
        leaves = [alias(_as_tensor(given[i])) for i in moving]
        with setting(grad=True):
            for i, leaf in zip(moving, leaves, strict=True):
                given[i] = leaf
            result = self.call(given, **params) if self.variadic else self.call(*given, **params)
        outputs = [y for y in _listed(result) if y.dtype.kind == "f"]
        pairs = [(y, gy) for y, gy in zip(outputs, _listed(g), strict=True) if y.requires_grad]
        gradients: list[Tensor | None] = [None] * len(given)
        if pairs and leaves:
            ys, gs = zip(*pairs, strict=True)
            found = grad(ys, leaves, gs, create_graph=graph, allow_unused=True)
            for i, x in zip(moving, found, strict=True):
                gradients[i] = x
        return tuple(gradients)

    def jvp(self, tangents: Sequence[Any], *operands: Any, **params: Any) -> Any:
        """Return the tangent of the result for those of the operands.

        Parameters
        ----------
        tangents : sequence of Tensor or None
            One for each operand, of its shape; None stands for zero.
        *operands, **params
            As of `vjp`.

        Returns
        -------
        Tensor, or tuple of Tensor for several results
            Of the results' shapes. Can be differentiated again.
        """
        given = list(operands[0]) if self.variadic else list(operands)
        moving = [i for i, t in enumerate(tangents) if t is not None]

        def call(*primals: Tensor) -> Any:
            for i, x in zip(moving, primals, strict=True):
                given[i] = x
            return self.call(given, **params) if self.variadic else self.call(*given, **params)

        primals = [_as_tensor(given[i]) for i in moving]
        return jvp(call, primals, [_as_tensor(tangents[i]) for i in moving])[1]

    def pull(self, operand: str, g: Any, *, i: int = 0, **values: Any) -> Any:
        """Return the gradient of one operand from arrays, by its rule alone.

        Nothing is recorded and the forward pass is not computed again.

        Parameters
        ----------
        operand : str
            Name of the operand.
        g : array, or list of arrays for several results
            The gradient of the result.
        i : int
            Which operand of a variadic operation.
        **values
            What the rule names: operands (`x`; of a variadic operation the sequence of all),
            results (`out`), shapes (`x_shape`) and metadata. Others may be given too and are
            not read.

        Returns
        -------
        array
            Of the operand's shape, where that or the operand is given; otherwise it may still
            have the shape that the operand was broadcast to.

        Raises
        ------
        UseError
            If the operand has no rule, or something that the rule names is missing.
        """
        rule = self.vjp_rules.get(operand)
        if rule is None:
            raise UseError(f"{self.name} has no gradient for {operand!r}; for {[*self.vjp_rules]}")
        like = next(x for x in g if x is not None) if isinstance(g, list) else g
        known = {
            **{n + SHAPE: self._shape(x) for n, x in values.items() if n in self.operands},
            **self.defaults,
            **values,
            "g": g,
            "xp": array_namespace(like),
            "i": i,
        }
        missing = [name for name in rule.names if name not in known]
        if missing:
            raise UseError(
                f"the gradient of {self.name} for {operand} needs {', '.join(missing)} as well"
            )
        result = rule.function(*[known[name] for name in rule.names])
        shape = known.get(operand + SHAPE)
        if shape is None or self.variadic:
            return result
        return fitted(result, shape, result.dtype, None)

    def _shape(self, value: Any) -> Any:
        """Return what rules know as the shape of an operand: of a variadic one, a tuple."""
        return tuple(map(np.shape, value)) if self.variadic else np.shape(value)


def _as_tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]
