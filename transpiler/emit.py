"""Text to files: formatted, checked, and never over what a person has written by hand."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .errors import OutputError
from .translate import Translation

MANIFEST = ".rekindle-transpile.json"
"""The file in the output folder that says what was written there."""

VERSION = 1


@dataclass(slots=True)
class Outcome:
    """What became of each file.

    Attributes
    ----------
    written, unchanged, kept : list of str
        Files that were written, that were up to date, and that were edited by hand since they
        were written while their source stayed the same, so they stay too.
    """

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def formatted(texts: dict[str, str]) -> dict[str, str]:
    """Return Python files formatted by ruff, by their paths.

    Raises
    ------
    OutputError
        If ruff does not run.
    """
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        names = {path: Path(folder) / f"{i}.py" for i, path in enumerate(texts)}
        for path, file in names.items():
            file.write_text(texts[path], encoding="utf-8")
        command = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated", "--no-cache"]
        done = subprocess.run(
            [*command, "--line-length", "100", "--target-version", "py311", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if "No module named" in done.stderr:
            raise OutputError("ruff, which formats the output, is not installed: pip install ruff")
        return {path: file.read_text(encoding="utf-8") for path, file in names.items()}


def digest(text: str | bytes) -> str:
    """Return what tells one text from another."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()


def _entry(translation: Translation, pretty: str) -> dict[str, str]:
    """Return what the manifest says of a file, before its text is the formatted one."""
    text = digest(translation.python)
    return {"source": translation.source, "text": text, "output": digest(pretty)}


def _entries_in(manifest: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    files = found.get("files") if isinstance(found, dict) else None
    if not isinstance(files, dict) or found.get("version") != VERSION:
        raise OutputError(
            f"{manifest} is not as rekindle transpile of this version writes it: delete it, and "
            "overwrite what is there with --force"
        )
    return files


class Output:
    """The folder that translations are written to.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[str, dict[str, str]] = {}
        manifest = folder / MANIFEST
        if manifest.is_file():
            self._entries = _entries_in(manifest)

    def edited(self, translations: Iterable[Translation]) -> list[str]:
        """Return the files that were edited by hand, or are somebody else's, and would change."""
        return [
            t.target for t in translations if self._is_edited(t.target) and not self._is_current(t)
        ]

    def _is_edited(self, target: str) -> bool:
        path = self.folder / target
        if not path.exists():
            return False
        known = self._entries.get(target)
        return known is None or digest(path.read_bytes()) != known["output"]

    def _adopt(self, translation: Translation, pretty: str) -> None:
        """Take a file as written that is what would be written: a run was interrupted."""
        target = translation.target
        path = self.folder / target
        if target not in self._entries and path.is_file():
            data = path.read_bytes()
            if data == pretty.encode("utf-8"):
                self._entries[target] = _entry(translation, pretty)

    def _is_current(self, translation: Translation) -> bool:
        known = self._entries.get(translation.target)
        return known is not None and known["text"] == digest(translation.python)

    def write(self, translations: Iterable[Translation], *, force: bool = False) -> Outcome:
        """Write what is new or has changed.

        `Translation.python` is what the translator wrote, not formatted; it is formatted here
        and the formatted text put in its place.

        Raises
        ------
        OutputError
            If files that were edited by hand would be overwritten, and `force` is not given;
            nothing is written then.
        """
        listed = list(translations)
        folders = [t.target for t in listed if (self.folder / t.target).is_dir()]
        if folders:
            raise OutputError(f"{', '.join(folders[:5])} in {self.folder}: there is a folder there")
        raw = {t.target: t.python for t in listed}
        pretty = formatted(raw)
        for translation in listed:
            self._adopt(translation, pretty[translation.target])
        entries = {t.target: _entry(t, pretty[t.target]) for t in listed}
        edited = self.edited(listed)
        if edited and not force:
            raise OutputError(
                f"{len(edited)} of the files in {self.folder} were edited by hand and their "
                f"source has changed: {', '.join(edited[:5])}; move them away, or overwrite "
                "them with --force"
            )
        outcome = Outcome()
        for translation in listed:
            target = translation.target
            translation.python = pretty[target]
            path = self.folder / target
            current = self._entries.get(target, {}).get("text") == digest(raw[target])
            if path.exists() and current and not force:
                same = digest(path.read_bytes()) == self._entries[target]["output"]
                (outcome.unchanged if same else outcome.kept).append(target)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pretty[target], encoding="utf-8")
            self._entries[target] = entries[target]
            outcome.written.append(target)
        self.folder.mkdir(parents=True, exist_ok=True)
        manifest = {"version": VERSION, "files": dict(sorted(self._entries.items()))}
        text = json.dumps(manifest, indent=1) + "\n"
        (self.folder / MANIFEST).write_text(text, encoding="utf-8")
        return outcome
