-- pl.pretty: tables as text that Lua can read. Source: Penlight pretty.lua.

local utils = require 'pl.utils'

local pretty = {}

local KEYWORDS = {}
for word in ('and break do else elseif end false for function if in local nil not or repeat '
             .. 'return then true until while'):gmatch('%a+') do
  KEYWORDS[word] = true
end

local function is_identifier(key)
  return type(key) == 'string' and key:find('^[%a_][%w_]*$') ~= nil and not KEYWORDS[key]
end

local function quoted(text)
  local level = ''
  if text:find('\n') and not text:find('\r') then
    while text:find(']' .. level .. ']', 1, true) do level = level .. '=' end
    -- a first line break would be lost
    local first = text:sub(1, 1) == '\n' and '\n' or ''
    return ('[%s[%s%s]%s]'):format(level, first, text, level)
  end
  return (('%q'):format(text):gsub('\\\n', '\\n'):gsub('\r', '\\r'))
end

local function ordered_keys(t)
  local keys = {}
  for key in pairs(t) do
    if type(key) ~= 'number' then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return tostring(a) < tostring(b) end
    return type(a) < type(b)
  end)
  for key in pairs(t) do
    if type(key) == 'number' then keys[#keys + 1] = key end
  end
  return keys
end

-- Returns a table as text, one entry a line; with `space` "" all on one line.
function pretty.write(value, space, plain)
  if type(value) == 'string' then return quoted(value) end
  if type(value) ~= 'table' then return tostring(value), 'not a table' end
  local equals = space == '' and '=' or ' = '
  local separator = space == '' and '' or '\n'
  space = space or '  '
  local open = {}

  local function text(v, indent)
    if type(v) == 'string' then return quoted(v) end
    if type(v) ~= 'table' then return tostring(v) end
    if open[v] then return '<cycle>' end
    if next(v) == nil then return '{' .. separator .. indent .. '}' end
    open[v] = true
    local inner, lines, listed = indent .. space, {}, {}
    if not plain then
      for i, element in ipairs(v) do
        lines[#lines + 1] = inner .. text(element, inner)
        listed[i] = true
      end
    end
    for _, key in ipairs(ordered_keys(v)) do
      if not listed[key] then
        local name
        if type(key) == 'number' then
          name = '[' .. tostring(key) .. ']'
        elseif not plain and is_identifier(key) then
          name = key
        else
          name = '[' .. quoted(tostring(key)) .. ']'
        end
        lines[#lines + 1] = inner .. name .. equals .. text(v[key], inner)
      end
    end
    open[v] = nil
    return '{' .. separator .. table.concat(lines, ',' .. separator) .. separator .. indent .. '}'
  end
  return text(value, '')
end

function pretty.dump(t, filename)
  if filename then return utils.writefile(filename, pretty.write(t)) end
  print(pretty.write(t))
  return true
end

-- Returns the table that a text such as `{1, x = 2}` is; it may neither loop nor call anything.
function pretty.read(text)
  utils.assert_string(1, text)
  if text:find('^%s*%-%-') then text = text:gsub('%-%-.-\n', '') end
  if not text:find('^%s*{') then return nil, 'not a Lua table' end
  if text:find("[^'\"%w_]function[^'\"%w_]") then
    return nil, "function definition not allowed, use 'pretty.load' to load tables with functions"
  end
  local f, message = loadstring('return ' .. text, 'tbl')
  if not f then return nil, message end
  local ok, result = pcall(setfenv(f, {}))
  if ok then return result end
  return nil, result
end

local function with_commas(n)
  local thousands = math.floor(n / 1000)
  if thousands == 0 then return tostring(n) end
  return with_commas(thousands) .. ',' .. tostring(n % 1000)
end

function pretty.number(n, kind, digits)
  if kind == 'T' then return with_commas(n) end
  local units = kind == 'M' and {'B', 'KiB', 'MiB', 'GiB'} or {'', 'K', 'M', 'B'}
  local step, unit = kind == 'M' and 1024 or 1000, 1
  while n >= step and unit < #units do n, unit = n / step, unit + 1 end
  if unit == 1 then return n .. units[1] end
  return ('%.' .. (digits or 1) .. 'f%s'):format(n, units[unit])
end

function pretty.debug(...)
  local t = {}
  for i = 1, select('#', ...) do
    local value = select(i, ...)
    t['arg ' .. i] = value == nil and '<nil>' or value
  end
  return pretty.dump(t)
end

return setmetatable(pretty, {__call = function(_, ...) return pretty.debug(...) end})
