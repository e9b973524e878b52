"""Lua source to nodes: every construct, comments and places, literals as LuaJIT reads them."""

import lupa.luajit21 as lupa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.transpiler import ast, literals
from rekindle.transpiler.errors import LuaSyntaxError
from rekindle.transpiler.parse import parse
from rekindle.transpiler.reading import read
from rekindle.transpiler.scope import resolve

LUA = lupa.LuaRuntime(encoding="latin-1")


def one(source: str) -> ast.Statement:
    (statement,) = parse(source.encode()).statements
    return statement


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("local a, b = 1", ast.Local),
        ("a.b[1], c = f()", ast.Assign),
        ("f 'x'", ast.CallStatement),
        ("a:b{}", ast.CallStatement),
        ("do local x end", ast.Do),
        ("while a do b() end", ast.While),
        ("repeat local z = 1 until z", ast.Repeat),
        ("if a then elseif b then else end", ast.If),
        ("for i = 1, 10, 2 do end", ast.NumericFor),
        ("for k, v in pairs(t) do end", ast.GenericFor),
        ("function a.b:c(p, ...) end", ast.FunctionStatement),
        ("local function f() end", ast.LocalFunction),
        ("return a, b", ast.Return),
        ("goto done", ast.Goto),
        ("::done::", ast.Label),
    ],
)
def test_statements(source: str, kind: type[ast.Statement]) -> None:
    assert type(one(source)) is kind


def test_a_call_may_open_the_next_line_as_torchs_luajit_had_it() -> None:
    statement = one("f\n(g)(h)")
    assert isinstance(statement, ast.CallStatement)
    assert isinstance(statement.call.function, ast.Call)  # type: ignore[union-attr]


def test_the_first_line_may_name_an_interpreter() -> None:
    block = parse(b"#!/usr/bin/env th\nlocal a = 1")
    assert [type(s) for s in block.statements] == [ast.Local]
    assert block.statements[0].line == 2


def test_operators_bind_as_in_lua() -> None:
    statement = one("return not a == b, -x ^ 2, a .. b .. c, a or b and c")
    assert isinstance(statement, ast.Return)
    comparison, power, chain, choice = statement.values
    assert isinstance(comparison, ast.Binary)
    assert isinstance(comparison.left, ast.Unary)
    assert isinstance(power, ast.Unary)
    assert isinstance(power.operand, ast.Binary)
    assert isinstance(chain, ast.Binary)
    assert isinstance(chain.right, ast.Binary)
    assert isinstance(choice, ast.Binary)
    assert choice.operator == "or"


def test_comments_and_empty_lines_keep_their_places() -> None:
    block = parse(
        b"-- head\n\n-- before\nlocal a = 1 -- behind\n\n"
        b"--[[ long\ntext ]]\nf(a, -- inside\n b)\n-- end"
    )
    first, second = block.statements
    assert [c.text for c in first.before] == [" head", " before"]
    assert first.after is not None
    assert first.after.text == " behind"
    assert second.blank_before
    assert second.before[0].text == " long\ntext "
    assert " inside" in [c.text for c in second.before]
    assert [c.text for c in block.trailing] == [" end"]


def test_comments_in_tables_go_to_their_entries() -> None:
    statement = one("local t = {\n -- one\n a = 1, -- first\n [2] = 3\n -- last\n}")
    assert isinstance(statement, ast.Local)
    table = statement.values[0]
    assert isinstance(table, ast.TableConstructor)
    assert table.fields[0].before[0].text == " one"
    assert table.fields[0].after is not None
    assert table.fields[0].after.text == " first"
    assert table.trailing[0].text == " last"


@pytest.mark.parametrize(
    ("source", "place"),
    [("local = 1", ":1:"), ("x = 1\nfor i do end", ":2:"), ("f(", ":1:"), ("return 0x", ":1:")],
)
def test_errors_say_where(source: str, place: str) -> None:
    with pytest.raises(LuaSyntaxError, match=r"demo\.lua" + place):
        parse(source.encode(), "demo.lua")


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "3",
        "3.0",
        ".5",
        "3e2",
        "0x1F",
        "0x.8p3",
        "0xA.8",
        "314.16e-2",
        "9007199254740993",
        "1e308",
    ],
)
def test_numbers_are_those_of_luajit(text: str) -> None:
    assert literals.number(text) == LUA.eval(text)


def test_integers_of_the_ffi() -> None:
    assert literals.number("42LL") == 42
    assert literals.number("0xffULL") == 255


@given(st.binary(max_size=20))
def test_any_bytes_in_a_quoted_string_are_read_back(data: bytes) -> None:
    quoted = '"' + "".join(f"\\{b:03d}" for b in data) + '"'
    statement = one(f"return {quoted}")
    assert isinstance(statement, ast.Return)
    assert statement.values[0].value == LUA.eval(quoted)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "source",
    [r'"a\n\t\\\"b"', r"'\65\066\x41\z    B'", "[[\nline\nline]]", "[==[ ]] ]==]", '"a\\\nb"'],
)
def test_strings_are_those_of_luajit(source: str) -> None:
    statement = one(f"return {source}")
    assert isinstance(statement, ast.Return)
    assert statement.values[0].value == LUA.eval(source)  # type: ignore[union-attr]


def test_names_find_their_variables() -> None:
    block = parse(
        b"local a = 1\nfor i = 1, 3 do local b = i; fs[i] = function() b = b + a; c = b end end"
    )
    found = {v.name: v for v in resolve(block).top.variables}
    assert found["a"].captured
    assert not found["a"].written_inside
    assert found["b"].written_inside
    assert found["b"].needs_cell
    inner = next(iter(resolve(parse(b"function f() g = 1 end")).scopes.values()))
    assert list(inner.globals_written) == ["g"]


def test_a_shadowed_name_is_another_variable() -> None:
    block = parse(b"local x = 1\ndo local x = 2; f(x) end\nf(x)")
    resolve(block)
    inner = block.statements[1].body.statements[1].call.arguments[0]  # type: ignore[attr-defined]
    outer = block.statements[2].call.arguments[0]  # type: ignore[attr-defined]
    assert inner.variable is not outer.variable


def test_long_chains_do_not_recurse() -> None:
    resolve(parse(b"return " + b" + ".join([b"1"] * 300)))


def test_a_table_that_becomes_an_object_gives_its_name_to_it() -> None:
    source = b"""-- a copy
function copy(t)
  -- as it was
  if t.name then torch.setmetatable(t, t.name) end -- done
  torch.setmetatable(t.inner, 'nn.X')
  return torch.setmetatable({}, 'nn.X')
end
"""
    plain, found = parse(source), read(source)
    kinds = [ast.If, ast.CallStatement, ast.Return]
    for block, inside in ((plain, ast.CallStatement), (found, ast.Assign)):
        (function,) = block.statements
        assert isinstance(function, ast.FunctionStatement)
        statements = function.function.body.statements
        assert [type(s) for s in statements] == kinds
        assert isinstance(statements[0], ast.If)
        (made,) = statements[0].branches[0][1].statements
        assert type(made) is inside
        assert made.line == 4
        assert statements[0].after is not None
    assert isinstance(made, ast.Assign)
    (target,) = made.targets
    assert isinstance(target, ast.Name)
    assert target.name == "t"
    assert isinstance(made.values[0], ast.Call)
