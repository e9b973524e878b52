-- xlua: arguments by name, progress bars, tables as text. Source: torch/xlua init.lua.

require 'torch'
local sys = require 'sys'

local xlua = {}
rawset(_G, 'xlua', xlua)

function xlua.require(name, lazy)
  local found, package = pcall(require, name)
  if found then return package end
  if not lazy then error(package, 0) end
end

function xlua.lua2tensor(value) return torch.Tensor(value) end

-- The bar is drawn on a terminal's last line, and only when a program runs in one.
local bar = {done = true}

function xlua.progress(current, goal)
  if bar.done or current < bar.last then
    bar = {started = sys.clock(), last = 0, shown = -1, done = false}
  end
  bar.last = current
  local percent = math.floor(100 * current / goal)
  if percent ~= bar.shown or current >= goal then
    bar.shown = percent
    local width = 60
    local filled = math.floor(width * current / goal)
    local elapsed = sys.clock() - bar.started
    io.write('\r [', ('='):rep(filled), ('.'):rep(width - filled), '] ', current, '/', goal,
             ' | Tot: ', xlua.formatTime(elapsed), ' | Step: ',
             xlua.formatTime(elapsed / math.max(current, 1)), ' ')
  end
  if current >= goal then
    bar.done = true
    io.write('\n')
  end
  io.flush()
end

function xlua.formatTime(seconds)
  if seconds >= 86400 then
    return ('%dD%dh'):format(seconds / 86400, seconds % 86400 / 3600)
  elseif seconds >= 3600 then
    return ('%dh%dm'):format(seconds / 3600, seconds % 3600 / 60)
  elseif seconds >= 60 then
    return ('%dm%ds'):format(seconds / 60, seconds % 60)
  elseif seconds >= 1 then
    return ('%ds%dms'):format(seconds, seconds % 1 * 1000)
  end
  return ('%dms'):format(seconds * 1000)
end

function xlua.print(object) print(object) end

-- Arguments by name: {arg='x', type='number', help='...', default=1, req=true}.
-- `args` holds the arguments in their order, or one table of them by name.
function xlua.unpack(args, name, text, ...)
  local defs = {...}
  local first = args[1]
  local by_name = #args == 1 and type(first) == 'table' and #first == 0
    and torch.typename(first) == nil
  local values = {}
  for i, def in ipairs(defs) do
    local value
    if by_name then value = first[def.arg] else value = args[i] end
    if #args == 0 or (value == nil and def.req) then
      error(('%s: missing argument %s\n%s'):format(name, def.arg, xlua.usage(name, text, defs)), 2)
    end
    if value == nil then value = def.default end
    if value == nil and def.defaulta then value = values[def.defaulta] end
    values[def.arg] = value
    values[i] = value
  end
  return values, unpack(values, 1, #defs)
end

function xlua.usage(name, text, defs)
  local lines = {name, text}
  for _, def in ipairs(defs) do
    lines[#lines + 1] = ('  %s  %s%s'):format(def.arg, def.help or '', def.req and ' [required]' or '')
  end
  return table.concat(lines, '\n')
end

function xlua.required(...)
  for _, name in ipairs {...} do require(name) end
end

-- The parts of a text between matches of a pattern; an empty part at the start does not count.
function string.split(text, pattern)
  local parts, at = {}, 1
  while true do
    local first, last = text:find(pattern, at)
    if not first then break end
    if first > 1 then parts[#parts + 1] = text:sub(at, first - 1) end
    at = last + 1
  end
  if at <= #text then parts[#parts + 1] = text:sub(at) end
  return parts
end

function string.tosymbol(text) return (text:gsub('%W', '_')) end

return xlua
