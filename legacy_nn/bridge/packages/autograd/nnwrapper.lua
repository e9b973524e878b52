-- Modules and criterions as functions. A module with parameters takes these first.
--
-- Source: twitter/torch-autograd src/nnwrapper.lua, README.md.

require 'nn'
local node = require 'autograd.node'
local host, wrap, bare, has_node = node.host, node.wrap, node.bare, node.has_node

local M = {}

local function callable(entry, object)
  local function backward(gradient, ...)
    local input = select(select('#', ...), ...)
    return object:backward(input, gradient)
  end
  return setmetatable({module = object, entry = entry, forward = entry, backward = backward},
                      {__call = function(_, ...) return entry(...) end})
end

local function function_of(object)
  if torch.isTypeOf(object, 'nn.Criterion') then
    return callable(function(input, target)
      return wrap(host.call_criterion(object, bare(input), bare(target), has_node(input)))
    end, object)
  elseif not torch.isTypeOf(object, 'nn.Module') then
    error('Input is not a package name or nn object', 3)
  elseif not host.has_parameters(object) then
    return callable(function(input)
      return wrap(host.call_module(object, nil, bare(input), has_node(input)))
    end, object)
  end
  return callable(function(parameters, input)
    return wrap(host.call_module(object, bare(parameters), bare(input),
                                 has_node(parameters) or has_node(input)))
  end, object), host.parameters_of(object)
end

function M.functionalizePackage(name)
  local found, package = pcall(require, name)
  if not found then error("Could not load package '" .. name .. "'", 2) end
  local functions = {}
  for key, class in pairs(package) do
    if type(class) == 'table' and getmetatable(class)
        and (torch.isTypeOf(class, 'nn.Module') or torch.isTypeOf(class, 'nn.Criterion')) then
      functions[key] = function(...) return function_of(class(...)) end
    end
  end
  return functions
end

function M.functionalize(object)
  if type(object) == 'string' then return M.functionalizePackage(object) end
  return function_of(object)
end

return M
