-- threads.copy: a Lua function with its own copies of the variables it captured, and other globals.
--
-- Functions among those variables are copied, too; tables, tensors and the library's functions are
-- not.

local function is_program(f)
  local info = debug.getinfo(f, 'S')
  return info.what ~= 'C' and info.source:sub(1, 10) ~= '=[rekindle'
end

local function copy(f, globals, known)
  if known[f] then return known[f] end
  if not is_program(f) then return f end
  local made = loadstring(string.dump(f), '=(job)')
  known[f] = made
  setfenv(made, getfenv(f) == _G and globals or getfenv(f))
  local i = 1
  while true do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    if type(value) == 'function' then value = copy(value, globals, known) end
    debug.setupvalue(made, i, value)
    i = i + 1
  end
  return made
end

return function(f, globals) return copy(f, globals, {}) end
