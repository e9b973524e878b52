"""JSON, against Python's json."""

import json

import pytest

from rekindle.core.checkpoint import Table
from rekindle.legacy_nn.bridge import LuaError

TEXTS = [
    '{"a": [1, 2.5, -3e2], "b": {"c": true, "d": false}, "e": "text"}',
    '[[], {}, "\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/", 0.1, 1e-10]',
    " [ 1 , 2 ] ",
    '"\\u0000"',
    "12345678901",
]


def plain(value):
    if isinstance(value, Table):
        if len(value) or not value.count():
            return [plain(part) for part in value.array()]
        return {key: plain(part) for key, part in value.items()}
    return value.encode("latin-1").decode() if isinstance(value, str) else value


def normal(value):
    """Return a value of Python's json with empty objects as lists: Lua has one empty table."""
    if isinstance(value, dict):
        return {key: normal(part) for key, part in value.items()} or []
    return [normal(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", TEXTS)
def test_decodes_what_python_decodes(lua, text):
    decode = lua.execute("return require('cjson').decode")
    assert plain(decode(text)) == normal(json.loads(text))


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_encoded_can_be_read(lua, text):
    again = lua.execute(
        "local c = require 'cjson' return function(t) return c.encode(c.decode(t)) end"
    )
    encoded = again(text).encode("latin-1").decode()
    found, expected = json.loads(encoded), json.loads(text)
    assert normal(found) == normal(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{}", "{}"),
        ("{1, 2, 3}", "[1,2,3]"),
        ("{[1] = 1, [3] = 3}", "[1,null,3]"),
        ("{[2] = 'x'}", '[null,"x"]'),
        ("{[1.5] = 1}", '{"1.5":1}'),
        ("{a = c.null}", '{"a":null}'),
        ("1 / 3", "0.33333333333333"),
        ("2 ^ 53", "9.007199254741e+15"),
        ("'/\\1\\127'", '"\\/\\u0001\\u007f"'),
    ],
)
def test_encoding(lua, expression, expected):
    assert lua.execute(f"local c = require 'cjson' return c.encode({expression})") == expected


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("c.decode('{\"a\": }')", "Expected value but found T_OBJ_END at character 7"),
        ("c.decode('[1, 2')", "Expected comma or array end but found T_END at character 6"),
        ("c.decode('[1] x')", "Expected the end but found invalid token at character 5"),
        ("c.decode('{1: 2}')", "Expected object key string but found T_NUMBER at character 2"),
        ("c.decode(('['):rep(1001))", "too many nested"),
        ("c.encode({print})", "Cannot serialise function: type not supported"),
        ("c.encode(0/0)", "must not be NaN or Infinity"),
        ("c.encode({[1] = 1, [100] = 1})", "excessively sparse array"),
        ("c.encode({[true] = 1})", "table key must be a number or string"),
        ("local t = {} t[1] = t c.encode(t)", "excessive depth"),
    ],
)
def test_what_is_wrong_is_said(lua, code, words):
    with pytest.raises(LuaError, match=words):
        lua.execute(f"local c = require 'cjson' {code}")
    code = f"local c = require 'cjson.safe' {code}"
    if "local t" not in code:
        result = lua.execute(code.replace("c.", "return c.", 1) if "safe' c." in code else code)
        assert result[0] is None
        assert result[1]


def test_settings_belong_to_one_instance(lua):
    assert lua.execute("""
        local c = require('cjson').new()
        c.encode_sparse_array(true)
        c.encode_number_precision(3)
        return c.encode({[100] = 1 / 3}), pcall(require('cjson').encode, {[100] = 1})
    """)[:2] == ('{"100":0.333}', False)


def test_null_is_one_value(lua):
    code = "local c = require 'cjson' return c.decode('[null]')[1] == c.null, require('json') == c"
    assert lua.execute(code) == (True, True)
