-- pl.app: what programs ask of where they run. Source: Penlight app.lua.

local path = require 'pl.path'

local app = {}

function app.script_name() return type(arg) == 'table' and arg[0] or nil end

-- Lets `require` find files beside the script, or in a folder there; returns that folder.
function app.require_here(base)
  local script = app.script_name()
  local folder = script and path.dirname(script) or ''
  if folder == '' then folder = '.' end
  folder = path.abspath(base and path.join(folder, base) or folder)
  package.path = folder .. '/?.lua;' .. folder .. '/?/init.lua;' .. package.path
  return folder
end

function app.platform() return (io.popen('uname'):read('*l')) end

return app
