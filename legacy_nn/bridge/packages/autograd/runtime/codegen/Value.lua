-- autograd.runtime.codegen.Value: what programs ask of values in torch-autograd's optimised mode.
return {len = function(value) return #value end}
