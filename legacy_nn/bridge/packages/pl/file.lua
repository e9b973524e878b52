-- pl.file: whole files, copied, moved, read and written. Source: Penlight file.lua.

local utils = require 'pl.utils'
local path = require 'pl.path'
local dir = require 'pl.dir'

return {
  read = utils.readfile, write = utils.writefile, copy = dir.copyfile, move = dir.movefile,
  access_time = path.getatime, creation_time = path.getctime, modified_time = path.getmtime,
  delete = os.remove,
}
