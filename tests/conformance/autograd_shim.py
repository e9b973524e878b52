"""The names of HIPS/autograd, on rekindle.func and rekindle.ops.

Its functions take and return NumPy arrays and numbers, and differentiate calls of
`autograd.numpy`; here tensors go through them, and what comes out is a NumPy array again.
"""

import functools
import importlib
import itertools
import sys
import types

import numpy as np
from torch_shim.missing import Finder, Lacking

import rekindle
from rekindle import func, ops
from rekindle.core import autograd
from rekindle.core.func.tree import flatten, unflatten
from rekindle.core.tensor import Tensor

RENAMED = {
    "concatenate": "concat", "absolute": "abs", "fabs": "abs", "true_divide": "divide",
    "amax": "max", "amin": "min", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2",
    "mod": "remainder",
}  # fmt: skip


def is_tensor(x):
    return isinstance(x, Tensor) or (isinstance(x, (list, tuple)) and any(map(is_tensor, x)))


def as_tensor(x):
    """Return a number, an array or nested lists of tensors as a tensor."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (list, tuple)) and is_tensor(x):
        return ops.stack([as_tensor(v) for v in x])
    array = np.asarray(x)
    if array.dtype.kind == "c":
        raise Lacking("complex numbers")
    return rekindle.tensor(array)


def floating(x):
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else x.astype("float64")


def plain(tree):
    """Return a tree with arrays in the place of tensors that nobody differentiates by."""
    leaves, form = flatten(tree)
    return unflatten(form, [x if _moving(x) else _array(x) for x in leaves])


def _moving(x):
    return isinstance(x, Tensor) and x.requires_grad


def _array(x):
    return x.numpy()[()] if isinstance(x, Tensor) else x


def tensors(tree):
    leaves, form = flatten(tree)
    return unflatten(form, [floating(x) for x in leaves])


def outermost(args):
    """Whether nobody around differentiates: no tensor comes in."""
    return not any(isinstance(x, Tensor) for x in flatten(args)[0])


# -- autograd.numpy ---------------------------------------------------------------------------


def dot(x, y):
    x, y = as_tensor(x), as_tensor(y)
    if not x.ndim or not y.ndim:
        return x * y
    return x @ y if y.ndim <= 2 else ops.tensordot(x, y, axes=([x.ndim - 1], [y.ndim - 2]))


def moment(op):
    def call(x, axis=None, ddof=0, keepdims=False):
        return op(x, axis=axis, correction=float(ddof), keepdims=keepdims)

    return call


def array(x, dtype=None):
    return as_tensor(x)


def transpose(x, axes=None):
    return ops.permute(x, axes if axes is not None else range(x.ndim)[::-1])


def tensordot(x, y, axes=2):
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else a for a in axes]
    return ops.tensordot(as_tensor(x), as_tensor(y), axes=axes)


def split(x, parts, axis=0):
    n = np.shape(x)[axis]
    x = as_tensor(x)
    ends = [n * k // parts for k in range(1, parts)] if isinstance(parts, int) else [*parts]
    bounds = itertools.pairwise([0, *ends, n])
    return [x.narrow(axis, a, b - a) for a, b in bounds]


def einsum(subscripts, *operands):
    return ops.einsum(subscripts, *map(as_tensor, operands))


def joined(axis):
    def call(parts):
        parts = [as_tensor(p) for p in parts]
        if axis == 0:
            parts = [p if p.ndim > 1 else p.reshape((1, -1)) for p in parts]
            return ops.concat(parts, axis=0)
        return ops.concat(parts, axis=1 if parts[0].ndim > 1 else 0)

    return call


def diag(x, k=0):
    return ops.diag_embed(x, offset=k) if x.ndim == 1 else ops.diagonal(x, offset=k)


SPECIAL = {
    "dot": dot,
    "array": array,
    "var": moment(ops.var),
    "std": moment(ops.std),
    "transpose": transpose,
    "ravel": lambda x, order="C": x.reshape(-1),
    "expand_dims": ops.unsqueeze,
    "split": split,
    "array_split": split,
    "vsplit": split,
    "hsplit": lambda x, parts: split(x, parts, 1),
    "vstack": joined(0),
    "hstack": joined(1),
    "diag": diag,
    "diagonal": lambda x, offset=0, axis1=0, axis2=1: ops.diagonal(
        ops.moveaxis(x, (axis1, axis2), (-2, -1)), offset=offset
    ),
    "clip": lambda x, a_min, a_max: ops.clamp(x, min=a_min, max=a_max),
    "einsum": einsum,
    "where": lambda condition, x, y: ops.where(condition, x, y),
    "swapaxes": lambda x, axis1, axis2: ops.transpose(x, axis1, axis2),
    "tensordot": tensordot,
    "tile": lambda x, reps: ops.tile(x, (reps,) if isinstance(reps, int) else reps),
    "linalg.svd": lambda x, full_matrices=True, compute_uv=True: svd(x, full_matrices, compute_uv),
    "allclose": lambda x, y, **options: np.allclose(plain(x), plain(y), **options),
    "shape": np.shape,
    "ndim": np.ndim,
    "inner": lambda x, y: ops.tensordot(x, y, axes=([-1], [-1])) if x.ndim and y.ndim else x * y,
    "broadcast_to": ops.expand,
    "atleast_1d": lambda x: x if x.ndim else x.reshape(1),
    "zeros_like": lambda x, dtype=None: np.zeros(x.shape),
    "ones_like": lambda x, dtype=None: np.ones(x.shape),
    "flipud": lambda x: ops.flip(x, 0),
    "fliplr": lambda x: ops.flip(x, 1),
    "sort": lambda x, axis=-1: ops.sort(x, axis=axis)[0],
    "linalg.norm": lambda x, ord=None, axis=None: norm(x, ord, axis),
    "linalg.slogdet": ops.slogdet,
}


def svd(x, full_matrices, compute_uv):
    if not compute_uv:
        return ops.svd(x)[1]
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise Lacking("numpy.linalg.svd(full_matrices=True)")
    return ops.svd(x)


def norm(x, ord, axis):
    if ord is None:
        return ops.norm(x, axis=axis)
    if (x.ndim if axis is None else np.size(axis)) == 2:
        if axis is not None:
            x = ops.moveaxis(x, axis, (-2, -1))
        return ops.matrix_norm(x, ord=ord)
    return ops.norm(x, p=ord, axis=axis)


class Numpy(types.ModuleType):
    """`autograd.numpy`: NumPy's functions, and operations for what they take of tensors."""

    __path__ = ()

    def __init__(self, name, module, prefix=""):
        super().__init__(name)
        self._module, self._prefix = module, prefix

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._module, name)
        if isinstance(found, type) or not callable(found):
            return found
        return functools.wraps(found)(self._both(name, found))

    def _both(self, name, found):
        full = self._prefix + name
        own = SPECIAL.get(full) or getattr(ops, RENAMED.get(name, name), None)

        def call(*args, **kwargs):
            given = [*args, *kwargs.values()]
            if not any(map(is_tensor, given)):
                return found(*args, **kwargs)
            if own is None:
                raise Lacking(f"numpy.{full}")
            if name in ("cumsum", "cumprod") and kwargs.get("axis", args[1:] or None) is None:
                args, kwargs = (args[0].reshape(-1),), {"axis": 0}
            if kwargs.get("axis", 0) is None and name not in TAKE_NONE:
                kwargs.pop("axis")
            if name in SEQUENCES:
                args = ([as_tensor(x) for x in args[0]], *args[1:])
            if name in BY_NAME and len(args) > 1:
                args, kwargs = args[:1], {BY_NAME[name]: args[1], **kwargs}
            return own(*args, **kwargs)

        return call


