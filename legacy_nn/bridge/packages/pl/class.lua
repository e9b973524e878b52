-- pl.class: classes that take over all members of their parent. Source: Penlight class.lua.

-- Calls the initialiser of a class, with `self:super(...)` calling the one above.
local function initialise(class, self, ...)
  local init, above = rawget(class, '_init'), rawget(class, '_parent_with_init')
  if above and not init then
    init, above = rawget(above, '_init'), rawget(above, '_parent_with_init')
  end
  if above then rawset(self, 'super', function(object, ...) initialise(above, object, ...) end) end
  local result = init(self, ...)
  if above then rawset(self, 'super', nil) end
  return result
end

local function is_a(self, class)
  local mt = getmetatable(self)
  if class == nil then return mt end
  while mt do
    if mt == class then return true end
    mt = rawget(mt, '_base')
  end
  return false
end

local function class_of(class, object)
  return type(class) == 'table' and rawget(class, 'is_a') ~= nil and class.is_a(object, class)
end

local function text(object)
  local class = object._class
  local name = rawget(class, '_name')
  local address = ('%p'):format(object)
  return name and ('%s: %s'):format(name, address) or 'table: ' .. address
end

local function define(base, argument, class)
  local plain = type(base) == 'table' and not getmetatable(base)
  if plain then class, base = base, base._base end
  class = class or {}
  if base ~= nil and type(base) ~= 'table' then error('must derive from a table type', 3) end
  local mt = {}
  if base then
    for key, value in pairs(base) do
      if not plain or class[key] == nil then class[key] = value end
    end
    class._base = base
    if rawget(class, '_handler') then mt.__index = class._handler end
  end
  class.__index = class
  setmetatable(class, mt)
  if not plain then
    if base and rawget(base, '_init') then class._parent_with_init = base end
    class._init = nil
  end
  if base and rawget(base, '_class_init') then base._class_init(class, argument) end

  function mt.__call(_, ...)
    local object = rawget(class, '_create') and class._create(...) or {}
    setmetatable(object, class)
    if rawget(class, '_init') or rawget(class, '_parent_with_init') then
      local other = initialise(class, object, ...)
      if other then object = setmetatable(other, class) end
    end
    if base and rawget(base, '_post_init') then base._post_init(object) end
    return object
  end

  function class.catch(first, handler)
    handler = type(first) == 'function' and first or handler
    class._handler, mt.__index = handler, handler
  end
  class.is_a, class.class_of, class._class = is_a, class_of, class
  class.cast = function(_, object) return setmetatable(object, class) end
  if not rawget(class, '__tostring') then class.__tostring = text end
  return class
end

return setmetatable({}, {
  __call = function(_, ...) return define(...) end,
  __index = function(_, name)
    local globals = getfenv(2)
    return function(...)
      local class = define(...)
      class._name = name
      rawset(globals, name, class)
      return class
    end
  end,
})
