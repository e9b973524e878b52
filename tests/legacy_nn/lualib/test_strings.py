"""The string library without patterns, and string.format."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import LuaError, Table

texts = st.text(st.characters(max_codepoint=255), max_size=12)
places = st.integers(-8, 8)
numbers = st.one_of(st.floats(), st.integers(-(2**53), 2**53), st.integers(-20, 20))
ODD = [None, True, 5, 2.5, "10", "x", Table(), math.inf]


@given(text=texts, i=places, j=places)
def test_ranges(lua, text, i, j):
    lua.same("string.sub", text, i, j)
    lua.same("string.sub", text, i)
    lua.same("string.byte", text, i, j)
    lua.same("string.byte", text, i)


@given(text=texts)
def test_whole_texts(lua, text):
    for name in ("len", "lower", "upper", "reverse", "byte"):
        lua.same(f"string.{name}", text)


@given(text=texts, n=st.integers(-2, 5), separator=texts)
def test_rep(lua, text, n, separator):
    lua.same("string.rep", text, n)
    lua.same("string.rep", text, n, separator)


@given(codes=st.lists(st.integers(-3, 260), max_size=5))
def test_char(lua, codes):
    lua.same("string.char", *codes)


@pytest.mark.parametrize("name", ["len", "lower", "upper", "reverse", "rep", "sub", "byte", "char"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_arguments(lua, name, odd):
    if name == "char" and odd == math.inf:
        pytest.skip("what C makes of an infinite int differs between machines")
    lua.same(f"string.{name}", odd, 2)
    if name in ("rep", "sub", "byte") and odd is not None and odd != math.inf:
        lua.same(f"string.{name}", "abc", odd)


def test_dump_is_refused():
    with pytest.raises(LuaError, match=r"rekindle\.lua\.Runtime"):
        lualib.string.dump(lambda: 1)


# -- format -----------------------------------------------------------------------------------

flags = st.text("-+ #0", max_size=3)
widths = st.sampled_from(["", "1", "5", "12", "30"])
precisions = st.sampled_from(["", ".", ".0", ".1", ".3", ".10", ".20"])


@example(f="0#", w="5", p=".", kind="o", value=0.0)
@given(f=flags, w=widths, p=precisions, kind=st.sampled_from("diuoxXcs"), value=numbers)
def test_format_of_integers(lua, f, w, p, kind, value):
    if kind == "c":
        value = value % 256 if math.isfinite(value) else 0
    lua.same("string.format", f"<%{f}{w}{p}{kind}>", value)


@given(f=flags, w=widths, p=precisions, kind=st.sampled_from("eEfgG"), value=numbers)
def test_format_of_floats(lua, f, w, p, kind, value):
    if 0 < abs(value) < 1e-4 or 1e22 < abs(value) < math.inf:
        value = 0.5  # LuaJIT's own digits may be off: ("%f"):format(5e-201) is 23913686458650475.7
    lua.same("string.format", f"<%{f}{w}{p}{kind}>", value)


@given(f=flags, w=widths, p=precisions, kind=st.sampled_from("aA"), value=numbers)
def test_format_of_hexadecimal_floats(lua, f, w, p, kind, value):
    lua.same("string.format", f"<%{f}{w}{p}{kind}>", value)


@given(f=flags, w=widths, p=precisions, value=texts)
def test_format_of_texts(lua, f, w, p, value):
    lua.same("string.format", f"<%{f}{w}{p}s>", value)
    lua.same("string.format", "%q", value)


@given(
    template=st.text("%dsf5.- q%", max_size=8), args=st.lists(st.sampled_from([1, "x", 2.5, "7"]))
)
def test_format_of_any_template(lua, template, args):
    lua.same("string.format", template, *args)


@pytest.mark.parametrize("kind", "diuxXoceEfgGaqs")
@pytest.mark.parametrize("value", [None, True, "10", " 0x1F ", "x", 1.5, -1])
def test_format_of_odd_values(lua, kind, value):
    lua.same("string.format", f"%{kind}", value)


@pytest.mark.parametrize(
    "spec", ["%y", "%", "%123d", "%.123d", "%5", "% -", "%ll", "%n", "%1.2.3d", "%p1"]
)
def test_malformed_formats(lua, spec):
    if spec == "%p1":
        with pytest.raises(LuaError, match="invalid option '%p' to 'format'"):
            lualib.string.format(spec, 1)  # LuaJIT shows an address, which no program can depend on
        return
    lua.same("string.format", spec, 1)


def test_format_asks_tostring():
    named = lualib.setmetatable(Table(), Table({"__tostring": lambda t: "me"}))
    assert lualib.string.format("%5s|%s|%s", named, None, True) == "   me|nil|true"


def test_methods_of_strings():
    assert lualib.invoke("%d-%s", "format", 3, "x") == "3-x"
    lualib.string.trim = lambda s: s.strip()
    try:
        assert lualib.invoke("  x ", "trim") == "x"
    finally:
        del lualib.string.trim
    assert lualib.index(lualib.getmetatable(""), "__index") is lualib.string
