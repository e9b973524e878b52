local b = require 'lib.moved'
local types = require 'types'
local M = {name = 'still ' .. types.word}
local n = 0
function M.twice(x) return 2 * x end
function M.get() return b end
function M.bump() n = n + 1 end
function M.count() return n end
function M.fail() error('deliberate') end
function M.tensor() return torch.range(1, 4) end
function M.call(f) return f(2, 3) end
function M.list() return {10, 20, 30} end
function M.module() return nn.Linear(2, 3) end
return M
