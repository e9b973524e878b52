-- nngraph, and the package graph that it is built on.

require 'nn'
local _, tables = ...
rawset(_G, 'graph', tables.graph)
rawset(_G, 'nngraph', tables.nngraph)

function nngraph.setDebug() end
function nngraph.annotateNodes() end

-- A node of the structure that nested tables of nodes have. Source: torch/nngraph nest.lua.
local function nest(input)
  if torch.typename(input) == 'nngraph.Node' then return input end
  if type(input) ~= 'table' or #input == 0 then
    error('what is this in the nest input? ' .. tostring(input))
  end
  if #input == 1 then return nngraph.JustTable()(input) end
  local parts = {}
  for i, part in ipairs(input) do parts[i] = nest(part) end
  return nn.Identity()(parts)
end

function nngraph.nest(...)
  assert(select('#', ...) <= 1, 'Use {input1, input2} to pass multiple inputs.')
  assert(... ~= nil, 'Pass an input.')
  return nest((...))
end

-- A criterion as a module of {prediction, target}; targets have no gradient.
-- Source: torch/nngraph ModuleFromCriterion.lua, init.lua.
local ModuleFromCriterion = torch.class('nn.ModuleFromCriterion', 'nn.Module')

function ModuleFromCriterion:__init(criterion)
  nn.Module.__init(self)
  self.criterion = criterion
  self.output = torch.Tensor(1)
  self.gradInput = {torch.Tensor(), torch.Tensor()}
end

function ModuleFromCriterion:updateOutput(input)
  self.output[1] = self.criterion:updateOutput(input[1], input[2])
  return self.output
end

local function scaled(kept, gradient, factor)
  if torch.isTensor(gradient) then
    kept = torch.isTensor(kept) and kept or gradient.new()
    return kept:resizeAs(gradient):copy(gradient):mul(factor)
  end
  local parts = {}
  for i, part in ipairs(gradient) do
    parts[i] = scaled(type(kept) == 'table' and kept[i], part, factor)
  end
  return parts
end

function ModuleFromCriterion:updateGradInput(input, gradOutput)
  local gradient = self.criterion:updateGradInput(input[1], input[2])
  self.gradInput[1] = scaled(self.gradInput[1], gradient, gradOutput[1])
  self.gradInput[2]:resizeAs(input[2]):zero()
  return self.gradInput
end

local Criterion = torch.getmetatable('nn.Criterion')
function Criterion:__call__(...) return nn.ModuleFromCriterion(self)(...) end

return tables.nngraph
