-- threads.serialize: values as storages. Source: torch/threads serialize.lua.

require 'torch'

return {
  save = function(value) return torch.serializeToStorage(value) end,
  load = function(storage) return torch.deserializeFromStorage(storage) end,
}
