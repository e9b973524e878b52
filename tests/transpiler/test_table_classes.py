"""Classes that programs write with metatables become Python classes, and print the same."""

import pytest

from .test_known import printed, texts

PROGRAMS = {}

PROGRAMS["accounts"] = (
    """
local Account = {balance = 0}
function Account:new(o)
  o = o or {}
  setmetatable(o, self)
  self.__index = self
  return o
end
function Account:deposit(v) self.balance = self.balance + v end
local a = Account:new{balance = 10}
a:deposit(100)
local Special = Account:new()
function Special:getLimit() return self.limit or 0 end
local s = Special:new{limit = 1000}
s:deposit(5)
print(a.balance, Account.balance, s.balance, s:getLimit(), Special:new():getLimit())
""",
    ["class Account(TableObject):", "balance = 0", "a = Account(balance=10)",
     "class Special(Account):", "s = Special(limit=1000)"],
    "110\t0\t5\t1000\t0\n",
)  # fmt: skip

PROGRAMS["chain"] = (
    """
local Animal = {}
Animal.__index = Animal
Animal.legs = 4
function Animal.new(name)
  local self = setmetatable({}, Animal)
  self.name = name
  return self
end
function Animal:speak() return self.name end
function Animal:get() return self.legs end
local Dog = setmetatable({}, {__index = Animal})
Dog.__index = Dog
function Dog.new(name)
  local self = Animal.new(name)
  setmetatable(self, Dog)
  return self
end
function Dog:speak() return Animal.speak(self) .. "!" end
local Puppy = setmetatable({}, {__index = Dog})
Puppy.__index = Puppy
function Puppy.new(name, age)
  local o = setmetatable(Dog.new(name), Puppy)
  o.age = age
  return o
end
function Puppy:speak() return Dog.speak(self) .. self.age end
local p = Puppy.new("Bit", 2)
print(p:speak(), Dog.new("Rex"):speak(), p:get(), Puppy.legs, Dog.get(p))
print(getmetatable(p) == Puppy, getmetatable(p) == Dog)
""",
    ["class Puppy(Dog):", "def __init__(self, name, age):", "super().__init__(name)",
     "legs = 4", "super().speak()", 'Puppy("Bit", 2)'],
    "Bit!2\tRex!\t4\t4\t4\ntrue\tfalse\n",
)  # fmt: skip

PROGRAMS["called"] = (
    """
local V = {}
V.__index = V
setmetatable(V, {__call = function(cls, ...) return cls.new(...) end})
function V.new(x, y) return setmetatable({x = x or 0, y = y or 0}, V) end
function V.__add(a, b) return V(a.x + b.x, a.y + b.y) end
function V.__mul(a, b)
  if type(a) == 'number' then return V(a * b.x, a * b.y) end
  return a.x * b.x
end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__tostring = function(v) return v.x .. ',' .. v.y end
local a, b = V(1, 2), V(3)
print(tostring(a + b), tostring(2 * a), a * b, a == V(1, 2), a ~= b, V.__add(a, b) == a + b)
local W = {}
W.__index = W
setmetatable(W, {__index = V, __call = function(cls, ...)
  local self = setmetatable({}, cls)
  self:_init(...)
  return self
end})
function W:_init(x) self.x = x self.y = 0 end
print(W(7).x, W(1) == V(1), W(1) == W(1), V(1) == V(1))
""",
    ["class V(TableObject):", "def __init__(self, x, y):", "V(1, 2)", "class W(V):",
     "def __init__(self, *args):"],
    "4,2\t2,4\t3\ttrue\ttrue\ttrue\n7\tfalse\tfalse\ttrue\n",
)  # fmt: skip

PROGRAMS["prototypes"] = (
    """
local Shape = {name = "shape"}
function Shape:new(x, y)
  local o = {}
  setmetatable(o, self)
  self.__index = self
  o.x = x
  o.y = y or 0
  return o
end
function Shape:area() return 0 end
function Shape:describe() return self.name .. self.x .. "," .. self.y .. ":" .. self:area() end
local Circle = Shape:new()
Circle.name = "circle"
function Circle:new(x, r)
  local o = Shape.new(self, x)
  o.r = r
  return o
end
function Circle:area() return 3 * self.r end
print(Shape:new(1, 2):describe(), Circle:new(1, 2):describe())
""",
    ["class Shape(TableObject):", "class Circle(Shape):", "Circle(1, 2)"],
    "shape1,2:0\tcircle1,0:6\n",
)

PROGRAMS["bare metatables"] = (
    """
local Dict = {}
function Dict:new(words)
  local d = {words = words}
  setmetatable(d, {__index = self})
  return d
end
function Dict:size() return #self.words end
print(Dict:new({1, 2}):size())
""",
    ["class Dict(TableObject):", "Dict(Table(1, 2))"],
    "2\n",
)

PROGRAMS["handed on"] = (
    """
local Stack, Queue = {}, {}
local S = {}
S.__index = S
function S.new() return setmetatable({n = 0}, S) end
function S:push(v) self.n = self.n + 1 self[self.n] = v return self end
function S:count() return self.n end
local kinds = {s = S}
local function mixin(cls, more) for k, v in pairs(more) do cls[k] = v end return cls end
mixin(S, {twice = function(self) return self.n * 2 end, unit = "m"})
local x = kinds["s"].new():push(1):push(2)
print(x:count(), x:twice(), x.unit, kinds.s == S, type(S), x[2], getmetatable(x) == kinds.s)
""",
    ["class S(TableObject):", "@staticmethod", "def count_(self):"],
    "2\t4\tm\ttrue\ttable\t2\ttrue\n",
)


