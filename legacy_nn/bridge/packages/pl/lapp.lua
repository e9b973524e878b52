-- pl.lapp: options of a program, read from the text that explains them. Source: Penlight lapp.lua.

local lapp = {show_usage_error = true}

local FILES = {stdin = {io.stdin, 'file-in'}, stdout = {io.stdout, 'file-out'},
               stderr = {io.stderr, 'file-out'}}
local KINDS = {string = true, number = true, boolean = true, ['file-in'] = 'r', ['file-out'] = 'w'}

local types = {}
local usage = ''

local function strip(s) return (s:gsub('^%s+', ''):gsub('%s+$', '')) end

local function script_name()
  local name = type(arg) == 'table' and arg[0] or rawget(_G, 'LAPP_SCRIPT') or 'unknown'
  return (name:gsub('.+[\\/]', ''):gsub('%.%a+$', ''))
end

function lapp.quit(message, no_usage)
  if no_usage == 'throw' then error(message, 0) end
  if message then io.stderr:write(message, '\n\n') end
  if not no_usage then io.stderr:write(usage) end
  os.exit(1)
end

function lapp.error(message, no_usage)
  if not lapp.show_usage_error then
    no_usage = true
  elseif lapp.show_usage_error == 'throw' then
    no_usage = 'throw'
  end
  lapp.quit(script_name() .. ': ' .. message, no_usage)
end

function lapp.assert(condition, message)
  if not condition then lapp.error(message) end
end

function lapp.open(name, mode)
  local file, message = io.open(name, mode)
  if not file then lapp.error(message, true) end
  return file
end

function lapp.add_type(name, converter, constraint)
  types[name] = {converter = converter, constraint = constraint}
end

local function converted(parameter, text)
  local value = text
  if parameter.converter then value = parameter.converter(value) end
  if parameter.type == 'number' then
    value = tonumber(value)
    if not value then lapp.error('unable to convert to number: ' .. tostring(text)) end
  elseif parameter.type == 'file-in' or parameter.type == 'file-out' then
    value = lapp.open(value, KINDS[parameter.type])
  end
  if parameter.constraint and parameter.type ~= 'boolean' then parameter.constraint(value) end
  return value
end

-- Returns the value that a text after "default" stands for, and its type.
local function default_of(text, kind)
  if not kind or kind == 'number' then
    local number = tonumber(text)
    if number then return number, 'number' end
  end
  if FILES[text] then return unpack(FILES[text]) end
  if text == 'true' and not kind then return true, 'boolean' end
  if text:match '^["\']' then text = text:sub(2, -2) end
  if kind and types[kind] and type(types[kind].converter) == 'function' then
    local ok, value = pcall(types[kind].converter, text)
    if ok then return value, kind end
  end
  return text, kind or 'string'
end

local function range_of(spec, name)
  local low, high = spec:match('^([%+%-]?[%d%.]-)%.%.([%+%-]?[%d%.]+)$')
  low, high = tonumber(low), tonumber(high)
  if not low or not high then return nil end
  return function(value) lapp.assert(low <= value and value <= high, name .. ' out of range') end
end

local function choice_of(spec)
  local words = '|' .. spec .. '|'
  return function(value)
    lapp.assert(words:find('|' .. value .. '|', 1, true), "value '" .. value .. "' not in " .. spec)
  end
end

-- Reads what is in parentheses: "(number)", "(default 3)", "(1..10 default 2)", "(a|b)".
local function specification(rest, name)
  local inside = rest:match '^%((.-)%)'
  if not inside then return {type = 'boolean', default = false, comment = rest} end
  local parameter = {}
  local kind, more = strip(inside):match '^(%S+)(.*)$'
  more = strip(more)
  if kind == 'optional' then
    parameter.optional = true
    kind, more = more:match '^(%S+)(.*)$'
    more = strip(more)
  end
  local text
  if kind == 'default' then
    lapp.assert(more ~= '', 'value must follow default')
    text = more
    kind = nil
  else
    text = more:match '^default%s+(.*)$'
    local range = range_of(kind, name)
    if range then
      parameter.constraint, kind = range, 'number'
    elseif kind:find('|', 1, true) then
      parameter.constraint, kind = choice_of(kind), 'string'
    end
  end
  if text then
    parameter.default_text = text
    parameter.default, kind = default_of(text, kind)
  end
  parameter.type = kind
  return parameter
end

local function complete(parameter)
  local own = types[parameter.type]
  if own then
    if type(own.converter) == 'string' then
      parameter.type = own.converter
    else
      parameter.converter = own.converter
    end
    parameter.constraint = own.constraint
  elseif not KINDS[parameter.type] then
    lapp.error(tostring(parameter.type) .. ' is unknown type')
  end
  return parameter
