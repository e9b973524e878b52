"""What was translated and how: as data, as Markdown, and as lines for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .diagnostics import CODES
from .translate import Translation


@dataclass(frozen=True, slots=True)
class Report:
    """The report on a translation.

    Parameters
    ----------
    files : list of Translation
    """

    files: list[Translation]

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

    def missing(self) -> dict[str, list[str]]:
        """Return packages that nobody has, with the files that require them."""
        found: dict[str, list[str]] = {}
        for t in self.files:
            for package in t.missing:
                found.setdefault(package, []).append(t.source)
        return dict(sorted(found.items()))

    def share(self) -> float:
        """Return the share of statements that are plain Python, from 0 to 1."""
        if not self.statements:
            return 1.0
        touched = self.kept_by_runtime + self.untranslated
        return max(0.0, 1 - touched / self.statements)

    def as_data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "files": [_file_data(t) for t in self.files],
            "statements": self.statements,
            "statements_in_plain_python": round(self.share(), 4),
            "lines_kept_by_runtime": self.kept_by_runtime,
            "not_translated": self.untranslated,
            "missing_packages": self.missing(),
        }

    def as_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.as_data(), indent=1) + "\n"

    def as_markdown(self) -> str:
        """Return the report as Markdown."""
        lines = [
            "# Translation report",
            "",
            f"{len(self.files)} files, {self.statements} statements, {self.share():.0%} of them "
            f"plain Python; {self.untranslated} places not translated.",
            "",
            "| file | statements | lines kept by the runtime | not translated |",
            "|---|---:|---:|---:|",
        ]
        lines += [
            f"| {t.source} | {t.statements} | {len(t.runtime_lines)} | {len(t.diagnostics)} |"
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
        lines += ["", "## Where the runtime keeps Lua's meaning", ""]
        for t in self.files:
            if t.uses:
                lines += [f"### {t.source}", ""]
                lines += [f"- {reason}: {count}" for reason, count in reasons(t)]
                lines.append("")
        return "\n".join(lines).rstrip() + "\n"


def _file_data(t: Translation) -> dict[str, Any]:
    return {
        "source": t.source,
        "target": t.target,
        "statements": t.statements,
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
        "missing_packages": t.missing,
    }


def reasons(t: Translation) -> list[tuple[str, int]]:
    """Return why a file needs the runtime, most frequent first."""
    counted = Counter(f"`lua.{u.function}`: {u.reason}" for u in t.uses)
    return counted.most_common()
