"""The report: what it counts, the page's form, and Lua and Python side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source, collect
from rekindle.transpiler.report import Report, file_share, places, reasons
from rekindle.transpiler.report_html import as_html

PROGRAMS = Path(__file__).parents[1] / "fixtures" / "programs"

HOSTILE = "\n".join(
    [
        "-- </pre><script>alert(1)</script> & \x0c\x01 \\xff",
        "local t = {['<b>'] = \"'\\\"&amp;\"}",
        "print(t['<b>'], unknown + 1, u.v)",
        "local f = loadfile('</td>')",
        "local x = require 'a&b<c>'",
        "",
    ]
)


def report(files: dict[str, str], folder, style="faithful") -> Report:
    sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
    translations = Project(sources, style).translate()
    Output(folder).write(translations)
    return Report(translations, style)


def parsed(page: str) -> ElementTree.Element:
    start, rest = page.split("\n", 1)
    assert start == "<!DOCTYPE html>"
    return ElementTree.fromstring(rest)


def sides(page: ElementTree.Element) -> list[tuple[list[str], list[str]]]:
    """Return the texts of Lua and Python of each file."""
    found = []
    for table in page.iter("table"):
        if table.get("class") != "sides":
            continue
        columns: tuple[list[str], list[str]] = ([], [])
        for row in table.find("tbody"):
            for cell, column in zip(row, columns, strict=True):
                spans = list(cell.iter("span"))
                assert [s.get("data-n") for s in spans] == [
                    str(i + len(column) + 1) for i in range(len(spans))
                ]
                column += ["".join(s.itertext()) for s in spans]
        found.append(columns)
    return found


def test_the_page_is_well_formed_and_needs_nothing_else(tmp_path):
    found = report({"a<b>.lua": HOSTILE, "empty.lua": "", "broken.lua": "local = 1"}, tmp_path)
    page = as_html(found)
    root = parsed(page)
    assert not list(root.iter("script"))
    for node in root.iter():
        assert node.tag in {
            *("html", "head", "body", "meta", "title", "style", "h1", "h2", "small", "p", "a"),
            *("mark", "div", "table", "thead", "tbody", "tr", "th", "td", "meter", "ul", "li"),
            *("b", "code", "details", "summary", "pre", "span"),
        }
        assert not {"src", "onclick", "style"} & set(node.attrib)
        assert node.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", page)
    anchors = {a.get("href") for a in root.iter("a")}
    assert anchors == {"#" + h.get("id") for h in root.iter("h2") if h.get("id")}
    lua, _ = sides(root)[0]
    assert lua[1] == "local t = {['<b>'] = \"'\\\"&amp;\"}"
    assert lua[0] == "-- </pre><script>alert(1)</script> & �� \\xff"


@pytest.mark.parametrize("style", ["faithful", "modern"])
def test_both_sides_are_whole_and_in_step(style, tmp_path):
    names = ["xor_mlp.lua", "convnet_confusion.lua", "custom_layers_gradcheck.lua"]
    translations = Project(collect(PROGRAMS / n for n in names), style).translate()
    Output(tmp_path).write(translations)
    root = parsed(as_html(Report(translations, style)))
    for t, (lua, python) in zip(translations, sides(root), strict=True):
        assert lua == t.lua.rstrip("\n").split("\n")
        assert python == (tmp_path / t.target).read_text().rstrip("\n").split("\n")
    rows = next(table for table in root.iter("table") if table.get("class") == "sides")
    texts = [["".join(cell.itertext()).strip() for cell in row] for row in rows.find("tbody")]
    (criterion,) = [r for r in texts if r[0].startswith("local criterion")]
    assert criterion[1].startswith("criterion = nn.BCE")
    assert len(texts) > 8


def test_what_is_said_of_a_file(tmp_path):
    found = report({"x.lua": HOSTILE, "plain.lua": "local a = 1\nprint(a)\n"}, tmp_path)
    data = json.loads(found.as_json())
    by_name = {f["source"]: f for f in data["files"]}
    plain = by_name["plain.lua"]
    assert (plain["statements"], plain["statements_in_plain_python"]) == (2, 1.0)
    uses = by_name["x.lua"]["kept_by_runtime"]
    assert {(u["line"], u["function"]) for u in uses} >= {(3, "add"), (4, "call")}
    assert all(u["reason"] for u in uses)
    codes = [(d["line"], d["code"]) for d in by_name["x.lua"]["not_translated"]]
    assert (4, "RK103") in codes
    assert all(d["hint"] for d in by_name["x.lua"]["not_translated"])
    assert data["missing_packages"] == {"a&b<c>": ["x.lua"]}
    (t, _) = found.files
    assert file_share(t) < 1
    assert sum(len(lines) for _, _, lines in reasons(t)) == len(uses)
    text = found.as_markdown()
    assert "`lua.add`" in text
    assert "line 3" in text


def test_modern_style_says_what_it_kept_and_why(tmp_path):
    source = "local net = nn.Sequential()\nnet:add(nn.Linear(1, 1))\nlocal t = {net}\nprint(t)\n"
    found = report({"x.lua": source}, tmp_path, "modern")
    data = found.as_data()
    assert data["style"] == "modern"
    (kept,) = data["files"][0]["kept_faithful"]
    assert (kept["line"], kept["what"]) == (3, "net")
    assert "kept in a table" in kept["reason"]
    assert "`x.lua:3` net: the model is kept in a table" in found.as_markdown()
    root = parsed(as_html(found))
    (marked,) = [s for s in root.iter("span") if s.get("class") == "faithful"]
    assert marked.get("title").startswith("net: the model is kept")
    assert found.summary().endswith("1 place kept faithful")


def test_places_in_few_words():
    assert places([4]) == "line 4"
    assert places([4, 4, 2]) == "3 times, lines 2, 4"
    assert places(list(range(1, 30))).endswith("11, 12, ...")
