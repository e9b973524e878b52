"""Checkpoint tests see core's own classes only, whatever other tests have registered."""

import pytest

from rekindle.core import ops  # noqa: F401  # fills the methods of tensors
from rekindle.core.checkpoint import registry


@pytest.fixture(autouse=True)
def only_core_classes():
    classes, typenames = dict(registry.CLASSES), dict(registry._TYPENAMES)
    for name, known in classes.items():
        if known.cls is not None:
            del registry.CLASSES[name]
    registry._TYPENAMES.clear()
    yield
    for table, before in ((registry.CLASSES, classes), (registry._TYPENAMES, typenames)):
        table.clear()
        table.update(before)
