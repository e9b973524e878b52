-- pl: Penlight's modules as global variables. Source: Penlight init.lua.

require 'pl.import_into'(_G)
