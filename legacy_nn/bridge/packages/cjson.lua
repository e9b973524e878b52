-- cjson: JSON. Source: the manual of Lua CJSON.

local NULL = newproxy(true)
getmetatable(NULL).__tostring = function() return 'userdata: NULL' end

local ESCAPES = {['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/', ['\b'] = '\\b', ['\f'] = '\\f',
                 ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t', ['\127'] = '\\u007f'}
for i = 0, 31 do
  local c = string.char(i)
  ESCAPES[c] = ESCAPES[c] or ('\\u%04x'):format(i)
end

local function new()
  local cjson = {null = NULL, _NAME = 'cjson', _VERSION = '2.1.0'}
  local precision, depth_limit, decode_limit = 14, 1000, 1000
  local convert_sparse, ratio, safe_size = false, 2, 10
  local invalid_out, invalid_in = false, true

  local function setting(get, set)
    return function(value)
      if value ~= nil then set(value) end
      return get()
    end
  end
  cjson.encode_number_precision = setting(function() return precision end,
                                          function(v) precision = v end)
  cjson.encode_max_depth = setting(function() return depth_limit end, function(v) depth_limit = v end)
  cjson.decode_max_depth = setting(function() return decode_limit end,
                                   function(v) decode_limit = v end)
  cjson.encode_invalid_numbers = setting(function() return invalid_out end,
                                         function(v) invalid_out = v end)
  cjson.decode_invalid_numbers = setting(function() return invalid_in end,
                                         function(v) invalid_in = v end)
  cjson.encode_keep_buffer = setting(function() return true end, function() end)
  function cjson.encode_sparse_array(convert, new_ratio, safe)
    if convert ~= nil then convert_sparse = convert end
    ratio, safe_size = new_ratio or ratio, safe or safe_size
    return convert_sparse, ratio, safe_size
  end

  -- The length of an array; nil for a table that is an object.
  local function array_length(t)
    local most, count = 0, 0
    for k in pairs(t) do
      if type(k) ~= 'number' or k < 1 or k % 1 ~= 0 then return nil end
      most, count = math.max(most, k), count + 1
    end
    if count == 0 then return nil end
    if ratio > 0 and most > count * ratio and most > safe_size then
      if not convert_sparse then
        error('Cannot serialise table: excessively sparse array', 0)
      end
      return nil
    end
    return most
  end

  local function encode_string(s)
    return '"' .. s:gsub('[%c"\\/\127]', ESCAPES) .. '"'
  end

  local function encode_number(n)
    if n ~= n or n == math.huge or n == -math.huge then
      if invalid_out == 'null' then return 'null' end
      if not invalid_out then
        error('Cannot serialise number: must not be NaN or Infinity', 0)
      end
      return n ~= n and 'nan' or n > 0 and 'inf' or '-inf'
    end
    return ('%.' .. precision .. 'g'):format(n)
  end

  local write

  local function write_table(out, t, depth)
    if depth > depth_limit then
      error(('Cannot serialise, excessive depth (%d)'):format(depth), 0)
    end
    local length = array_length(t)
    if length then
      out[#out + 1] = '['
      for i = 1, length do
        if i > 1 then out[#out + 1] = ',' end
        write(out, t[i], depth)
      end
      out[#out + 1] = ']'
      return
    end
    out[#out + 1] = '{'
    local first = true
    for k, v in pairs(t) do
      if not first then out[#out + 1] = ',' end
      first = false
      if type(k) == 'number' then
        out[#out + 1] = '"' .. encode_number(k) .. '":'
      elseif type(k) == 'string' then
        out[#out + 1] = encode_string(k) .. ':'
      else
        error('Cannot serialise table: table key must be a number or string', 0)
      end
      write(out, v, depth)
    end
    out[#out + 1] = '}'
  end

  function write(out, value, depth)
    local kind = type(value)
    if value == nil or value == NULL then
      out[#out + 1] = 'null'
    elseif kind == 'string' then
      out[#out + 1] = encode_string(value)
    elseif kind == 'number' then
      out[#out + 1] = encode_number(value)
    elseif kind == 'boolean' then
      out[#out + 1] = tostring(value)
    elseif kind == 'table' then
      write_table(out, value, depth + 1)
    else
      error(('Cannot serialise %s: type not supported'):format(kind), 0)
    end
  end

  function cjson.encode(value)
    local out = {}
    write(out, value, 0)
    return table.concat(out)
  end

  local decode = require('cjson.decode')(NULL)
  function cjson.decode(text)
    if type(text) == 'number' then text = tostring(text) end
    if type(text) ~= 'string' then
      error(("bad argument #1 to 'decode' (string expected, got %s)"):format(
              text == nil and 'no value' or type(text)), 2)
    end
    return decode(text, decode_limit, invalid_in)
  end

  cjson.new = new
  return cjson
end

return new()
