-- tnt.IndexedDataset: tensors of any size in a pair of files, data and an index of it.
--
-- The index is a row of longs: a mark, the version, the type's code and its size in bytes, the number
-- of tensors N and of dimensions S, then N + 1 offsets of dimensions, N + 1 of elements, S sizes.
-- Source: torchnet dataset/indexeddataset.lua.

local tnt = require 'torchnet.env'
local argcheck = require 'argcheck'

local MARK, VERSION = 0x584449544E54, 1
local TYPES = {}
for code, entry in ipairs {{'byte', 'Byte', 1}, {'char', 'Char', 1}, {'short', 'Short', 2},
                           {'int', 'Int', 4}, {'long', 'Long', 8}, {'float', 'Float', 4},
                           {'double', 'Double', 8}, {'table', 'Char', 1}} do
  local name, class, size = unpack(entry)
  TYPES[name] = {code = code, size = size, typename = ('torch.%sTensor'):format(class),
                 read = 'read' .. class, write = 'write' .. class,
                 storage = torch[class .. 'Storage'], tensor = torch[class .. 'Tensor']}
end

local function type_of_code(code, size)
  for name, kind in pairs(TYPES) do
    if kind.code == code then
      assert(size == kind.size, 'type size do not match')
      return kind, name
    end
  end
  error('unrecognized type')
end

local function read_index(self, path)
  local f = torch.DiskFile(path):binary()
  assert(f:readLong() == MARK, 'unrecognized index format')
  assert(f:readLong() == VERSION, 'unsupported format version')
  self.type, self.typename = type_of_code(f:readLong(), f:readLong())
  self.N, self.S = f:readLong(), f:readLong()
  local function longs(n) return n > 0 and torch.LongTensor(f:readLong(n)) or torch.LongTensor() end
  self.dimoffsets, self.datoffsets = longs(self.N + 1), longs(self.N + 1)
  self.sizes = longs(self.S)
  f:close()
end

-- -- writing ----------------------------------------------------------------------------------

local Writer = torch.class('tnt.IndexedDatasetWriter', tnt)

Writer.__init = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetWriter'},
  {name = 'indexfilename', type = 'string'},
  {name = 'datafilename', type = 'string'},
  {name = 'type', type = 'string'},
  call = function(self, indexfilename, datafilename, name)
    assert(TYPES[name],
           'invalid type (byte, char, short, int, long, float, double or table expected)')
    self.indexfilename, self.datafilename, self.type = indexfilename, datafilename, TYPES[name]
    self.__dims, self.__ends, self.__sizes = {0}, {0}, {}
    self.datafile = torch.DiskFile(datafilename, 'w'):binary()
  end,
}

-- Without a type, goes on with files that are there.
Writer.__init = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetWriter'},
  {name = 'indexfilename', type = 'string'},
  {name = 'datafilename', type = 'string'},
  overload = Writer.__init,
  call = function(self, indexfilename, datafilename)
    read_index(self, indexfilename)
    self.indexfilename, self.datafilename = indexfilename, datafilename
    self.__dims, self.__ends = self.dimoffsets:totable(), self.datoffsets:totable()
    self.__sizes = self.sizes:totable()
    self.datafile = torch.DiskFile(datafilename, 'rw'):binary()
    self.datafile:seekEnd()
  end,
}

Writer.add = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetWriter'},
  {name = 'tensor', type = 'torch.*Tensor'},
  call = function(self, tensor)
    assert(torch.typename(tensor) == self.type.typename, 'invalid tensor type')
    for d = 1, tensor:dim() do self.__sizes[#self.__sizes + 1] = tensor:size(d) end
    self.__dims[#self.__dims + 1] = #self.__sizes
    self.__ends[#self.__ends + 1] = self.__ends[#self.__ends] + tensor:nElement()
    if tensor:nElement() > 0 then
      self.datafile[self.type.write](self.datafile, tensor:clone():storage())
    end
  end,
}

Writer.add = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetWriter'},
  {name = 'filename', type = 'string'},
  overload = Writer.add,
  call = function(self, filename)
    local f = torch.DiskFile(filename):binary()
    f:seekEnd()
    local count = (f:position() - 1) / self.type.size
    f:seek(1)
    self:add(self.type.tensor(f[self.type.read](f, count)))
    f:close()
  end,
}

Writer.add = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetWriter'},
  {name = 'table', type = 'table'},
  nonamed = true,  -- the table is not one of arguments by name
  overload = Writer.add,
  call = function(self, t)
    assert(self.type == TYPES.table or self.type == TYPES.char,
           'table convenience method is only available for "table" or "char"-based datasets')
    self:add(torch.CharTensor(torch.serializeToStorage(t)))
  end,
}

