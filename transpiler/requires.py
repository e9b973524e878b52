"""Which file of a program `require` means.

A program is often a folder of a repository, and is run from there: what is required is sought
from the root, then from the folders of the file that requires it, then anywhere, if only one
file has that name (Lua finds it by LUA_PATH). A repository whose root has an `init.lua` is a
package itself, whose files are required behind the package's name.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import library


class Requires:
    """The files of a program by the names under which they are required.

    Parameters
    ----------
    paths : iterable of str
        From the root, with slashes.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        listed = list(paths)
        self._files: dict[str, str] = {}
        for path in listed:
            self._files[path.removesuffix(".lua")] = path
        for path in listed:
            plain = path.removesuffix(".lua")
            if plain.endswith("/init"):  # Lua tries a.lua first
                self._files.setdefault(plain.removesuffix("/init"), path)
        self._ends: dict[str, list[str]] = {}
        for name in self._files:
            parts = name.split("/")
            for i in range(1, len(parts)):
                self._ends.setdefault("/".join(parts[i:]), []).append(name)
        self._found: dict[tuple[str, str], tuple[str, int] | None] = {}

    def has(self, required: str) -> bool:
        """Whether a name means a file from the root."""
        return required.replace(".", "/") in self._files

    def find(self, required: str, path: str = "") -> tuple[str, int] | None:
        """Return the file that a name means in the file `path`, None if it is none of the program.

        Returns
        -------
        path : str
        depth : int
            How many of the file's folders are not part of the name; -1 where the name has one
            more in front, the program's own.
        """
        key = required, path.rpartition("/")[0]
        if key not in self._found:
            self._found[key] = self._look(*key)
        return self._found[key]

    def _look(self, required: str, folder: str) -> tuple[str, int] | None:
        plain = required.removeprefix("./")
        names = dict.fromkeys((_searched(plain), plain, plain.removesuffix(".lua")))
        for name in names:
            if name in self._files:
                return self._files[name], 0
        if required.partition(".")[0] in library.PACKAGES:
            return None
        parts = folder.split("/") if folder else []
        for depth in range(len(parts), 0, -1):
            for name in names:
                full = "/".join([*parts[:depth], name])
                if full in self._files:
                    return self._files[full], depth
        for name in names:
            ends = self._ends.get(name, [])
            if len(ends) == 1:
                return self._files[ends[0]], ends[0].count("/") - name.count("/")
        inside = names and next(iter(names)).partition("/")[2]
        if inside and "init" in self._files and inside in self._files:
            return self._files[inside], -1
        return None


def _searched(required: str) -> str:
    """Return the path that Lua looks for below each of its folders.

    Dots are slashes to it, and several are one: `../util` is `util`, and `..` the folder's
    `init.lua`.
    """
    return "/".join(part for part in required.replace(".", "/").split("/") if part) or "init"
