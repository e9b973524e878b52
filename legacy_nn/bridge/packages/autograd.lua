-- autograd: `grad(f)` and what comes with it.
--
-- Source: twitter/torch-autograd README.md, src/main.lua, src/runtime.

require 'nn'
local node = require 'autograd.node'
local util = require 'autograd.util'

local autograd = {VERSION = '0.1', LICENSE = 'Apache 2.0',
                  profile = {SUMMARY = 'summary', DETAILED = 'detailed', OFF = 'off'}}

local optimized, protected = false, false
function autograd.optimize(value) optimized = value end
function autograd.optimizing() return optimized end
function autograd.protected(value) protected = value end

-- Options that are about the code that torch-autograd generated.
local OF_CODE = {showCode = true, dotFile = true}
local said = false
local function mention(options)
  local profiled = options.profile and options.profile ~= autograd.profile.OFF
  for name in pairs(OF_CODE) do profiled = profiled or options[name] end
  if profiled and not said then
    said = true
    io.stderr:write('autograd: no code is generated here; profile, showCode and dotFile do nothing\n')
  end
end

-- Tensors of a result go into those of the first call, which are returned at every call.
local function into(kept, new)
  if torch.isTensor(kept) and torch.isTensor(new) then return kept:resizeAs(new):copy(new) end
  if type(kept) == 'table' and type(new) == 'table' then
    for key, value in pairs(new) do kept[key] = into(kept[key], value) end
    return kept
  end
  return new
end

local function slice(values, first, last)
  return unpack(values, first, last)
end

function autograd.grad(f, options)
  options = options or {}
  mention(options)
  local position = options.gradArg or 1
  local forward = util.defaultBool(options.withForward, true)
  local backward = util.defaultBool(options.withGradients, true)
  local optimize = util.defaultBool(options.optimize, optimized)
  local partial = options.partialGrad or (not forward and not optimize)
  local stable
  return function(...)
    if not backward then return f(...) end
    local n, args = select('#', ...), {...}
    local given
    if partial then given, args[n], n = args[n], nil, n - 1 end
    local gradients, values, count =
        node.differentiate(f, args, n, position, given, options.debugHook)
    if options.stableGradients then
      stable = into(stable, gradients)
      gradients = stable
    end
    if not forward then return gradients end
    return gradients, slice(values, 1, count)
  end
end

setmetatable(autograd, {__call = function(_, ...) return autograd.grad(...) end})
package.loaded.autograd = autograd  -- the parts below ask for it

autograd.overload = require 'autograd.overload'
autograd.util = util
autograd.nnwrapper = require 'autograd.nnwrapper'
autograd.functionalize = autograd.nnwrapper.functionalize
autograd.nn = autograd.functionalize('nn')
autograd.auto = require 'autograd.auto'
autograd.nn.AutoModule = require 'autograd.auto.AutoModule'
autograd.nn.AutoCriterion = require 'autograd.auto.AutoCriterion'
autograd.loss = require 'autograd.loss'
autograd.optim = require 'autograd.optim'
autograd.module = require 'autograd.module'
autograd.model = require 'autograd.model'

return autograd
