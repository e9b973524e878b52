-- nngraph, and the package graph that it is built on.

require 'nn'
local _, tables = ...
rawset(_G, 'graph', tables.graph)
rawset(_G, 'nngraph', tables.nngraph)

function nngraph.setDebug() end
function nngraph.annotateNodes() end

return tables.nngraph
