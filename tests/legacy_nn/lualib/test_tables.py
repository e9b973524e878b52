"""Tables: entries, metatables, iteration, the table library and its sort."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import LuaError, Table

values = st.one_of(st.integers(-9, 9), st.text("abc", max_size=2), st.booleans())
lists = st.lists(values, max_size=8)
places = st.integers(-2, 10)


def changed(function):
    """Make a function that changes a table return the table as well."""

    def run(t, *args):
        return lualib.spread(function(t, *args)), t

    return lambda t, *args: (*run(t, *args)[0], t)


def in_lua(name):
    return f"function(t, ...) local r = {name}(t, ...) return r, t end"


@given(items=lists, value=values, place=places)
def test_insert(lua, items, value, place):
    insert = changed(lualib.table.insert)
    lua.same_as("function(t, v) table.insert(t, v) return nil, t end", insert, Table(items), value)
    source = "function(t, p, v) table.insert(t, p, v) return nil, t end"
    if place > 0:  # below 1 a table part that LuaJIT grows decides the length
        lua.same_as(source, insert, Table(items), place, value)


@given(items=lists, place=places)
def test_remove(lua, items, place):
    remove = changed(lualib.table.remove)
    lua.same_as(in_lua("table.remove"), remove, Table(items))
    lua.same_as(in_lua("table.remove"), remove, Table(items), place)


@given(items=lists, separator=st.text("-,", max_size=2), i=places, j=places)
def test_concat(lua, items, separator, i, j):
    lua.same("table.concat", Table(items), separator)
    lua.same("table.concat", Table(items), separator, i)
    lua.same("table.concat", Table(items), separator, i, j)


@given(items=lists, i=places, j=places)
def test_unpack(lua, items, i, j):
    lua.same("unpack", Table(items), i, j)
    lua.same("unpack", Table(items))


@given(items=lists, i=places, j=places, to=st.integers(1, 9))
def test_move(lua, items, i, j, to):
    lua.same("table.move", Table(items), max(i, 1), j, to)
    lua.same("table.move", Table(items), max(i, 1), j, to, Table(["x"]))


@pytest.mark.parametrize(
    "args",
    [
        (),
        (1,),
        (None, 2),
        (Table(), 1, 2, 3),
        (Table(),),
        (Table([1, True]), ","),
        (True, "x", "y"),
    ],
)
@pytest.mark.parametrize(
    "name", ["insert", "remove", "concat", "unpack", "maxn", "getn", "sort", "move"]
)
def test_odd_arguments(lua, name, args):
    if (name, args) in [("insert", ()), ("sort", ()), ("concat", ())] or not args:
        args = (None, *args)  # a missing argument is nil here
    if name == "move" and len(args) < 4:
        args = (*args, *([1] * (4 - len(args))))
    lua.same(f"table.{name}" if name != "unpack" else name, *args)


def test_too_many_results(lua):
    lua.same_as(
        "function(t, i, j) return pcall(unpack, t, i, j) end", PROTECTED_UNPACK, Table(), 1, 8000
    )
    lua.same_as(
        "function(t, i, j) return pcall(unpack, t, i, j) end", PROTECTED_UNPACK, Table(), 1, 1e8
    )
    assert len(lualib.unpack(Table(), 1, 7000)) == 7000


def PROTECTED_UNPACK(*args):
    return lualib.pcall(lualib.unpack, *args)


def test_maxn_and_foreach(lua):
    for t in (Table(), Table([1, 2, 3]), Table({7: 1, 2.5: 2, "x": 3, -1: 4})):
        lua.same("table.maxn", t)
    seen = []
    assert lualib.table.foreach(Table(["a", "b"]), lambda k, v: seen.append((k, v))) is None
    assert seen == [(1, "a"), (2, "b")]
    assert lualib.table.foreachi(Table(["a", "b"]), lambda k, v: v if k == 2 else None) == "b"


def test_pack_and_sequence():
    t = lualib.pack("a", None, "c", None)
    assert (t.n, t[1], t.get(2), t[3]) == (4, "a", None, "c")
    assert lualib.unpack(t, 1, t.n) == ("a", None, "c", None)
    assert lualib.sequence(1, None, 3).count() == 2


# -- sort -------------------------------------------------------------------------------------

ORDERS = {
    "function(a, b) return a < b end": lualib.lt,
    "function(a, b) return a > b end": lualib.gt,
    "function(a, b) return a % 10 < b % 10 end": lambda a, b: a % 10 < b % 10,
    "function(a, b) return a <= b end": lualib.le,
    "function(a, b) return true end": lambda a, b: True,
    "function(a, b) return false end": lambda a, b: False,
    "function(a, b) return (a * 7 + b * 3) % 5 < 2 end": lambda a, b: (a * 7 + b * 3) % 5 < 2,
}


@given(items=st.lists(st.integers(0, 40), max_size=40), source=st.sampled_from(sorted(ORDERS)))
def test_sort_leaves_every_element_where_lua_does(lua, items, source):
    def run(t):
        ok = lualib.pcall(lualib.table.sort, t, ORDERS[source])[0]
        return ok, t if ok else None

    lua.same_as(
        f"function(t) local ok = pcall(table.sort, t, {source}) return ok, ok and t or nil end",
        run,
        Table(items),
    )


@given(items=st.lists(st.one_of(st.floats(allow_nan=False), st.integers(-5, 5)), max_size=20))
def test_sort_numbers(lua, items):
    lua.same_as("function(t) table.sort(t) return t end", sorted_in_place, Table(items))


@given(items=st.lists(st.text(st.characters(max_codepoint=255), max_size=3), max_size=20))
def test_sort_texts(lua, items):
    lua.same_as("function(t) table.sort(t) return t end", sorted_in_place, Table(items))


def sorted_in_place(t):
    lualib.table.sort(t)
    return t


@pytest.mark.parametrize("items", [[1, "a"], [True, False], [1, 2, "x", 3]])
def test_sort_of_what_has_no_order(lua, items):
    lua.same("table.sort", Table(items))


def test_sort_with_an_invalid_order_function():
    with pytest.raises(LuaError, match="invalid order function for sorting"):
        lualib.table.sort(Table(range(10)), lambda a, b: True)


def test_an_error_in_the_order_function_loses_no_element():
    t = Table([3, 1, 2, 5, 4])
    with pytest.raises(LuaError):
        lualib.table.sort(t, lambda a, b: lualib.error("stop") if a == 5 else a < b)
    assert sorted(t.array()) == [1, 2, 3, 4, 5]


# -- entries and metatables -------------------------------------------------------------------


def test_keys_and_deletion():
    t = Table()
    lualib.newindex(t, 1, "a")
    lualib.newindex(t, 2.0, "b")
    lualib.newindex(t, "x", 0)
    assert [lualib.index(t, k) for k in (1.0, 2, "x", True, None)] == ["a", "b", 0, None, None]
    lualib.newindex(t, 1, None)
    assert t.count() == 2
    for key, message in ((None, "table index is nil"), (float("nan"), "table index is NaN")):
        for value in (1, None):
            with pytest.raises(LuaError, match=message):
                lualib.newindex(t, key, value)
            with pytest.raises(LuaError, match=message):
                lualib.rawset(t, key, value)


SCALARS = [None, True, 5, 2.5, "text"]


@pytest.mark.parametrize("value", SCALARS)
def test_what_has_no_entries(lua, value):
    lua.same_as("function(...) return (...).x end", lambda v: lualib.index(v, "x"), value)
    lua.same_as("function(...) (...).x = 1 end", lambda v: lualib.newindex(v, "x", 1), value)
    lua.same_as("function(...) return (...)() end", lambda v: lualib.call(v), value)
    lua.same_as("function(...) return (...):f() end", lambda v: lualib.invoke(v, "f"), value)


def test_chains_of_index():
    grandparent = Table({"a": 1, "b": 2})
    parent = lualib.setmetatable(Table({"b": 3}), Table({"__index": grandparent}))
    child = lualib.setmetatable(Table(), Table({"__index": parent}))
    assert [lualib.index(child, k) for k in "abc"] == [1, 3, None]
    asked = lualib.setmetatable(Table(), Table({"__index": lambda t, k: (k + "!", "dropped")}))
    assert lualib.index(asked, "x") == "x!"
    assert lualib.rawget(child, "a") is None
    loop = Table()
    lualib.setmetatable(loop, Table({"__index": loop}))
    with pytest.raises(LuaError, match="loop in gettable"):
        lualib.index(loop, "x")


def test_newindex():
    log, store = [], Table()
    t = lualib.setmetatable(
        Table({"old": 1}), Table({"__newindex": lambda t, k, v: log.append((k, v))})
    )
    lualib.newindex(t, "old", 2)
    lualib.newindex(t, "new", 3)
    assert (t.old, log, "new" in t) == (2, [("new", 3)], False)
    redirected = lualib.setmetatable(Table(), Table({"__newindex": store}))
    lualib.newindex(redirected, "x", 1)
    assert (redirected.count(), store.x) == (0, 1)
    loop = Table()
    lualib.setmetatable(loop, Table({"__newindex": loop}))
    with pytest.raises(LuaError, match="loop in settable"):
        lualib.newindex(loop, "x", 1)


VECTOR = """(function()
   local V = {}
   V.__index = V
   local function new(x) return setmetatable({x = x}, V) end
   local function x(v) return type(v) == 'table' and v.x or v end
   for _, op in ipairs{'add', 'sub', 'mul', 'div', 'mod', 'pow'} do
      V['__' .. op] = function(a, b) return op .. x(a) .. ',' .. x(b) end
   end
   V.__unm = function(a, b) return 'unm' .. x(a) .. ',' .. x(b) end
   V.__concat = function(a, b) return 'cat' .. x(a) .. ',' .. x(b) end
   V.__eq = function(a, b) return a.x == b.x end
   V.__lt = function(a, b) return a.x < b.x end
   V.__call = function(self, ...) return self.x, select('#', ...), ... end
   V.__tostring = function(a) return 'V' .. a.x end
   V.method = function(self, y) return self.x + y end
   local a, b = new(1), new(2)
   return function()
      return a + b, a + 5, 5 - a, a * 2, a / b, a % b, 2 ^ a, -a, a .. b, 'x' .. a, a == new(1),
         a ~= b, rawequal(a, new(1)), a < b, a > b, a <= b, b <= a, a(7, nil), tostring(a),
         a:method(4)
   end
end)()"""


def vector():
    def new(x):
        return lualib.setmetatable(Table({"x": x}), V)

    def x(v):
        return lualib.tostring(v.x if lualib.type_of(v) == "table" else v)

    V = Table()
    V["__index"] = V
    for op in ("add", "sub", "mul", "div", "mod", "pow"):
        V[f"__{op}"] = lambda a, b, op=op: f"{op}{x(a)},{x(b)}"
    V["__unm"] = lambda a, b: f"unm{x(a)},{x(b)}"
    V["__concat"] = lambda a, b: f"cat{x(a)},{x(b)}"
    V["__eq"] = lambda a, b: a.x == b.x
    V["__lt"] = lambda a, b: a.x < b.x
    V["__call"] = lambda self, *args: (self.x, len(args), *args)
    V["__tostring"] = lambda a: f"V{a.x}"
    V["method"] = lambda self, y: self.x + y
    a, b = new(1), new(2)
    L = lualib
    return (
        L.add(a, b), L.add(a, 5), L.sub(5, a), L.mul(a, 2), L.div(a, b), L.mod(a, b), L.power(2, a),
        L.unm(a), L.concat(a, b), L.concat("x", a), L.eq(a, new(1)), not L.eq(a, b),
        L.rawequal(a, new(1)), L.lt(a, b), L.gt(a, b), L.le(a, b), L.le(b, a),
        L.first(L.call(a, 7, None)), L.tostring(a), L.invoke(a, "method", 4),
    )  # fmt: skip


def test_metamethods(lua):
    source = VECTOR.replace("a(7, nil), tostring", "(a(7, nil)), tostring")
    lua.same_as(source, vector)
    both = lualib.setmetatable(Table({"x": 1}), Table({"__call": lambda s, *a: (s.x, len(a), *a)}))
    assert lualib.call(both, 7, None) == (1, 2, 7, None)


def test_an_order_needs_the_same_metamethod_on_both_sides():
    first, second = Table({"__lt": lambda a, b: True}), Table({"__le": lambda a, b: True})
    a, b = (lualib.setmetatable(Table(), mt) for mt in (first, second))
    assert lualib.lt(a, lualib.setmetatable(Table(), first)) is True
    for compare in (lualib.lt, lualib.le, lualib.gt, lualib.ge):
        with pytest.raises(lualib.LuaError, match="attempt to compare two table values"):
            compare(a, b)
    with pytest.raises(lualib.LuaError, match="attempt to compare table with number"):
        lualib.lt(a, 1)


def test_compatibility_with_5_2():
    t = Table({"__pairs": lambda t: (lualib.next_, Table({"k": "v"}), None)})
    made = lualib.setmetatable(Table([1, 2]), t)
    assert lualib.rawlen(made) == 2
    assert list(lualib.pairs(made)) == [("k", "v")]


def test_a_table_is_not_asked_for_its_length(lua):
    """As Torch7 printed it: `#setmetatable({1, 2}, {__len = ...})` is 2."""
    made = lualib.setmetatable(Table([1, 2]), Table({"__len": lambda t: 99}))
    assert lualib.length(made) == 2
    source = "function() return #setmetatable({1, 2}, {__len = function() return 99 end}) end"
    lua.same_as(source, lambda: lualib.length(made))


def test_protected_metatables(lua):
    t = lualib.setmetatable(Table(), Table({"__metatable": "locked"}))
    assert lualib.getmetatable(t) == "locked"
    with pytest.raises(LuaError, match="cannot change a protected metatable"):
        lualib.setmetatable(t, None)
    lua.same("setmetatable", 1, Table())
    lua.same("setmetatable", Table(), 1)


def test_metatables_of_python_classes():
    class Money:
        lua_type = "userdata"
        lua_metatable = Table({"__add": lambda a, b: a.n + b.n, "__len": lambda a: a.n})

        def __init__(self, n):
            self.n = n

        def double(self):
            return self.n * 2

    a = Money(3)
    assert lualib.add(a, Money(4)) == 7
    assert lualib.length(a) == 3
    assert lualib.invoke(a, "double") == lualib.call(lualib.index(a, "double"), a) == 6
    assert lualib.type_of(a) == "userdata"
    lualib.newindex(a, "n", 5)
    assert lualib.index(a, "n") == 5
    assert lualib.index(a, "none") is None


def test_tables_made_by_python_and_copies_have_no_metatable():
    import copy
    import pickle

    t = lualib.setmetatable(Table([1]), Table({"__index": Table({"x": 1})}))
    assert lualib.getmetatable(copy.deepcopy(t)) is None
    assert lualib.getmetatable(pickle.loads(pickle.dumps(Table([1])))) is None


# -- iteration --------------------------------------------------------------------------------


def test_pairs_gives_elements_first_and_allows_deletion():
    t = Table({"x": 1, 2: "b", 1: "a"})
    t[True] = "t"
    t[3] = "c"
    assert list(lualib.pairs(t)) == [(1, "a"), (2, "b"), (3, "c"), ("x", 1), (True, "t")]
    seen = []
    for key, value in lualib.pairs(t):
        seen.append((key, value))
        lualib.newindex(t, key, None)
        lualib.newindex(t, "x", None)
    assert seen == [(1, "a"), (2, "b"), (3, "c"), (True, "t")]
    assert lualib.next_(t) is None


@given(
    entries=st.dictionaries(
        st.one_of(st.integers(-3, 6), st.sampled_from(["a", "b", True])), values
    )
)
def test_next_walks_as_pairs_does(entries):
    t = Table(entries)
    found, key = [], None
    while (step := lualib.next_(t, key)) is not None:
        found.append(step)
        key = step[0]
    assert found == list(lualib.pairs(t))
    if found:
        assert lualib.next_(t, found[0][0]) == (found[1] if len(found) > 1 else None)


def test_next_allows_deletion_and_knows_its_keys():
    t = Table({"a": 1, "b": 2, "c": 3})
    key = lualib.next_(t)[0]
    lualib.newindex(t, key, None)
    assert lualib.next_(t, key) == ("b", 2)
    with pytest.raises(LuaError, match="invalid key to 'next'"):
        lualib.next_(t, "none")


@pytest.mark.parametrize("value", [None, 5, "x"])
def test_iteration_over_what_is_no_table(lua, value):
    for name in ("pairs", "ipairs", "next"):
        lua.same(name, value)


def test_ipairs_stops_at_the_first_hole():
    assert list(lualib.ipairs(Table({1: "a", 2: "b", 4: "d"}))) == [(1, "a"), (2, "b")]


def test_each_drives_any_iterator():
    def below(last, n):
        return (n + 1, n * n) if n < last else None

    assert list(lualib.each(2, below, 3, 0)) == [(1, 0), (2, 1), (3, 4)]
    assert list(lualib.each(3, (below, 2, 0))) == [(1, 0, None), (2, 1, None)]
    assert list(lualib.each(2, lualib.pairs(Table(["a"])))) == [(1, "a")]
    assert list(lualib.each(1, lualib.string.gmatch("a b", "%a"))) == ["a", "b"]
    step = lualib.pairs(Table(["a"]))
    assert (step(None, None), step()) == ((1, "a"), None)


# -- Python's own objects ---------------------------------------------------------------------


def test_lists_and_dicts_as_tables():
    values, options = ["a", "b"], {"lr": 0.1}
    assert [lualib.index(values, k) for k in (1, 2, 3, 0, "x")] == ["a", "b", None, None, None]
    lualib.newindex(values, 3, "c")
    lualib.newindex(values, 1, "A")
    lualib.table.insert(values, 1, "first")
    assert lualib.table.remove(values) == "c"
    assert values == ["first", "A", "b"]
    assert lualib.length(values) == 3
    assert list(lualib.ipairs(values)) == [(1, "first"), (2, "A"), (3, "b")]
    assert lualib.table.concat(values, "-") == "first-A-b"
    lualib.newindex(values, 3, None)
    assert lualib.unpack(values) == ("first", "A")
    with pytest.raises(LuaError, match="no place for the key 9"):
        lualib.newindex(values, 9, "x")
    lualib.newindex(options, "wd", 1)
    lualib.newindex(options, "lr", None)
    assert (options, list(lualib.pairs(options))) == ({"wd": 1}, [("wd", 1)])
    numbers = [3, 1, 2]
    lualib.table.sort(numbers)
    assert numbers == [1, 2, 3]
