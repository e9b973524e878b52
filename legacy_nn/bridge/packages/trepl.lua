-- trepl: Torch's prompt; `rekindle exec -i` is the one here.

require 'env'

return function()
  error('the prompt of Rekindle is `rekindle exec -i`', 2)
end
