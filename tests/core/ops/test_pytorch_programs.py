"""Random programs of views, writes in place and operations: the gradients that PyTorch has."""

import random

import numpy as np
import pytest

import rekindle
from rekindle.core.errors import RekindleError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

VALUES = np.random.default_rng(1).normal(size=(3, 3))

VIEWS = [
    lambda x: x[1:],
    lambda x: x[0],
    lambda x: x[..., ::2],
    lambda x: x[:, 1:2],
    lambda x: x.transpose(0, 1),
    lambda x: x.unsqueeze(0),
    lambda x: x.reshape(-1),
    lambda x: x.narrow(0, 0, 1),
]
WRITES = [
    lambda x, y: x.add_(y),
    lambda x, y: x.sub_(y),
    lambda x, y: x.mul_(y),
    lambda x, y: x.div_(2.0),
    lambda x, y: x.tanh_(),
    lambda x, y: x.copy_(y if y.ndim <= x.ndim else 2 * x),  # PyTorch takes no leading ones
    lambda x, y: x.zero_(),
    lambda x, y: assign(x, 0, y),
    lambda x, y: assign(x, slice(1, None), 1.5),
    lambda x, y: assign(x, [0, -1], y),
    lambda x, y: assign(x, x.detach() > 0, 0.5),
]
RESULTS = [
    lambda x, y: x * y,
    lambda x, y: x + y,
    lambda x, y: x * x,
    lambda x, y: x / (y * y + 1),
    lambda x, y: x.tanh(),
    lambda x, y: x[[0, 0]],
    lambda x, y: x[x.detach() > 0],
    lambda x, y: x.abs() ** 1.5,
    lambda x, y: x.detach(),
]


def assign(x, index, value):
    x[index] = value


class Refused(Exception):
    """A program that the library says it cannot differentiate."""


def run(library, grad, program):
    """Return the gradients that a program leaves for its two leaves, and the values at its end.

    Steps whose shapes do not fit are left out.
    """
    w = library.tensor(VALUES, requires_grad=True)
    v = library.tensor(VALUES[0], requires_grad=True)
    known = [w * 1, v * 2, library.tensor(VALUES)]
    for kind, which, *operands, recorded in program:
        x, y = (known[int(u * len(known))] for u in operands)
        if np.shares_memory(x.detach().numpy(), y.detach().numpy()):
            y = y.detach().clone()  # what overlapping writes do is left open
        with library.enable_grad() if recorded else library.no_grad():
            try:
                if kind == "view":
                    known.append(VIEWS[which](x))
                elif kind == "write":
                    WRITES[which](x, y)
                else:
                    known.append(RESULTS[which](x, y))
            except (RuntimeError, RekindleError) as error:
                if any(s in str(error) for s in ("leaf", "no_grad", "needed for gradient")):
                    raise Refused from error
            except (IndexError, ValueError):
                pass
    total = sum(((x * x).sum() for x in known if x.requires_grad), library.zeros(()))
    try:
        found = grad(total, [w, v], allow_unused=True)
    except (RuntimeError, RekindleError) as error:
        raise Refused from error
    return [None if t is None else np.array(t.detach().numpy()) for t in (*found, *known)]


def random_program(seed):
    rng = random.Random(seed)
    choices = {"view": VIEWS, "write": WRITES, "result": RESULTS}
    kinds = [rng.choice([*choices]) for _ in range(rng.randint(4, 16))]
    return [
        (kind, rng.randrange(len(choices[kind])), rng.random(), rng.random(),
         kind == "view" or rng.random() > 0.1)
        for kind in kinds
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_pytorch(seed):
    agreed = 0
    for program in (random_program(50 * seed + k) for k in range(25)):
        try:
            expected = run(torch, torch.autograd.grad, program)
        except Refused:
            continue  # some of what PyTorch refuses is well defined here
        found = run(rekindle, rekindle.grad, program)
        for a, b in zip(found, expected, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)
        agreed += 1
    assert agreed > 8
