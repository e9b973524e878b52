-- paths: torch/paths in terms of Python's functions on files. Source: torch/paths init.lua.

local _, paths = ...
rawset(_G, 'paths', paths)

paths.home = paths.user_home()
paths.user_home = nil
paths.install_prefix = paths.home

-- Runs over names in a folder for which `keep` is true.
local function each(folder, keep)
  local list, i = paths.names(folder), 0
  return function()
    while true do
      i = i + 1
      local name = list[i]
      if name == nil or keep(paths.concat(folder, name), name) then return name end
    end
  end
end

function paths.files(folder, filter)
  local match = filter
  if type(filter) == 'string' then
    match = function(name) return name:find(filter, 1, false) ~= nil end
  end
  return each(folder or '.', function(_, name) return match == nil or match(name) end)
end

function paths.dir(folder)
  if not paths.dirp(folder) then return nil end
  return paths.names(folder)
end

function paths.iterfiles(folder)
  return each(folder, function(path) return paths.filep(path) end)
end

function paths.iterdirs(folder)
  return each(folder, function(path, name)
    return paths.dirp(path) and name ~= '.' and name ~= '..'
  end)
end

-- The folder of the file whose code calls, `level` calls above.
local function folder_of(level)
  local source = debug.getinfo(level + 1, 'S').source
  if source:sub(1, 1) ~= '@' then return paths.cwd() end
  return paths.concat(paths.dirname(source:sub(2)))
end

local function file_of(level)
  local source = debug.getinfo(level + 1, 'S').source
  return source:sub(1, 1) == '@' and paths.concat(source:sub(2)) or nil
end

function paths.thisfile(name, level)
  local here = file_of((level or 0) + 2)
  if here == nil or name == nil then return here end
  return paths.concat(paths.dirname(here), name)
end

function paths.dofile(name, level)
  local path = paths.concat(folder_of((level or 0) + 2), name)
  local f, message = loadfile(path)
  if f == nil then error(message, 0) end
  return f()
end

function paths.require(name) return require(name) end

return paths
