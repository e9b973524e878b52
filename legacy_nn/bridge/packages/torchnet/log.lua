-- tnt.Log: values by key, and functions that are called when they are read, written, flushed.
--
-- Source: torchnet log/init.lua.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'

local Log = torch.class('tnt.Log', tnt)
local EVENTS = {'onClose', 'onFlush', 'onGet', 'onSet'}

local function clear(self)
  self.__events, self.__data = {}, {}
  for _, event in ipairs(EVENTS) do self.__events[event] = {} end
end

local function known(self, key)
  if not self.__keys[key] then error(('unknown key <%s>'):format(key), 2) end
end

local function call(self, event, ...)
  for _, f in ipairs(self.__events[event]) do f(self, ...) end
end

Log.__init = argcheck {
  noordered = true,
  {name = 'self', type = 'tnt.Log'},
  {name = 'keys', type = 'table'},
  {name = 'onClose', type = 'table', opt = true},
  {name = 'onFlush', type = 'table', opt = true},
  {name = 'onGet', type = 'table', opt = true},
  {name = 'onSet', type = 'table', opt = true},
  call = function(self, keys, ...)
    self.__keys = {__status__ = true}
    for _, key in ipairs(keys) do self.__keys[key] = true end
    clear(self)
    for i, event in ipairs(EVENTS) do
      local functions = select(i, ...)
      if functions then self:attach(event, functions) end
    end
  end,
}

Log.status = argcheck {
  {name = 'self', type = 'tnt.Log'},
  {name = 'message', type = 'string', opt = true},
  {name = 'time', type = 'boolean', default = true},
  call = function(self, message, time)
    local prefix = time and '| ' .. os.date() .. ' |' or '|'
    self:set {__status__ = ('%s %s'):format(prefix, message)}
  end,
}

Log.set = argcheck {
  nonamed = true,
  {name = 'self', type = 'tnt.Log'},
  {name = 'keys', type = 'table'},
  call = function(self, values)
    for key, value in pairs(values) do
      assert(type(key) == 'string', 'string expected for key')
      known(self, key)
      call(self, 'onSet', key, value)
      self.__data[key] = value
    end
  end,
}

Log.get = argcheck {
  {name = 'self', type = 'tnt.Log'},
  {name = 'key', type = 'string'},
  call = function(self, key)
    known(self, key)
    call(self, 'onGet', key)
    return self.__data[key]
  end,
}

function Log:flush()
  call(self, 'onFlush')
  self.__data = {}
end

function Log:close()
  call(self, 'onClose')
  clear(self)
end

Log.attach = argcheck {
  {name = 'self', type = 'tnt.Log'},
  {name = 'event', type = 'string'},
  {name = 'closures', type = 'table'},
  call = function(self, event, functions)
    local events = self.__events[event]
    assert(events, ('unknown event <%s>'):format(event))
    for _, f in ipairs(functions) do
      assert(type(f) == 'function', ('%s: table of functions expected'):format(event))
      events[#events + 1] = f
    end
  end,
}

return tnt
