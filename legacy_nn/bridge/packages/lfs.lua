-- lfs: files and folders. Source: the manual of LuaFileSystem.

local _, lfs = ...
rawset(_G, 'lfs', lfs)

lfs._VERSION = 'LuaFileSystem 1.8.0'
local names = lfs.names
lfs.names = nil

function lfs.dir(path)
  local list, i = names(path), 0
  local folder = {}
  function folder.next()
    i = i + 1
    return list[i]
  end
  function folder.close() i = #list end
  return folder.next, folder
end

function lfs.lock_dir() error('lfs.lock_dir is not there: programs here do not share folders', 2) end

-- One program runs here at a time, so locks are never waited for.
function lfs.lock() return true end
function lfs.unlock() return true end
function lfs.setmode() return true, 'binary' end

return lfs
