"""The examples in README.md and docs/ run and give what they show; links lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
FENCE = re.compile(r"^```(\w*)$", re.MULTILINE)


def examples(page):
    """Return the Python examples of a page, with everything else blank, so that lines count."""
    lines, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = FENCE.match(line)
        if fence:
            inside = not inside and fence[1] == "python"
        lines.append(line if inside and not fence else "")
    return "\n".join(lines) + "\n"


def label(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [p for p in PAGES if ">>> " in examples(p)], ids=label)
def test_examples(page, tmp_path, monkeypatch):
    """One page is one program, in an empty folder beside `examples`."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    program = doctest.DocTestParser().get_doctest(examples(page), {}, label(page), str(page), 0)
    report = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(program, out=report.append)
    assert result.attempted > 0
    assert not result.failed, "".join(report)


@pytest.mark.parametrize("page", PAGES + OTHERS, ids=label)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{label(page)} links to {target}"


def test_contributing_is_ten_lines():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^(\d+)\.", text, re.MULTILINE) == [str(n) for n in range(1, 11)]
