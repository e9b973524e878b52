-- pl.types: what values can do. Source: Penlight types.lua.

local utils = require 'pl.utils'

local types = {is_type = utils.is_type}

local function has(value, metamethod)
  local mt = getmetatable(value)
  return type(mt) == 'table' and mt[metamethod] ~= nil
end

function types.is_callable(v) return type(v) == 'function' or has(v, '__call') end
function types.is_indexable(v)
  return type(v) == 'table' or has(v, '__index') and has(v, '__len')
end
function types.is_iterable(v)
  return type(v) == 'table' or type(v) == 'function' or has(v, '__pairs')
end
function types.is_writeable(v) return type(v) == 'table' or has(v, '__newindex') end
function types.is_integer(v) return v == math.ceil(v) end

function types.type(v)
  local kind = type(v)
  if kind == 'table' or kind == 'userdata' then
    local mt = getmetatable(v)
    if type(mt) == 'table' then return rawget(mt, '_name') or 'unknown ' .. kind end
  end
  return kind
end

function types.is_empty(v, ignore_spaces)
  if v == nil then return true end
  if type(v) == 'table' then return next(v) == nil end
  if type(v) == 'string' then return v == '' or ignore_spaces and not v:find('%S') or false end
  return true
end

function types.to_bool(v, true_strings)
  if type(v) == 'string' then
    v = v:lower()
    for _, word in ipairs(true_strings or {'yes', 'y', 'true', 't', '1'}) do
      if v == word then return true end
    end
    return false
  end
  if type(v) == 'number' then return v ~= 0 end
  return v and true or false
end

return types
