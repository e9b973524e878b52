"""Operations inside vmap: on arrays of which one dimension, hidden from the caller, is samples.

Beside its vjp and jvp rules an operation has a batching rule: a function of a `Call`, whose
values have the samples as their first dimension, or have none. It returns the result for all
samples, as their first dimension too, and computes with registered operations only, so that vmap
inside vmap needs nothing more. Most rules come from batch_rules.py.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import backend
from ..backend import Batched, BatchingError, Level
from ..errors import RekindleError
from .namespaces import OPERATIONS
from .operand import NUMPY_ERRORS, explained

if TYPE_CHECKING:
    from .op import Op

BatchRule = Callable[["Call"], Any]


class Call:
    """A call of an operation for all samples of a level at once.

    Attributes
    ----------
    op : Op
    values : list
        The operands; those that are `batched` have the samples as their first dimension.
    batched : list of bool
    params : dict
        The metadata, by name, defaults included. Dimensions count within one sample.
    size : int
        Number of samples.
    xp : BatchNamespace
        Operations on such values.
    """

    __slots__ = ("batched", "op", "params", "size", "values", "xp")

    def __init__(
        self,
        op: Op[..., Any],
        values: list[Any],
        batched: list[bool],
        params: dict[str, Any],
        size: int,
        xp: BatchNamespace,
    ) -> None:
        self.op = op
        self.values = values
        self.batched = batched
        self.params = params
        self.size = size
        self.xp = xp

    def again(self, *values: Any, **params: Any) -> Any:
        """Call the operation on values as they are; metadata not given are those of the call."""
        return apply(self.xp, self.op, values, (), {**self.params, **params})

    def ndim(self, i: int = 0) -> int:
        """Return the number of dimensions that operand `i` has within a sample."""
        ndim: int = getattr(self.values[i], "ndim", 0)
        return ndim - self.batched[i]

    def shape(self, i: int = 0) -> tuple[int, ...]:
        """Return the shape of operand `i` within a sample."""
        shape: tuple[int, ...] = getattr(self.values[i], "shape", ())
        return shape[1:] if self.batched[i] else shape

    def full(self, i: int) -> Any:
        """Return operand `i` for each sample, also where all of them share it."""
        x = self.values[i]
        if self.batched[i] or x is None:
            return x
        x = x if hasattr(x, "shape") else self.xp.library.asarray(x)
        return self.xp.expand(x, (self.size, *x.shape))


class BatchNamespace:
    """The operations on arrays that may have samples, for one array library.

    Parameters
    ----------
    library : module
        numpy or cupy.
    """

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        op = OPERATIONS[name]

        def call(*args: Any, **params: Any) -> Any:
            count = op.arity
            if op.variadic:
                return apply(self, op, tuple(args[0]), args[1:], params)
            if len(args) < count:
                args = tuple(op._complete(args, params))
            return apply(self, op, args[:count], args[count:], params)

        setattr(self, name, call)
        return call

    def asarray(self, x: Any) -> Any:
        """Return an array with samples as it is."""
        return x

    def zeros_like(self, x: Any) -> Any:
        """Return zeros of the shape and dtype of x, for each sample."""
        return self.zeros_of(x, x.shape)


@functools.cache
def batch_namespace(library: Any) -> BatchNamespace:
    """Return the namespace for samples in arrays of numpy or cupy."""
    return BatchNamespace(library)


def apply(
    xp: BatchNamespace,
    op: Op[..., Any],
    operands: Sequence[Any],
    rest: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Return the result of an operation on arrays of which some may have samples.

    Raises
    ------
    BatchingError
        If the operation has no batching rule.
    """
    level: Level | None = None
    for x in operands:
        if type(x) is Batched and (level is None or x.level.order < level.order):
            level = x.level
    if level is None:
        return op.forward(xp.library, *operands, *rest, **params)
    if op.batch_rule is None:
        raise BatchingError(
            f"{op.name} has no batching rule, so it cannot run inside vmap on a batched tensor"
            + (f": {op.no_batch}" if op.no_batch else "")
        )
    batched = [type(x) is Batched and x.level is level for x in operands]
    values = [x.value if b else x for x, b in zip(operands, batched, strict=True)]
    named = {**op.defaults, **dict(zip(op.metadata, rest, strict=False)), **params}
    call = Call(op, values, batched, named, level.size, xp)
    try:
        result = op.batch_rule(call)
    except RekindleError:
        raise
    except NUMPY_ERRORS as error:
        raise explained(op.name, operands, error) from error
    if op.outputs == 1:
        return _result(xp, result, level)
    return tuple(_result(xp, r, level) for r in result)


