-- autograd.main is the package itself.
return require 'autograd'
