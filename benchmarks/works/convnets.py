"""Convolutional networks: ResNet-18, AlexNet, VGG-11, MobileNet v1 and DCGAN's generator."""

from __future__ import annotations

from typing import Any


def unit(nn: Any, planes: int, out: int, size: int, stride: int = 1, groups: int = 1) -> list[Any]:
    """Return a convolution that keeps the border, and its normalisation."""
    convolution = nn.Conv2d(
        planes, out, size, stride=stride, padding=size // 2, groups=groups, bias=False
    )
    return [convolution, nn.BatchNorm2d(out)]


def resnet18(nn: Any) -> Any:
    """Return the network of https://arxiv.org/abs/1512.03385 with 18 layers."""

    class Block(nn.Module):
        def __init__(self, planes: int, out: int, stride: int) -> None:
            super().__init__()
            self.branch = nn.Sequential(
                *unit(nn, planes, out, 3, stride), nn.ReLU(), *unit(nn, out, out, 3)
            )
            same = stride == 1 and planes == out
            self.shortcut = (
                nn.Identity() if same else nn.Sequential(*unit(nn, planes, out, 1, stride))
            )
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.branch(x) + self.shortcut(x))

    layers = [*unit(nn, 3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    planes = 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(planes, out, stride), Block(out, out, 1)]
        planes = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def alexnet(nn: Any) -> Any:
    """Return the network of https://arxiv.org/abs/1404.5997, with one tower."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Flatten(), nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(),
        nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000),
    )  # fmt: skip


def vgg11(nn: Any) -> Any:
    """Return configuration A of https://arxiv.org/abs/1409.1556."""
    layers: list[Any] = []
    planes = 3
    for out in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
        if out:
            layers += [nn.Conv2d(planes, out, 3, padding=1), nn.ReLU()]
            planes = out
        else:
            layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000),
    )  # fmt: skip


def mobilenet(nn: Any) -> Any:
    """Return the network of https://arxiv.org/abs/1704.04861 at full width."""
    layers = [*unit(nn, 3, 32, 3, 2), nn.ReLU()]
    planes = 32
    widths = [64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    strides = [1, 2, 1, 2, 1, 2, *[1] * 5, 2, 1]
    for out, stride in zip(widths, strides, strict=True):
        layers += [*unit(nn, planes, planes, 3, stride, groups=planes), nn.ReLU()]
        layers += [*unit(nn, planes, out, 1), nn.ReLU()]
        planes = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))


def generator(nn: Any) -> Any:
    """Return the generator of https://arxiv.org/abs/1511.06434, 100 numbers to 64x64 pixels."""
    layers = [nn.ConvTranspose2d(100, 512, 4, bias=False), nn.BatchNorm2d(512), nn.ReLU()]
    for planes in (512, 256, 128):
        out = planes // 2
        up = nn.ConvTranspose2d(planes, out, 4, stride=2, padding=1, bias=False)
        layers += [up, nn.BatchNorm2d(out), nn.ReLU()]
    last = nn.ConvTranspose2d(64, 3, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(*layers, last, nn.Tanh())
