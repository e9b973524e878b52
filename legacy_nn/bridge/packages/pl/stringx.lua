-- pl.stringx: what Python's strings can do. Source: Penlight stringx.lua.

local utils = require 'pl.utils'
local check = utils.assert_string

local stringx = {}

local function new_list(t) return setmetatable(t, require 'pl.List') end

for name, pattern in pairs {isalpha = '^%a+$', isdigit = '^%d+$', isalnum = '^%w+$',
                            isspace = '^%s+$', islower = '^[%l%s]+$', isupper = '^[%u%s]+$'} do
  stringx[name] = function(s)
    check(1, s)
    return s:find(pattern) == 1
  end
end

local function any(s, affixes, test)
  if type(affixes) == 'string' then return test(s, affixes) end
  for _, affix in ipairs(affixes) do
    if test(s, affix) then return true end
  end
  return false
end

function stringx.startswith(s, prefix)
  check(1, s)
  return any(s, prefix, function(whole, part) return whole:sub(1, #part) == part end)
end

function stringx.endswith(s, suffix)
  check(1, s)
  return any(s, suffix, function(whole, part)
    return #part <= #whole and whole:sub(#whole - #part + 1) == part
  end)
end

function stringx.join(s, parts)
  check(1, s)
  return table.concat(parts, s)
end

function stringx.splitlines(s, keep_ends)
  check(1, s)
  local lines, at = {}, 1
  while at <= #s do
    local first, last = s:find('\r?\n', at)
    local alone = s:find('\r', at, true)
    if alone and (not first or alone < first) then first, last = alone, alone end
    if not first then first, last = #s + 1, #s end
    lines[#lines + 1] = s:sub(at, keep_ends and last or first - 1)
    at = last + 1
  end
  return new_list(lines)
end

-- Splits at a text (not a pattern); at blanks without one.
function stringx.split(s, separator, n)
  check(1, s)
  if not separator then return new_list(utils.split(stringx.lstrip(s), nil, false, n)) end
  local parts = utils.split(s, separator, true, n)
  if separator ~= '' and s:sub(-#separator) == separator and (n or math.huge) > #parts then
    parts[#parts + 1] = ''
  end
  return new_list(parts)
end

function stringx.splitv(s, pattern)
  check(1, s)
  return utils.splitv(s, pattern)
end

function stringx.expandtabs(s, size)
  check(1, s)
  size = size or 8
  return (s:gsub('([^\t\r\n]*)\t', function(before)
    return before .. (size == 0 and '' or (' '):rep(size - #before % size))
  end))
end

function stringx.lfind(s, part, first, last)
  check(1, s)
  check(2, part)
  local start, stop = s:find(part, first, true)
  return start and (not last or stop <= last) and start or nil
end

-- Returns the start of the last occurrence, and how many there are.
local function occurrences(s, part, first, last, overlapping)
  if part == '' then return (last or #s) + 1, (last or #s) - (first or 1) + 1 end
  local found, count = nil, 0
  local start, stop = s:find(part, first or 1, true)
  while start and stop <= (last or #s) do
    found, count = start, count + 1
    start, stop = s:find(part, (overlapping and start or stop) + 1, true)
  end
  return found, count
end

function stringx.rfind(s, part, first, last)
  check(1, s)
  check(2, part)
  return (occurrences(s, part, first, last, true))
end

function stringx.count(s, part, overlapping)
  check(1, s)
  return (select(2, occurrences(s, part, 1, nil, overlapping)))
end

function stringx.replace(s, old, new, n)
  check(1, s)
  check(2, old)
  check(3, new)
  return (s:gsub(utils.escape(old), (new:gsub('%%', '%%%%')), n))
end

local function padded(s, width, fill, left)
  check(1, s)
  utils.assert_arg(2, width, 'number')
  local missing = width - #s
  if missing <= 0 then return s end
  fill = fill or ' '
  local before = left(missing)
  return fill:rep(before) .. s .. fill:rep(missing - before)
end
function stringx.ljust(s, width, fill) return padded(s, width, fill, function() return 0 end) end
function stringx.rjust(s, width, fill) return padded(s, width, fill, function(n) return n end) end
function stringx.center(s, width, fill)
  return padded(s, width, fill, function(n) return math.floor(n / 2) end)
end

local function stripped(s, left, right, characters)
  check(1, s)
  local set = characters and '[' .. utils.escape(characters) .. ']' or '%s'
  local first, last = 1, #s
  if left then first = select(2, s:find('^' .. set .. '*')) + 1 end
  if right then
    while last >= first and s:sub(last, last):find(set) do last = last - 1 end
  end
  return s:sub(first, last)
end
function stringx.lstrip(s, characters) return stripped(s, true, false, characters) end
function stringx.rstrip(s, characters) return stripped(s, false, true, characters) end
function stringx.strip(s, characters) return stripped(s, true, true, characters) end

function stringx.partition(s, separator)
  check(1, s)
  local start, stop = s:find(separator, 1, true)
  if not start then return s, '', '' end
  return s:sub(1, start - 1), separator, s:sub(stop + 1)
end

function stringx.rpartition(s, separator)
  check(1, s)
  local start = occurrences(s, separator, 1, nil, true)
  if not start then return '', '', s end
  return s:sub(1, start - 1), separator, s:sub(start + #separator)
end

function stringx.at(s, index)
  check(1, s)
  return s:sub(index, index)
end

function stringx.lines(s)
  check(1, s)
  if s:sub(-1) ~= '\n' then s = s .. '\n' end
  return s:gmatch('([^\n]*)\n')
end

function stringx.title(s)
  check(1, s)
  return (s:gsub('(%S)(%S*)', function(first, rest) return first:upper() .. rest:lower() end))
end
stringx.capitalize = stringx.title

function stringx.shorten(s, width, tail)
  check(1, s)
  if #s <= width then return s end
  if width < 3 then return ('...'):sub(1, width) end
  if tail then return '...' .. s:sub(#s - width + 4) end
  return s:sub(1, width - 3) .. '...'
end

-- Makes these functions methods of strings.
function stringx.import()
  for name, f in pairs(stringx) do
    if string[name] == nil then string[name] = f end
  end
end

return stringx
