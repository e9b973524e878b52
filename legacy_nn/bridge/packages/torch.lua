-- torch: what `require 'torch'` returns and the global `torch` is.
--
-- Source: torch7 init.lua, Tensor.lua.

local _, functions, B = ...
local torch = B.torch

for name, f in pairs(functions) do
  if torch[name] == nil then torch[name] = f end
end
rawset(_G, 'torch', torch)

local set_default = functions.setdefaulttensortype

function torch.setdefaulttensortype(name)
  assert(type(name) == 'string', 'string expected')
  if not torch.getconstructortable(name) then
    error(string.format('<%s> is not a string describing a torch object', name))
  end
  set_default(name)
  torch.Tensor = torch.getconstructortable(name)
  torch.Storage = torch.getconstructortable((name:gsub('Tensor$', 'Storage')))
end
torch.setdefaulttensortype(functions.getdefaulttensortype())

-- A pointer of C's to the first element, or its address as a number. Source: torch7 FFI.lua.
function torch.data(object, as_number)
  if not torch.isTensor(object) and not torch.isStorage(object) then
    error('Torch tensor or storage expected', 2)
  end
  return object:data(as_number)
end

function torch.totable(object)
  if torch.isTensor(object) or torch.isStorage(object) then return object:totable() end
  error('obj must be a Storage or a Tensor')
end

for name, bytes in pairs {Double = 8, Float = 4, Long = 8, Int = 4, Short = 2, Char = 1, Byte = 1,
                          Half = 2} do
  local tensors = torch.getmetatable('torch.' .. name .. 'Tensor')
  rawset(tensors, 'isTensor', torch.isTensor)
  -- Of the class as well: torch.IntStorage.elementSize(). Source: torch7 generic/Storage.c.
  for _, metatable in ipairs {tensors, torch.getmetatable('torch.' .. name .. 'Storage')} do
    rawset(metatable, 'elementSize', function() return bytes end)
  end
end

function torch.setheaptracking(enabled) torch._heaptracking = enabled end
torch._heaptracking = true
function torch.updateerrorhandlers() end
function torch.updatethreadlocals() end

local threads = B.host.cores()
function torch.getnumthreads() return threads end
function torch.setnumthreads(n) threads = n end
function torch.getnumcores() return B.host.cores() end
function torch.isatty(file) return B.host.isatty(tostring(file)) end

function torch.packageLuaPath(name)
  if not name then return '.' end
  for template in package.path:gmatch('[^;]+') do
    local path = template:gsub('%?', name)
    local file = io.open(path)
    if file then
      file:close()
      return path:match('(.*)/')
    end
  end
end

function torch.include(package_name, file)
  dofile(torch.packageLuaPath(package_name) .. '/' .. file)
end

-- The folder of the file that calls at this level.
local function caller_folder(level)
  local source = debug.getinfo(level + 1, 'S').source
  return source:sub(1, 1) == '@' and source:match('^@(.*)/') or '.'
end

rawset(_G, 'include', function(file, depth)
  local f, message = loadfile(caller_folder(2 + (depth or 0)) .. '/' .. file)
  if f == nil then error(message, 0) end
  f()
end)

function torch.multinomialAliasSetup(probabilities, state)
  if torch.type(state) == 'table' then
    state[1], state[2] = torch.multinomialAliasSetup_(probabilities, state[1], state[2])
  else
    state = {torch.multinomialAliasSetup_(probabilities)}
  end
  return state
end

function torch.multinomialAlias(output, state)
  torch.DoubleTensor.multinomialAlias_(output, state[1], state[2])
  return output
end

return torch
