"""torch-autograd in translated programs: what they print is what their Lua prints.

The Lua side is the package of the bridge, whose gradients are compared with differences in
tests/legacy_nn/bridge/packages/test_autograd.py.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from autograd_running import HEAD, in_lua
from running import translate

from rekindle.transpiler.runtime import torch

HERE = Path(__file__).parent


def snippets() -> dict[str, str]:
    text = (HERE / "autograd_snippets.lua").read_text()
    parts = re.split(r"^----- (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SNIPPETS = snippets()


@pytest.fixture(autouse=True)
def double_again():
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


def in_python(source: str) -> str:
    found = translate(HEAD + source)
    assert not found.diagnostics, found.diagnostics
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(found.python, "snippet.py", "exec"), {"__name__": "s", "__file__": "s.py"})
    return out.getvalue()


PLACE = re.compile(r'(?:\[string "[^"]*"\]|\(python\)|[\w./<> -]+\.(?:py|lua)|<[^>]*>):\d+: ')


def plain(text: str) -> str:
    """Return text without places in files and the names of classes, which both sides register."""
    return PLACE.sub("", text).replace("Translated", "Snippet")


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_translation_prints_what_the_program_prints(name):
    expected = in_lua(SNIPPETS[name])
    assert len(expected) > 5
    found = in_python(SNIPPETS[name].replace("Snippet", "Translated"))
    assert plain(found) == plain(expected)
