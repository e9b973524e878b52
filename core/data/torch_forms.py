"""The forms that data sets have in old checkpoints, and what is a sample in each.

Source: the data sets of torch/demos, soumith/cifar.torch, facebook/fb.resnet.torch, and of
nn.StochasticGradient, which was a convention and no format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import backend
from ..checkpoint import Table
from ..tensor import Tensor
from .errors import DataError

PAIRS = (
    ("data", "labels"),
    ("data", "label"),
    ("data", "targets"),
    ("data", "target"),
    ("X", "y"),
    ("X", "Y"),
    ("x", "y"),
    ("inputs", "targets"),
    ("input", "target"),
    ("images", "labels"),
    ("imagePath", "imageClass"),
)
"""What inputs and targets are called."""

SPLITS = ("train", "trainData", "training", "test", "testData", "testing", "val", "valid",
          "validation", "extra")  # fmt: skip
"""What parts of a data set are called."""


@dataclass(frozen=True, slots=True)
class Form:
    """A data set as two ways to find what belongs to a number.

    Attributes
    ----------
    name : str
        What the checkpoint holds: "{data, labels}", "a list of samples".
    count : int
    input, target : callable
        From a number, from 0, to the input and to the target; `target` is None where there
        are none.
    """

    name: str
    count: int
    input: Callable[[int], Any]
    target: Callable[[int], Any] | None


def splits_of(value: Any) -> list[str]:
    """Return the names of the parts that an object of a checkpoint has."""
    if not isinstance(value, Table):
        return []
    return [name for name in SPLITS if isinstance(value.get(name), (Table, Tensor))]


def form_of(value: Any) -> Form:
    """Return the form of a data set.

    Raises
    ------
    DataError
        If it has none that is known.
    """
    if isinstance(value, Tensor):
        if not value.ndim:
            raise DataError("a data set has samples; this is one number")
        return Form("a tensor", len(value), _Column(value, "a tensor").__getitem__, None)
    if isinstance(value, Table):
        for first, second in PAIRS:
            if value.get(first) is not None and value.get(second) is not None:
                return _paired(f"{{{first}, {second}}}", value.get(first), value.get(second))
        for first in dict.fromkeys(first for first, _ in PAIRS):
            if isinstance(value.get(first), (Table, Tensor)):
                inputs = _Column(value.get(first), first)
                return Form(f"{{{first}}}", len(inputs), inputs.__getitem__, None)
        elements = value.array()
        if elements:
            return _listed(elements)
        names = ", ".join(str(key) for key in list(value.keys())[:12])
        raise DataError(
            f"a table of {names or 'nothing'} is no data set that is known: what is known are "
            "{data, labels}, {X, y}, {imagePath, imageClass} and their like, tensors, and lists "
            "of samples"
        )
    raise DataError(f"a {type(value).__name__} is no data set: a table or a tensor is")


def _listed(elements: Sequence[Any]) -> Form:
    if len(elements) == 2 and all(isinstance(e, Tensor) and e.ndim for e in elements):
        inputs, targets = elements
        if len(inputs) == len(targets) and inputs.ndim > targets.ndim:
            return _paired("{X, y}", inputs, targets)
    if all(isinstance(e, Table) and len(e.array()) == 2 for e in elements):
        return Form(
            "a list of {input, target}",
            len(elements),
            lambda i: elements[i][1],
            lambda i: elements[i][2],
        )
    for first, second in PAIRS:
        if all(isinstance(e, Table) and first in e and second in e for e in elements):
            inputs = [e[first] for e in elements]
            targets = [e[second] for e in elements]
            name = f"a list of {{{first}, {second}}}"
            return Form(name, len(elements), inputs.__getitem__, targets.__getitem__)
    return Form("a list of samples", len(elements), elements.__getitem__, None)


def _paired(name: str, inputs: Any, targets: Any) -> Form:
    inputs, targets = _samples_first(inputs, targets)
    column, labels = _Column(inputs, name), _Column(targets, name)
    if len(column) != len(labels):
        raise DataError(f"{name} has {len(column)} inputs and {len(labels)} targets")
    return Form(name, len(column), column.__getitem__, labels.__getitem__)


def _samples_first(inputs: Any, targets: Any) -> tuple[Any, Any]:
    """Return inputs and targets with the samples in the first dimension.

    The files of CIFAR for Torch7 have them in the last: data is 3072 x 10000 and labels
    1 x 10000. Targets of shape (n, 1) are numbers.
    """
    if not (isinstance(inputs, Tensor) and isinstance(targets, Tensor) and targets.ndim == 2):
        return inputs, targets
    if targets.shape[0] == 1 and inputs.shape[-1] == targets.shape[1] != inputs.shape[0]:
        return _turned(inputs), targets[0]
    return inputs, targets[:, 0] if targets.shape[1] == 1 else targets


def _turned(tensor: Tensor) -> Tensor:
    """Return a tensor with its dimensions in reverse, without a look at its values."""
    shape, strides = tensor.shape[::-1], tensor.stride()[::-1]
    return Tensor.view_of(tensor.storage(), tensor.storage_offset(), shape, strides)


class _Column:
    """One element for each sample: rows of a tensor, or elements of a table."""

    def __init__(self, value: Any, name: str) -> None:
        if isinstance(value, Table):
            self.values: Any = value.array()
        elif isinstance(value, Tensor) and value.ndim:
            self.values = value
        else:
            raise DataError(
                f"{name}: a tensor or a table is expected; given a {type(value).__name__}"
            )
        self.texts = _are_texts(value, name)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Any:
        if not isinstance(self.values, Tensor):
            return self.values[index]
        value = row_of(self.values, index)
        return text_of(value) if self.texts else value


def row_of(tensor: Tensor, index: int) -> Tensor:
    """Return a row of a tensor; of one that is mapped unaligned, as most are, a copy of the row.

    To ask for its values, or a view of them, would copy the whole storage.
    """
    storage = tensor.storage()
    if storage.raw.flags.aligned and storage.raw.dtype.isnative:
        return tensor[index]
    first = tensor.storage_offset() + index * tensor.stride()[0]
    row = backend.strided_view(storage.raw, first, tensor.shape[1:], tensor.stride()[1:])
    return Tensor(row.astype(storage.dtype))


def _are_texts(value: Any, name: str) -> bool:
    """Whether rows are texts, ended by 0, as fb.resnet.torch keeps the names of images."""
    return (
        "imagePath" in name
        and isinstance(value, Tensor)
        and value.ndim == 2
        and value.dtype.itemsize == 1
    )


def text_of(row: Tensor) -> str:
    """Return the text in a row of bytes, up to the first 0."""
    return row.numpy().tobytes().partition(b"\0")[0].decode("utf-8", "surrogateescape")


def class_names(value: Any) -> list[str] | None:
    """Return the names of the classes that a table has, as fb.resnet.torch keeps them."""
    for name in ("classList", "classes"):
        found = value.get(name) if isinstance(value, Table) else None
        if isinstance(found, Table) and all(isinstance(c, str) for c in found.array()):
            return list(found.array()) or None
    return None
