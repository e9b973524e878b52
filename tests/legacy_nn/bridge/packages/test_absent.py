"""Packages that are not there say which one, and what to do."""

import pytest

from rekindle.legacy_nn.bridge import LuaError


@pytest.mark.parametrize(
    ("name", "words"),
    [("qt", "image.save"), ("qtwidget", "image.save"), ("nnx", "Lua source"), ("inn", "nn.Spatial"),
     ("ccn2", "GPU"), ("loadcaffe", "convert"), ("mattorch", "matio"), ("camera", "image.load"),
     ("ffmpeg", "image.load")],
)  # fmt: skip
def test_absent_packages(lua, name, words):
    with pytest.raises(LuaError, match=rf"the package {name} is not part of Rekindle: .*{words}"):
        lua.require(name)
    assert lua.execute(f"return (pcall(require, '{name}'))") is False
