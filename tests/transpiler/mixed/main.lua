local a = require 'lib.still'
local b = require 'lib.moved'
local again = require 'lib.still'
print('same', a == again)
print(a.name, a.twice(4), b.name, b.sum({1, 2, 3}))
print('shared', a.get() == b)
a.bump(); a.bump()
print(a.count())
local net = require 'my-nets.2d'
print(net.kind)
local ok, err = pcall(function() return a.fail() end)
print(ok, tostring(err):match('deliberate'))
local ok2, err2 = pcall(require, 'no.such.module')
print(ok2, tostring(err2):match("module 'no.such.module' not found") ~= nil)
local name = 'types'
local ok3, t = pcall(require, name)
print(ok3)
print(type(require('lib.nothing')))
print(require('models').kind, require('models.small').kind)
local t = a.tensor()
print(t:size(1), torch.type(t), t:sum())
print(a.call(function(x, y) return x + y, 'second' end))
print(dofile('settings.lua'))
for i, v in ipairs(a.list()) do io.write(i, '=', v, ';') end print()
print(a.module():forward(torch.ones(2)):size(1))
