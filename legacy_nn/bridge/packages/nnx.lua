-- nnx: not there, and why.

error('the package nnx is not part of Rekindle: its experimental layers are not written; give the Lua source of those that the program uses', 0)
