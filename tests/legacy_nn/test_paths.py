import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle import Table
from rekindle.legacy_nn.paths import PathError, follow, format_path, parse_path

TEXT = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), max_size=8)
KEYS = st.one_of(
    TEXT, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)


@given(st.lists(KEYS, max_size=5))
def test_what_is_formatted_parses_to_the_same_keys(keys):
    parsed = parse_path(format_path(keys))
    assert parsed == tuple(keys)
    assert [type(k) is bool for k in parsed] == [type(k) is bool for k in keys]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ()),
        ("protos.rnn", ("protos", "rnn")),
        ("model.modules[3].weight", ("model", "modules", 3, "weight")),
        ("[2].x", (2, "x")),
        ("['a b'][\"c\"]", ("a b", "c")),
        ("t[true][ 4 ][-1.5]", ("t", True, 4, -1.5)),
        ("größe.x_1", ("größe", "x_1")),
    ],
)
def test_paths_as_people_write_them(text, keys):
    assert parse_path(text) == keys


@pytest.mark.parametrize("text", ["a..b", ".a", "a.", "a[", "a[b]", "a[1", "3", "a b", "a[1]b]"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(PathError, match="is not a path"):
        parse_path(text)


def test_follow_leads_through_tables_objects_and_modules():
    import rekindle

    linear = rekindle.legacy_nn.Linear(2, 3)
    root = Table({"nets": Table([rekindle.legacy_nn.Sequential().add(linear)]), 1: "one"})
    root[True] = "yes"
    assert follow(root, parse_path("nets[1].modules[1].weight")) is linear.weight
    assert follow(root, (True,)) == "yes"
    assert follow(root, (1,)) == "one"
    assert follow(root, ()) is root


def test_a_path_that_leads_nowhere_names_what_is_there():
    root = Table({"protos": Table({"rnn": 1, "criterion": 2})})
    with pytest.raises(PathError) as caught:
        follow(root, ("protos", "rnnn"))
    assert str(caught.value) == (
        "there is no rnnn in protos, which has rnn, criterion; did you mean rnn?"
    )
    with pytest.raises(PathError, match=r"protos\.rnn, which has nothing inside"):
        follow(root, ("protos", "rnn", "x"))
