-- json: what programs that require "json" use of it, which cjson has under the same names.

return require 'cjson'
