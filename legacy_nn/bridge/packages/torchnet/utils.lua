-- tnt.utils: tables, sizes of convolutions, files.
--
-- Source: torchnet utils/table.lua, utils/nn.lua, utils/sys.lua.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'
local lfs = require 'lfs'
local tds = require 'tds'

local utable, unn, sys = {}, {}, {}

function utable.clone(t) return torch.deserializeFromStorage(torch.serializeToStorage(t)) end

function utable.copy(t) return utable.merge({}, t) end

utable.merge = argcheck {
  {name = 'dst', type = 'table'},
  {name = 'src', type = 'table'},
  call = function(dst, src)
    for key, value in pairs(src) do dst[key] = value end
    return dst
  end,
}

utable.foreach = argcheck {
  {name = 'tbl', type = 'table'},
  {name = 'closure', type = 'function'},
  {name = 'recursive', type = 'boolean', default = false},
  call = function(t, f, recursive)
    local out = {}
    for key, value in pairs(t) do
      local inner = recursive and type(value) == 'table'
      out[key] = inner and utable.foreach(value, f, true) or f(value)
    end
    return out
  end,
}

-- Whether values are tensors of as many elements.
function utable.canmergetensor(t)
  if type(t) ~= 'table' or not torch.isTensor(t[1]) then return false end
  for i = 2, #t do
    if t[i]:nElement() ~= t[1]:nElement() then return false end
  end
  return true
end

utable.mergetensor = argcheck {
  {name = 'tbl', type = 'table'},
  call = function(t)
    local sizes = t[1]:size():totable()
    table.insert(sizes, 1, #t)
    local merged = t[1].new():resize(torch.LongStorage(sizes))
    for i, part in ipairs(t) do merged:select(1, i):copy(part) end
    return merged
  end,
}

-- The size of input, and the step, that one output of layers {kw=, dw=, pw=} sees.
unn.inferinputsize = argcheck {
  {name = 'specs', type = 'table'},
  {name = 'size', type = 'number', default = 1},
  {name = 'verbose', type = 'boolean', default = false},
  call = function(specs, size, verbose)
    local stride = 1
    for i = #specs, 1, -1 do
      local layer = specs[i]
      if layer.kw then
        local step = layer.dw or 1
        size, stride = size * step + layer.kw - step - (layer.pw or 0) * 2, stride * step
      end
      if verbose then print(('|| layer %d: size=%d stride=%d'):format(i, size, stride)) end
    end
    return size, stride
  end,
}

unn.inferoutputsize = argcheck {
  {name = 'specs', type = 'table'},
  {name = 'size', type = 'number'},
  {name = 'verbose', type = 'boolean', default = false},
  call = function(specs, size, verbose)
    local stride = 1
    for i, layer in ipairs(specs) do
      local step = layer.dw or 1
      size = math.floor((size + 2 * (layer.pw or 0) - layer.kw) / step) + 1
      stride = stride * step
      if verbose then print(('|| layer %d: size=%d stride=%d'):format(i, size, stride)) end
    end
    return size, stride
  end,
}

function sys.md5(object)
  return require('md5').sumhexa(torch.serialize(object))
end

function sys.mkdir(path)
  assert(os.execute('mkdir -p ' .. path), 'could not create directory')
end

-- Runs each argument as Lua code whose globals are the entries of a table.
function sys.cmdline(arguments, env)
  assert(not getmetatable(env), 'env should have no metatable')
  for _, code in ipairs(arguments) do
    local f, message = loadstring(code)
    if not f then error(('compilation error: %s'):format(message)) end
    setmetatable(env, {__index = _G})
    local ok, failure = pcall(setfenv(f, env))
    setmetatable(env, nil)
    if not ok then error(failure) end
  end
end

function sys.loadlist(path, revert, maxload)
  local list, n = tds.hash(), 0
  for line in io.lines(path) do
    n = n + 1
    list[n] = line
    if revert then list[line] = n end
    if n == maxload then break end
  end
  return list
end

local PICTURES = {jpeg = true, jpg = true, png = true}

function sys.listimgfiles(path, list)
  list = list or tds.hash()
  for name in lfs.dir(path) do
    local full = path .. '/' .. name
    local extension = name:match('[^%.]+$')
    if name == '.' or name == '..' then
      -- these are the folder and its parent
    elseif lfs.attributes(full, 'mode') == 'directory' then
      sys.listimgfiles(full, list)
    elseif extension and PICTURES[extension:lower()] then
      list[#list + 1] = full
    elseif extension then
      print(('ignoring <%s>'):format(full))
    end
  end
  return list
end

tnt.utils = {table = utable, nn = unn, sys = sys}
return tnt.utils
