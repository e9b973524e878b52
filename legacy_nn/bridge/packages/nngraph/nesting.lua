-- Tensors and tables of them, all the way down. Source: torch/nngraph nesting.lua.

local nesting = {}

function nesting.cloneNested(object)
  if torch.isTensor(object) then return object:clone() end
  local copy = {}
  for key, part in pairs(object) do copy[key] = nesting.cloneNested(part) end
  return copy
end

function nesting.fillNested(object, value)
  if torch.isTensor(object) then
    object:fill(value)
    return
  end
  for _, part in pairs(object) do nesting.fillNested(part, value) end
end

-- Gives `output` the entries and sizes of `input`.
function nesting.resizeNestedAs(output, input)
  if torch.isTensor(output) then
    output:resizeAs(input)
    return
  end
  for key, part in pairs(input) do
    if output[key] then
      nesting.resizeNestedAs(output[key], part)
    else
      output[key] = nesting.cloneNested(part)
    end
  end
  for key in pairs(output) do
    if not input[key] then output[key] = nil end
  end
end

function nesting.copyNested(output, input)
  if torch.isTensor(output) then
    output:copy(input)
    return
  end
  for key, part in pairs(input) do nesting.copyNested(output[key], part) end
  for key in pairs(output) do
    if not input[key] then
      error('key ' .. tostring(key) .. ' present in output but not in input')
    end
  end
end

function nesting.addNestedTo(output, input)
  if torch.isTensor(output) then
    output:add(input)
    return
  end
  for key, part in pairs(input) do
    assert(output[key] ~= nil, 'missing key')
    nesting.addNestedTo(output[key], part)
  end
end

return nesting