TAKE_NONE = {"sum", "mean", "prod", "var", "std", "max", "min", "amax", "amin", "norm"}
SEQUENCES = {"concatenate", "stack"}
BY_NAME = {
    "sum": "axis", "mean": "axis", "prod": "axis", "max": "axis", "min": "axis", "cumsum": "axis",
    "concatenate": "axis", "tril": "k", "triu": "k", "trace": "offset",
    "repeat": "repeats", "stack": "axis", "squeeze": "axis",
}  # fmt: skip


# -- transforms -------------------------------------------------------------------------------


def wrapped(transform):
    """Return a transform whose functions take and give arrays, unless they run inside another."""

    @functools.wraps(transform)
    def make(f, argnum=0, *rest, **options):
        def call(*args, **kwargs):
            free = outermost((args, kwargs))
            chosen = (argnum,) if isinstance(argnum, int) else tuple(argnum)
            given = [tensors(a) if i in chosen else a for i, a in enumerate(args)]
            result = transform(f, argnum, *rest, **options)(*given, **kwargs)
            return plain(result) if free else result

        return call

    return make


def scalar(f):
    """Return f, whose result is made a tensor of shape ()."""
    return lambda *args, **kwargs: floating(f(*args, **kwargs)).reshape(())


def one(f):
    return lambda *args, **kwargs: floating(f(*args, **kwargs))


def summed(f):
    return lambda *args, **kwargs: one(f)(*args, **kwargs).sum()


grad = wrapped(lambda f, argnum: func.grad(scalar(f), argnum))
jacobian = wrapped(lambda f, argnum: func.jacrev(one(f), argnum))
hessian = wrapped(lambda f, argnum: func.hessian(one(f), argnum))
value_and_grad = wrapped(lambda f, argnum: func.value_and_grad(scalar(f), argnum))
elementwise_grad = wrapped(lambda f, argnum: func.grad(summed(f), argnum))
deriv = elementwise_grad


@wrapped
def grad_and_aux(f, argnum):
    def both(*args, **kwargs):
        value, aux = f(*args, **kwargs)
        return floating(value), aux

    return func.grad(both, argnum, has_aux=True)


def make_vjp(f, argnum=0):
    def call(*args):
        free = outermost(args)
        given = [tensors(a) if i == argnum else a for i, a in enumerate(args)]

        def of(x):
            return tensors(f(*given[:argnum], x, *given[argnum + 1 :]))

        value, pull = func.vjp(of, given[argnum])

        def pulled(g):
            (found,) = pull(tensors(g))
            return plain(found) if free and outermost(g) else found

        return pulled, plain(value) if free else value

    return call


