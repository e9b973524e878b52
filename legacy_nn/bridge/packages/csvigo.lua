-- csvigo: tables in CSV files. Source: clementfarabet/lua---csv init.lua, File.lua.

require 'torch'
require 'dok'

local csvigo = {}
rawset(_G, 'csvigo', csvigo)

local function home(path) return (path:gsub('^~', os.getenv('HOME') or '~')) end

local function escaped(value, separator)
  value = tostring(value)
  if value:find('"', 1, true) or value:find(separator, 1, true) then
    return '"' .. value:gsub('"', '""') .. '"'
  end
  return value
end

-- Returns the fields of a line. The separator is a pattern; of several blanks each ends a field.
local function fields_of(line, separator)
  line = line .. separator
  local pattern = separator == ' ' and '%s' or separator
  local fields, at = {}, 1
  repeat
    if line:sub(at, at) == '"' then
      local text, i = {}, at + 1
      while true do
        local quote = line:find('"', i, true)
        if not quote then error('unmatched "', 0) end
        text[#text + 1] = line:sub(i, quote - 1)
        i = quote + 1
        if line:sub(i, i) ~= '"' then break end
        text[#text + 1] = '"'
        i = i + 1
      end
      fields[#fields + 1] = table.concat(text)
      at = line:find(pattern, i) + 1
    else
      local stop = line:find(pattern, at)
      fields[#fields + 1] = line:sub(at, stop - 1)
      at = stop + 1
    end
  until at > #line
  return fields
end

local File = torch.class('csvigo.File', csvigo)

function File:__init(path, mode, separator, nan_as_missing)
  local message
  self.filepath, self.separator = path, separator or ','
  self.nan_as_missing = nan_as_missing or false
  self.file, message = io.open(path, mode)
  if not self.file then error(message) end
end

function File:close() self.file:close() end

function File:lines() return self.file:lines() end

function File:read()
  local line = self.file:read()
  return line and fields_of((line:gsub('\r', '')), self.separator)
end

function File:readall()
  local rows = {}
  for row in function() return self:read() end do rows[#rows + 1] = row end
  return rows
end

function File:write(row)
  local parts = {}
  for i, value in ipairs(row) do
    if self.nan_as_missing and value ~= value then value = '' end
    parts[i] = escaped(value, self.separator)
  end
  assert(self.file:write(table.concat(parts, self.separator), '\n'))
end

function File:writeall(rows)
  for _, row in ipairs(rows) do self:write(row) end
  return true
end

local function has_header(header, first)
  if header == 'auto' then return tonumber(first[1]) == nil end
  if header == 'true' or header == 'false' then return header == 'true' end
  return header and true or false
end

local function tidied(rows, header, skip)
  local start = 1 + skip
  local keys = {}
  if rows[start] == nil then return {}, keys end
  if has_header(header, rows[start]) then
    keys = rows[start]
    start = start + 1
  else
    for i = 1, #rows[start] do keys[i] = 'var_' .. i end
  end
  local columns = {}
  for _, key in ipairs(keys) do columns[key] = {} end
  for i = start, #rows do
    for j, value in ipairs(rows[i]) do table.insert(columns[keys[j]], value) end
  end
  return columns, keys
end

-- The rows whose variables have one of the values wanted: of all variables, or of any.
local function selected(columns, wanted, all)
  local hits, variables = {}, 0
  for variable, values in pairs(wanted) do
    if type(values) ~= 'table' then values = {values} end
    local set = {}
    for _, value in ipairs(values) do set[tostring(value)] = true end
    for i, value in ipairs(columns[variable]) do
      if set[value] then hits[i] = (hits[i] or 0) + 1 end
    end
    variables = variables + 1
  end
  local rows = {}
  for i, count in pairs(hits) do
    if not all or count == variables then rows[#rows + 1] = i end
  end
  table.sort(rows)
  local filtered = {}
  for key, column in pairs(columns) do
    filtered[key] = {}
    for _, i in ipairs(rows) do table.insert(filtered[key], column[i]) end
  end
  return filtered
end

local function query_of(columns, keys)
  return function(...)
    local _, query, vars = dok.unpack({...}, 'query', 'a part of the data',
      {arg = 'query', type = 'string', default = 'all'}, {arg = 'vars', type = 'table'})
    if query == 'all' then return columns end
    if query == 'vars' then return {unpack(keys)} end
    if query == 'help' then
      print("query('all'), query('vars'), query('inter', {name = value}), query('union', {...})")
      return
    end
    return selected(columns, vars, query ~= 'union')
  end
end

function csvigo.load(...)
  local args = dok.unpack({...}, 'csvigo.load', 'Load a CSV file',
    {arg = 'path', type = 'string', req = true},
    {arg = 'separator', type = 'string', default = ','},
    {arg = 'mode', type = 'string', default = 'tidy'},
    {arg = 'header', type = 'string', default = 'auto'},
    {arg = 'verbose', type = 'boolean', default = true},
    {arg = 'skip', type = 'number', default = 0},
    {arg = 'column_order', type = 'boolean', default = false})
  local function say(...) if args.verbose then print('<csv>', ...) end end
  local path = home(args.path)
  say('parsing file: ' .. path)
  local file = csvigo.File(path, 'r', args.separator)
  local rows = file:readall()
  file:close()
  if args.mode == 'raw' or args.mode == 'large' then
    say('parsing done')
    return rows
  end
  if args.mode ~= 'tidy' and args.mode ~= 'query' then error('unknown mode') end
  say('tidying up entries')
  local columns, keys = tidied(rows, args.header, args.skip)
  if args.mode == 'query' then
    say('generating reversed index for fast queries')
    say("returning query closure, type query('help') to get help")
    return query_of(columns, keys)
  end
  say('returning tidy table')
  if args.column_order then return keys, columns end
  return columns
end

function csvigo.save(...)
  local args = dok.unpack({...}, 'csvigo.save', 'Save a table as a CSV file',
    {arg = 'path', type = 'string', req = true},
    {arg = 'data', type = 'table', req = true},
    {arg = 'separator', type = 'string', default = ','},
    {arg = 'mode', type = 'string', default = 'autodetect'},
    {arg = 'header', type = 'boolean', default = true},
    {arg = 'verbose', type = 'boolean', default = true},
    {arg = 'column_order', type = 'table'},
    {arg = 'nan_as_missing', type = 'boolean', default = false})
  local function say(...) if args.verbose then print('<csv>', ...) end end
  local path, data, mode = home(args.path), args.data, args.mode
  say('writing to file: ' .. path)
  if mode == 'autodetect' then
    mode = type(data) == 'function' and 'query' or #data == 0 and 'tidy' or 'raw'
  end
  if mode == 'query' then
    say('generating tidy table')
    data = data('all')
  elseif mode ~= 'raw' and mode ~= 'tidy' then
    error('unknown mode')
  end
  local file = csvigo.File(path, 'w', args.separator, args.nan_as_missing)
  if mode ~= 'raw' then
    say('exporting tidy table to raw CSV')
    local keys, rows = args.column_order, {}
    if not keys then
      keys = {}
      for key in pairs(data) do keys[#keys + 1] = key end
    end
    for _, key in ipairs(keys) do
      for i, value in ipairs(data[key]) do
        rows[i] = rows[i] or {}
        table.insert(rows[i], value)
      end
    end
    if args.header then file:write(keys) end
    data = rows
  end
  file:writeall(data)
  say('writing done')
  file:close()
end

return csvigo
