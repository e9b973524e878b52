-- pl.path: names of files, and what is there. Source: Penlight path.lua.

local lfs = require 'lfs'
local utils = require 'pl.utils'
local check = utils.assert_string

local path = {sep = '/', dirsep = ':', is_windows = false, dir = lfs.dir, mkdir = lfs.mkdir,
              rmdir = lfs.rmdir, attrib = lfs.attributes, link_attrib = lfs.symlinkattributes,
              currentdir = lfs.currentdir, chdir = lfs.chdir}

local function attribute(name, p)
  check(1, p)
  return (lfs.attributes(p, name))
end

function path.isdir(p) return attribute('mode', p) == 'directory' end
function path.isfile(p) return attribute('mode', p) == 'file' end
function path.islink(p)
  check(1, p)
  return lfs.symlinkattributes(p, 'mode') == 'link'
end
function path.exists(p) return attribute('mode', p) ~= nil and p end
function path.getsize(p) return attribute('size', p) end
function path.getatime(p) return attribute('access', p) end
function path.getmtime(p) return attribute('modification', p) end
function path.getctime(p) return attribute('change', p) end

function path.isabs(p)
  check(1, p)
  return p:sub(1, 1) == '/'
end

function path.splitpath(p)
  check(1, p)
  local folder, name = p:match('^(.*)/([^/]*)$')
  if not folder then return '', p end
  return folder, name
end
function path.dirname(p) return (path.splitpath(p)) end
function path.basename(p) return (select(2, path.splitpath(p))) end

function path.splitext(p)
  check(1, p)
  local stem, extension = p:match('^(.*)(%.[^%./]*)$')
  if not stem then return p, '' end
  return stem, extension
end
function path.extension(p) return (select(2, path.splitext(p))) end

function path.join(first, second, ...)
  check(1, first)
  check(2, second)
  if select('#', ...) > 0 then return path.join(path.join(first, second), ...) end
  if path.isabs(second) then return second end
  if first ~= '' and first:sub(-1) ~= '/' then first = first .. '/' end
  return first .. second
end

function path.normcase(p)
  check(1, p)
  return p
end

function path.normpath(p)
  check(1, p)
  local root = p:match('^//[^/]') and '//' or p:match('^/') and '/' or ''
  local parts = {}
  for part in p:gmatch('[^/]+') do
    if part == '..' and #parts > 0 and parts[#parts] ~= '..' then
      table.remove(parts)
    elseif part ~= '.' then
      parts[#parts + 1] = part
    end
  end
  local normal = root .. table.concat(parts, '/')
  return normal == '' and '.' or normal
end

function path.abspath(p, folder)
  check(1, p)
  p = p:gsub('[\\/]$', '')
  if not path.isabs(p) then p = path.join(folder or lfs.currentdir(), p) end
  return path.normpath(p)
end

function path.relpath(p, start)
  check(1, p)
  start = start or lfs.currentdir()
  local to, from = utils.split(path.abspath(p, start), '/'), utils.split(start, '/')
  local same = 0
  while same < math.min(#to, #from) and to[same + 1] == from[same + 1] do same = same + 1 end
  local parts = {}
  for _ = same + 1, #from do parts[#parts + 1] = '..' end
  for i = same + 1, #to do parts[#parts + 1] = to[i] end
  return table.concat(parts, '/')
end

function path.expanduser(p)
  check(1, p)
  if p:sub(1, 1) ~= '~' then return p end
  local home = os.getenv('HOME')
  if not home then return nil, "failed to expand '~' (HOME not set)" end
  return home .. p:sub(2)
end

function path.tmpname() return os.tmpname() end

function path.common_prefix(a, b)
  check(1, a)
  check(2, b)
  if #a > #b then a, b = b, a end
  for i = 1, #a do
    if a:sub(i, i) ~= b:sub(i, i) then
      local prefix = a:sub(1, i - 1)
      return prefix:sub(-1) == '/' and prefix or path.dirname(prefix)
    end
  end
  if b:sub(#a + 1, #a + 1) ~= '/' then a = path.dirname(a) end
  return a
end

function path.package_path(name) return package.searchpath(name, package.path) end

return path
