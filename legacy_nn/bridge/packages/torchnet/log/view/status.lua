-- A view for a log's onSet: the messages of log:status. Source: torchnet log/view/status.lua.

local argcheck = require 'argcheck'
local common = require 'torchnet.log.view.common'

return argcheck {
  noordered = true,
  {name = 'file', type = 'torch.File', opt = true},
  {name = 'filename', type = 'string', opt = true},
  {name = 'append', type = 'boolean', default = false},
  call = function(file, filename, append)
    local write = common.writer(file, filename, append)
    return function(_, key, value)
      if key == '__status__' then write(tostring(value)) end
    end
  end,
}
