"""What the Python modules of Lua files are called."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Container, Iterable


def module_name(path: str) -> str:
    """Return the name of a Lua file's Python module.

    Parameters
    ----------
    path : str
        From the root of the program, with slashes, or as `require` has it, with dots; with or
        without `.lua`.

    Examples
    --------
    >>> module_name("my-nets/2d.lua"), module_name("random.lua"), module_name("models/init.lua")
    ('my_nets._2d', 'random_', 'models')
    """
    parts = path.removesuffix(".lua").split("/")
    if parts[-1] == "init" and len(parts) > 1:
        parts.pop()
    found = [_part(p, first=i == 0) for i, p in enumerate(parts)]
    if found[0] == "test" and "/" in path:  # Python finds a package of its own first
        found[0] = "test_"
    return ".".join(found)


def required_module_name(name: str) -> str:
    """Return the name of the Python module that `require(name)` means.

    Examples
    --------
    >>> required_module_name("my-nets.2d"), required_module_name("./lib/types")
    ('my_nets._2d', 'lib.types')
    """
    plain = name.removeprefix("./")
    return module_name(plain if "/" in plain else plain.replace(".", "/"))


def _part(text: str, first: bool) -> str:
    name = re.sub(r"\W", "_", text)
    if name[:1].isdigit() or not name:
        name = f"_{name}"
    taken = first and name in sys.stdlib_module_names and name != "test"
    return f"{name}_" if keyword.iskeyword(name) or taken else name


def placed(
    paths: Iterable[str], scripts: Container[str] = frozenset()
) -> dict[str, tuple[str, str]]:
    """Return the module name and the path of the Python file of each Lua file of a program.

    `a/init.lua` is the package `a`, and so is `a.lua` where there is a folder `a` with Lua
    files: Python cannot import `a.b` beside a plain module `a`. Where both are there, Lua takes
    `a.lua`, and the other is `a.init`. A script `a.lua`, which `import a.b` must not run, is
    `a_` beside the folder. Files that would get one name are told apart by a number.

    Parameters
    ----------
    paths : iterable of str
    scripts : container of str
        Paths of files that are run and never required.

    Returns
    -------
    dict
        By the path of the Lua file.
    """
    listed = list(paths)
    folders = {part for path in listed for part in _folders(module_name(path))}
    found: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    for path in sorted(listed, key=lambda p: (p.endswith("/init.lua"), p)):
        name = module_name(path)
        if path in scripts and name in folders:
            name += "_"
        package = path.endswith("/init.lua") or name in folders
        if path.endswith("/init.lua") and name in taken:
            name, package = f"{name}.init", False
        base, number = name, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        file = name.replace(".", "/")
        found[path] = name, f"{file}/__init__.py" if package else f"{file}.py"
    return found


def _folders(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]
