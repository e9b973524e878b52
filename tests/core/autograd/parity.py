"""Small programs that mean the same in PyTorch and here: what they are written with.

The programs are in the files parity_*.py. test_parity.py runs them in both, test_misuse.py
those that are to raise.

A program takes a library (`torch`'s names on either side) and returns tensors and plain values,
or raises. They are written from what PyTorch documents of views, writes in place, hooks and
Functions.
"""

from types import SimpleNamespace

import numpy as np

from rekindle.core import autograd, ops
from rekindle.core.creation import tensor

REKINDLE = SimpleNamespace(
    leaf=lambda values: tensor(values, "float64", requires_grad=True),
    constant=lambda values: tensor(values, "float64"),
    single=lambda values: tensor(values, "float32", requires_grad=True),
    double=lambda x: x.astype("float64"),
    cat=ops.concat,
    where=ops.where,
    exp=ops.exp,
    tanh=ops.tanh,
    **{
        name: getattr(autograd, name)
        for name in (
            "Function",
            "backward",
            "checkpoint",
            "enable_grad",
            "grad",
            "no_grad",
            "saved_tensors_hooks",
            "set_grad_enabled",
        )
    },
)


def pytorch(torch):
    """Return the same names for PyTorch."""
    return SimpleNamespace(
        leaf=lambda values: torch.tensor(values, dtype=torch.float64, requires_grad=True),
        constant=lambda values: torch.tensor(values, dtype=torch.float64),
        single=lambda values: torch.tensor(values, dtype=torch.float32, requires_grad=True),
        double=lambda x: x.double(),
        cat=torch.cat,
        where=torch.where,
        exp=torch.exp,
        tanh=torch.tanh,
        Function=torch.autograd.Function,
        backward=torch.autograd.backward,
        checkpoint=lambda f, *args: torch.utils.checkpoint.checkpoint(
            f, *args, use_reentrant=False
        ),
        enable_grad=torch.enable_grad,
        grad=torch.autograd.grad,
        no_grad=torch.no_grad,
        saved_tensors_hooks=torch.autograd.graph.saved_tensors_hooks,
        set_grad_enabled=torch.set_grad_enabled,
    )


def plain(value):
    """Return what a program gave as arrays, numbers and tuples."""
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    if hasattr(value, "detach"):
        return np.asarray(value.detach().numpy())
    return value


SIX = [0.5, -1.0, 2.0, 1.5, -0.3, 0.8]
WEIGHTS = [1.0, 10.0, 100.0, 3.0, 30.0, 300.0]
PROGRAMS, MISUSES = {}, {}


def program(f):
    """Enter a program that gives the same in both libraries."""
    PROGRAMS[f.__name__] = f
    return f


def misuse(f):
    """Enter a program that both libraries refuse."""
    MISUSES[f.__name__] = f
    return f


def weighted(lib, x):
    """Return a sum in which every element has its own gradient."""
    return (x.reshape(-1) * lib.constant(WEIGHTS[: int(np.prod(x.shape))])).sum()
