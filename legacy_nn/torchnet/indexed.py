"""tnt.IndexedDataset: the samples of a pair of files or of several.

Source: torchnet/torchnet dataset/indexeddataset.lua.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from .dataset import Dataset, check_position
from .indexed_files import IndexedDatasetReader
from .meter import check

File = str | PathLike[str]


class IndexedDataset(Dataset):
    """Samples from pairs of files, an archive of tensors or tables and its index.

    Parameters
    ----------
    fields : sequence of str, or mapping
        With `path` the names of the fields, whose files are ``path/name.idx`` and
        ``path/name.bin``. Without it a mapping of names to mappings with the entries "idx" and
        "bin", the names of the files.
    path : str or path, optional
        A folder.
    maxload : int, optional
        How many samples there are at most; all for 0 or less.
    mmap : bool
        Tensors are views of the mapped archive, as with IndexedDatasetReader.
    standalone : bool
        The only field is the sample itself. Otherwise samples are dicts, fields by name.

    Raises
    ------
    TorchnetError
        Without fields, for fields of different sizes, and for files that are no such pair.

    Source: torchnet/torchnet dataset/indexeddataset.lua.
    """

    def __init__(
        self,
        fields: Sequence[str] | Mapping[str, Mapping[str, File]],
        path: File | None = None,
        maxload: int | None = None,
        mmap: bool = False,
        standalone: bool = False,
    ) -> None:
        files = _files(fields, path)
        check(files, "fields should not be empty")
        check(
            not standalone or len(files) == 1,
            f"standalone is for one field, got {len(files)}",
        )
        self.fields = {
            name: IndexedDatasetReader(index, data, mmap) for name, (index, data) in files.items()
        }
        self.standalone = standalone
        sizes = {name: reader.size() for name, reader in self.fields.items()}
        check(len({*sizes.values()}) == 1, f"fields should have one size, got {sizes}")
        self._size = next(iter(sizes.values()))
        if maxload is not None and maxload > 0:
            self._size = min(maxload, self._size)

    def size(self) -> int:
        """Return the number of samples."""
        return self._size

    def get(self, idx: int) -> Any:
        """Return a sample."""
        check_position(idx, self._size)
        sample = {name: reader.get(idx) for name, reader in self.fields.items()}
        return next(iter(sample.values())) if self.standalone else sample


def _files(fields: Any, path: File | None) -> dict[str, tuple[File, File]]:
    """Return the index and the archive of each field."""
    if path is not None:
        check(
            not isinstance(fields, (str, Mapping)) and all(isinstance(n, str) for n in fields),
            f"with a path, fields should be a list of names, got {fields!r}",
        )
        folder = Path(path)
        return {name: (folder / f"{name}.idx", folder / f"{name}.bin") for name in fields}
    check(
        isinstance(fields, Mapping)
        and all(isinstance(f, Mapping) and f.keys() == {"idx", "bin"} for f in fields.values()),
        f"without a path, fields should map names to {{'idx': file, 'bin': file}}, got {fields!r}",
    )
    return {name: (files["idx"], files["bin"]) for name, files in fields.items()}
