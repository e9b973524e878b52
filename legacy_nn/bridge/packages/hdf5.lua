-- hdf5: files of tensors. Source: deepmind/torch-hdf5 luasrc/file.lua, group.lua, dataset.lua.

require 'torch'
local _, host = ...

local hdf5 = {}
rawset(_G, 'hdf5', hdf5)

local Data, Group, Options = {}, {}, {}
Data.__index, Group.__index, Options.__index = Data, Group, Options

local function wrapped(node)
  if host.is_data(node) then return setmetatable({_node = node}, Data) end
  local group = setmetatable({_node = node, _children = {}}, Group)
  return group
end

function Data:all() return host.part(self._node) end
function Data:partial(...) return host.part(self._node, {...}) end
function Data:dataspaceSize() return host.size(self._node) end
function Data:getTensorFactory() return torch.factory(torch.typename(self:all())) end
function Data:close() end

function Group:all()
  local result = {}
  for _, name in ipairs(host.children(self._node)) do
    result[name] = wrapped(host.find(self._node, name)):all()
  end
  return result
end

function Group:read(path)
  local node = host.find(self._node, path or '/')
  if node == nil then error(("HDF5: no data at '%s'"):format(path), 2) end
  return wrapped(node)
end

function Group:write(path, value, options)
  host.write(self._node, path, value, options and options._chunks, options and options._level)
end

function Group:append(path, value) host.append(self._node, path, value) end

function Group:forEachChild(f)
  for _, name in ipairs(host.children(self._node)) do
    f(name, wrapped(host.find(self._node, name)))
  end
end

function Group:close() host.close(self._node) end

function Options:setChunked(...) self._chunks = {...} end
function Options:setDeflate(level) self._level = level or 6 end

function hdf5.DataSetOptions() return setmetatable({}, Options) end

function hdf5.open(path, mode) return wrapped(host.open(path, mode or 'r')) end

hdf5.version = {1, 10, 0}

return hdf5
