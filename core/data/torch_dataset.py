"""TorchDataset: a data set in an old checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..checkpoint import Table, load
from ..tensor import Tensor
from .datasets import Dataset
from .errors import DataError
from .torch_forms import class_names, form_of, splits_of


class TorchDataset(Dataset):
    """The samples in a `.t7` file, as `(input, target)`, or the input alone without targets.

    Parameters
    ----------
    source : path, Table or Tensor
        A file, or what `load` made of it. Large tensors are mapped from the file and not
        copied; worker processes map them themselves.
    split : str, optional
        Which part: "train", "test", "val"; needed where the file has parts.
    zero_based : bool
        Subtract 1 from targets, which in Torch7 are classes from 1.
    transform, target_transform : callable, optional
        Applied to the input, and to the target.
    root : path, optional
        The folder of images, for names of images; by default the one that the file names.

    Attributes
    ----------
    classes : list of str or None
        Names of the classes, where the file has them.
    form : str
        What the samples were found in.

    Raises
    ------
    DataError
        For an object that is no data set that is known, or a split that it lacks; and, when
        such a sample is asked for, with `zero_based` for a target that is no class from 1.

    Notes
    -----
    Known are tables of two columns ({data, labels}, {X, y}, {inputs, targets}, ...: tensors or
    tables), {train, test, ...} of these, lists of `{input, target}` pairs, tables or tensors,
    tds.Vec and tds.Hash for tables, one tensor, the files of CIFAR for Torch7, whose samples
    are columns, and {imagePath, imageClass} of fb.resnet.torch, whose inputs are the names of
    files. Numbers are Python's; tables in a sample become tuples, or dicts by name.

    Examples
    --------
    >>> import rekindle
    >>> table = rekindle.Table({"data": rekindle.zeros((5, 3)), "labels": rekindle.ones(5)})
    >>> TorchDataset(table, zero_based=True)[4]
    (Tensor([0., 0., 0.], shape=(3,), dtype=float32), 0)
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Table | Tensor,
        split: str | None = None,
        *,
        zero_based: bool = False,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        root: str | os.PathLike[str] | None = None,
    ) -> None:
        self.source, self.split, self.zero_based = source, split, zero_based
        self.transform, self.target_transform = transform, target_transform
        self.root = None if root is None else os.fspath(root)
        self._read()

    def _read(self) -> None:
        given = self.source
        value: Any = given if isinstance(given, (Table, Tensor)) else load(given)
        name = "the data set" if isinstance(given, (Table, Tensor)) else os.fspath(given)
        self.classes = class_names(value)
        if self.root is None and isinstance(value, Table) and isinstance(value.get("basedir"), str):
            self.root = value["basedir"]
        splits = splits_of(value)
        if self.split is not None:
            part = value.get(self.split) if isinstance(value, Table) else None
            if part is None:
                raise DataError(f"{name} has no part {self.split!r}; {_choice(splits)}")
            value = part
        elif splits:
            raise DataError(f"{name} has parts; {_choice(splits)} as split")
        try:
            self._form = form_of(value)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        self.form = self._form.name

    def __len__(self) -> int:
        return self._form.count

    def __getitem__(self, index: int) -> Any:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        value = _plain(self._form.input(number))
        if isinstance(value, str) and "imagePath" in self.form:
            value = os.path.join(self.root or "", self.split or "", value)
        if self.transform is not None:
            value = self.transform(value)
        if self._form.target is None:
            return value
        target = _plain(self._form.target(number))
        if self.zero_based:
            target = _from_zero(target, number)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return value, target

    def __getstate__(self) -> dict[str, Any]:
        """Return the arguments: a copy, such as a worker's, reads the file itself."""
        return {n: v for n, v in vars(self).items() if n not in ("_form", "form", "classes")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._read()

    def __repr__(self) -> str:
        return f"TorchDataset({len(self)} samples of {self.form})"


def _choice(splits: list[str]) -> str:
    return f"choose one of {', '.join(splits)}" if splits else "it has no parts"


def _plain(value: Any) -> Any:
    """Return a value of a checkpoint as Python has it."""
    if isinstance(value, Tensor):
        return value if value.ndim else value.item()
    if isinstance(value, Table):
        elements = value.array()
        if len(elements) == value.count():
            return tuple(map(_plain, elements))
        return {key: _plain(item) for key, item in value.items()}
    return value


def _from_zero(target: Any, number: int) -> Any:
    """Return a class, or a tensor of classes, counted from 0."""
    if isinstance(target, tuple):
        return tuple(_from_zero(t, number) for t in target)
    lowest = target.min().item() if isinstance(target, Tensor) else target
    if isinstance(lowest, (int, float)) and lowest >= 1 and float(lowest).is_integer():
        return target - 1 if isinstance(target, Tensor) else int(target) - 1
    raise DataError(
        f"the target of sample {number} is {lowest!r}, no class counted from 1: leave zero_based "
        "out if classes count from 0 already"
    )
