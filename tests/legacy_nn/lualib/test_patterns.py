"""find, match, gmatch and gsub against LuaJIT, by regular expression and by the matcher."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import Table
from rekindle.legacy_nn.lualib.pattern_matcher import match as by_matcher
from rekindle.legacy_nn.lualib.pattern_regex import compiled

# What real programs use, and one of each construct.
PATTERNS = [
    "", ".", " ", "x", "Tensor", "torch.(%a+)", "([^%s]+)", "^@", "\t", "torch%..+Tensor", "%S+",
    "^%s+", "%s+$", "(.*/)", "([^,]+),([^,]+)", "/%*", "%.", "(%a+)(%d)", "_(%a)", "%a+", "%$(%w+)",
    "^%s*(.-)%s*$", "(%d+)-(%d+)-(%d+)", "^(%w+)%s*=%s*(%w+)$", "[%w_]+", "[^%a]", "[a-c]*", "[]]",
    "[^]]", "[a-]", "[%-x]", "[%a-z]", "()", "()%a+()", "(a(b)c)", "((.)%2)", "%b()", "(%b[])x?",
    "%f[%w]%w+", "%f[%z]", "%f[^%w]", "%f[%a]()", "^a", "a$", "$", "^", "a^b", "a$b", "^$", "a-b",
    "a-", ".-x", "x?", "a*a*a*b", "%%", "%z", "[%z]", "%x+", "%p", "%c", "%u%l*", "%g", "%A", "%W+",
    "(.)(.)(.)(.)", "%1", "(%1)", "(.)%1", "()%1", "%9", "(", ")", "(()", "a)", "[", "[a", "[^",
    "%", "a%", "[%", "[a%", "%b", "%bx", "%f", "%fa", "x[", "x(", "xx%", "-", "*", "+a", "?", "a**",
    "(a*(.)%w(%s*))", "[[-_]", "[a-%d]", "[z-a]", "\0", "[\0-\31]", "\200+", "[\200-\255]",
]  # fmt: skip
TEXTS = [
    "", "a", "abc", "hello world", "torch.FloatTensor", "  padded \t", "2016-03-21", "a,b,,c", "xx",
    "key = value", "$who likes $what", "/usr/local/lib.lua", "(a(b)c)(d", "[x]x", "aaab", "a.b.c",
    "THE (quick) fox", "layer1.conv2.weight", "a\0b", "caf\xc3\xa9 \xff", "a^b a$b", "x" * 40,
    "a-b]c[d%e", "0x1F", "\n\n", "abcabc", "learning_rate_decay",
]  # fmt: skip
NAMES = ["string.find", "string.match"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(lua, pattern):
    for text in TEXTS:
        for name in NAMES:
            lua.same(name, text, pattern)
            lua.same(name, text, pattern, 3 if len(text) > 1 else 1)
        lua.same("string.gsub", text, pattern, "<%0>")
        lua.same_as(ALL, everything, text, pattern)


ALL = """function(s, p)
   local found = {}
   for a, b in s:gmatch(p) do found[#found + 1] = a; found[#found + 1] = b or false end
   return found
end"""


def everything(text, pattern):
    found = Table()
    for step in lualib.string.gmatch(text, pattern):
        a, b = lualib.take(step, 2)
        for value in (a, b or False):
            found[len(found) + 1] = value
    return found


pieces = st.one_of(
    st.sampled_from(["a", "b", ".", "%a", "%d", "%w", "%s", "[ab]", "[^a]", "[a-c1]", "%f[ab]"]),
    st.sampled_from(["(", ")", "()", "^", "$", "%1", "%b()", "%", "[", "x", "%W", "(a)", "(.)%1"]),
)
patterns = st.lists(
    st.tuples(pieces, st.sampled_from(["", "", "*", "+", "-", "?"])), max_size=6
).map(lambda parts: "".join(piece + suffix for piece, suffix in parts))
subjects = st.text("ab1 ()c", max_size=12)


@settings(max_examples=400)
@given(text=subjects, pattern=patterns, init=st.integers(-3, 1))
def test_any_pattern(lua, text, pattern, init):
    lua.same("string.find", text, pattern, init)
    lua.same("string.gsub", text, pattern, "[%0]")


@settings(max_examples=300)
@given(text=subjects, pattern=patterns, start=st.integers(0, 3))
def test_both_ways_of_matching_agree(text, pattern, start):
    program = compiled(pattern)
    if program is None or start > len(text):
        return
    found = program.regex.match(text, start)
    hit = by_matcher(text, pattern, start)
    assert (found is None) == (hit is None)
    if found is not None:
        assert found.end() == hit[0]
        assert [found.start(k + 1) for k in range(len(hit[1]))] == [begin for begin, _ in hit[1]]


@given(
    text=subjects,
    pattern=patterns,
    replacement=st.text("%0129ax", max_size=5),
    n=st.integers(-1, 3),
)
def test_any_replacement(lua, text, pattern, replacement, n):
    lua.same("string.gsub", text, pattern, replacement)
    lua.same("string.gsub", text, pattern, replacement, n)


def test_replacements_by_table_and_function(lua):
    table = Table({"a": "A", "b": False, "c": 7, "d": True})
    for text in ("abcd", "abc", "xyz", ""):
        lua.same("string.gsub", text, "%w", table)
        lua.same("string.gsub", text, "()(%w)", table)
    lua.same_as(
        """function(s)
           return s:gsub('(%w)(%w)', function(a, b) if a ~= 'x' then return b .. a end end)
        end""",
        lambda s: lualib.string.gsub(s, "(%w)(%w)", lambda a, b: None if a == "x" else b + a),
        "abxycd",
    )
    lua.same("string.gsub", "abc", "b", None)
    lua.same("string.gsub", "abc", "b", True)
    lua.same("string.gsub", "abc", "b", 5)
    deep = lualib.setmetatable(Table(), Table({"__index": lambda t, k: k + k}))
    assert lualib.string.gsub("ab", ".", deep) == ("aabb", 2)


@given(text=subjects, wanted=subjects, init=st.integers(-13, 1))
def test_plain_find(lua, text, wanted, init):
    lua.same("string.find", text, wanted, init, True)


@pytest.mark.parametrize("odd", [None, True, Table(), 12])
def test_odd_arguments(lua, odd):
    for name in ("find", "match", "gmatch", "gsub"):
        lua.same(f"string.{name}", odd, "1", "x")
        lua.same(f"string.{name}", "121", odd, "1")


@pytest.mark.parametrize("init", [4, 5, 99])
def test_what_lies_behind_the_end_is_the_end(lua, init):
    for pattern in ("", "()", "c?", "x*$", "c"):
        lua.same("string.find", "abc", pattern, init)
        lua.same("string.match", "abc", pattern, init)


def test_too_many_captures(lua):
    lua.same("string.find", "x" * 40, "(.)" * 33)
    lua.same("string.find", "x" * 40, "(.)" * 32)


def test_long_texts_end_and_need_no_stack():
    long = "a" * 100_000
    begun = time.process_time()
    assert lualib.string.find(long, "^(a*)b") is None
    assert lualib.string.match(long, "^(.-)$") == long
    assert by_matcher(long, "(.-)$", 0) == (100_000, ((0, 100_000),))
    assert by_matcher(long, "a*a?b", 0) is None
    assert lualib.string.find("(" * 50_000 + ")" * 50_000, "%b()") == (1, 100_000)
    assert lualib.string.gsub(long, "a", "b") == ("b" * 100_000, 100_000)
    assert time.process_time() - begun < 5


def test_a_set_may_end_the_pattern_early(lua):
    for pattern in ("[%a", "[]", "[^]", "[%]", "[a%]", "[a-", "%f[", "%f[^"):
        lua.same("string.find", "a]", pattern)