end

-- Reads the text; returns the parameters by name, short names, and the names by position.
local function parse_text(text)
  local parameters, aliases, positions = {}, {}, {}
  for line in (text .. '\n'):gmatch '([^\n]*)\n' do
    line = line:gsub('^%s+', '')
    local short, long, name, rest
    short, long, rest = line:match '^%-(%w)%s*,%s*%-%-(%a[%w_%-]*)%s*(.*)$'
    if not short then long, rest = line:match '^%-%-(%a[%w_%-]*)%s*(.*)$' end
    if not long then short, rest = line:match '^%-(%a[%w_%-]*)%s*(.*)$' end
    if long then
      name = long:gsub('[^%w%-]', '_')
      if short then aliases[short] = name end
    elseif short then
      name = short
      if not lapp.slack then
        lapp.assert(#short == 1, short .. ': short parameters should be one character')
      end
    else
      name, rest = line:match '^<([^>]+)>%s*(.*)$'
    end
    if name then
      local many = false
      if not long and not short then
        local stem, dots = name:match '^([^%.]+)(.*)$'
        name = stem:sub(1, 1):gsub('%A', '_') .. stem:sub(2):gsub('%W', '_')
        many = dots == '...'
        positions[#positions + 1] = name
      else
        local after = rest:match '^%.%.%.%s*(.*)$'
        if after then rest, many = after, true end
      end
      local parameter = complete(specification(rest, name))
      parameter.many = many
      parameter.required = parameter.default == nil and not parameter.optional
      parameters[name] = parameter
    end
  end
  return parameters, aliases, positions
end

function lapp.process_options_string(text, given)
  local args = {}
  for i, value in ipairs(given or _G.arg or {}) do args[i] = value end
  usage = text
  local parameters, aliases, positions = parse_text(text)
  local results, used = {}, {}

  local function set(name, value)
    local parameter = parameters[name]
    local key = type(name) == 'string' and name:gsub('%W', '_') or name
    if parameter and parameter.many then
      if type(results[key]) ~= 'table' then results[key] = {} end
      table.insert(results[key], value)
    else
      results[key] = value
    end
  end

  local function store(name, parameter, value)
    used[name] = true
    set(name, converted(parameter, value))
    if parameter.type == 'file-in' or parameter.type == 'file-out' then set(name .. '_name', value) end
    if lapp.callback then lapp.callback(name, value) end
  end

  local function split_value(name, i)
    local stem, value = name:match '^([^=:]*)[=:](.*)$'
    if stem then
      table.insert(args, i + 1, value)
      return stem, true
    end
    return name
  end

  local i, position, extra, only_values = 1, 1, 1, false
  while i <= #args do
    local value = args[i]
    local long, short = value:match '^%-%-(%S+)$', value:match '^%-([^%-%s]%S*)$'
    if value == '--' and not only_values then
      only_values, position = true, #positions + 1
    elseif not only_values and (long or short) then
      local name
      if long then
        name = split_value(long, i)
      elseif #short == 1 or parameters[aliases[short] or short] then
        name = short
      else
        local stem, has_value = split_value(short, i)
        name = stem
        if not has_value then
          name = stem:sub(1, 1)
          local parameter = parameters[aliases[name] or name]
          if parameter and parameter.type ~= 'boolean' then
            table.insert(args, i + 1, stem:sub(2))
          else
            for k = 2, #stem do table.insert(args, i + k - 1, '-' .. stem:sub(k, k)) end
          end
        end
      end
      name = aliases[name] or name
      local parameter = parameters[name]
      if not parameter and (name == 'h' or name == 'help') then lapp.quit() end
      if not parameter then lapp.error('unrecognized parameter: ' .. name) end
      if parameter.type == 'boolean' then
        store(name, parameter, not parameter.default)
      else
        i = i + 1
        lapp.assert(args[i], name .. ' was expecting a value')
        store(name, parameter, args[i])
      end
    else
      local name = positions[position]
      if not name then
        set(extra, value)
        extra = extra + 1
      else
        if not parameters[name].many then position = position + 1 end
        store(name, parameters[name], value)
      end
    end
    i = i + 1
  end
  for name, parameter in pairs(parameters) do
    if not used[name] then
      if parameter.required then lapp.error('missing required parameter: ' .. name) end
      set(name, parameter.default)
      if parameter.type == 'file-in' or parameter.type == 'file-out' then
        set(name .. '_name', parameter.default_text)
      end
    end
  end
  return results
end

return setmetatable(lapp, {
  __call = function(_, text, args) return lapp.process_options_string(text, args) end,
})
