import io
import json

import numpy as np
import pytest

from rekindle import Table, Tensor
from rekindle.core.checkpoint import LuaFunction, TorchObject
from rekindle.core.export import ExportError, json_text, write_json


def written(value):
    file = io.BytesIO()
    write_json(file, value)
    return file.getvalue().decode()


def test_lists_objects_and_values():
    table = Table(
        {
            "lr": 0.1,
            "n": 3,
            "name": 'ü\n"\udc80',
            "on": True,
            "sizes": Table([1, 2, Table([])]),
            "vocab": Table({"a": 1, 2: "b", 1.5: "c", True: "d"}),
        }
    )
    assert json.loads(written(table)) == {
        "lr": 0.1,
        "n": 3,
        "name": 'ü\n"\udc80',
        "on": True,
        "sizes": [1, 2, {}],
        "vocab": {"a": 1, "2": "b", "1.5": "c", "true": "d"},
    }
    assert [written(v) for v in (None, "x", 2, False)] == ["null\n", '"x"\n', "2\n", "false\n"]


def test_numbers_that_json_lacks_are_texts():
    assert json.loads(written(Table([float("nan"), float("inf"), -float("inf")]))) == [
        "nan",
        "inf",
        "-inf",
    ]


def test_a_table_in_two_places_is_written_twice():
    shared = Table([1])
    assert json.loads(written(Table({"a": shared, "b": shared}))) == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (Tensor(np.ones(2)), "Tensor"),
        (TorchObject("nn.Foo"), "nn.Foo"),
        (LuaFunction(b"x"), "LuaFunction"),
    ],
)
def test_what_json_lacks_is_named_with_its_path(value, what):
    with pytest.raises(ExportError, match=rf"^a\[2\]\.b is a {what}: JSON takes"):
        written(Table({"a": Table([1, Table({"b": value})])}))


def test_cycles_and_clashes_are_refused():
    table = Table()
    table["inner"] = Table({"back": table})
    with pytest.raises(ExportError, match=r"inner\.back is a table inside itself"):
        written(table)
    with pytest.raises(ExportError, match="both a text and another key"):
        written(Table({"1": 1, 1: 2, "x": 3}))


def test_depth_is_no_obstacle():
    table = Table([1])
    for _ in range(50_000):
        table = Table([table])
    assert written(table) == "[" * 50_001 + "1" + "]" * 50_001 + "\n"


def test_few_tables_that_mean_very_many_are_refused(monkeypatch):
    monkeypatch.setattr(json_text, "MOST_TEXT", 10_000)
    table = Table([1])
    for _ in range(60):
        table = Table([table, table])
    with pytest.raises(ExportError, match="of JSON"):
        written(table)