def make_jvp(f, argnum=0):
    def call(*args):
        free = outermost(args)
        given = [tensors(a) if i == argnum else a for i, a in enumerate(args)]

        def pushed(v):
            def of(x):
                return tensors(f(*given[:argnum], x, *given[argnum + 1 :]))

            result = func.jvp(of, (given[argnum],), (tensors(v),))
            return plain(result) if free and outermost(v) else result

        return pushed

    return call


def make_hvp(f, argnum=0):
    return lambda *args: make_vjp(grad(f, argnum), argnum)(*args)


def tensor_jacobian_product(f, argnum=0):
    def product(*args, **kwargs):
        *args, vector = args
        return np_module().tensordot(vector, f(*args, **kwargs), np.ndim(vector))

    return jacobian(product, argnum)


def hessian_tensor_product(f, argnum=0):
    gradient = grad(f, argnum)

    def product(*args, **kwargs):
        *args, vector = args
        return np_module().tensordot(gradient(*args, **kwargs), vector, np.ndim(vector))

    return grad(product, argnum)


def np_module():
    return sys.modules["autograd.numpy"]


def checkpoint(f):
    return lambda *args: (
        autograd.checkpoint(lambda *a: as_tensor(f(*a)), *args) if not outermost(args) else f(*args)
    )


# -- its test utilities -----------------------------------------------------------------------


def check_grads(f, argnum=None, modes=("fwd", "rev"), order=2):
    """autograd.test_util.check_grads, on leaves of containers."""

    if isinstance(argnum, (list, tuple)) and argnum and isinstance(argnum[0], str):
        argnum, modes = None, argnum

    def check(*args, **kwargs):
        chosen = range(len(args)) if argnum is None else np.atleast_1d(argnum)
        leaves, form = flatten(tuple(args[i] for i in chosen))

        def call(*xs):
            given = [*args]
            for i, x in zip(chosen, unflatten(form, xs), strict=True):
                given[i] = x
            found = flatten(f(*given, **kwargs))[0]
            return tuple(floating(y) for y in found)

        rekindle.check_grads(call, [floating(x) for x in leaves], order, modes, tol=1e-4)

    return check


def combo_check(f, argnums, *rest, **kwargs):
    """autograd.test_util.combo_check: all combinations of the arguments listed."""

    def check(*lists, **options):
        names = [*options]
        for values in itertools.product(*lists):
            for chosen in itertools.product(*options.values()):
                given = dict(zip(names, chosen, strict=True))
                check_grads(f, argnums, *rest, **kwargs)(*values, **given)

    return check


def check_equivalent(x, y):
    for a, b in zip(flatten(plain(x))[0], flatten(plain(y))[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def scalar_close(a, b):
    return abs(plain(a) - plain(b)) < 1e-6 or abs(a - b) / abs(a + b) < 1e-6


TRANSFORMS = {
    "grad": grad,
    "jacobian": jacobian,
    "hessian": hessian,
    "deriv": deriv,
    "value_and_grad": value_and_grad,
    "elementwise_grad": elementwise_grad,
    "grad_and_aux": grad_and_aux,
    "make_vjp": make_vjp,
    "make_jvp": make_jvp,
    "make_hvp": make_hvp,
    "tensor_jacobian_product": tensor_jacobian_product,
    "hessian_tensor_product": hessian_tensor_product,
    "checkpoint": checkpoint,
}


def install():
    """Make `import autograd` import this, in this process."""
    sys.meta_path.insert(0, Finder(("autograd",)))
    modules = {
        "autograd": TRANSFORMS
        | {"dict": dict, "list": list, "tuple": tuple, "isinstance": isinstance},
        "autograd.builtins": {"dict": dict, "list": list, "tuple": tuple, "isinstance": isinstance},
        "autograd.core": {"make_vjp": lambda f, x: make_vjp(f)(x)},
        "autograd.tracer": {"isbox": lambda x: isinstance(x, Tensor) and x.requires_grad},
        "autograd.test_util": {
            "check_grads": check_grads,
            "combo_check": combo_check,
            "check_equivalent": check_equivalent,
            "scalar_close": scalar_close,
        },
    }
    for name, contents in modules.items():
        vars(importlib.import_module(name)).update(contents)
    for name, module, prefix in (
        ("autograd.numpy", np, ""),
        ("autograd.numpy.random", np.random, "random."),
        ("autograd.numpy.linalg", np.linalg, "linalg."),
    ):
        sys.modules[name] = Numpy(name, module, prefix)
    numpy = sys.modules["autograd.numpy"]
    for name in ("random", "linalg"):
        setattr(numpy, name, sys.modules[f"autograd.numpy.{name}"])
    for name in ("numpy", "builtins", "core", "tracer", "test_util"):
        setattr(sys.modules["autograd"], name, sys.modules[f"autograd.{name}"])
    Tensor.dot = dot
    Tensor.ravel = SPECIAL["ravel"]
