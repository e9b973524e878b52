"""Runs Lua that uses torch-autograd under LuaJIT, on the bridge."""

from __future__ import annotations

import contextlib

from running import PRINT, WAVES

from rekindle.legacy_nn.bridge import Runtime

HEAD = f"""
require 'torch'
require 'nn'
{WAVES}function show(...)
   for i = 1, select('#', ...) do
      local v = select(i, ...)
      if torch.isTensor(v) then
         local sizes = v:size():totable()
         print(v:dim(), table.concat(sizes, 'x'))
         for _, e in ipairs(v:contiguous():view(-1):totable()) do
            print(string.format('%.12g', e))
         end
      else
         print(string.format('%.12g', v))
      end
   end
end
"""


def in_lua(source: str) -> str:
    lines: list[str] = []
    with contextlib.closing(Runtime()) as runtime:
        runtime.globals["put"] = lines.append
        runtime.execute(PRINT)
        runtime.execute(HEAD + source)
    return "".join(lines)
