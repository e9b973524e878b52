-- argcheck.match: which of a function's rules take the arguments of a call.
--
-- An optional rule may be left out at any place, or be given nil; earlier rules take an argument
-- before later ones do. Source: torch/argcheck graph.lua, whose tree of all variants this walks
-- without building it.

local env = require 'argcheck.env'

local match = {}

function match.is_optional(rule)
  return rule.opt or rule.default ~= nil or rule.defaulta ~= nil or rule.defaultf ~= nil
end
local is_optional = match.is_optional

local function fits(rule, value)
  if rule.type == nil then
    if value == nil then return false end
  elseif not env.istype(value, rule.type) then
    return false
  end
  return rule.check == nil or rule.check(value) and true or false
end

-- Gives arguments i, i + 1, ... to rules r, r + 1, ...; fills `found` with them.
local function ordered(rules, r, args, i, found)
  local rule = rules[r]
  if rule == nil then return i > args.n end
  local value = args[i]
  if i <= args.n and fits(rule, value) then
    found[r] = value
    if ordered(rules, r + 1, args, i + 1, found) then return true end
    found[r] = nil
  end
  if not is_optional(rule) then return false end
  if ordered(rules, r + 1, args, i, found) then return true end
  return i <= args.n and value == nil and ordered(rules, r + 1, args, i + 1, found)
end

local function named(rules, first, given, found)
  local count = 0
  for _ in pairs(given) do count = count + 1 end
  for r = first, #rules do
    local value = given[rules[r].name]
    if value ~= nil then
      if not fits(rules[r], value) then return false end
      found[r] = value
      count = count - 1
    elseif not is_optional(rules[r]) then
      return false
    end
  end
  return count == 0
end

-- Returns the values of all rules before defaults, or nil where the rules do not take the call.
function match.ordered(rules, args)
  local found = {}
  if not rules.noordered and ordered(rules, 1, args, 1, found) then return found end
end

function match.is_method(rules) return rules[1] ~= nil and rules[1].name == 'self' end

function match.named(rules, args)
  local found = {}
  if rules.nonamed then return nil end
  if match.is_method(rules) then
    if args.n ~= 2 or not env.istype(args[2], 'table') or not fits(rules[1], args[1]) then
      return nil
    end
    found[1] = args[1]
    return named(rules, 2, args[2], found) and found or nil
  end
  if args.n ~= 1 or not env.istype(args[1], 'table') then return nil end
  return named(rules, 1, args[1], found) and found or nil
end

-- Fills in the defaults.
function match.complete(rules, found)
  for r, rule in ipairs(rules) do
    if found[r] == nil then
      if rule.default ~= nil then
        found[r] = rule.default
      elseif rule.defaultf then
        found[r] = rule.defaultf()
      end
    end
  end
  for r, rule in ipairs(rules) do
    if found[r] == nil and rule.defaulta then
      for other, candidate in ipairs(rules) do
        if candidate.name == rule.defaulta then found[r] = found[other] end
      end
    end
  end
  return found
end

-- Whether some call by position could be meant for either of two sets of rules.
function match.ambiguous(a, b)
  if a.noordered or b.noordered then return false end
  local known = {}
  local function common(i, j)
    local key = i * 1000 + j
    if known[key] ~= nil then return known[key] end
    local x, y = a[i], b[j]
    local result
    if x == nil and y == nil then
      result = true
    else
      result = x ~= nil and is_optional(x) and common(i + 1, j)
               or y ~= nil and is_optional(y) and common(i, j + 1)
               or x ~= nil and y ~= nil
                  and (x.type == y.type and x.check == y.check or is_optional(x) and is_optional(y))
                  and common(i + 1, j + 1)
               or false
    end
    known[key] = result
    return result
  end
  return common(1, 1)
end

return match
