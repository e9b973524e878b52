"""What a model of legacy_nn takes against its arithmetic on core operations; the aim is 1.15.

Two models in float32: ResNet-18 as fb.resnet.torch builds it, and the LSTM of char-rnn with two
layers, built with nngraph and unrolled over its clones (128 units, batches of 50, 50 steps, 65
characters). Each runs forward, and forward and backward, in three ways that take turns: Torch's
protocol (`forward`, `backward`), the framework's (`model(x)`, `loss.backward()`), and the same
operations of rekindle.core written out with the same parameters. Forward, `model(x)` runs inside
`no_grad` and is compared with core there; Torch's `forward` leaves every output for `backward` to
read, and is compared with core where that keeps its values too, recording its graph. Going back,
Torch's modules compute the gradients of all their inputs: the first Linear of char-rnn that of the
one-hot rows too, so core is asked for it where it is compared with Torch's protocol. Prints
medians in milliseconds of processor time and the medians of the ratios of neighbours, after a
check that all compute the same.

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/legacy_overhead.py [--rounds N] [--small]
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from load_common import arguments, report
from works.legacy import resnet18

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import ops
from rekindle.core.autograd import no_grad
from rekindle.core.tensor import Tensor

Way = Callable[[], Tensor]
"""Runs a model once; returns its output, or the gradient that is compared."""

Model = tuple[dict[str, Way], dict[str, Way]]
"""The ways forward, and the ways forward and backward."""


# -- ResNet-18 ------------------------------------------------------------------------------

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


class CoreResNet:
    """The same arithmetic on core operations, with parameters in the same order."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters: list[Tensor] = [rekindle.Parameter(p.detach().clone()) for p in parameters]
        sizes = [p.size for p in parameters[:-2] if p.ndim == 1][::2]
        self.moments = [
            (rekindle.zeros(n, dtype="float32"), rekindle.ones(n, dtype="float32")) for n in sizes
        ]

    def __call__(self, x: Tensor) -> Tensor:
        """Return the scores of a batch of images."""
        given = iter(self.parameters)
        moments = iter(self.moments)

        def unit(x: Tensor, stride: int, pad: int, last: bool = False) -> Tensor:
            y = ops.convolution(x, next(given), None, stride=stride, padding=pad)
            count = y.size // y.shape[1]
            y, *found = ops.batch_norm_training(y, next(given), next(given), eps=1e-5)
            with no_grad():
                found[1] = found[1] * (count / (count - 1))
                for running, new in zip(next(moments), found, strict=True):
                    running.mul_(0.9).add_(new * 0.1)
            return y if last else ops.relu(y)

        x = ops.max_pool(unit(x, 2, 3), kernel=(3, 3), stride=(2, 2), padding=(1, 1))[0]
        planes = 64
        for out, first in STAGES:
            for stride in (first, 1):
                y = unit(unit(x, stride, 1), 1, 1, last=True)
                changes = stride != 1 or planes != out
                x = ops.relu(y + (unit(x, stride, 0, last=True) if changes else x))
                planes = out
        x = ops.mean(ops.mean(x, axis=3), axis=2)
        return ops.linear(x, next(given), next(given))


def resnet(small: bool) -> Model:
    rekindle.torch_seed(1)
    model = resnet18([nn.Mean(4), nn.Mean(3)])
    core = CoreResNet(model.parameters()[0])
    size = 64 if small else 112
    generator = np.random.default_rng(0)
    x = Tensor(generator.standard_normal((4, 3, size, size)).astype(np.float32))
    g = Tensor(generator.standard_normal((4, 1000)).astype(np.float32))

    def torch_backward() -> Tensor:
        model.zeroGradParameters()
        model.forward(x)
        model.backward(x, g)
        first: Tensor = model.parameters()[1][0]
        return first

    def plain(run: Callable[[Tensor], Any], parameters: list[Tensor]) -> Way:
        def backward() -> Tensor:
            for p in parameters:
                if p.grad is not None:
                    p.grad.zero_()
            run(x.detach().requires_grad_()).backward(g)
            assert parameters[0].grad is not None
            return parameters[0].grad

        return backward

    forward: dict[str, Way] = {
        "torch": lambda: model.forward(x),
        "call": no_grad()(lambda: model(x)),
        "core": no_grad()(lambda: core(x)),
        "core, recording": lambda: core(x),
    }
    return forward, {
        "torch": torch_backward,
        "call": plain(model, model.parameters()[0]),
        "core": plain(core, core.parameters),
    }


