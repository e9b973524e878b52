-- argcheck.usage: rules as text. Source: torch/argcheck usage.lua.

local env = require 'argcheck.env'

local usage = {}

local function is_optional(rule)
  return rule.opt or rule.default ~= nil or rule.defaulta or rule.defaultf
end

local function default_text(rule)
  if rule.defaulta then return (' [defaulta=%s]'):format(rule.defaulta) end
  if rule.defaultf then return ' [has default]' end
  local value = rule.default
  if value == nil then return '' end
  local kind = type(value)
  if kind == 'string' or kind == 'number' or kind == 'boolean' then
    return (' [default=%s]'):format(tostring(value))
  end
  return ' [has default value]'
end

local function list(rules)
  local parts = {}
  for i, rule in ipairs(rules) do
    local optional = is_optional(rule)
    parts[i] = (optional and '[' or '') .. (i == 1 and '' or ', ') .. rule.name
               .. (optional and ']' or '')
  end
  return table.concat(parts)
end

local function arguments(rules)
  local wide, widest = 0, 0
  for _, rule in ipairs(rules) do wide = math.max(wide, #rule.name) end
  local left = {}
  for i, rule in ipairs(rules) do
    local optional = is_optional(rule)
    left[i] = (optional and '[' or ' ') .. rule.name .. (' '):rep(wide - #rule.name)
              .. (rule.type and ' = ' .. rule.type or '') .. (optional and ']' or '')
    widest = math.max(widest, #left[i])
  end
  local lines = {'```', (rules.noordered and '' or '(') .. (rules.nonamed and '' or '{')}
  for i, rule in ipairs(rules) do
    lines[#lines + 1] = ('  %s %s -- %s'):format(left[i], (' '):rep(widest - #left[i]),
                          (rule.help or '') .. (rule.doc or '') .. default_text(rule))
  end
  lines[#lines + 1] = (rules.nonamed and '' or '}') .. (rules.noordered and '' or ')')
  lines[#lines + 1] = '```'
  return table.concat(lines, '\n')
end

-- Returns the text of one set of rules.
function usage.of_rules(rules)
  local doc = rules.help or rules.doc
  if not doc then return '\n*Arguments:*\n' .. arguments(rules) end
  return (doc:gsub('@ARGP', function() return list(rules) end)
             :gsub('@ARGT', function() return arguments(rules) end))
end

local function of_table(t)
  local parts, n = {}, 0
  for key, value in pairs(t) do
    n = n + 1
    if n > 20 then
      parts[n] = '...'
      break
    end
    parts[n] = type(key) == 'string' and ('**%s=%s**'):format(key, env.type(value))
               or ('**[%s]**=?'):format(env.type(key))
  end
  return ('**table**={ %s }'):format(table.concat(parts, ', '))
end

-- Returns the text of what was given; `named` is the position of the table of named arguments.
function usage.of_call(named, ...)
  local parts = {}
  for i = 1, select('#', ...) do
    local value = select(i, ...)
    parts[i] = i == named and of_table(value) or ('**%s**'):format(env.type(value))
  end
  return '*Got:* ' .. table.concat(parts, ', ')
end

return usage
