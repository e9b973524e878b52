"""torch.Generator in files."""

from pathlib import Path

import numpy as np

from rekindle.core.checkpoint import Table, loads
from rekindle.legacy_nn.torch7.files import deserialize, load, serialize
from rekindle.legacy_nn.torch7.generator import Generator

RECORDED = Path(__file__).parents[2] / "fixtures" / "serialization" / "generator.bin.t7"


def test_a_generator_goes_on_where_it_was():
    generator = Generator(7)
    generator.normal(3)
    for mode in ("binary", "ascii"):
        found = deserialize(serialize(Table([generator, generator]), mode), mode)
        assert found[1] is found[2]
        assert type(found[1]) is Generator
        np.testing.assert_array_equal(found[1].get_state(), generator.get_state())
        np.testing.assert_array_equal(
            found[1].normal(5), deserialize(serialize(generator)).normal(5)
        )


def test_what_torch7_wrote_is_read():
    found = load(RECORDED)
    again = loads(serialize(found).encode("latin-1"))
    assert again.t7_typename == "torch.Generator"
    raw = loads(RECORDED.read_bytes()).t7_payload
    state = np.frombuffer(raw, np.uint8)
    expected = Generator(0)
    expected.set_state(state)
    np.testing.assert_array_equal(found.words(1000), expected.words(1000))
