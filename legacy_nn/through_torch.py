"""Calls `module(x)` of modules that say what they compute in Torch's methods alone."""

from __future__ import annotations

from typing import Any

from rekindle.core.autograd import Context, Function
from rekindle.core.creation import zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.core.tensor import Tensor

from .errors import ModuleError
from .values import as_torch, detached_copy, map_tensors, tensors_in

METHODS = ("updateOutput", "updateGradInput", "accGradParameters")

_HERE = __name__.rpartition(".")[0]


def torch_only(module: Any) -> bool:
    """Whether Torch's methods of a module are not known to agree with its `compute`.

    That is so where a class outside this package overrides one of them, or an instance has
    its own, and it is not marked with `both_protocols`.
    """
    own = module.__dict__
    if "updateOutput" in own or "updateGradInput" in own or "accGradParameters" in own:
        return _disagree(*(getattr(module, name) for name in METHODS))
    cls = type(module)
    methods = cls.updateOutput, cls.updateGradInput, cls.accGradParameters
    known = vars(cls).get("_agreement")
    if known is None or known[0] != methods:
        known = cls._agreement = methods, _disagree(*methods)  # asked at every call
    return bool(known[1])


def _disagree(output: Any, *gradients: Any) -> bool:
    if not getattr(output, "both_protocols", False):
        return True
    return not all(
        getattr(method, "both_protocols", False)
        or getattr(method, "__module__", "").startswith(_HERE)
        for method in gradients
    )


def call_through_torch(module: Any, input: Any) -> Any:
    """Return fresh outputs of `updateOutput`, whose gradients come from Torch's methods.

    Going back, `updateGradInput` and `accGradParameters` are called with the module as it is
    then; if it has computed something else meanwhile, `updateOutput` is called again first.
    """
    parameters = {id(p): p for p in module.parameters()[0]}
    call = _Call(module, map_tensors(lambda t: t.detach(), input))
    results = iter(_ThroughTorch.apply(call, *tensors_in(input), *parameters.values()))
    return map_tensors(lambda _: next(results), call.output)


class _Call:
    """One call: the module, what it was given, and what it returned."""

    def __init__(self, module: Any, input: Any) -> None:
        self.module = module
        self.input = input
        self.run()

    def run(self) -> None:
        with as_torch():
            self.output = detached_copy(self.module.updateOutput(self.input))
        self._left = self._state()

    def is_last(self) -> bool:
        """Whether the module's output is still what this call left."""
        return self._left == self._state()

    def _state(self) -> list[tuple[int, int]]:
        return [(id(t), t.version) for t in tensors_in(self.module.output)]


class _ThroughTorch(Function):
    """A call as a step of the graph."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        ctx.call = args[0]  # type: ignore[attr-defined]  # contexts take any attribute
        return tuple(tensors_in(ctx.call.output))  # type: ignore[attr-defined]

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        call: _Call = ctx.call  # type: ignore[attr-defined]
        module, arrived = call.module, iter(gradients)

        def given(tensor: Tensor) -> Tensor:
            g = next(arrived)
            return zeros_like(tensor) if g is None else g.detach()

        if not module.goes_back():
            raise ModuleError(
                f"{module.t7_typename} has an updateOutput and no updateGradInput, so no gradient "
                "goes through it: write one, or state what it computes in compute()"
            )
        with as_torch():
            gradOutput = map_tensors(given, call.output)
            if not call.is_last():
                call.run()
            inputs = list(tensors_in(call.input))
            found = list(tensors_in(module.updateGradInput(call.input, gradOutput)))
            of_inputs = [
                g.clone() if is_floating(x.dtype) and g.shape == x.shape else None
                for x, g in zip(inputs, found, strict=False)
            ]
            missing = [None] * (len(inputs) - len(of_inputs))
            return None, *of_inputs, *missing, *_of_parameters(call, gradOutput)


def _of_parameters(call: _Call, gradOutput: Any) -> list[Tensor | None]:
    """Return what `accGradParameters` adds to each gradient, and leave these as they were."""
    pairs = {id(p): (p, p.grad) for p in call.module.parameters()[0]}
    kept = [(g, g.clone()) for _, g in pairs.values() if g is not None]
    for g, _ in kept:
        g.zero_()
    call.module.accGradParameters(call.input, gradOutput, 1)
    added = [None if g is None else g.clone() for _, g in pairs.values()]
    for g, before in kept:
        g.copy_(before)
    return added
