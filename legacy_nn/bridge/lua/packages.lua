-- How `require` finds a package: those that Rekindle answers first, then files, loaded through us.

local B = ...
local host = B.host
local rawtype, error, loadstring, setfenv = type, error, loadstring, setfenv

local joined_calls, read_source = B.bind(host.joined_calls), B.bind(host.read_source)

-- Compiles a source. A call whose parenthesis opens the next line is rewritten: Torch's took it.
local function compile(text, name)
  local f, message = loadstring(text, name)
  if f == nil and message:find('ambiguous syntax', 1, true) then
    f, message = loadstring(joined_calls(text), name)
  end
  if f ~= nil then return f end
  return nil, message
end
B.compile = compile

local loadstring_ = loadstring
function loadstring_of_programs(text, name)
  if rawtype(text) ~= 'string' then return loadstring_(text, name) end
  return compile(text, name or text)
end
_G.loadstring, loadstring_of_programs = loadstring_of_programs, nil

local function in_environment(env, f, ...)
  if f ~= nil and env ~= nil then setfenv(f, env) end
  return f, ...
end

local load_ = load
function load(chunk, name, mode, env)
  if rawtype(chunk) == 'function' then
    local parts = {}
    while true do
      local part = chunk()
      if part == nil or part == '' then break end
      parts[#parts + 1] = part
    end
    chunk = table.concat(parts)
    name = name or '=(load)'
  end
  if chunk:sub(1, 1) == '\27' then return load_(chunk, name, mode, env) end
  return in_environment(env, compile(chunk, name or chunk))
end

function loadfile(path, mode, env)
  if path == nil then return load(io.read('*a'), '=stdin', mode, env) end
  local text = read_source(path)
  if text == nil then
    return nil, ('cannot open %s'):format(path)
  end
  if text:sub(1, 1) == '\27' then return load_(text, '@' .. path, mode, env) end
  return in_environment(env, compile(text, '@' .. path))
end

function dofile(path)
  local f, message = loadfile(path)
  if f == nil then error(message, 0) end
  return f()
end

-- Names that programs use for files of their own, which come first.
local gives_way = {class = true, display = true, env = true, json = true, moses = true}

local search_file

local function search(name)
  if gives_way[name] then
    local found = search_file(name)
    if rawtype(found) == 'function' then return found end
  end
  local loader = B.find_package(name)
  if loader then return loader end
  return ("\n\tno package of Rekindle '%s'"):format(name)
end

function search_file(name)
  local tried = {}
  local file = name:gsub('%.', '/')
  for template in package.path:gmatch('[^;]+') do
    local path = template:gsub('%?', (file:gsub('%%', '%%%%')))
    if host.is_file(path) then
      local f, message = loadfile(path)
      if f == nil then
        error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, message), 0)
      end
      return f
    end
    tried[#tried + 1] = ("\n\tno file '%s'"):format(path)
  end
  return table.concat(tried)
end

-- Rekindle's packages come before files, as installed ones did.
local loaders = package.loaders
package.searchers = loaders
loaders[2] = search_file
table.insert(loaders, 2, search)

-- What `th` does with names that begin with a dot: a file beside the one that asks, run anew each
-- time, or data in one. Source: torch/trepl init.lua.

local require_ = require
local function loads_tensors(path) return require_('torch').load(path) end
local READERS = {
  {'.lua', dofile}, {'', dofile}, {'.th', loads_tensors}, {'.net', loads_tensors},
  {'.t7', loads_tensors},
  {'.json', function(path) return require('cjson').decode(read_source(path)) end},
  {'/init.lua', dofile},
}

local function find_beside(folder, name)
  local path = folder .. '/' .. name
  for _, ending in ipairs {'%.th$', '%.net$', '%.t7$', '%.json$'} do
    local kind = name:match(ending)
    if kind and host.is_file(path) then
      for _, reader in ipairs(READERS) do
        if reader[1] == kind then return path, reader[2] end
      end
    end
  end
  for _, reader in ipairs(READERS) do
    if host.is_file(path .. reader[1]) then return path .. reader[1], reader[2] end
  end
end

function require(name)
  if rawtype(name) == 'string' and name:sub(1, 1) == '.' then
    local asking = debug.getinfo(2, 'S')
    local source = asking and asking.source or ''
    local folder = source:sub(1, 1) == '@' and source:match('^@(.*)/') or '.'
    local path, read = find_beside(folder, name)
    if path then return read(path) end
  end
  return require_(name)
end

local package_source = B.bind(host.package_source)
local package_value = B.bind(host.package_value)

-- A package is a Lua file, a Python module, or both: the file is called with what the module made.
function B.find_package(name)
  local found, source = package_source(name)
  if not found then return nil end
  return function()
    local value = package_value(name)
    if source == nil then return value end
    local f, message = loadstring_(source, '=[rekindle ' .. name .. ']')
    if f == nil then error(message, 0) end
    return f(name, value, B)
  end
end

-- Entries for Python: run a source, a file, a package; set a dotted name.
function B.run(text, name)
  local f, message = compile(text, name)
  if f == nil then error(message, 0) end
  return f()
end

function B.run_file(path, ...)
  local f, message = loadfile(path)
  if f == nil then error(message, 0) end
  return f(...)
end

function B.require(name) return require(name) end

function B.globals() return _G end

function B.assign(name, value)
  local where = _G
  local path, last = name:match('^(.-)([^.]*)$')
  for part in path:gmatch('[^.]+') do
    if where[part] == nil then where[part] = {} end
    where = where[part]
  end
  where[last] = value
end

-- Functions in files: their code, and the variables they captured. Source: torch7 File.lua.

-- A variable has one number in all functions of a file that captured it: `numbers` by variable.
function B.dump_function(f, numbers)
  local upvalues = {}
  local i = 1
  while true do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    local id
    if debug.upvalueid then
      local variable = debug.upvalueid(f, i)
      if not numbers[variable] then
        numbers.count = (numbers.count or 0) + 1
        numbers[variable] = numbers.count
      end
      id = numbers[variable]
    end
    upvalues[i] = {name = name, id = id, value = value}
    i = i + 1
  end
  local ok, code = pcall(string.dump, f)
  if ok then return code, upvalues end
end

function B.type_of(v) return type(v) end

function B.load_function(bytecode) return load_(bytecode, '=(file)') end

-- `plain`: the values themselves, as old files have them; `known`: by number, where each is.
function B.capture(f, upvalues, plain, known)
  for i, upvalue in ipairs(upvalues) do
    if plain then
      debug.setupvalue(f, i, upvalue)
    elseif upvalue.name ~= '_ENV' then
      debug.setupvalue(f, i, upvalue.value)
      local first = upvalue.id and known[upvalue.id]
      if first and debug.upvaluejoin then
        debug.upvaluejoin(f, i, first.f, first.index)
      elseif upvalue.id then
        known[upvalue.id] = {f = f, index = i}
      end
    end
  end
end

-- Classes that a package makes as they are asked for: their names and what makes them.
local MAKERS = {module = 'AutoModule', criterion = 'AutoCriterion'}

local function made_class(name)
  local kind, short = name:match('^autograd%.nn%.(%l+)%.(.+)$')
  if MAKERS[kind] then require('autograd').nn[MAKERS[kind]](short) end
  return B.metatables[name]
end

-- How objects of a class that is Lua's alone are made, read and written.
function B.file_class(name)
  local mt = B.metatables[name] or made_class(name)
  if mt == nil or B.from_python(mt) or rawget(mt, B.OUT) == nil then return nil end
  return B.torch.factory(name) or function() return B.new_instance(mt) end, mt.read, mt.write
end
