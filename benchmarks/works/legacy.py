"""ResNet-18 as fb.resnet.torch builds it, written to a .t7 file and read back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import rekindle
from rekindle import legacy_nn as nn


def convolution(planes: int, out: int, size: int, stride: int) -> Any:
    """Return a convolution without bias that keeps the border."""
    pad = size // 2
    return nn.SpatialConvolution(planes, out, size, size, stride, stride, pad, pad).noBias()


def block(planes: int, out: int, stride: int) -> Any:
    """Return a residual block with two convolutions."""
    branch = nn.Sequential().add(convolution(planes, out, 3, stride))
    branch.add(nn.SpatialBatchNormalization(out)).add(nn.ReLU(True))
    branch.add(convolution(out, out, 3, 1)).add(nn.SpatialBatchNormalization(out))
    shortcut: Any = nn.Identity()
    if stride != 1 or planes != out:
        shortcut = nn.Sequential().add(convolution(planes, out, 1, stride))
        shortcut.add(nn.SpatialBatchNormalization(out))
    both = nn.ConcatTable().add(branch).add(shortcut)
    return nn.Sequential().add(both).add(nn.CAddTable(True)).add(nn.ReLU(True))


def resnet18(head: Any) -> Any:
    """Return ResNet-18 in float32, with the modules `head` in front of the last layer."""
    model = nn.Sequential().add(convolution(3, 64, 7, 2)).add(nn.SpatialBatchNormalization(64))
    model.add(nn.ReLU(True)).add(nn.SpatialMaxPooling(3, 3, 2, 2, 1, 1))
    planes = 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        model.add(nn.Sequential().add(block(planes, out, stride)).add(block(out, out, 1)))
        planes = out
    for module in head:
        model.add(module)
    return model.add(nn.Linear(512, 1000)).float()


def resnet18_file() -> Any:
    """Return ResNet-18 for images of 224 pixels, read from a .t7 file as users do."""
    model = resnet18([nn.SpatialAveragePooling(7, 7, 1, 1), nn.View(512).setNumInputDims(3)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "resnet-18.t7"
        rekindle.save(model, path)
        return rekindle.load(path, mmap=False)


@rekindle.no_grad()
def filled(model: Any) -> Any:
    """Give a legacy model the values that `Library.fill` gives a core model; return it."""
    draw = np.random.default_rng(1)
    for p in model.parameters()[0]:
        scale = np.sqrt(2.0 / np.prod(p.shape[1:])) if p.ndim > 1 else 0.1
        values = draw.standard_normal(p.shape, np.float32) * np.float32(scale)
        p.copy_(rekindle.tensor(values if p.ndim > 1 else values + np.float32(0.5)))
    return model
