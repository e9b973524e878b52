"""Runs Lua translated in both styles, and compares what both print."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

from running import WAVES

from rekindle.core.generators import Generator, using
from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.translate import Translation

HEAD = f"""
require 'torch'
require 'nn'
require 'optim'
{WAVES}function show(...)
   for i = 1, select('#', ...) do
      local v = select(i, ...)
      if torch.isTensor(v) then
         for _, e in ipairs(v:contiguous():view(-1):totable()) do
            print(string.format('%.15g', e))
         end
      else
         print(string.format('%.15g', v))
      end
   end
end
"""


def translate(source: str, style: str) -> Translation:
    (found,) = Project([Source("snippet.lua", source.encode("latin-1"))], style).translate()
    assert not found.diagnostics, found.diagnostics
    return found


def printed(found: Translation) -> str:
    out = io.StringIO()
    code = compile(found.python, "snippet.py", "exec")
    with contextlib.redirect_stdout(out), using(Generator()):
        exec(code, {"__name__": "snippet", "__file__": "snippet.py"})
    return out.getvalue()


def agree(modern: str, faithful: str, tolerance: float) -> None:
    """Check that two texts are alike but for the last digits of numbers."""
    number = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
    assert number.sub("#", modern) == number.sub("#", faithful)
    pairs = list(
        zip(map(float, number.findall(modern)), map(float, number.findall(faithful)), strict=True)
    )
    assert pairs
    for a, b in pairs:
        assert abs(a - b) <= tolerance * max(1.0, abs(b)), (a, b)


def both(files: dict[str, str], tmp_path: Path) -> dict[str, Translation]:
    """Check that a program prints the same in both styles; return its modern files."""
    texts, found = {}, {}
    for style in ("modern", "faithful"):
        sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
        translations = Project(sources, style).translate()
        Output(tmp_path / style).write(translations)
        command = [sys.executable, "main.py"]
        done = subprocess.run(
            command, cwd=tmp_path / style, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        texts[style] = done.stdout
        found[style] = {t.source: t for t in translations}
    agree(texts["modern"], texts["faithful"], 1e-6)
    return found["modern"]
