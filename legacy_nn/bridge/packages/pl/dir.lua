-- pl.dir: what folders hold. Source: Penlight dir.lua.

local lfs = require 'lfs'
local utils = require 'pl.utils'
local path = require 'pl.path'

local dir = {}

local function new_list(t) return setmetatable(t or {}, require 'pl.List') end

-- A mask of a shell as a pattern.
local function mask_pattern(mask)
  return '^' .. utils.escape(mask):gsub('%%%*', '.*'):gsub('%%%?', '.') .. '$'
end

function dir.fnmatch(name, mask)
  utils.assert_string(1, name)
  utils.assert_string(2, mask)
  return name:find(mask_pattern(mask)) ~= nil
end

function dir.filter(names, mask)
  local found = {}
  for _, name in ipairs(names) do
    if name:find(mask_pattern(mask)) then found[#found + 1] = name end
  end
  return new_list(found)
end

local function entries(folder, keep)
  local found = {}
  for name in lfs.dir(folder) do
    if name ~= '.' and name ~= '..' then
      local full = path.join(folder, name)
      if keep(full) then found[#found + 1] = full end
    end
  end
  return new_list(found)
end

local function check_folder(folder)
  utils.assert_arg(1, folder, 'string', path.isdir, 'not a directory', 3)
end

function dir.getfiles(folder, mask)
  folder = folder or '.'
  check_folder(folder)
  local pattern = mask and mask_pattern(mask)
  return entries(folder, function(full)
    return path.isfile(full) and (not pattern or path.basename(full):find(pattern) ~= nil)
  end)
end

function dir.getdirectories(folder)
  folder = folder or '.'
  check_folder(folder)
  return entries(folder, path.isdir)
end

function dir.makepath(p)
  utils.assert_string(1, p)
  p = path.abspath(p)
  if path.isdir(p) then return true end
  local parent = path.dirname(p)
  if parent ~= '' and not path.isdir(parent) then
    local ok, message = dir.makepath(parent)
    if not ok then return utils.raise(message) end
  end
  return lfs.mkdir(p)
end

function dir.copyfile(source, target)
  if path.isdir(target) then target = path.join(target, path.basename(source)) end
  local text, message = utils.readfile(source, true)
  if not text then return false, message end
  return utils.writefile(target, text, true)
end

function dir.movefile(source, target)
  if path.isdir(target) then target = path.join(target, path.basename(source)) end
  local ok, message = os.rename(source, target)
  return ok and true or false, message
end

-- Walks a tree: yields each folder, the names of its folders, the names of its files.
function dir.walk(root, bottom_up)
  check_folder(root)
  local function step(folder)
    local folders, files = {}, {}
    for _, full in ipairs(entries(folder, function() return true end)) do
      table.insert(path.isdir(full) and folders or files, path.basename(full))
    end
    if not bottom_up then coroutine.yield(folder, new_list(folders), new_list(files)) end
    for _, name in ipairs(folders) do
      local full = path.join(folder, name)
      if not path.islink(full) then step(full) end
    end
    if bottom_up then coroutine.yield(folder, new_list(folders), new_list(files)) end
  end
  return coroutine.wrap(function() step(root) end)
end

function dir.dirtree(root)
  check_folder(root)
  return coroutine.wrap(function()
    for folder, folders, files in dir.walk(root) do
      for _, name in ipairs(folders) do coroutine.yield(path.join(folder, name), true) end
      for _, name in ipairs(files) do coroutine.yield(path.join(folder, name), false) end
    end
  end)
end

function dir.getallfiles(root, mask)
  local found = {}
  for full, is_folder in dir.dirtree(root) do
    if not is_folder and (not mask or dir.fnmatch(path.basename(full), mask)) then
      found[#found + 1] = full
    end
  end
  return new_list(found)
end

function dir.rmtree(root)
  check_folder(root)
  if path.islink(root) then return false, 'will not follow symlink' end
  for folder, _, files in dir.walk(root, true) do
    for _, name in ipairs(files) do
      local ok, message = os.remove(path.join(folder, name))
      if not ok then return utils.raise(message) end
    end
    local ok, message = lfs.rmdir(folder)
    if not ok then return utils.raise(message) end
  end
  return true
end

return dir
