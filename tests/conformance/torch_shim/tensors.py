"""PyTorch's spelling of tensors: functions that make them, and Tensor's methods."""

import functools
import inspect
import types

import numpy as np

import rekindle
from rekindle import ops
from rekindle.core.autograd.node import Node
from rekindle.core.autograd.views import View
from rekindle.core.ops.op import Op
from rekindle.core.tensor import Parameter, Tensor

from .missing import Lacking, Missing

LEAF = Missing("a node for a leaf (AccumulateGrad)")

DTYPES = {
    "double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32",
    "short": "int16", "bool": "bool", "uint8": "uint8", "int8": "int8",
    **{name: name for name in ("float64", "float32", "float16", "int64", "int32", "int16")},
}  # fmt: skip
RENAMED = {
    "cat": "concat", "div": "divide", "mul": "multiply", "sub": "subtract", "pow": "power",
    "neg": "negative", "mm": "matmul", "bmm": "matmul", "mv": "matmul", "dot": "matmul",
    "ge": "greater_equal", "gt": "greater", "le": "less_equal", "lt": "less", "eq": "equal",
    "ne": "not_equal", "true_divide": "divide", "split_with_sizes": "split", "inverse": "inv",
}  # fmt: skip
KEYWORDS = {"dim": "axis", "keepdim": "keepdims", "input": "x", "diagonal": "k", "dims": "axes"}
_SPLIT = {"split_size": "size", "split_size_or_sections": "size", "split_sizes": "size"}
_RANDOM = np.random.default_rng(0)


def dtype_of(dtype):
    """Return a NumPy dtype for what a test calls a dtype."""
    if dtype is None or isinstance(dtype, np.dtype):
        return dtype
    if isinstance(dtype, type) and issubclass(dtype, TypedTensor):
        return dtype.dtype
    raise Lacking(getattr(dtype, "_name", repr(dtype)))


def on_cpu(device):
    """Refuse any other device."""
    if device is not None and str(device) != "cpu":
        raise Lacking(f"device {device}")


def sizes_of(sizes):
    """Return a shape from `(2, 3)` or `((2, 3),)`."""
    if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):
        return tuple(sizes[0])
    return sizes


