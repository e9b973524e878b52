"""What `rekindle transpile` does."""

from __future__ import annotations

from pathlib import Path

from rekindle.transpiler.emit import Outcome, Output
from rekindle.transpiler.project import Project, collect
from rekindle.transpiler.report import Report
from rekindle.transpiler.report_html import as_html

from .group import Problem, Unusable
from .talk import say

SHOWN = 20
"""So many places that were not translated are listed on the terminal."""

FORMATS = (".html", ".json", ".md")


def run(
    sources: tuple[str, ...],
    output: str,
    report: str | None,
    *,
    style: str,
    strict: bool,
    force: bool,
) -> None:
    """Translate files and say what became of them.

    Raises
    ------
    Unusable
        If there is no Lua file, or the report's format is unknown.
    Problem
        If `strict` and something was not translated.
    """
    if report is not None and Path(report).suffix not in FORMATS:
        raise Unusable(f"{report}: a report is written as {', '.join(FORMATS)}")
    found = collect(Path(source) for source in sources)
    if not found:
        raise Unusable(f"there is no .lua file in {', '.join(sources)}")
    translations = Project(found, style).translate()
    outcome = Output(Path(output)).write(translations, force=force)
    result = Report(translations, style)
    if report is not None:
        Path(report).write_text(_text(result, Path(report).suffix), encoding="utf-8")
    _summary(result, outcome, output)
    if strict and result.untranslated:
        raise Problem(f"{result.untranslated} places were not translated")


def _text(report: Report, suffix: str) -> str:
    if suffix == ".html":
        return as_html(report)
    return report.as_json() if suffix == ".json" else report.as_markdown()


def _summary(report: Report, outcome: Outcome, output: str) -> None:
    places = [d for t in report.files for d in t.diagnostics]
    for place in places[:SHOWN]:
        say(f"{place}\n    {place.hint}", err=True)
    if len(places) > SHOWN:
        say(f"... and {len(places) - SHOWN} more: see --report", err=True)
    for name in outcome.kept:
        say(f"{name}: edited by hand, kept", err=True)
    for t in report.files:
        for kept in t.kept[:SHOWN]:
            say(f"{t.source}:{kept.line}: kept faithful: {kept.what}: {kept.reason}", err=True)
    missing = report.missing()
    if missing:
        say(f"missing packages: {', '.join(missing)}", err=True)
    unchanged = f", {len(outcome.unchanged)} unchanged" if outcome.unchanged else ""
    say(f"{report.summary()}; {len(outcome.written)} written to {output}{unchanged}")
