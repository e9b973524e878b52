-- What views of logs share: where a line goes, and how values become text.
--
-- Source: torchnet log/view.

local M = {}

function M.writer(file, filename, append)
  assert(not file or not filename, 'file or filename expected (not both)')
  if filename then file = torch.DiskFile(filename, append and 'rw' or 'w') end
  if not file then return print end
  return function(line)
    file:seekEnd()
    file:writeString(line)
    file:writeString('\n')
    file:synchronize()
  end
end

function M.formats(keys, given, default)
  local found = {}
  for i, key in ipairs(keys) do
    local format = given and given[i] or default(key)
    if type(format) == 'string' then
      local pattern = format
      format = function(value) return pattern:format(value) end
    elseif type(format) ~= 'function' then
      error('format must be a string or a function', 3)
    end
    found[i] = {name = key, text = function(value)
      local text = format(value)
      assert(type(text) == 'string',
             ('value for key %s cannot be converted to string'):format(key))
      return text
    end}
  end
  return found
end

return M
