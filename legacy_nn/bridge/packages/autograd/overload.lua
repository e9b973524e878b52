-- autograd.overload: functions of a program's own packages, with the gradients it gives them.
--
-- Source: twitter/torch-autograd src/overload.lua.

local node = require 'autograd.node'

-- Gradients of a call: each rule is called with the gradient, the result and the arguments.
local function with_rules(f, rules)
  return function(...)
    local n, args = select('#', ...), {...}
    local operands, places = {}, {}
    for i = 1, n do
      if node.is_node(args[i]) then
        operands[#operands + 1] = node.bare(args[i])
        places[#places + 1] = i
      end
    end
    local function value() return f(unpack(node.plain(args), 1, n)) end
    local function gradient(position, g, result)
      local rule = rules[places[position]]
      if rule == nil then
        error(('missing gradient for argument %d'):format(places[position]), 0)
      end
      return rule(g, result, unpack(node.plain(args), 1, n))
    end
    return node.wrap(node.host.call_rule(value, gradient, operands))
  end
end

local function without_gradient(f)
  return function(...)
    local n, args = select('#', ...), {...}
    return f(unpack(node.plain(args), 1, n))
  end
end

local function refused(name)
  return function() error('autograd: ' .. name .. ' is not supported', 2) end
end

local function describe(prefix, owner)
  local known = {}
  local function set(name, recorded)
    known[name] = true
    if owner[name] ~= nil then node.overload(owner, name, recorded) end
  end
  local function each(make)
    return function(...)
      for _, name in ipairs {...} do set(name, make(owner[name], name)) end
    end
  end
  local d = {}
  function d.gradient(name, rules) set(name, with_rules(owner[name], rules)) end
  function d.operator(name, rules) set('__' .. name, with_rules(owner['__' .. name], rules)) end
  d.initializer, d.static, d.dynamic = each(without_gradient), each(without_gradient),
                                       each(without_gradient)
  d.unsupported = each(function(_, name) return refused(prefix .. name) end)
  function d.ignore(...)
    for _, name in ipairs {...} do known[name] = true end
  end
  function d.defaultUnsupported()
    for name, f in pairs(owner) do
      if type(f) == 'function' and not known[name] and name:sub(1, 2) ~= '__' then
        node.overload(owner, name, refused(prefix .. name))
      end
    end
  end
  function d.class(name, define)
    define(describe(prefix .. name .. '.', torch.getmetatable(prefix .. name) or owner[name]))
  end
  return d
end

local overload = {}

function overload.module(name, package, define) define(describe(name .. '.', package)) end

-- Functions are overloaded from the start; these are there for programs that call them.
function overload.install() end
function overload.uninstall() end

return overload
