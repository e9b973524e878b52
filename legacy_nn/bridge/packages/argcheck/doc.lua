-- argcheck.doc: texts of functions, gathered between record() and stop().
--
-- Source: torch/argcheck doc.lua.

local doc = {}
local record

function doc.record() record = {} end

function doc.stop()
  local text = table.concat(record)
  record = nil
  return text
end

function doc.doc(text)
  if record then record[#record + 1] = text end
end

return setmetatable(doc, {__call = function(_, text) return doc.doc(text) end})
