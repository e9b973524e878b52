-- print and io.write through Python's standard streams, so that both languages' lines keep their order.

local B = ...
local host = B.host

local select, tostring, rawtype, error = select, tostring, type, error
local concat = table.concat

local function stream(write, flush, name, file)
  local methods = {}
  local self = newproxy(true)
  local mt = getmetatable(self)
  mt.__index = methods
  mt.__tostring = function() return 'file (' .. name .. ')' end
  mt.__name = 'FILE*'

  function methods.write(f, ...)
    for i = 1, select('#', ...) do
      local part = select(i, ...)
      local kind = rawtype(part)
      if kind ~= 'string' and kind ~= 'number' then
        error(("bad argument #%d to 'write' (string expected, got %s)"):format(
                i, part == nil and 'nil' or B.type(part)), 2)
      end
      write(tostring(part))
    end
    return f
  end
  function methods.flush() flush() return true end
  function methods.setvbuf() return true end
  function methods.close() flush() return true end
  function methods.seek() return nil, 'Illegal seek', 29 end
  function methods.read() return nil, 'Bad file descriptor', 9 end
  function methods.lines() error('file is not open for reading', 2) end
  return self
end

local write_out, write_err, flush = host.write, host.write_error, host.flush
local out = stream(write_out, flush, 'stdout')
local err = stream(write_err, flush, 'stderr')

function print(...)
  local n = select('#', ...)
  local parts = {...}
  for i = 1, n do
    local text = tostring(parts[i])
    if rawtype(text) ~= 'string' then error("'tostring' must return a string to 'print'", 2) end
    parts[i] = text
  end
  parts[n + 1] = ''
  write_out(concat(parts, '\t', 1, n) .. '\n')
end

local c_output, c_type, c_write, c_close = io.output, io.type, io.write, io.close
local current = out

io.stdout, io.stderr = out, err

function io.write(...)
  if current == out then return out:write(...) end
  return current:write(...)
end

function io.output(file)
  if file ~= nil then
    if rawtype(file) == 'string' then file = assert(io.open(file, 'w')) end
    current = file
  end
  return current
end

function io.close(file)
  return (file or current):close()
end

function io.type(v)
  if v == out or v == err then return 'file' end
  return c_type(v)
end

local popen = io.popen
function io.popen(...)
  flush()
  return popen(...)
end
