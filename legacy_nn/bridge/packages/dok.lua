-- dok: arguments by name or by position, and usage texts. Source: torch/dok inline.lua.

require 'torch'

local dok = {}
rawset(_G, 'dok', dok)

local function described(def)
  local key = def.arg and ('%s = %s'):format(def.arg, def.type) or def.type
  local line = ('    %s'):format(def.req and key or '[' .. key .. ']')
  line = line .. (' '):rep(40 - #line) .. '-- ' .. (def.help or '')
  if def.default ~= nil then
    line = line .. '  [default = ' .. tostring(def.default) .. ']'
  elseif def.defaulta then
    line = line .. '  [default == ' .. def.defaulta .. ']'
  end
  return line
end

function dok.usage(name, description, example, ...)
  local defs = {...}
  if defs[1] and defs[1].tabled then defs = defs[1].tabled end
  local named = defs[1] and defs[1].arg
  local open, close = named and '{' or '(', named and '}' or ')'
  local lines = {name}
  if description then lines[#lines + 1] = '\n' .. description end
  lines[#lines + 1] = '\nusage:\n' .. name .. open
  for _, def in ipairs(defs) do
    lines[#lines + 1] = def == '' and (')\n%s('):format(name) or described(def)
  end
  lines[#lines + 1] = close
  if example then lines[#lines + 1] = '\n' .. example end
  return table.concat(lines, '\n')
end

function dok.error(message, domain)
  if domain then message = '<' .. domain .. '> ' .. message end
  error(message, 2)
end

local function is_named(args)
  local first = args[1]
  return #args == 1 and type(first) == 'table' and #first == 0 and torch.typename(first) == nil
end

-- Returns a table of all arguments, by name and by position, then each of them.
function dok.unpack(args, name, description, ...)
  local defs = {...}
  local usage = setmetatable({}, {__tostring = function()
    return dok.usage(name, description, nil, {tabled = defs})
  end})
  if args.__printhelp then
    print(usage)
    error('error')
  end
  local given = {}
  if is_named(args) then
    given = args[1]
  else
    for i, def in ipairs(defs) do given[def.arg] = args[i] end
  end
  local values = {}
  for i, def in ipairs(defs) do
    local value = given[def.arg]
    if value == nil then
      if def.req then
        print('missing argument: ' .. def.arg)
        print(usage)
        error('error')
      end
      value = def.default
    end
    if value == nil and def.defaulta then value = values[def.defaulta] end
    values[def.arg], values[i] = value, value
  end
  values.usage = usage
  return values, unpack(values, 1, #defs)
end

return dok
