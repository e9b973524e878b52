-- The table that torchnet's classes are in.
return require 'torchnet'
