-- argcheck: functions that check their arguments, with defaults, names and overloading.
--
-- Source: torch/argcheck init.lua, README.md.

local env = require 'argcheck.env'
local usage = require 'argcheck.usage'
local doc = require 'argcheck.doc'
local match = require 'argcheck.match'

local variants_of = setmetatable({}, {__mode = 'k'})  -- function -> its sets of rules

local FIELDS = {help = 'string', doc = 'string', chain = 'function', overload = 'function'}
local RULE_FIELDS = {type = 'string', help = 'string', doc = 'string', check = 'function',
                     defaulta = 'string', defaultf = 'function'}

local function check_fields(what, given, fields)
  for field, kind in pairs(fields) do
    if given[field] ~= nil and type(given[field]) ~= kind then
      error(('%s %s must be a %s or nil'):format(what, field, kind), 0)
    end
  end
end

local function check_rules(rules)
  assert(not (rules.noordered and rules.nonamed), 'rules must be at least ordered or named')
  check_fields('rules', rules, FIELDS)
  assert(not (rules.chain and rules.overload), 'rules must have either overload [or chain (deprecated)]')
  assert(not (rules.doc and rules.help), 'choose between doc or help, not both')
  local names = {}
  for _, rule in ipairs(rules) do
    assert(rule.name, 'rule must have a name field')
    check_fields('rule', rule, RULE_FIELDS)
    names[rule.name] = true
  end
  for _, rule in ipairs(rules) do
    if rule.defaulta and not names[rule.defaulta] then
      error(('invalid defaulta name <%s>'):format(rule.defaulta), 0)
    end
  end
  assert(not match.is_method(rules) or not match.is_optional(rules[1]),
         'self cannot be optional, nor having a default value!')
end

-- What a function returns whose rules took the call.
local function answer(rules, found, by_name)
  match.complete(rules, found)
  local values, n = found, #rules
  if rules.pack then
    local apart = by_name and match.is_method(rules)  -- self is not packed then
    local packed = {}
    for r = apart and 2 or 1, #rules do packed[rules[r].name] = found[r] end
    values, n = {packed}, 1
    if apart then values, n = {found[1], packed}, 2 end
  end
  if rules.call then
    if rules.quiet then return rules.call, unpack(values, 1, n) end
    return rules.call(unpack(values, 1, n))
  end
  if rules.quiet then return true, unpack(values, 1, n) end
  return unpack(values, 1, n)
end

local function refusal(variants, args)
  local texts, named = {}, nil
  for i, rules in ipairs(variants) do
    texts[i] = usage.of_rules(rules)
    local position = match.is_method(rules) and 2 or 1
    if not rules.nonamed and args.n == position and env.istype(args[position], 'table') then
      named = position
    end
  end
  return ('%s\n%s\n'):format(table.concat(texts, '\n\nor\n\n'),
                             usage.of_call(named, unpack(args, 1, args.n)))
end

local function variants_with(rules)
  local before = rules.chain or rules.overload
  local variants = {}
  if before then
    local known = variants_of[before]
    if not known then error('trying to overload a non-argcheck function', 0) end
    for i, other in ipairs(known) do
      if not rules.force and match.ambiguous(other, rules) then
        error('argcheck rules led to ambiguous situations', 0)
      end
      variants[i] = other
    end
  end
  -- Rules that were forced come before what they replace.
  table.insert(variants, rules.force and 1 or #variants + 1, rules)
  return variants
end

local function argcheck(rules)
  check_rules(rules)
  if rules.doc or rules.help then doc(usage.of_rules(rules)) end
  local variants = variants_with(rules)
  local quiet = true
  for _, variant in ipairs(variants) do quiet = quiet and variant.quiet end

  local function checked(...)
    local args = {n = select('#', ...), ...}
    for _, take in ipairs {match.ordered, match.named} do
      for _, variant in ipairs(variants) do
        local found = take(variant, args)
        if found then return answer(variant, found, take == match.named) end
      end
    end
    local message = refusal(variants, args)
    if quiet then return false, message end
    error(message .. '\ninvalid arguments!', 2)
  end
  variants_of[checked] = variants
  return checked
end

env.argcheck = argcheck

return argcheck
