-- pl.compat: what differs between versions of Lua; here it is LuaJIT's.
--
-- Source: Penlight compat.lua.

return {
  lua51 = true, jit = jit ~= nil, jit52 = true, dir_separator = '/', is_windows = false,
  load = load, setfenv = setfenv, getfenv = getfenv,
  execute = function(command)
    local ok, _, code = os.execute(command)
    return ok and true or false, code
  end,
}
