-- cephes: special functions, and what counts as a number.
--
-- Source: deepmind/torch-cephes cephes/luasrc/limits.lua, misc.lua.

require 'torch'
local _, cephes = ...
rawset(_G, 'cephes', cephes)

cephes.nan = 0 / 0
function cephes.isnan(x) return x ~= x end
function cephes.isinf(x) return x == math.huge or x == -math.huge end
function cephes.isfinite(x) return not cephes.isinf(x) and not cephes.isnan(x) end
function cephes.mvgam(x, p) return cephes.exp(cephes.lmvgam(x, p)) end

-- Errors of arguments are never reported here: results are nan or infinite.
function cephes.setErrorLevel(level)
  if level ~= 0 and level ~= 'off' then
    error("cephes.setErrorLevel: only 'off' (0) is there", 2)
  end
end
function cephes.getErrorLevel() return 'off' end

return cephes