function Writer:close()
  local f = torch.DiskFile(self.indexfilename, 'w'):binary()
  for _, number in ipairs {MARK, VERSION, self.type.code, self.type.size, #self.__dims - 1,
                           #self.__sizes} do
    f:writeLong(number)
  end
  for _, numbers in ipairs {self.__dims, self.__ends, self.__sizes} do
    if #numbers > 0 then f:writeLong(torch.LongStorage(numbers)) end
  end
  f:close()
  self.datafile:close()
end

-- -- reading ----------------------------------------------------------------------------------

local Reader = torch.class('tnt.IndexedDatasetReader', tnt)

Reader.__init = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetReader'},
  {name = 'indexfilename', type = 'string'},
  {name = 'datafilename', type = 'string'},
  {name = 'mmap', type = 'boolean', default = false},
  {name = 'mmapidx', type = 'boolean', default = false},
  call = function(self, indexfilename, datafilename, mmap)
    self.indexfilename, self.datafilename = indexfilename, datafilename
    read_index(self, indexfilename)
    if mmap then self.data = self.type.tensor(self.type.storage(datafilename)) end
  end,
}

-- Files hold where the data is; it is opened again.
function Reader:__write(file)
  local fields = {}
  for key, value in pairs(self) do fields[key] = value end
  fields.type, fields.__file = nil, nil
  file:writeObject(fields)
end

function Reader:__read(file)
  for key, value in pairs(file:readObject()) do self[key] = value end
  self.type = TYPES[self.typename]
end

function Reader:size() return self.N end

local function elements(self, first, count)
  if self.data then return self.data:narrow(1, first + 1, count):clone() end
  self.__file = self.__file or torch.DiskFile(self.datafilename):binary():noBuffer()
  self.__file:seek(first * self.type.size + 1)
  return self.type.tensor(self.__file[self.type.read](self.__file, count))
end

Reader.get = argcheck {
  {name = 'self', type = 'tnt.IndexedDatasetReader'},
  {name = 'index', type = 'number'},
  call = function(self, i)
    assert(i > 0 and i <= self.N, 'index out of range')
    local first = self.dimoffsets[i]
    local dims = self.dimoffsets[i + 1] - first
    if dims == 0 then return self.type.tensor() end
    local sizes = self.sizes:narrow(1, first + 1, dims):clone():storage()
    local start = self.datoffsets[i]
    local found = elements(self, start, self.datoffsets[i + 1] - start):view(sizes)
    if self.type == TYPES.table then return torch.deserializeFromStorage(found:storage()) end
    return found
  end,
}

-- -- several fields ---------------------------------------------------------------------------

local IndexedDataset = torch.class('tnt.IndexedDataset', 'tnt.Dataset', tnt)

local function field_files(fields, path)
  local found = {}
  if path then
    for _, name in ipairs(fields) do
      assert(type(name) == 'string', 'fields should be a list of strings (fieldnames)')
      local base = ('%s/%s'):format(path, name)
      found[#found + 1] = {name = name, idx = base .. '.idx', bin = base .. '.bin'}
    end
  else
    for name, files in pairs(fields) do
      assert(type(name) == 'string' and type(files.bin) == 'string' and type(files.idx) == 'string',
             'fields should be a hash of string (fieldname) -> table (idx=string, bin=string)')
      found[#found + 1] = {name = name, idx = files.idx, bin = files.bin}
    end
  end
  assert(#found > 0, 'fields should not be empty')
  return found
end

IndexedDataset.__init = argcheck {
  noordered = true,
  {name = 'self', type = 'tnt.IndexedDataset'},
  {name = 'fields', type = 'table'},
  {name = 'path', type = 'string', opt = true},
  {name = 'maxload', type = 'number', opt = true},
  {name = 'mmap', type = 'boolean', default = false},
  {name = 'mmapidx', type = 'boolean', default = false},
  {name = 'standalone', type = 'boolean', default = false},
  call = function(self, fields, path, maxload, mmap, mmapidx, standalone)
    self.__fields, self.__standalone = field_files(fields, path), standalone
    assert(not standalone or #self.__fields == 1,
           'only one field expected with standalone flag at true')
    for _, field in ipairs(self.__fields) do
      field.data = tnt.IndexedDatasetReader(field.idx, field.bin, mmap, mmapidx)
      self.__size = self.__size or field.data:size()
      assert(field.data:size() == self.__size, 'inconsistent index data size')
    end
    if maxload and maxload > 0 then self.__size = math.min(maxload, self.__size) end
    print(('| IndexedDataset: loaded %s with %d examples'):format(path or '', self.__size))
  end,
}

function IndexedDataset:size() return self.__size end

IndexedDataset.get = tnt.getter_('tnt.IndexedDataset', function(self, i)
  tnt.check_index_(i, self.__size)
  if self.__standalone then return self.__fields[1].data:get(i) end
  local sample = {}
  for _, field in ipairs(self.__fields) do sample[field.name] = field.data:get(i) end
  return sample
end)

return tnt
