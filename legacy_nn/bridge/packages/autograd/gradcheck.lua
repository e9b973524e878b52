-- autograd.gradcheck: compares gradients with differences of the function.
--
-- Source: twitter/torch-autograd src/gradcheck.lua.

local autograd = require 'autograd'
local util = require 'autograd.util'

local STEP, LIMIT = 1e-6, 1e-5

-- Calls `visit(read, write)` for every element of what is at a path.
local function elements(arguments, path, visit)
  local value = util.nestedGet(arguments[1], path)
  if torch.isTensor(value) then
    local flat = value:view(-1)
    for i = 1, flat:size(1) do
      visit(flat[i], function(x) flat[i] = x end, i)
    end
  else
    visit(value, function(x) util.nestedSet(arguments[1], path, x) end, 1)
  end
end

local function randomise(arguments, path)
  local value = util.nestedGet(arguments[1], path)
  if torch.isTensor(value) then
    value:uniform(-1, 1)
  else
    util.nestedSet(arguments[1], path, 2 * math.random() - 1)
  end
end

-- The largest difference for what is at a path, and whether the gradient is the same twice.
local function largest_error(f, arguments, path)
  local df = autograd(f)
  local first = util.nestedGet(df(unpack(arguments)), path)
  local again = util.nestedGet(df(unpack(arguments)), path)
  local isTensor = torch.isTensor(first)
  local same = isTensor and (first - again):abs():max() == 0 or first == again
  if not same then error('autograd gradient not deterministic') end
  local flat = isTensor and first:contiguous():view(-1) or {first}
  local largest = 0
  elements(arguments, path, function(value, write, i)
    write(value - STEP / 2)
    local below = f(unpack(arguments))
    write(value + STEP / 2)
    local above = f(unpack(arguments))
    write(value)
    largest = math.max(largest, math.abs((above - below) / STEP - flat[i]))
  end)
  return largest
end

return function(options)
  local randomised = util.defaultBool(options.randomizeInput, true)
  return function(f, ...)
    local arguments = {...}
    local _, paths = util.sortedFlattenKeys(arguments[1])
    local largest = 0
    for _, path in ipairs(paths) do
      if randomised then randomise(arguments, path) end
      largest = math.max(largest, largest_error(f, arguments, path))
    end
    print('[gradcheck2] maximum error = ' .. largest)
    return largest < LIMIT
  end
end
