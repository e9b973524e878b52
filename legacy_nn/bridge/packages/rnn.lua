-- rnn: recurrent modules, as entries of `nn`, and the global `rnn`.
--
-- Source: Element-Research/rnn init.lua.

require 'dpnn'
local _, tables = ...
for name, class in pairs(tables.classes) do nn[name] = class end
local rnn = tables.rnn
rnn.version = 2.1
rnn.recursiveType = nn.utils.recursiveType
nn.rnn = rnn
for name, f in pairs(rnn) do
  if type(f) == 'function' then nn.AbstractRecurrent[name] = f end
end
rawset(_G, 'rnn', rnn)

-- The fourth argument of nn.Dropout is another one here: whether the mask stays until backward.
-- Source: Element-Research/rnn Dropout.lua.
local dropout = nn.Dropout.__init
function nn.Dropout:__init(p, v1, inplace, lazy, mono)
  dropout(self, p, v1, inplace)
  self.inplace, self.lazy, self.mono, self.flag = inplace, lazy or false, mono or false, true
end

return rnn
