"""PyTorch's names for what differentiates."""

import contextlib
import weakref

from rekindle.core import autograd
from rekindle.core.autograd.node import Node
from rekindle.core.tensor import Tensor

from .missing import Lacking


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """torch.autograd.backward, whose arguments may be positional."""
    autograd.backward(
        tensors, grad_tensors, retain_graph=retain_graph, create_graph=create_graph, inputs=inputs
    )


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False,
         only_inputs=True, allow_unused=None, is_grads_batched=False,
         materialize_grads=False):  # fmt: skip
    """torch.autograd.grad, likewise."""
    if is_grads_batched:
        raise Lacking("is_grads_batched")
    options = {"materialize_grads": True} if materialize_grads else {}
    return autograd.grad(
        outputs, inputs, grad_outputs, retain_graph=retain_graph, create_graph=create_graph,
        allow_unused=bool(allow_unused), **options
    )  # fmt: skip


def gradcheck(f, inputs, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True,
              check_forward_ad=False, order=1, **options):  # fmt: skip
    """torch.autograd.gradcheck: check_grads of the inputs that require gradients."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    moving = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]

    def call(*args):
        given = list(inputs)
        for i, x in zip(moving, args, strict=True):
            given[i] = x
        value = f(*given)
        return tuple(value) if isinstance(value, list) else value

    modes = ("rev", "fwd") if check_forward_ad else ("rev",)
    try:
        autograd.check_grads(call, [inputs[i] for i in moving], order, modes)
    except autograd.GradientMismatch:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(f, inputs, grad_outputs=None, **options):
    """torch.autograd.gradgradcheck: check_grads of second order."""
    options.pop("gen_non_contig_grad_outputs", None)
    return gradcheck(f, inputs, order=2, **options)


class BothWays:
    """`@no_grad()` and `@no_grad`, `with no_grad():`."""

    def __init__(self, make):
        self.make = make

    def __call__(self, *args):
        return self.make()(args[0]) if args and callable(args[0]) else self.make(*args)


class WeakTensorRef(weakref.ref):
    """Whether a tensor is still there."""

    def expired(self):
        """Whether it is not."""
        return self() is None


def checkpoint(f, *args, use_reentrant=None, preserve_rng_state=True, **options):
    """torch.utils.checkpoint.checkpoint."""
    for name in ("context_fn", "determinism_check", "debug"):
        if name in options:
            raise Lacking(f"checkpoint({name}=...)")
    if not options:
        return autograd.checkpoint(f, *args)
    return autograd.checkpoint(lambda *a: f(*a, **options), *args)


def names():
    """Return {module: {name: value}}."""
    known = {name: getattr(autograd, name) for name in autograd.__all__}
    modes = {
        "no_grad": BothWays(autograd.no_grad),
        "enable_grad": BothWays(autograd.enable_grad),
        "is_grad_enabled": autograd.is_grad_enabled,
        **{k: known[k] for k in ("set_grad_enabled", "inference_mode") if k in known},
    }
    checks = {"gradcheck": gradcheck, "gradgradcheck": gradgradcheck}
    graph = ("saved_tensors_hooks", "register_multi_grad_hook", "increment_version")
    return {
        "torch": modes,
        "torch._C": {"is_grad_enabled": autograd.is_grad_enabled, "_WeakTensorRef": WeakTensorRef},
        "torch.autograd": modes | checks | {
            "Function": autograd.Function,
            "Variable": lambda x, requires_grad=False: x.detach().requires_grad_(requires_grad),
            "backward": backward,
            "grad": grad,
            "detect_anomaly": known["detect_anomaly"],
        },
        "torch.autograd.function": {
            "InplaceFunction": autograd.Function,
            "Function": autograd.Function,
            "once_differentiable": autograd.once_differentiable,
        },
        "torch.autograd.grad_mode": modes,
        "torch.autograd.graph": {
            "Node": Node, **{name: known[name] for name in graph if name in known},
        },
        # Whether computing again stops early is a matter of time, not of what comes out.
        "torch.utils.checkpoint": {
            "checkpoint": checkpoint,
            "set_checkpoint_early_stop": contextlib.nullcontext,
        },
        "torch.testing._internal.common_utils": checks,
    }  # fmt: skip


def install_methods():
    """Let Tensor's gradient methods take PyTorch's arguments."""
    ours = Tensor.backward

    def tensor_backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        ours(self, gradient, retain_graph=retain_graph, create_graph=create_graph, inputs=inputs)

    Tensor.backward = tensor_backward