# -- char-rnn -------------------------------------------------------------------------------

VOCABULARY, UNITS, LAYERS, BATCH = 65, 128, 2, 50


class OneHot(nn.Module):
    """The module of char-rnn that makes rows of the unit matrix from characters."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._eye = rekindle.eye(size, dtype="float32")

    def compute(self, input: Any) -> Any:
        """Return the rows of the unit matrix that `input` names, from 1."""
        return self._eye[input - 1]


def lstm() -> Any:
    inputs = [nn.Identity()() for _ in range(2 * LAYERS + 1)]
    outputs: list[Any] = []
    for layer in range(LAYERS):
        prev_c, prev_h = inputs[2 * layer + 1], inputs[2 * layer + 2]
        x = outputs[-1] if layer else OneHot(VOCABULARY)(inputs[0])
        size = UNITS if layer else VOCABULARY
        i2h, h2h = nn.Linear(size, 4 * UNITS)(x), nn.Linear(UNITS, 4 * UNITS)(prev_h)
        sums = nn.Reshape(4, UNITS)(nn.CAddTable()([i2h, h2h]))
        n1, n2, n3, n4 = nn.SplitTable(2)(sums).split(4)
        keep = nn.CMulTable()([nn.Sigmoid()(n2), prev_c])
        write = nn.CMulTable()([nn.Sigmoid()(n1), nn.Tanh()(n4)])
        next_c = nn.CAddTable()([keep, write])
        outputs += [next_c, nn.CMulTable()([nn.Sigmoid()(n3), nn.Tanh()(next_c)])]
    scores = nn.LogSoftMax()(nn.Linear(UNITS, VOCABULARY)(outputs[-1]))
    return nn.gModule(inputs, [*outputs, scores]).float()


class CoreLSTM:
    """One step of the same LSTM on core operations."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters: list[Tensor] = [rekindle.Parameter(p.detach().clone()) for p in parameters]
        self.eye = rekindle.eye(VOCABULARY, dtype="float32")
        self.whole = False  # whether the one-hot rows ask for their gradient

    def __call__(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return cell and output of each layer, and the scores."""
        p = self.parameters
        outputs: list[Tensor] = []
        x = self.eye[inputs[0] - 1].requires_grad_(self.whole)
        for layer in range(LAYERS):
            w_i, b_i, w_h, b_h = p[4 * layer : 4 * layer + 4]
            prev_c, prev_h = inputs[2 * layer + 1], inputs[2 * layer + 2]
            sums = ops.linear(x, w_i, b_i) + ops.linear(prev_h, w_h, b_h)
            n1, n2, n3, n4 = (sums[:, k * UNITS : (k + 1) * UNITS] for k in range(4))
            next_c = ops.sigmoid(n2) * prev_c + ops.sigmoid(n1) * ops.tanh(n4)
            x = ops.sigmoid(n3) * ops.tanh(next_c)
            outputs += [next_c, x]
        return [*outputs, ops.log_softmax(ops.linear(x, *p[-2:]), axis=1)]


def char_rnn(small: bool) -> Model:
    rekindle.torch_seed(1)
    steps = 10 if small else 50
    model = lstm()
    gradient = model.getParameters()[1]
    core = CoreLSTM(model.parameters()[0])
    # Clones share their parameters, as model_utils.clone_many_times lets them.
    clones = [model.clone("weight", "bias", "gradWeight", "gradBias") for _ in range(steps)]
    criteria = [nn.ClassNLLCriterion().float() for _ in range(steps)]
    generator = np.random.default_rng(0)
    text = [Tensor(generator.integers(1, VOCABULARY + 1, BATCH)) for _ in range(steps + 1)]
    start = [rekindle.zeros((BATCH, UNITS), dtype="float32") for _ in range(2 * LAYERS)]

    def torch_forward() -> list[list[Tensor]]:
        states = [start]
        for t in range(steps):
            result = clones[t].forward([text[t], *states[t]])
            states.append(result.array()[:-1])
            criteria[t].forward(result[len(result)], text[t + 1])
        return states

    def torch_backward() -> Tensor:
        gradient.zero_()
        states = torch_forward()
        going = [rekindle.zeros((BATCH, UNITS), dtype="float32") for _ in start]
        for t in reversed(range(steps)):
            output = clones[t].output
            of_scores = criteria[t].backward(output[len(output)], text[t + 1])
            passed = clones[t].backward([text[t], *states[t]], [*going, of_scores])
            going = passed.array()[1:]
        first: Tensor = model.parameters()[1][0]
        return first

    def unrolled(run: Callable[[Any], Any], criterion: Callable[[Tensor, Tensor], Tensor]) -> Any:
        def forward() -> Tensor:
            state, total = start, Tensor(np.float32(0))
            for t in range(steps):
                result = run([text[t], *state])
                result = result if isinstance(result, list) else result.array()
                state = result[:-1]
                total = total + criterion(result[-1], text[t + 1])
            return total

        return forward

    of_core = unrolled(core, lambda y, t: -ops.mean(ops.take_along_axis(y, t[:, None] - 1, axis=1)))
    of_call = unrolled(model, lambda y, t: criteria[0](y, t))

    def call_backward() -> Tensor:
        gradient.zero_()
        of_call().backward()
        first: Tensor = model.parameters()[1][0]
        return first

    def core_backward(whole: bool = False) -> Tensor:
        core.whole = whole
        for p in core.parameters:
            if p.grad is not None:
                p.grad.zero_()
        of_core().backward()
        first = core.parameters[0].grad
        assert first is not None
        return first

    forward: dict[str, Way] = {
        "torch": lambda: (torch_forward(), clones[-1].output[2 * LAYERS + 1])[1],
        "call": no_grad()(of_call),
        "core": no_grad()(of_core),
        "core, recording": of_core,
    }
    return forward, {
        "torch": torch_backward,
        "call": call_backward,
        "core": core_backward,
        "core, all gradients": lambda: core_backward(whole=True),
    }


# -- measuring ------------------------------------------------------------------------------


def measured(ways: dict[str, Way], rounds: int) -> dict[str, float]:
    """Return median milliseconds of each way, and of the ratios to core in the same round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round in range(rounds + 1):
        for name, way in ways.items():
            gc.collect()
            begin = time.process_time()
            way()
            if round:
                seconds[name].append(time.process_time() - begin)
    found = {f"{name}, ms": statistics.median(s) * 1e3 for name, s in seconds.items()}
    peers = [name for name in ways if name.startswith("core, ")]
    for name, peer in (("torch", (*peers, "core")[0]), ("call", "core")):
        pairs = zip(seconds[name], seconds[peer], strict=True)
        found[f"{name} / {peer}"] = statistics.median(a / b for a, b in pairs)
    return found


def main() -> None:
    options = arguments(__doc__)
    results: dict[str, Any] = {}
    for model, build in (("ResNet-18", resnet), ("char-rnn", char_rnn)):
        forward, both = build(options.small)
        # Gradients of a deep network jump where rounding puts a ReLU on the other side of 0.
        compared = forward if model == "ResNet-18" else both
        reference = compared["core"]().numpy().copy()
        for name in ("torch", "call"):
            error = np.abs(compared[name]().numpy() - reference).max() / np.abs(reference).max()
            assert error < 1e-4, (model, name, error)
        for what, ways in (("forward", forward), ("forward and backward", both)):
            for name, value in measured(ways, options.rounds).items():
                results[f"{model}, {what}: {name}"] = value
    report(results, options.json)


if __name__ == "__main__":
    main()