def _result(xp: BatchNamespace, array: Any, level: Level) -> Batched:
    return Batched(array if type(array) is Batched else xp.library.asarray(array), level)


# -- what arrays inside vmap offer to rules ---------------------------------------------------

_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def _install(name: str, operation: str) -> None:
    def forward(x: Batched, y: Any) -> Any:
        xp = namespace_of(x)
        return apply(xp, OPERATIONS[operation], (x, y), (), {})

    def reflected(x: Batched, y: Any) -> Any:
        xp = namespace_of(x)
        return apply(xp, OPERATIONS[operation], (y, x), (), {})

    setattr(Batched, f"__{name}__", forward)
    if operation not in ("equal", "not_equal") and name not in ("lt", "le", "gt", "ge"):
        setattr(Batched, f"__r{name}__", reflected)


def namespace_of(x: Any) -> BatchNamespace:
    """Return the namespace of an array that has samples."""
    return batch_namespace(backend.library_of(x))


def _reduce(x: Batched, axis: Any = None, keepdims: bool = False) -> Any:
    return namespace_of(x).sum(x, axis=axis, keepdims=keepdims)


def _reshape(x: Batched, *shape: Any) -> Any:
    return namespace_of(x).reshape(x, shape[0] if isinstance(shape[0], tuple) else shape)


def _write(x: Batched, index: Any, source: Any) -> None:
    """Write into the memory of all samples; dimensions after the index are left alone.

    With the samples moved to the end, an index of any kind names in them what it names in one.
    """
    value = backend.innermost(x)
    levels = backend.levels_of(x)
    if any(value.strides[i] == 0 and value.shape[i] > 1 for i in range(len(levels))):
        raise BatchingError(
            "a write inside vmap into a tensor that several samples share in memory; clone() it "
            "first"
        )
    index = index if isinstance(index, tuple) else (index,)
    extra = (slice(None),) * len(levels)
    library = backend.library_of(x)
    axes = tuple(range(len(levels)))
    ends = tuple(range(-len(levels), 0))
    library.moveaxis(value, axes, ends)[(*index, *extra)] = _spread(library, source, levels, ends)


def _add_in_place(x: Batched, y: Any) -> Batched:
    _write(x, ..., x + y)
    return x


def _spread(library: Any, source: Any, levels: list[Level], ends: tuple[int, ...]) -> Any:
    """Return a source with a last dimension for each of `levels`, of size 1 where it has none."""
    own = backend.levels_of(source)
    array = backend.innermost(source)
    if not levels or not hasattr(array, "shape"):
        return array
    places = iter(range(len(own)))
    order = [next(places) if level in own else None for level in levels]
    moved = library.moveaxis(array, tuple(range(len(own))), tuple(range(-len(own), 0)))
    shape = moved.shape[: moved.ndim - len(own)]
    sizes = [1 if k is None else array.shape[k] for k in order]
    return moved.reshape((*shape, *sizes))


_METHODS: dict[str, Callable[..., Any]] = {
    "__hash__": object.__hash__,  # `==` is elementwise
    "__neg__": lambda x: namespace_of(x).negative(x),
    "__abs__": lambda x: namespace_of(x).abs(x),
    "__invert__": lambda x: namespace_of(x).bitwise_invert(x),
    "__getitem__": lambda x, index: namespace_of(x).getitem(x, index=index),
    "__setitem__": _write,
    "__array_namespace__": lambda x: namespace_of(x),
    "__iadd__": _add_in_place,
    "sum": _reduce,
    "reshape": _reshape,
    "astype": lambda x, dtype, copy=True: namespace_of(x).astype(x, dtype),
}

for _name, _operation in _OPERATORS.items():
    _install(_name, _operation)
for _name, _method in _METHODS.items():
    setattr(Batched, _name, _method)
