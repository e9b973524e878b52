"""The report as one HTML page: each file's Lua and Python side by side."""

from __future__ import annotations

import html

from .report import Report, reasons
from .translate import Translation

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --mark: #e8a33d33; --bad: #d6455d44; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 100rem;
       padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem; text-align: left; }
th { border-bottom: 1px solid var(--line); } td.n, th.n { text-align: right; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
pre { border: 1px solid var(--line); border-radius: 4px; font: 12.5px/1.45 ui-monospace, monospace;
      margin: 0; overflow-x: auto; padding: .6rem 0; }
pre span { display: block; min-width: max-content; padding: 0 .8rem; white-space: pre; }
pre span::before { color: #888; content: attr(data-n); display: inline-block; margin-right: 1rem;
                   text-align: right; user-select: none; width: 2.5rem; }
.kept { background: var(--mark); } .bad { background: var(--bad); }
li { margin: .15rem 0; } code { font-size: .9em; }
details > summary { cursor: pointer; margin: .5rem 0; }
@media (max-width: 60rem) { .sides { grid-template-columns: 1fr; } }
"""


def as_html(report: Report) -> str:
    """Return the report as one HTML page that needs nothing else."""
    rows = "".join(
        f'<tr><td><a href="#f{i}">{_text(t.source)}</a><td class="n">{t.statements}'
        f'<td class="n">{len(t.runtime_lines)}<td class="n">{len(t.diagnostics)}'
        for i, t in enumerate(report.files)
    )
    missing = "".join(
        f"<li><code>{_text(name)}</code>: {_text(', '.join(files))}"
        for name, files in report.missing().items()
    )
    missing = f"<h2>Packages that are missing</h2><ul>{missing}</ul>" if missing else ""
    files = "".join(_file(i, t) for i, t in enumerate(report.files))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Translation report</title><style>{_STYLE}</style>"
        "<h1>Translation report</h1>"
        f"<p>{len(report.files)} files, {report.statements} statements, {report.share():.0%} of "
        f"them plain Python; {report.untranslated} places not translated. "
        '<span class="kept">Marked</span> lines of Lua keep their meaning through the runtime, '
        'lines <span class="bad">marked so</span> need a person.</p>'
        '<table><tr><th>File<th class="n">Statements<th class="n">Lines kept by the runtime'
        f'<th class="n">Not translated{rows}</table>{missing}{files}</html>\n'
    )


def _text(value: str) -> str:
    return html.escape(value)


def _file(position: int, t: Translation) -> str:
    problems = "".join(
        f"<li>line {d.line}: <b>{d.code}</b> {_text(d.message)}. To do: {_text(d.hint)}."
        for d in t.diagnostics
    )
    why = "".join(f"<li>{_text(reason)}: {count}" for reason, count in reasons(t))
    why = f"<details><summary>Why the runtime is needed</summary><ul>{why}</ul></details>" * bool(
        t.uses
    )
    bad = {d.line for d in t.diagnostics}
    python_bad = {i for i, line in enumerate(t.python.split("\n"), 1) if "TODO(rekindle" in line}
    python_kept = {i for i, line in enumerate(t.python.split("\n"), 1) if "lua." in line}
    left = _listing(t.lua, t.runtime_lines, bad)
    right = _listing(t.python, python_kept, python_bad)
    return (
        f'<h2 id="f{position}">{_text(t.source)}</h2>'
        f"{f'<ul>{problems}</ul>' if problems else ''}{why}"
        f'<div class="sides"><pre>{left}</pre><pre>{right}</pre></div>'
    )


def _listing(text: str, kept: set[int], bad: set[int]) -> str:
    lines = []
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        mark = ' class="bad"' if number in bad else ' class="kept"' if number in kept else ""
        lines.append(f'<span data-n="{number}"{mark}>{_text(line)}</span>')
    return "".join(lines)
