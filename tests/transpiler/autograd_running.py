"""Runs Lua that uses torch-autograd under LuaJIT, on the bridge."""

from __future__ import annotations

import contextlib

from rekindle.legacy_nn.bridge import Runtime

HEAD = """
require 'torch'
require 'nn'
function P(...)
   local t = torch.DoubleTensor(...)
   local k = 0
   t:apply(function() k = k + 1; return math.sin(1.7 * k) * 0.6 end)
   return t:type(torch.Tensor():type())
end
function show(...)
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
        runtime.execute(
            "function print(...) local t = {} for i = 1, select('#', ...) do "
            "t[i] = tostring((select(i, ...))) end put(table.concat(t, '\\t') .. '\\n') end"
        )
        runtime.execute(HEAD + source)
    return "".join(lines)
