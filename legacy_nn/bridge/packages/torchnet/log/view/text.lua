-- A view for a log's onFlush: a line with the values of keys. Source: torchnet log/view/text.lua.

local argcheck = require 'argcheck'
local common = require 'torchnet.log.view.common'

return argcheck {
  noordered = true,
  {name = 'file', type = 'torch.File', opt = true},
  {name = 'filename', type = 'string', opt = true},
  {name = 'keys', type = 'table'},
  {name = 'format', type = 'table', opt = true},
  {name = 'separator', type = 'string', default = ' | '},
  {name = 'append', type = 'boolean', default = false},
  call = function(file, filename, keys, format, separator, append)
    local write = common.writer(file, filename, append)
    local formats = common.formats(keys, format, function(key)
      return function(value) return ('%s %s'):format(key, tostring(value)) end
    end)
    return function(log)
      local parts = {}
      for _, key in ipairs(formats) do
        local value = log:get(key.name)
        if value then parts[#parts + 1] = key.text(value) end
      end
      write(table.concat(parts, separator))
    end
  end,
}
