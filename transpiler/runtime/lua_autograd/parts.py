"""The parts of autograd that are written in Lua, translated when they are first asked for.

Losses, models, utilities and the like have one source, the files of legacy_nn/bridge/packages.
"""

from __future__ import annotations

from functools import cache
from importlib.abc import ExecutionLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import rekindle.legacy_nn.bridge.packages as packages

_FOLDER = Path(packages.__file__).parent / "autograd"


class _Translating(ExecutionLoader):
    """Loads a Lua file of Rekindle's own as a module of Python."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get_filename(self, fullname: str) -> str:
        """Return what tracebacks name, which is not the Lua file: they show lines of Python."""
        return f"<translation of {self.path}>"

    @cache  # noqa: B019  # each loads one module
    def get_source(self, fullname: str) -> str:
        """Return the translation.

        Raises
        ------
        ImportError
            If something in the file could not be translated.
        """
        from ...project import Project, Source

        (found,) = Project([Source(self.path.name, self.path.read_bytes())]).translate()
        if found.diagnostics:
            raise ImportError(f"{self.path} was not translated: {found.diagnostics[0]}")
        return found.python


@cache
def translated(name: str) -> Any:
    """Return what a file of the package returns: "util", "model.layered"."""
    loader = _Translating(_FOLDER.joinpath(*name.split(".")).with_suffix(".lua"))
    spec = spec_from_loader(f"rekindle.autograd.{name}", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return vars(module)["exports"]
