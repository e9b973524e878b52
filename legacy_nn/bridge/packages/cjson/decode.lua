-- JSON texts as values: returns a function that makes the decoder for a value that null becomes.
--
-- Source: the manual of Lua CJSON; RFC 8259.

local byte, find, sub, char, floor = string.byte, string.find, string.sub, string.char, math.floor

local PLAIN = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', f = '\f', n = '\n', r = '\r',
               t = '\t'}
local WORDS = {['true'] = true, ['false'] = false}
local NUMBERS = {nan = 0 / 0, inf = math.huge, infinity = math.huge}

local function fail(expected, found, position)
  error(('Expected %s but found %s at character %d'):format(expected, found, position), 0)
end

local function utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64,
              0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- Reads a string whose opening quote is at `start`; returns it and where it ends.
local function read_string(text, start)
  local parts, at = {}, start + 1
  while true do
    local stop = find(text, '[%z\1-\31"\\]', at)
    if not stop then fail('value', 'unexpected end of string', #text + 1) end
    parts[#parts + 1] = sub(text, at, stop - 1)
    local c = sub(text, stop, stop)
    if c == '"' then return table.concat(parts), stop + 1 end
    if c ~= '\\' then fail('value', 'invalid token', stop) end
    local escaped = sub(text, stop + 1, stop + 1)
    if escaped == 'u' then
      local hex = text:match('^%x%x%x%x', stop + 2)
      if not hex then fail('value', 'invalid unicode escape code', stop) end
      local code = tonumber(hex, 16)
      at = stop + 6
      if code >= 0xD800 and code < 0xDC00 then
        local low = text:match('^\\u([dD][c-fC-F]%x%x)', at)
        if not low then fail('value', 'invalid unicode escape code', stop) end
        code = 0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00
        at = at + 6
      end
      parts[#parts + 1] = utf8(code)
    else
      local plain = PLAIN[escaped]
      if not plain then fail('value', 'invalid escape code', stop) end
      parts[#parts + 1] = plain
      at = stop + 2
    end
  end
end

local function next_token(text, at)
  return find(text, '[^ \t\r\n]', at) or #text + 1
end

local function found_at(text, at)
  if at > #text then return 'T_END' end
  local c = sub(text, at, at)
  local names = {['{'] = 'T_OBJ_BEGIN', ['}'] = 'T_OBJ_END', ['['] = 'T_ARR_BEGIN',
                 [']'] = 'T_ARR_END', [','] = 'T_COMMA', [':'] = 'T_COLON', ['"'] = 'T_STRING'}
  return names[c] or (find(c, '[%d%-]') and 'T_NUMBER') or 'invalid token'
end

return function(null)
  local limit, invalid
  local value

  local function array(text, at, depth)
    local list, n = {}, 0
    at = next_token(text, at)
    if sub(text, at, at) == ']' then return list, at + 1 end
    while true do
      n = n + 1
      list[n], at = value(text, at, depth)
      at = next_token(text, at)
      local c = sub(text, at, at)
      if c == ']' then return list, at + 1 end
      if c ~= ',' then fail('comma or array end', found_at(text, at), at) end
      at = at + 1
    end
  end

  local function object(text, at, depth)
    local fields = {}
    at = next_token(text, at)
    if sub(text, at, at) == '}' then return fields, at + 1 end
    while true do
      local key
      at = next_token(text, at)
      if sub(text, at, at) ~= '"' then fail('object key string', found_at(text, at), at) end
      key, at = read_string(text, at)
      at = next_token(text, at)
      if sub(text, at, at) ~= ':' then fail('colon', found_at(text, at), at) end
      fields[key], at = value(text, at + 1, depth)
      at = next_token(text, at)
      local c = sub(text, at, at)
      if c == '}' then return fields, at + 1 end
      if c ~= ',' then fail('comma or object end', found_at(text, at), at) end
      at = at + 1
    end
  end

  function value(text, at, depth)
    at = next_token(text, at)
    local c = sub(text, at, at)
    if c == '"' then return read_string(text, at) end
    if c == '{' or c == '[' then
      if depth >= limit then
        error(('Found too many nested data structures (%d) at character %d'):format(
                depth + 1, at), 0)
      end
      return (c == '{' and object or array)(text, at + 1, depth + 1)
    end
    local word = text:match('^%a+', at)
    if word == 'null' then return null, at + 4 end
    if WORDS[word] ~= nil then return WORDS[word], at + #word end
    local number = text:match('^%-?%d+%.?%d*[eE][%+%-]?%d+', at) or text:match('^%-?%d+%.?%d*', at)
    if number then return tonumber(number), at + #number end
    local special = invalid and text:match('^%-?%a+', at)
    local known = special and NUMBERS[special:gsub('^%-', ''):lower()]
    if known then return special:sub(1, 1) == '-' and -known or known, at + #special end
    fail('value', found_at(text, at), at)
  end

  return function(text, most, take_invalid)
    limit, invalid = most, take_invalid
    local result, at = value(text, 1, 0)
    at = next_token(text, at)
    if at <= #text then fail('the end', found_at(text, at), at) end
    return result
  end
end
