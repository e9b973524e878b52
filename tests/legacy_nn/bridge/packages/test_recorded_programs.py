"""Programs print what they printed on the packages' own Lua source."""

from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[3] / "fixtures" / "packages"


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.lua")), ids=lambda path: path.stem)
def test_prints_what_the_original_printed(lua, path, capfd):
    lua.load_file(path)
    assert capfd.readouterr().out == path.with_suffix(".out").read_text()
