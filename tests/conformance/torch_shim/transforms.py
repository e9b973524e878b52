"""functorch's spelling of rekindle.func."""

import functools

import numpy as np

import rekindle
from rekindle import autograd, func, nn, ops, random
from rekindle.core.func.tree import flatten, unflatten
from rekindle.core.ops.inplace import inplace_method
from rekindle.core.ops.registry import OPERATIONS
from rekindle.core.tensor import Tensor

from .missing import Lacking
from .tensors import dtype_of, sizes_of


def vmap(f, in_dims=0, out_dims=0, randomness="error"):
    """functorch.vmap."""
    return func.vmap(f, in_dims, out_dims, randomness=randomness)


def chunk_vmap(f, in_dims=0, out_dims=0, randomness="error", chunks=2):
    """functorch.experimental.chunk_vmap: a number of chunks, not their size."""

    def call(*args):
        size = _size(in_dims, args)
        return func.vmap(
            f, in_dims, out_dims, randomness=randomness, chunk_size=max(-(-size // chunks), 1)
        )(*args)

    return call


def _size(in_dims, args):
    axis = in_dims if isinstance(in_dims, int) else in_dims[0]
    return flatten(args)[0][0].shape[axis]


def grad_and_value(f, argnums=0, has_aux=False):
    """functorch.grad_and_value: the gradient comes first."""

    @functools.wraps(f)
    def call(*args, **kwargs):
        value, gradient = func.value_and_grad(f, argnums, has_aux)(*args, **kwargs)
        return gradient, value

    return call


def jvp(f, primals, tangents, *, strict=False, has_aux=False):
    """functorch.jvp."""
    if strict:
        raise Lacking("jvp(strict=True)")
    return func.jvp(f, primals, tangents, has_aux=has_aux)


def jacfwd(f, argnums=0, has_aux=False, *, randomness="error"):
    """functorch.jacfwd; the function runs outside of the batch here, so it may draw."""
    return func.jacfwd(f, argnums, has_aux)


def make_functional(model, disable_autograd_tracking=False):
    """functorch.make_functional."""
    f, params, buffers = make_functional_with_buffers(model, disable_autograd_tracking)
    return (lambda p, *args, **kwargs: f(p, buffers, *args, **kwargs)), params


def make_functional_with_buffers(model, disable_autograd_tracking=False):
    """functorch.make_functional_with_buffers."""
    names = [name for name, _ in model.named_parameters()]
    own = [name for name, _ in model.named_buffers()]
    params = tuple(
        nn.Parameter(p.detach().clone(), requires_grad=not disable_autograd_tracking)
        for p in model.parameters()
    )

    def f(params, buffers, *args, **kwargs):
        state = dict(zip(names, params, strict=True)) | dict(zip(own, buffers, strict=True))
        return func.functional_call(model, state, args, kwargs)

    return f, params, tuple(b.clone() for b in model.buffers())


def combine_state_for_ensemble(models):
    """functorch.combine_state_for_ensemble."""
    if not models:
        raise RuntimeError("combine_state_for_ensemble: Expected at least one model, got 0.")
    params, buffers = func.stack_module_state(models)
    f, _, _ = make_functional_with_buffers(models[0])
    return f, tuple(params.values()), tuple(buffers.values())


def tree_map(f, tree):
    """torch.utils._pytree.tree_map."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [f(x) for x in leaves])


def names():
    """Return {module: {name: value}}."""
    transforms = {
        "vmap": vmap,
        "grad": func.grad,
        "vjp": func.vjp,
        "jvp": jvp,
        "jacrev": func.jacrev,
        "jacfwd": jacfwd,
        "hessian": func.hessian,
        "grad_and_value": grad_and_value,
        "make_functional": make_functional,
        "make_functional_with_buffers": make_functional_with_buffers,
        "combine_state_for_ensemble": combine_state_for_ensemble,
    }
    modules = {name: value for name, value in vars(nn).items() if isinstance(value, type)}
    functional = {k: v for k, v in vars(nn.functional).items() if callable(v)}
    return {
        "functorch": transforms,
        "functorch.experimental": {"chunk_vmap": chunk_vmap, "jvp": jvp},
        "torch.nn": modules,
        "torch.nn.functional": functional,
        "torch.utils._pytree": {"tree_map": tree_map},
        "torch.autograd.functional": {"jacobian": jacobian},
        "torch": {
            **DRAWS,
            "stack": stack,
            "movedim": ops.moveaxis,
            "diagflat": diagflat,
            "flatten": flatten_dims,
            "manual_seed": rekindle.manual_seed,
            "clamp_min": Tensor.clamp_min,
            "clamp_max": Tensor.clamp_max,
            "clamp_min_": Tensor.clamp_min_,
            "clamp_max_": Tensor.clamp_max_,
            "clamp_": Tensor.clamp_,
            "hstack": lambda tensors: ops.concat(
                list(tensors), axis=1 if tensors[0].ndim > 1 else 0
            ),
            "linalg.slogdet": ops.slogdet,
        },
        "torch.testing._internal.common_methods_invocations": {"op_db": []},
        "functorch_additional_op_db": {"additional_op_db": []},
        "torch.testing._internal.common_utils": {"parametrize": parametrize, "subtest": Subtest},
    }


class Subtest:
    """One value of a parametrized test."""

    def __init__(self, arg_values, name=None, decorators=()):
        self.arg_values = arg_values


def parametrize(names, values, name_fn=None):
    """torch.testing's parametrize, whose values may be subtests."""

    def decorate(f):
        several = "," in names
        plain = [v.arg_values if isinstance(v, Subtest) else v for v in values]
        if not several:
            plain = [v[0] if isinstance(v, tuple) and len(v) == 1 else v for v in plain]
        f.parameters = [*getattr(f, "parameters", []), (names, plain)]
        return f

    return decorate


def stack(tensors, dim=0):
    """torch.stack."""
    return ops.stack(list(tensors), axis=dim)


def flatten_dims(x, start_dim=0, end_dim=-1, **ours):
    """torch.flatten."""
    return ops.flatten(x, **(ours or {"start": start_dim, "end": end_dim}))


def drawn(draw):
    """Return `f(*sizes, dtype=, device=, generator=)`, drawing as vmap's samples are told to."""

    def call(*sizes, dtype=None, device=None, generator=None, requires_grad=False, **others):
        if others:
            raise Lacking(f"draws with {', '.join(others)}")
        x = draw(sizes_of(sizes), generator).astype(
            dtype_of(np.dtype(dtype) if isinstance(dtype, str) else dtype) or "float32"
        )
        return x.requires_grad_() if requires_grad else x

    return call


def drawn_like(draw):
    """Return `f(tensor, ...)` that draws in its shape and dtype."""
    return lambda x, *a, **k: draw(x.shape, *a, **{"dtype": x.dtype, **k})


def randint(*args, **options):
    """torch.randint(low, high, size) or (high, size)."""
    low, high, size = args if len(args) == 3 else (0, *args)
    return drawn(lambda shape, g: random.randint(low, high, shape, generator=g))(
        *(size if isinstance(size, (tuple, list)) else (size,)), **{"dtype": "int64", **options}
    )


def new_generator(device=None):
    """torch.Generator."""
    return random.Generator()


RANDN = drawn(lambda shape, g: random.normal(shape, generator=g, dtype="float64"))
RAND = drawn(lambda shape, g: random.uniform(shape, generator=g, dtype="float64"))
DRAWS = {
    "Generator": new_generator,
    "randn": RANDN,
    "rand": RAND,
    "randint": randint,
    "randn_like": drawn_like(RANDN),
    "rand_like": drawn_like(RAND),
    "randint_like": lambda x, *a, **k: randint(*a, x.shape, **k),
    "randperm": lambda n, generator=None, device=None: random.randperm(n, generator=generator),
    "bernoulli": lambda x, generator=None: random.bernoulli(x, generator=generator),
}


def diagflat(x):
    """torch.diagflat."""
    return ops.diag_embed(x.reshape(-1))


def jacobian(f, inputs, vectorize=False, **options):
    """torch.autograd.functional.jacobian, one row after the other."""
    if options:
        raise Lacking(f"jacobian({', '.join(options)})")
    several = isinstance(inputs, tuple)
    given = [x.detach().requires_grad_() for x in (inputs if several else (inputs,))]
    result = f(*given)
    rows = []
    for y in result if isinstance(result, tuple) else (result,):
        found = [
            autograd.grad(v, given, retain_graph=True, allow_unused=True, materialize_grads=True)
            if v.requires_grad
            else [x.detach() * 0 for x in given]
            for v in (y.reshape(-1)[k] for k in range(y.size))
        ]
        parts = tuple(
            ops.stack([g[i] for g in found]).reshape((*y.shape, *x.shape))
            for i, x in enumerate(given)
        )
        rows.append(parts if several else parts[0])
    return tuple(rows) if isinstance(result, tuple) else rows[0]


def install_methods():
    """Give Tensor the methods that functorch's tests use beside."""
    Tensor.new_zeros = lambda self, *s, **k: _new(self, s)
    Tensor.new_empty = Tensor.new_zeros
    Tensor.movedim = ops.moveaxis
    Tensor.diagflat = diagflat
    Tensor.flatten = flatten_dims
    Tensor.clamp_min = lambda self, low: ops.clamp(self, min=low)
    Tensor.clamp_max = lambda self, high: ops.clamp(self, max=high)
    for name, op in OPERATIONS.items():
        if op.plain:
            setattr(Tensor, name + "_", inplace_method(op, name + "_"))
    Tensor.clamp_ = inplace_method(ops.clamp, "clamp_")
    Tensor.clamp_min_ = lambda self, low: Tensor.clamp_(self, min=low)
    Tensor.clamp_max_ = lambda self, high: Tensor.clamp_(self, max=high)


def _new(like, sizes):
    shape = tuple(sizes[0]) if len(sizes) == 1 and not hasattr(sizes[0], "__index__") else sizes
    return ops.zeros_of(like, shape=shape)
