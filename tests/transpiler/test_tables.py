"""Tables that become lists, dicts and records, and those that must not: LuaJIT and Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import same, translate

SNIPPETS = {
    f"{kind}-{name}": source
    for kind in ("lists", "dicts")
    for part in Path(__file__).with_name(f"{kind}.lua").read_text("utf-8").split("--## ")[1:]
    for name, source in [part.split("\n", 1)]
}
"""Programs by what they are about; their first line says what the translation has."""


@pytest.mark.parametrize("name", SNIPPETS)
def test_what_stands_for_a_table_does_as_tables_do(name):
    first, source = SNIPPETS[name].split("\n", 1)
    assert first.removeprefix("--= ") in translate(source).python
    assert same(source)
