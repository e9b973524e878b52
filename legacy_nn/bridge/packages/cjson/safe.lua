-- cjson.safe: errors as results. Source: the manual of Lua CJSON.

local function safe(made)
  for _, name in ipairs {'encode', 'decode'} do
    local f = made[name]
    made[name] = function(...)
      local ok, result = pcall(f, ...)
      if ok then return result end
      return nil, result
    end
  end
  made.new = function() return safe(require('cjson').new()) end
  return made
end

return safe(require('cjson').new())