def made(array, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return a tensor of a fresh array."""
    on_cpu(device)
    if layout is not None or pin_memory:
        raise Lacking("layouts and pinned memory")
    array = np.asarray(array)
    default = np.dtype("float32") if array.dtype.kind == "f" else array.dtype
    return rekindle.tensor(array, dtype_of(dtype) or default, requires_grad=requires_grad)


def factory(make):
    """Return `f(*sizes, dtype=, device=, requires_grad=)`."""

    def call(*sizes, size=None, **options):
        return made(make(sizes_of(sizes if size is None else (size,))), **options)

    return call


def like(make):
    """Return `f(tensor, ...)` that makes a tensor of its shape and dtype."""

    def call(x, *args, dtype=None, memory_format=None, **options):
        return made(make(x.shape, *args), dtype=x.dtype if dtype is None else dtype, **options)

    return call


def tensor(data, dtype=None, device=None, requires_grad=False):
    """torch.tensor."""
    on_cpu(device)
    if isinstance(data, complex):
        raise Lacking("complex numbers")
    return rekindle.tensor(data, dtype_of(dtype), requires_grad=requires_grad)


def full(shape, value, **options):
    """torch.full."""
    return made(np.full(sizes_of((shape,)), value), **options)


def arange(*bounds, **options):
    """torch.arange."""
    return made(np.arange(*bounds), **options)


def eye(*sizes, **options):
    """torch.eye."""
    return made(np.eye(*sizes), **options)


def linspace(start, end, steps, **options):
    """torch.linspace."""
    return made(np.linspace(start, end, steps), **options)


def randint(*args, **options):
    """torch.randint(low, high, size) or (high, size)."""
    low, high, size = args if len(args) == 3 else (0, *args)
    return made(_RANDOM.integers(low, high, size), **options)


class _ByDtype(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype


class TypedTensor(metaclass=_ByDtype):
    """torch.DoubleTensor and its like: a dtype, and a constructor."""

    dtype = None

    def __new__(cls, *args):
        if args and not hasattr(args[0], "__index__"):
            return rekindle.tensor(args[0], cls.dtype)
        return rekindle.zeros(args, cls.dtype)


def is_operation(value):
    """Whether a name of `ops` is an operation, or a function made of some."""
    return isinstance(value, (Op, types.FunctionType))


def translated(op):
    """Return an operation that takes PyTorch's keywords, and metadata by position."""
    names = [*inspect.signature(op).parameters.values()]
    by_position = [p.name for p in names if p.kind is not p.KEYWORD_ONLY]
    others = [p.name for p in names if p.kind is p.KEYWORD_ONLY]
    several = any(p.kind is p.VAR_POSITIONAL for p in names)

    @functools.wraps(op)
    def call(*args, **kwargs):
        kwargs = {KEYWORDS.get(k, k): v for k, v in kwargs.items()}
        kwargs = {_SPLIT.get(k, k): v for k, v in kwargs.items()}
        if isinstance(kwargs.get("axis"), list):
            kwargs["axis"] = tuple(kwargs["axis"])
        count = len(by_position)
        if len(args) > count and not several:
            kwargs.update(zip(others, args[count:], strict=False))
            args = args[:count]
        return op(*args, **kwargs)

    return call


def has_options(op):
    """Whether an operation takes anything by keyword only."""
    return any(p.kind is p.KEYWORD_ONLY for p in inspect.signature(op).parameters.values())


def with_indices(op, find):
    """torch.max(x), torch.max(x, y) and torch.max(x, dim)."""
    both = ops.maximum if op is ops.max else ops.minimum

    def call(x, *args, **kwargs):
        if args and isinstance(args[0], Tensor):
            return both(x, args[0])
        values = translated(op)(x, *args, **kwargs)
        if not args and "dim" not in kwargs:
            return values
        return values, translated(find)(x, *args, **kwargs)

    return call


def functions():
    """Return the functions of the module `torch`."""
    names = {name: translated(op) for name, op in vars(ops).items() if is_operation(op)}
    names |= {new: names[old] for new, old in RENAMED.items()}
    for name, dtype in (("Double", "float64"), ("Float", "float32"), ("Long", "int64"),
                        ("Int", "int32"), ("Byte", "uint8"), ("Bool", "bool")):  # fmt: skip
        kind = _ByDtype(f"{name}Tensor", (TypedTensor,), {"dtype": np.dtype(dtype)})
        names[f"{name}Tensor"] = kind
    names.update({name: np.dtype(dtype) for name, dtype in DTYPES.items()})
    uniform, normal = _RANDOM.random, _RANDOM.standard_normal
    return names | {
        "Tensor": Tensor,
        "Size": tuple,
        "device": str,
        "tensor": tensor,
        "randn": factory(normal),
        "rand": factory(uniform),
        "ones": factory(np.ones),
        "zeros": factory(np.zeros),
        "empty": factory(np.empty),
        "full": full,
        "arange": arange,
        "eye": eye,
        "linspace": linspace,
        "randint": randint,
        "ones_like": like(np.ones),
        "zeros_like": like(np.zeros),
        "empty_like": like(np.empty),
        "full_like": like(np.full),
        "randn_like": like(normal),
        "rand_like": like(uniform),
        "max": with_indices(ops.max, ops.argmax),
        "min": with_indices(ops.min, ops.argmin),
        "allclose": lambda a, b, **k: np.allclose(a.numpy(), b.numpy(), **k),
        "equal": lambda a, b: a.shape == b.shape and bool((a == b).all()),
        "t": lambda x: x.T,
        "unbind": unbind,
        "var_mean": lambda x, *a, **k: (x.var(*a, **k), x.mean(*a, **k)),
        "nn.Parameter": Parameter,
        "is_tensor": lambda x: isinstance(x, Tensor),
    }


def unbind(x, dim=0):
    """torch.unbind."""
    return tuple(x.select(dim, i) for i in range(x.shape[dim]))


def converted(x, dtype):
    """Return `x` itself where it has the dtype, as PyTorch's conversions do."""
    return x if x.dtype == dtype else x.astype(dtype)


def as_type(x, *args, **kwargs):
    """Tensor.to and Tensor.type."""
    kwargs.pop("copy", None)
    wanted = [*args, *kwargs.values()]
    for value in wanted:
        if isinstance(value, Tensor):
            value = value.dtype
        if isinstance(value, (np.dtype, type)):
            x = converted(x, dtype_of(value))
        else:
            on_cpu(value)
    return x


def repeat(x, *sizes):
    """Tensor.repeat."""
    return ops.tile(x, sizes_of(sizes))


def variance(op):
    """Tensor.var and Tensor.std: unbiased unless told."""

    def call(x, dim=None, unbiased=True, keepdim=False, *, correction=None, **kwargs):
        if "axis" in kwargs or "keepdims" in kwargs:
            return op(x, correction=correction or 0.0, **kwargs)
        dim = tuple(dim) if isinstance(dim, list) else dim
        divisor = float(unbiased) if correction is None else correction
        return op(x, axis=dim, correction=divisor, keepdims=keepdim)

    return call


def in_place(name):
    """Return `x.name_(...)` from the operation and copy_."""

    def call(self, *args, **kwargs):
        return self.copy_(getattr(self, name)(*args, **kwargs))

    return call


class Name(str):
    """`node.name`, and `node.name()`."""

    def __call__(self):
        """Return the name."""
        return self


def install_methods(names):
    """Give Tensor PyTorch's methods; `names` are the functions of `torch`."""
    keep = {"reshape", "permute", "expand", "flip", "tile", "to", "clone", "copy_"}
    for name, value in names.items():
        declared = hasattr(Tensor, name)
        if name not in keep and callable(value) and not isinstance(value, type):
            op = getattr(ops, RENAMED.get(name, name), None)
            if (is_operation(op) and (not declared or has_options(op))) or name in _EXTRA:
                setattr(Tensor, name, value)
    for name in ("double", "float", "half", "long", "int", "short", "bool"):
        setattr(Tensor, name, lambda self, dtype=DTYPES[name]: converted(self, dtype))
    Tensor.var, Tensor.std = variance(ops.var), variance(ops.std)
    for name in ("t", "squeeze", "unsqueeze", "sin", "cos", "log", "renorm"):
        if not hasattr(Tensor, name + "_"):
            setattr(Tensor, name + "_", in_place(name))
    methods = {
        "bernoulli_": lambda self, p=0.5: self.copy_(made(_RANDOM.random(self.shape) < p)),
        "torch_size": lambda self, dim=None: self.shape if dim is None else self.shape[dim],
        "numel": lambda self: int(np.prod(self.shape)),
        "dim": lambda self: self.ndim,
        "view": Tensor.reshape,
        "view_as": lambda self, other: self.reshape(other.shape),
        "reshape_as": lambda self, other: self.reshape(other.shape),
        "expand_as": lambda self, other: self.expand(other.shape),
        "to": as_type,
        "type": lambda self, dtype=None: str(self.dtype) if dtype is None else as_type(self, dtype),
        "type_as": lambda self, other: converted(self, other.dtype),
        "repeat": repeat,
        "cpu": lambda self: self,
        "data_ptr": lambda self: self.array.__array_interface__["data"][0],
        "is_floating_point": lambda self: self.dtype.kind == "f",
        "new_zeros": lambda self, *s: rekindle.zeros(sizes_of(s), self.dtype),
        "new_ones": lambda self, *s: rekindle.ones(sizes_of(s), self.dtype),
        "uniform_": lambda self: self.copy_(made(_RANDOM.random(self.shape))),
        "bernoulli": lambda self: made(_RANDOM.random(self.shape) < self.numpy(), self.dtype),
        "data": property(Tensor.detach, lambda self, value: self.set_(value)),
        "is_sparse": False,
        "is_nested": False,
        "_base": property(lambda self: getattr(self._node, "base", None)),
        "_is_view": lambda self: isinstance(self._node, View),
        "output_nr": 0,
    }
    for name, value in methods.items():
        setattr(Tensor, name, value)
    Node.name = property(lambda self: Name(self.op.name))
    Node.next_functions = property(
        lambda self: tuple(
            (p if isinstance(p, Node) or p is None else LEAF, 0) for p in self.parents
        )
    )


_EXTRA = {"max", "min", "unbind", "t", "var_mean"}
