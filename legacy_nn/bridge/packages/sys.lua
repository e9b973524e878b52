-- sys: time, shells and files. Source: torch/sys init.lua.

require 'torch'
local paths = require 'paths'

local sys = {}
rawset(_G, 'sys', sys)

local started = torch.tic()

sys.clock = torch.tic

function sys.tic() started = sys.clock() end

function sys.toc(verbose)
  local elapsed = sys.clock() - started
  if verbose then print(elapsed) end
  return elapsed
end

function sys.execute(command)
  local file = io.popen(command)
  local text = file:read('*all')
  file:close()
  return (text:gsub('^%s*', ''):gsub('%s*$', ''))
end

function sys.fexecute(command, n)
  local lines = {}
  for line in sys.execute(command):gmatch('[^\n]+') do lines[#lines + 1] = line end
  return lines[n or 1]
end

function sys.uname() return sys.execute('uname'):lower() end
sys.OS = sys.uname()

function sys.sleep(seconds) os.execute('sleep ' .. tonumber(seconds)) end

function sys.ls(folder) return sys.execute('ls ' .. (folder or '')) end
function sys.ll(folder) return sys.execute('ls -l ' .. (folder or '')) end
function sys.la(folder) return sys.execute('ls -a ' .. (folder or '')) end

sys.dirname, sys.basename, sys.concat = paths.dirname, paths.basename, paths.concat
sys.filep, sys.dirp = paths.filep, paths.dirp
function sys.prefix() return paths.install_prefix end
sys.fpath = function(level)
  local path = paths.thisfile(nil, (level or 0) + 1)
  return path and paths.dirname(path), path and paths.basename(path)
end

sys.COLORS = {none = '\27[0m'}
for i, name in ipairs {'black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'} do
  sys.COLORS[name] = ('\27[0;%dm'):format(29 + i)
  sys.COLORS[name:sub(1, 1):upper() .. name:sub(2)] = ('\27[1;%dm'):format(29 + i)
  sys.COLORS['_' .. name] = ('\27[%dm'):format(39 + i)
end

return sys
