"""The report as one HTML page: each file's Lua and Python side by side."""

from __future__ import annotations

import html
import re

from .alignment import Row, aligned
from .report import Report, counted, file_share, places, reasons
from .translate import Translation

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --kept: #e8a33d2e;
        --bad: #d6455d44; --faithful: #4d8fe82e; --link: #2a6fd0; }
@media (prefers-color-scheme: dark) { :root { --link: #7fb0ff; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 110rem;
       padding: 1.5rem 1.5rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
h2 { border-top: 1px solid var(--line); font-size: 1.15rem; margin: 2.5rem 0 .4rem;
     padding-top: 1.2rem; }
h2 small { font-size: .8rem; font-weight: normal; opacity: .75; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.wide { overflow-x: auto; }
.files { border-collapse: collapse; margin: 1rem 0; }
.files th, .files td { border-bottom: 1px solid var(--line); padding: .25rem .9rem .25rem 0;
                       text-align: left; vertical-align: middle; }
.files .n { font-variant-numeric: tabular-nums; text-align: right; }
.files tr:last-child td { font-weight: 600; }
meter { height: .9rem; vertical-align: middle; width: 7rem; }
.sides { border: 1px solid var(--line); border-collapse: separate; border-radius: 6px;
         border-spacing: 0; overflow: hidden; table-layout: fixed; width: 100%; }
.sides th { background: var(--soft); font-size: .85rem; font-weight: 600; padding: .3rem .8rem;
            position: sticky; text-align: left; top: 0; }
.sides td { border-top: 1px solid var(--line); padding: 0; vertical-align: top; }
.sides td + td, .sides th + th { border-left: 1px solid var(--line); }
pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; margin: 0;
      padding: .15rem 0; }
pre span { display: block; min-height: 1.5em; overflow-wrap: anywhere; padding: 0 .8rem 0 3.6rem;
           position: relative; white-space: pre-wrap; }
pre span::before { color: #888; content: attr(data-n); left: 0; position: absolute;
                   text-align: right; user-select: none; width: 2.8rem; }
.kept { background: var(--kept); } .bad { background: var(--bad); }
.faithful { background: var(--faithful); }
mark { border-radius: 3px; color: inherit; padding: .05rem .3rem; }
ul { margin: .3rem 0 .6rem; padding-left: 1.3rem; } li { margin: .1rem 0; }
code { font-size: .9em; } details > summary { cursor: pointer; margin: .4rem 0; }
@media (max-width: 60rem) {
  .sides, .sides tbody, .sides tr, .sides td { display: block; } .sides thead { display: none; }
  .sides td + td { border-left: 0; border-top: 1px dashed var(--line); }
}
@media print { .sides td { break-inside: avoid; } }
"""


def as_html(report: Report) -> str:
    """Return the report as one HTML page that needs nothing else.

    It is well-formed XML too. Files are side by side from statement to statement.
    """
    modern = report.style == "modern"
    head = ["File", "Statements", "Plain Python", "", "Lines kept by the runtime"]
    head += ["Not translated", *(["Kept faithful"] * modern)]
    cells = "".join(f'<th class="{"n" if i else ""}">{h}</th>' for i, h in enumerate(head))
    rows = "".join(_row(i, t, modern) for i, t in enumerate(report.files))
    if len(report.files) > 1:
        rows += _total(report, modern)
    missing = "".join(
        f"<li><code>{_text(name)}</code>: {_text(', '.join(files))}</li>"
        for name, files in report.missing().items()
    )
    missing = f"<h2>Packages that are missing</h2><ul>{missing}</ul>" if missing else ""
    files = "".join(_file(i, t) for i, t in enumerate(report.files))
    blue = ' <mark class="faithful">so</mark> belong to what modern style kept as it is.' * modern
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>Translation report</title><style>{_STYLE}</style></head><body>"
        f"<h1>Translation report</h1><p>{_text(report.summary())}.</p>"
        '<p>Lines of Lua marked <mark class="kept">so</mark> keep their meaning through the '
        'runtime, those marked <mark class="bad">so</mark> need a person'
        f"{'; those marked' + blue if modern else '.'} Point at a line to see why.</p>"
        f'<div class="wide"><table class="files"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{missing}{files}</body></html>\n"
    )


def _row(position: int, t: Translation, modern: bool) -> str:
    numbers = [f"{t.statements:,}", f"{file_share(t):.0%}", _meter(file_share(t))]
    numbers += [f"{len(t.runtime_lines):,}", f"{len(t.diagnostics):,}"]
    numbers += [f"{len(t.kept):,}"] * modern
    cells = "".join(f'<td class="n">{n}</td>' for n in numbers)
    return f'<tr><td><a href="#f{position}">{_text(t.source)}</a></td>{cells}</tr>'


def _total(report: Report, modern: bool) -> str:
    numbers = [f"{report.statements:,}", f"{report.share():.0%}", _meter(report.share())]
    numbers += [f"{report.kept_by_runtime:,}", f"{report.untranslated:,}"]
    numbers += [f"{report.kept_faithful:,}"] * modern
    cells = "".join(f'<td class="n">{n}</td>' for n in numbers)
    return f"<tr><td>{counted(len(report.files), 'file')}</td>{cells}</tr>"


def _meter(share: float) -> str:
    return f'<meter min="0" max="1" value="{share:.3f}"></meter>'


def _text(value: str) -> str:
    """Return text as it stands in HTML; control characters cannot stand there."""
    return html.escape(re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", value))


def _file(position: int, t: Translation) -> str:
    problems = "".join(
        f"<li>line {d.line}: <b>{d.code}</b> {_text(d.message)}. To do: {_text(d.hint)}.</li>"
        for d in t.diagnostics
    )
    kept = "".join(
        f"<li>line {k.line}: <code>{_text(k.what)}</code>: {_text(k.reason)}</li>" for k in t.kept
    )
    why = "".join(
        f"<li><code>lua.{_text(function)}</code>: {_text(reason)}: {places(lines)}</li>"
        for function, reason, lines in reasons(t)
    )
    parts = [f'<h2 id="f{position}">{_text(t.source)} <small>to {_text(t.target)}</small></h2>']
    if problems:
        parts.append(f"<p>Not translated:</p><ul>{problems}</ul>")
    if kept:
        parts.append(f"<p>Kept faithful:</p><ul>{kept}</ul>")
    if why:
        parts.append(
            f"<details><summary>Why the runtime is needed in "
            f"{counted(len(t.runtime_lines), 'line')}</summary><ul>{why}</ul></details>"
        )
    head = "<thead><tr><th>Lua</th><th>Python</th></tr></thead>"
    return "".join([*parts, f'<table class="sides">{head}<tbody>{_sides(t)}</tbody></table>'])


def _sides(t: Translation) -> str:
    lua, python = _lua_lines(t), _python_lines(t)
    rows = aligned(t.lua, t.raw, t.python, t.marks, t.starts) if t.raw else []
    rows = rows or [Row(range(1, len(lua) + 1), range(1, len(python) + 1))]
    return "".join(
        f"<tr><td><pre>{''.join(lua[i - 1] for i in row.lua)}</pre></td>"
        f"<td><pre>{''.join(python[i - 1] for i in row.python)}</pre></td></tr>"
        for row in rows
    )


def _lua_lines(t: Translation) -> list[str]:
    notes: dict[int, list[tuple[str, str]]] = {}
    for d in t.diagnostics:
        notes.setdefault(d.line, []).append(("bad", f"{d.code}: {d.message}"))
    for k in t.kept:
        notes.setdefault(k.line, []).append(("faithful", f"{k.what}: {k.reason}"))
    for use in t.uses:
        notes.setdefault(use.line, []).append(("kept", f"lua.{use.function}: {use.reason}"))
    return [
        _line(i, text, notes.get(i, []))
        for i, text in enumerate(t.lua.rstrip("\n").split("\n"), start=1)
    ]


def _python_lines(t: Translation) -> list[str]:
    found = []
    for number, text in enumerate(t.python.rstrip("\n").split("\n"), start=1):
        kind = "bad" if "TODO(rekindle" in text else "kept" if re.search(r"\blua\.", text) else ""
        found.append(_line(number, text, [(kind, "")] if kind else []))
    return found


def _line(number: int, text: str, notes: list[tuple[str, str]]) -> str:
    mark = f' class="{notes[0][0]}"' if notes else ""
    reasons = "; ".join(dict.fromkeys(reason for _, reason in notes if reason))
    title = f' title="{_text(reasons)}"' if reasons else ""
    return f'<span data-n="{number}"{mark}{title}>{_text(text)}</span>'
