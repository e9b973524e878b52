-- trepl.colorize: texts in colours. Source: torch/trepl colorize.lua.

local colors = require 'trepl.colors'

local colorize = {}
for name, code in pairs(colors) do
  colorize[name] = function(text) return code .. text .. colors.none end
end

return colorize
