"""What was translated and how: as data, as Markdown, and as lines for a terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .diagnostics import CODES
from .translate import Translation

SHOWN_LINES = 12
"""So many lines are named for each reason."""


@dataclass(frozen=True, slots=True)
class Report:
    """The report on a translation.

    Parameters
    ----------
    files : list of Translation
    style : {"faithful", "modern"}
    """

    files: list[Translation]
    style: str = "faithful"

    @property
    def statements(self) -> int:
        """How many statements there are in all files."""
        return sum(t.statements for t in self.files)

    @property
    def kept_by_runtime(self) -> int:
        """In how many lines the runtime keeps Lua's meaning."""
        return sum(len(t.runtime_lines) for t in self.files)

    @property
    def untranslated(self) -> int:
        """How many places were not translated."""
        return sum(len(t.diagnostics) for t in self.files)

    @property
    def kept_faithful(self) -> int:
        """How many places modern style left as faithful style has them."""
        return sum(len(t.kept) for t in self.files)

    def missing(self) -> dict[str, list[str]]:
        """Return packages that nobody has, with the files that require them."""
        found: dict[str, list[str]] = {}
        for t in self.files:
            for package in t.missing:
                found.setdefault(package, []).append(t.source)
        return dict(sorted(found.items()))

    def share(self) -> float:
        """Return the share of statements that are plain Python, from 0 to 1."""
        return _share(self.statements, self.kept_by_runtime + self.untranslated)

    def summary(self) -> str:
        """Return the report in one sentence."""
        kept = counted(self.kept_faithful, "place")
        modern = f", {kept} kept faithful" * (self.style == "modern")
        return (
            f"{counted(len(self.files), 'file')}, {counted(self.statements, 'statement')}: "
            f"{self.share():.0%} plain Python, {counted(self.untranslated, 'place')} not "
            f"translated{modern}"
        )

    def as_data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "style": self.style,
            "files": [_file_data(t) for t in self.files],
            "statements": self.statements,
            "statements_in_plain_python": round(self.share(), 4),
            "lines_kept_by_runtime": self.kept_by_runtime,
            "not_translated": self.untranslated,
            "kept_faithful": self.kept_faithful,
            "missing_packages": self.missing(),
        }

    def as_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.as_data(), indent=1) + "\n"

    def as_markdown(self) -> str:
        """Return the report as Markdown."""
        lines = ["# Translation report", "", f"{self.summary()}.", ""]
        lines += [
            "| file | Python | statements | plain Python | lines kept by the runtime "
            "| not translated | kept faithful |",
            "|---|---|---:|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {_cell(t.source)} | {_cell(t.target)} | {t.statements} | {file_share(t):.0%} "
            f"| {len(t.runtime_lines)} | {len(t.diagnostics)} | {len(t.kept)} |"
            for t in self.files
        ]
        if self.untranslated:
            lines += ["", "## Not translated", ""]
            for t in self.files:
                lines += [
                    f"- `{d.file}:{d.line}:{d.column}` {d.code} {d.message}. To do: {d.hint}."
                    for d in t.diagnostics
                ]
        if missing := self.missing():
            lines += ["", "## Packages that are missing", ""]
            lines += [f"- {name}: {', '.join(files)}" for name, files in missing.items()]
        if self.kept_faithful:
            lines += ["", "## Kept faithful", ""]
            for t in self.files:
                lines += [f"- `{t.source}:{k.line}` {k.what}: {k.reason}" for k in t.kept]
        if any(t.uses for t in self.files):
            lines += ["", "## Where the runtime keeps Lua's meaning", ""]
        for t in self.files:
            if t.uses:
                lines += [f"### {t.source}", ""]
                lines += [
                    f"- `lua.{function}`: {reason}: {places(found)}"
                    for function, reason, found in reasons(t)
                ]
                lines.append("")
        return "\n".join(lines).rstrip() + "\n"


def _file_data(t: Translation) -> dict[str, Any]:
    return {
        "source": t.source,
        "target": t.target,
        "statements": t.statements,
        "statements_in_plain_python": round(file_share(t), 4),
        "kept_by_runtime": [
            {"line": u.line, "function": u.function, "reason": u.reason} for u in t.uses
        ],
        "not_translated": [
            {
                "code": d.code,
                "about": CODES[d.code],
                "message": d.message,
                "line": d.line,
                "column": d.column,
                "hint": d.hint,
            }
            for d in t.diagnostics
        ],
        "kept_faithful": [{"line": k.line, "what": k.what, "reason": k.reason} for k in t.kept],
        "missing_packages": t.missing,
    }


def _share(statements: int, touched: int) -> float:
    return max(0.0, 1 - touched / statements) if statements else 1.0


def file_share(t: Translation) -> float:
    """Return the share of a file's statements that are plain Python, from 0 to 1."""
    if not t.statements:
        return 0.0 if t.diagnostics else 1.0
    return _share(t.statements, len(t.runtime_lines) + len(t.diagnostics))


def counted(number: int, what: str) -> str:
    """Return "1 file", "2 files"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def reasons(t: Translation) -> list[tuple[str, str, list[int]]]:
    """Return why a file needs the runtime, most frequent first.

    Returns
    -------
    list of (str, str, list of int)
        The runtime's function, the reason, and the lines, one for each use.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for use in t.uses:
        found.setdefault((use.function, use.reason), []).append(use.line)
    listed = [(function, reason, lines) for (function, reason), lines in found.items()]
    return sorted(listed, key=lambda entry: (-len(entry[2]), entry[:2]))


def places(lines: list[int]) -> str:
    """Return "3 times, lines 4, 5": how often, and where at first."""
    shown = sorted(set(lines))
    text = ", ".join(map(str, shown[:SHOWN_LINES])) + (", ..." if len(shown) > SHOWN_LINES else "")
    where = f"line{'' if len(shown) == 1 else 's'} {text}"
    return where if len(lines) == 1 else f"{len(lines)} times, {where}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
