"""What is measured: each work is written once and runs on Rekindle and on PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from . import convnets, recurrent
from .library import Library

Step = Callable[[], Any]
"""Does the work once, and returns a tensor by which the two libraries are compared."""


@dataclass(frozen=True)
class Work:
    """One row of the table."""

    title: str
    make: Callable[[Library], Step]
    target: float
    torch7_ms: float | None = None
    """What Torch7 took on two Sapphire Rapids cores, for scale."""


def inference(build: Callable[[Any], Any], batch: int, size: int, lib: Library) -> Step:
    """Return a forward pass in evaluation mode; Rekindle's model goes through `optimise`."""
    model = lib.fill(build(lib.nn)).eval()
    x = lib.normal(2, batch, 3, size, size)
    if lib.name == "rekindle":
        import rekindle

        model = rekindle.optimise(model)
    return lib.no_grad()(lambda: model(x))


def legacy_inference(batch: int, lib: Library) -> Step:
    """Return the forward pass of ResNet-18 that a .t7 file gave, against PyTorch's own."""
    if lib.name == "torch":
        return inference(convnets.resnet18, batch, 224, lib)
    import rekindle

    from . import legacy

    model = rekindle.optimise(legacy.filled(legacy.resnet18_file()).evaluate())
    x = lib.normal(2, batch, 3, 224, 224)
    return lambda: model.forward(x)


def training(build: Callable[[Any], Any], batch: int, lib: Library) -> Step:
    """Return a training step on images: forward, cross entropy, backward, SGD with momentum."""
    model = lib.fill(build(lib.nn)).train()
    optimizer = lib.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    x = lib.normal(2, batch, 3, 224, 224)
    target = lib.tensor(np.arange(batch))

    def step() -> Any:
        optimizer.zero_grad()
        loss = lib.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def backward(
    build: Callable[[Any], Any], shape: tuple[int, ...], lib: Library, of_input: bool = False
) -> Step:
    """Return a pass forward and backward, from a gradient of ones."""
    model = lib.fill(build(lib.nn))
    x = lib.normal(2, *shape)
    if of_input:
        x.requires_grad_()

    def step() -> Any:
        for p in model.parameters():
            p.grad = None
        output = model(x)
        output = output[0] if isinstance(output, tuple) else output
        output.sum().backward()
        return next(iter(model.parameters())).grad

    return step


def mlp(lib: Library) -> Step:
    """Return a training step of an MLP 784-1024-1024-10 on 128 rows."""
    sizes = (784, 1024, 1024, 10)
    layers = [m for n, k in pairwise(sizes) for m in (lib.nn.Linear(n, k), lib.nn.ReLU())]
    model = lib.fill(lib.nn.Sequential(*layers[:-1]))
    optimizer = lib.optim.SGD(model.parameters(), lr=1e-4)
    x, target = lib.normal(2, 128, 784), lib.tensor(np.arange(128) % 10)

    def step() -> Any:
        optimizer.zero_grad()
        loss = lib.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def gelu_and_norm(lib: Library) -> Step:
    """Return GELU and layer norm, written by hand in elementary operations, and back."""
    x = lib.normal(2, 4096, 1024)
    x.requires_grad_()
    scale = lib.normal(3, 1024)
    scale.requires_grad_()
    shift = lib.normal(4, 1024)
    shift.requires_grad_()

    def step() -> Any:
        x.grad = scale.grad = shift.grad = None
        inner = 0.7978845608 * (x + 0.044715 * x * x * x)
        y = 0.5 * x * (1 + lib.tanh(inner))
        centred = y - y.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        z = centred * (variance + 1e-5) ** -0.5 * scale + shift
        z.sum().backward()
        return x.grad

    return step


def small_operations(lib: Library, back: bool = False) -> Step:
    """Return 1,000 chained operations on ten elements, or those and the way back."""
    x, w = lib.normal(2, 10), lib.tensor(np.full(10, 1.0001, np.float32))
    x.requires_grad_()
    w.requires_grad_()

    def step() -> Any:
        x.grad = w.grad = None
        y = x
        for _ in range(500):
            y = y * w
            y = y + w
        if not back:
            return y
        y.sum().backward()
        return x.grad

    return step


WORKS = {
    "resnet18-legacy-b1": Work(
        "ResNet-18 inference b1, legacy_nn", partial(legacy_inference, 1), 0.65, 66.5
    ),
    "resnet18-legacy-b8": Work(
        "ResNet-18 inference b8, legacy_nn", partial(legacy_inference, 8), 0.75, 402
    ),
    "resnet18-b1": Work(
        "ResNet-18 inference b1", partial(inference, convnets.resnet18, 1, 224), 0.65, 66.5
    ),
    "resnet18-b8": Work(
        "ResNet-18 inference b8", partial(inference, convnets.resnet18, 8, 224), 0.75, 402
    ),
    "resnet18-training": Work(
        "ResNet-18 training step b4", partial(training, convnets.resnet18, 4), 0.90
    ),
    "dcgan": Work(
        "DCGAN generator b16, both ways",
        partial(backward, convnets.generator, (16, 100, 1, 1)),
        0.90,
        135,
    ),
    "alexnet": Work("AlexNet inference b1", partial(inference, convnets.alexnet, 1, 224), 0.80),
    "vgg11": Work("VGG-11 inference b1", partial(inference, convnets.vgg11, 1, 224), 0.80, 197),
    "mobilenet": Work(
        "MobileNet v1 inference b1", partial(inference, convnets.mobilenet, 1, 224), 0.80
    ),
    "mlp": Work("MLP step", mlp, 0.95, 9.9),
    "lstm": Work(
        "LSTM h512 b50 t50, both ways", partial(backward, recurrent.lstm, (50, 50, 512)), 1.05, 241
    ),
    "gelu-norm": Work("GELU + layer norm by hand, both ways", gelu_and_norm, 0.25),
    "transformer": Work(
        "transformer block, both ways",
        partial(backward, recurrent.transformer_block, (8, 128, 512), of_input=True),
        1.00,
    ),
    "small-forward": Work("1,000 small operations, forward", small_operations, 0.8),
    "small-both": Work(
        "1,000 small operations, both ways", partial(small_operations, back=True), 0.8
    ),
}
"""By the names that --only takes."""