PROGRAMS["globals"] = (
    """
Point = {}
Point.__index = Point
function Point.new(x) local p = setmetatable({}, Point); p.x = x; return p end
Point.__add = function(a, b) return Point.new(a.x + b.x) end
Point.__lt = function(a, b) return a.x < b.x end
Point.__unm = function(a) return Point.new(-a.x) end
local a, b = Point.new(1), Point.new(2)
print((a + b).x, (-a).x, a < b, a >= b, a == b, a ~= b, getmetatable(a) == Point, a == nil)
local list = {Point.new(3), b, a}
table.sort(list)
print(list[1].x, list[3].x, ({[a] = "a"})[a])
""",
    ["class Point(TableObject):", "a + b", "a < b, a >= b", "getmetatable(a) is Point"],
    "3\t-1\ttrue\tfalse\tfalse\ttrue\ttrue\tfalse\n1\t3\ta\n",
)

PROGRAMS["upon the class"] = (
    """
local List = {}
List.__index = List
List.__len = function() return 99 end
function List:create(...)
  local l = {...}
  if #l == 0 then l[1] = "none" end
  return setmetatable(l, List)
end
function List:size() return #self end
print(List:create(1, 2):size(), #List:create(), List:create("a")[1], List.__len())
""",
    ["@classmethod", "def create(cls, *args):", "# __len, which LuaJIT asks no table"],
    "2\t1\ta\t99\n",
)

PROGRAMS["errors that are read"] = (
    """
local T = {}
T.__index = T
function T.new(v) return setmetatable({v = v}, T) end
function T.__mul(a, b) return T.new(a.v * b.v) end
local t = T.new(2)
local ok, message = pcall(function() return t + 1 end)
print(ok, (message:gsub("^.-:%d+: ", "")), (t * t).v)
""",
    ["class T(TableObject):", "lua.add(t, 1)", "t * t"],
    "false\tattempt to perform arithmetic on upvalue 't' (a table value)\t4\n",
)

PROGRAMS["fields of classes"] = (
    """
local Pool = {limit = 2}
Pool.__index = Pool
Pool.all = {}
Pool.created = 0
function Pool.new()
  local self = setmetatable({}, Pool)
  Pool.created = Pool.created + 1
  self.all[#self.all + 1] = self
  return self
end
local p, q = Pool.new(), Pool.new()
p.created = 50
print(#Pool.all, p.all == Pool.all, Pool.created, p.created, q.created, q.limit)
p.created = nil
Pool.limit = 9
print(p.created, p.limit)
Pool.created = nil
print(Pool.created, p.created)
""",
    [
        "class Pool(TableObject):",
        "limit = 2",
        "all = Table()",
        "created = 0",
        "p, q = Pool(), Pool()",
    ],
    "2\ttrue\t2\t50\t2\t2\n2\t9\nnil\tnil\n",
)

PROGRAMS["methods of objects"] = (
    """
local Button = {}
Button.__index = Button
function Button.new(text) return setmetatable({text = text}, Button) end
function Button:click() return "click " .. self.text end
function Button:size() return #self.text end
local function configured(x, options) for k, v in pairs(options) do x[k] = v end return x end
local function named(x) x.size = 7 return x end
local a, b = Button.new("a"), Button.new("b")
function a:click() return "own " .. Button.click(self) end
b.click = function(self) return self.text end
print(a:click(), b:click(), Button.new("c"):click(), a:size(), named(b).size, a.size == Button.size)
""",
    ["class Button(TableObject):", "@overridable"],
    "own click a\tb\tclick c\t1\t7\ttrue\n",
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_class_of_tables(name, tmp_path):
    lua, parts, expected = PROGRAMS[name]
    (python,) = texts({"x.lua": lua}).values()
    for part in parts:
        assert part in python, python
    assert printed({"x.lua": lua}, tmp_path, "x.py") == expected


SHARED = {
    "a.lua": "Point = {}\nPoint.__index = Point\n"
    "function Point.new(x) return setmetatable({x = x}, Point) end\nrequire 'b'\n",
    "b.lua": "print(Point.new(3).x)\n",
}


def test_a_global_that_files_share_stays_one(tmp_path):
    assert "G.Point" in texts(SHARED)["b.lua"]
    assert printed(SHARED, tmp_path, "a.py") == "3\n"


STAYS = {
    # an object reads what its class got as an object of the base
    "function Account:new() local o = {x = 1} setmetatable(o, self)\n"
    "self.__index = self return o end\nlocal B = Account:new()\nB.y = 2\n"
    "function B:new() local o = {} setmetatable(o, self)\n"
    "self.__index = self return o end\nprint(B:new().x)": 'invoke(B, "new")',
    # the class is an object too
    "function Account:fresh(o) self.count = 1 return self:new(o) end": "Account.fresh",
    # objects of objects
    "local a = Account:new()\na:deposit(1)\nlocal b = a:new()\nprint(b)": 'invoke(a, "new")',
}


@pytest.mark.parametrize("more", STAYS)
def test_what_is_no_class_stays_a_table(more):
    lua = PROGRAMS["accounts"][0].partition("local a =")[0] + more
    (python,) = texts({"x.lua": lua}).values()
    assert "class Account" not in python
    assert STAYS[more] in python
