"""Objects of classes that are made of tables do with Python's operators what Lua's do."""

import pytest

from rekindle.legacy_nn import lualib
from rekindle.transpiler.lower.class_names import HIDDEN
from rekindle.transpiler.runtime import Table, TableObject, getmetatable, lua, pairs, setmetatable
from rekindle.transpiler.runtime.table_objects import OWN


class Account(TableObject):
    balance = 0

    def get_(self):
        return self.balance

    def __eq__(a, b):
        return a.balance == b.balance

    def __add__(a, b):
        return "added"

    def __repr__(self):
        return f"Account {self.balance}"


class Special(Account):
    pass


def test_an_entry_comes_before_what_the_class_has():
    one, other = Account(), Account()
    one.balance = 5
    assert (one.balance, other.balance, Account.balance) == (5, 0, 0)
    Account.balance = 7
    assert (one.balance, other.balance, Special().balance) == (5, 7, 7)
    lua.newindex(Special, "balance", 8)
    assert (Special().balance, Account().balance) == (8, 7)
    Special.balance = None
    assert (Special().balance, Special.balance) == (7, 7)
    Account.balance = None
    assert (one.balance, other.balance, Account.balance, Special().balance) == (5, None, None, None)
    assert "balance" not in dict(pairs(Account))
    Account.balance = 0


def test_a_class_does_not_inherit_metamethods():
    assert Account() == Account()
    assert Account() != Special()
    assert Special() != Special()
    assert 1 + Account() == "added"
    assert Special() + Account() == "added"
    with pytest.raises(lualib.LuaError, match="arithmetic on a table value"):
        Special() + 1
    assert str(Account()) == "Account 0"
    assert str(Special()) != "Account 0"


def test_lua_sees_a_class_as_a_table():
    assert lua.type_of(Account) == "table"
    assert lua.invoke(Account(), "get") == 0
    assert lua.call(lua.index(Special, "get"), Account()) == 0
    assert lua.index(Special, "__index") is Special
    assert set(dict(pairs(Account))) == {"__index", "__eq", "__add", "__tostring", "balance", "get"}
    lua.newindex(Special, "__tostring", lambda _: "special")
    assert lualib.tostring(Special()) == "special"
    lua.newindex(Special, "__tostring", None)


def test_a_metatable_that_is_taken_away():
    plain = setmetatable(Account(balance=1), None)
    assert type(plain) is Table
    assert getmetatable(plain) is None
    assert getmetatable(setmetatable(plain, Special)) is Special


def test_both_sides_rename_the_same_methods():
    assert OWN == HIDDEN
