-- pl.utils: checks, splitting, files and small functions. Source: Penlight utils.lua.

local compat = require 'pl.compat'

local utils = {_VERSION = '1.5.4', lua51 = true, dir_separator = '/', is_windows = false,
               execute = compat.execute, load = load, setfenv = setfenv, getfenv = getfenv,
               pack = table.pack}

utils.patterns = {
  FLOAT = '[%+%-%d]%d*%.?%d*[eE]?[%+%-]?%d*', INTEGER = '[+%-%d]%d*', IDEN = '[%a_][%w_]*',
  FILE = '[%a%.\\][:%][%w%._%-\\]*',
}
utils.stdmt = {List = {_name = 'List'}, Map = {_name = 'Map'}, Set = {_name = 'Set'},
               MultiMap = {_name = 'MultiMap'}}

function utils.unpack(t, i, j) return unpack(t, i or 1, j or t.n or #t) end

function utils.printf(format, ...) utils.fprintf(io.stdout, format, ...) end

function utils.fprintf(file, format, ...)
  utils.assert_string(2, format)
  file:write(format:format(...))
end

function utils.choose(condition, a, b) return condition and a or not condition and b or nil end

function utils.quit(code, message, ...)
  if type(code) == 'string' then
    utils.fprintf(io.stderr, code, message, ...)
    io.stderr:write('\n')
    code = -1
  elseif message then
    utils.fprintf(io.stderr, message, ...)
    io.stderr:write('\n')
  end
  os.exit(code)
end

function utils.is_type(v, kind)
  if type(kind) == 'string' then return type(v) == kind end
  return getmetatable(v) == kind
end

function utils.assert_arg(n, value, kind, verify, message, level)
  if type(value) ~= kind then
    error(("argument %d expected a '%s', got a '%s'"):format(n, kind, type(value)), level or 2)
  end
  if verify and not verify(value) then
    error(("argument %d: '%s' %s"):format(n, tostring(value), message), level or 2)
  end
  return value
end

function utils.assert_string(n, value) return utils.assert_arg(n, value, 'string', nil, nil, 3) end

local mode = 'default'
function utils.on_error(new) mode = new end

function utils.raise(message)
  if mode == 'default' then return nil, message end
  if mode == 'quit' then utils.quit(message) end
  error(message, 2)
end

local function whole_file(name, how, f)
  local file, message = io.open(name, how)
  if not file then return utils.raise(message) end
  local result = f(file)
  file:close()
  return result
end

function utils.readfile(name, binary)
  utils.assert_string(1, name)
  return whole_file(name, binary and 'rb' or 'r', function(file) return file:read('*a') end)
end

function utils.writefile(name, text, binary)
  utils.assert_string(1, name)
  return whole_file(name, binary and 'wb' or 'w', function(file)
    file:write(text)
    return true
  end)
end

function utils.readlines(name)
  utils.assert_string(1, name)
  return whole_file(name, 'r', function(file)
    local lines = {}
    for line in file:lines() do lines[#lines + 1] = line end
    return lines
  end)
end

function utils.executeex(command)
  local out, err = os.tmpname(), os.tmpname()
  local ok, code = utils.execute(('%s > %s 2> %s'):format(command, out, err))
  local text, errors = utils.readfile(out), utils.readfile(err)
  os.remove(out)
  os.remove(err)
  return ok, code, text, errors
end

function utils.escape(text)
  utils.assert_string(1, text)
  return (text:gsub('[%-%.%+%[%]%(%)%$%^%%%?%*]', '%%%1'))
end

-- Splits a text at a pattern (blanks by default), or at a plain text, into at most n parts.
function utils.split(text, pattern, plain, n)
  utils.assert_string(1, text)
  pattern = pattern or '%s+'
  if pattern == '' then return {text} end
  local parts, at = {}, 1
  while true do
    local first, last = text:find(pattern, at, plain)
    if not first or last < first then
      local rest = text:sub(at)
      if rest ~= '' then parts[#parts + 1] = rest end
      if #parts == 1 and parts[1] == '' then return {} end
      return parts
    end
    parts[#parts + 1] = text:sub(at, first - 1)
    if n and #parts == n then
      parts[#parts] = text:sub(at)
      return parts
    end
    at = last + 1
  end
end

function utils.splitv(text, pattern, plain, n) return unpack(utils.split(text, pattern, plain, n)) end

function utils.array_tostring(t, into, convert)
  into, convert = into or {}, convert or tostring
  for i = 1, #t do into[i] = convert(t[i], i) end
  return into
end

function utils.memoize(f)
  local known = {}
  return function(key)
    local value = known[key]
    if value == nil then
      value = f(key)
      known[key] = value
    end
    return value
  end
end

function utils.bind1(f, a) return function(...) return f(a, ...) end end
function utils.bind2(f, b) return function(a, ...) return f(a, b, ...) end end

-- Texts such as "|x,y| x + y" as functions.
utils.string_lambda = utils.memoize(function(text)
  local parameters, body = text:match('^|([^|]*)|(.+)')
  if not parameters then
    parameters, body = text:match('^%s*_(.*)$') and '_', text
  end
  local made = parameters and loadstring(('return function(%s) return %s end'):format(parameters, body))
  if not made then error('not a string lambda: ' .. text, 2) end
  return made()
end)

local OPERATORS = {
  ['+'] = function(a, b) return a + b end, ['-'] = function(a, b) return a - b end,
  ['*'] = function(a, b) return a * b end, ['/'] = function(a, b) return a / b end,
  ['%'] = function(a, b) return a % b end, ['^'] = function(a, b) return a ^ b end,
  ['..'] = function(a, b) return a .. b end, ['#'] = function(a) return #a end,
  ['=='] = function(a, b) return a == b end, ['~='] = function(a, b) return a ~= b end,
  ['<'] = function(a, b) return a < b end, ['<='] = function(a, b) return a <= b end,
  ['>'] = function(a, b) return a > b end, ['>='] = function(a, b) return a >= b end,
  ['[]'] = function(t, k) return t[k] end, ['()'] = function(f, ...) return f(...) end,
  ['{}'] = function(...) return {...} end, ['~'] = string.find,
  ['and'] = function(a, b) return a and b end, ['or'] = function(a, b) return a or b end,
  ['not'] = function(a) return not a end,
}

-- Returns the function that an argument stands for: itself, an operator's name, a text.
function utils.function_arg(n, f, message)
  if type(f) == 'function' then return f end
  if type(f) == 'string' then return OPERATORS[f] or utils.string_lambda(f) end
  local mt = getmetatable(f)
  if type(mt) == 'table' and mt.__call then return function(...) return mt.__call(f, ...) end end
  error(message or ('argument %d must be callable'):format(n), 3)
end

return utils
