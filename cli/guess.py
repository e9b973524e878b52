"""Inputs that a model may take, told from its first layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.nngraph.gmodule import gModule
from rekindle.legacy_nn.rnn.sequence_layer import SequenceLayer
from rekindle.legacy_nn.unknown_classes import typename

BATCH = 2

SIZES = (32, 224, 64, 28, 96, 128, 256, 227, 231, 299, *range(4, 64))
"""Heights and widths that image networks take, the likely ones first."""

LENGTHS = (16, 1014, 64, 128, 256, 512, *range(4, 100))
"""Lengths of sequences that temporal convolutions take."""

VOLUMES = ((16, 16), (16, 112), (8, 32), (16, 32), *((n, n) for n in range(4, 33)))
"""Numbers of frames, and their heights and widths, that volumetric networks take."""


@dataclass(frozen=True, slots=True)
class Draw:
    """An input to draw: normal numbers, or whole numbers from 1 to `classes`."""

    shape: tuple[int, ...]
    classes: int | None = None

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape))
        return shape if self.classes is None else f"{shape} of 1 to {self.classes}"


def _images(planes: int) -> list[Draw]:
    return [Draw((BATCH, planes, n, n)) for n in SIZES]


def _volumes(planes: int) -> list[Draw]:
    return [Draw((BATCH, planes, frames, n, n)) for frames, n in VOLUMES]


def _indices(classes: int) -> list[Draw]:
    return [Draw((BATCH, 5), classes), Draw((5,), classes)]


STEPS = 4
"""Steps of the sequences that recurrent models are given."""


def _lstm(module: Any) -> list[Draw]:
    """Return steps for rnn's nn.LSTM, and whole sequences for torch-rnn's of that name."""
    if isinstance(module, SequenceLayer):
        return [Draw((BATCH, STEPS, module.sizes()[0]))]
    return [Draw((BATCH, module.inputSize))]


FIRST: dict[str, Callable[[Any], list[Draw]]] = {
    "Linear": lambda m: [Draw((BATCH, m.weight.shape[1]))],
    "LinearWeightNorm": lambda m: [Draw((BATCH, m.inputSize))],
    "LinearNoBias": lambda m: [Draw((BATCH, m.weight.shape[1]))],
    "LSTM": _lstm,
    "FastLSTM": _lstm,
    "GRU": _lstm,
    "MuFuRu": _lstm,
    "SeqLSTM": lambda m: [Draw((STEPS, BATCH, m.sizes()[0]))],
    "SeqLSTMP": lambda m: [Draw((STEPS, BATCH, m.sizes()[0]))],
    "SeqGRU": lambda m: [Draw((STEPS, BATCH, m.sizes()[0]))],
    "VanillaRNN": lambda m: [Draw((BATCH, STEPS, m.sizes()[0]))],
    "LookupTable": lambda m: _indices(m.weight.shape[0]),
    "OneHot": lambda m: [Draw((BATCH,), m.outputSize)],
    "SpatialConvolution": lambda m: _images(m.nInputPlane),
    "SpatialConvolutionMM": lambda m: _images(m.nInputPlane),
    "SpatialDilatedConvolution": lambda m: _images(m.nInputPlane),
    "SpatialFullConvolution": lambda m: [
        Draw((BATCH, m.nInputPlane, n, n)) for n in (1, 4, 7, 8, 16, 32)
    ],
    "SpatialBatchNormalization": lambda m: _images(m.running_mean.shape[0]),
    "BatchNormalization": lambda m: [Draw((BATCH, m.running_mean.shape[0]))],
    "TemporalConvolution": lambda m: [Draw((BATCH, n, m.inputFrameSize)) for n in LENGTHS],
    "VolumetricConvolution": lambda m: _volumes(m.nInputPlane),
    "VolumetricFullConvolution": lambda m: [
        Draw((BATCH, m.nInputPlane, n, n, n)) for n in (1, 2, 4, 8)
    ],
    "VolumetricBatchNormalization": lambda m: _volumes(m.running_mean.shape[0]),
}
"""By class, without its package: what a model that begins with it may take."""


def candidates(model: Any) -> list[Any]:
    """Return what a model may take, the likely first: Draws, or lists of them for tables.

    What a module does that FIRST lacks (activations, padding, pooling, arithmetic) is taken
    to keep its input's planes: whoever tries a candidate sees whether it fits. A model whose
    fields are damaged, or that contains itself, tells nothing.
    """
    try:
        return _candidates(model)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return []


def _candidates(model: Any) -> list[Any]:
    pending = [model]
    seen: set[int] = set()
    while pending:
        module = pending.pop(0)
        if not isinstance(module, Module):
            return []
        if id(module) in seen:
            continue
        seen.add(id(module))
        if isinstance(module, gModule):
            return _graph_candidates(module)
        if _kind(module) in FIRST:
            return FIRST[_kind(module)](module)
        children = [child for _, child in module.children()]
        if _kind(module) in ("Sequencer", "BiSequencer", "BiSequencerLM"):
            return _sequences(getattr(module, "forwardModule", None) or children[0])
        if _kind(module) == "Recurrence":
            whole = _candidates(children[0])
            return [found[0] for found in whole if isinstance(found, list)]
        if _kind(module) == "ParallelTable":
            return _combined([_candidates(child) for child in children])
        pending = children + pending
    return []


def _sequences(module: Any) -> list[Any]:
    """Return sequences of what a module may take: tables of steps, and tensors."""
    plain = [step for step in _candidates(module) if isinstance(step, Draw)]
    tables = ([step] * STEPS for step in plain)
    tensors = (Draw((STEPS, *step.shape), step.classes) for step in plain)
    return [found for pair in zip(tables, tensors, strict=True) for found in pair]


def _graph_candidates(graph: gModule) -> list[Any]:
    """Return what a graph may take; several inputs are a node that is split by index."""
    node = graph.innode
    while node.data.get("nSplitOutputs") is None and len(node.children) == 1:
        node = node.children[1]
        if node.data.get("module") is not None:
            return _after(node)
    parts = sorted(node.children.array(), key=lambda n: n.data.get("selectindex") or 0)
    if any(part.data.get("selectindex") is None for part in parts):
        return _after(node)
    return _combined([_after(part) for part in parts])


def _after(start: Any) -> list[Any]:
    """Return what a node of a graph may take: what the nearest module after it tells."""
    pending = [start]
    seen = {id(start)}
    for node in pending:
        found = _candidates(node.data.module) if node.data.get("module") is not None else []
        if found:
            return found
        for child in node.children.array():
            if id(child) not in seen:
                seen.add(id(child))
                pending.append(child)
    return []


def _combined(parts: list[list[Any]]) -> list[Any]:
    """Return tables whose elements are each one of `parts`, in step."""
    if not parts or not all(parts):
        return []
    return [[p[min(i, len(p) - 1)] for p in parts] for i in range(max(map(len, parts)))]


def _kind(module: Any) -> str:
    return str(typename(module)).rpartition(".")[2]


def draw(candidate: Any, dtype: Dtype, seed: int) -> Any:
    """Return the tensor or table that a candidate means."""
    return _drawn(candidate, np.random.default_rng(seed), dtype)


def draw_shapes(model: Any, shapes: Sequence[tuple[int, ...]], dtype: Dtype, seed: int) -> Any:
    """Return a random input of given shapes: a table where there are several.

    Where the model's first layer there takes indices, they are drawn from its range.
    """
    hints: list[Any] = next(iter(candidates(model)), [])
    hints = hints if isinstance(hints, list) else [hints]
    classes = [hint.classes if isinstance(hint, Draw) else None for hint in hints]
    classes += [None] * (len(shapes) - len(classes))
    draws = [Draw(shape, n) for shape, n in zip(shapes, classes, strict=False)]
    return draw(draws[0] if len(draws) == 1 else draws, dtype, seed)


def _drawn(part: Any, generator: np.random.Generator, dtype: Dtype) -> Any:
    if not isinstance(part, Draw):
        return Table([_drawn(inner, generator, dtype) for inner in part])
    if part.classes is None:
        return Tensor(generator.standard_normal(part.shape).astype(dtype))
    return Tensor(generator.integers(1, part.classes + 1, part.shape).astype(dtype))


def text_of(candidate: Any) -> str:
    """Return a candidate for a reader."""
    if isinstance(candidate, Draw):
        return str(candidate)
    return "{" + ", ".join(text_of(part) for part in candidate) + "}"
