-- A view for a log's onFlush: an object with the values of keys. Source: torchnet log/view/json.lua.

local argcheck = require 'argcheck'
local common = require 'torchnet.log.view.common'

return argcheck {
  noordered = true,
  {name = 'file', type = 'torch.File', opt = true},
  {name = 'filename', type = 'string', opt = true},
  {name = 'keys', type = 'table'},
  {name = 'format', type = 'table', opt = true},
  {name = 'append', type = 'boolean', default = false},
  call = function(file, filename, keys, format, append)
    local write = common.writer(file, filename, append)
    local formats = common.formats(keys, format, function() return tostring end)
    return function(log)
      local parts = {}
      for i, key in ipairs(formats) do
        parts[i] = ('"%s": "%s"'):format(key.name, key.text(log:get(key.name)))
      end
      write('{' .. table.concat(parts, ', ') .. '}')
    end
  end,
}
