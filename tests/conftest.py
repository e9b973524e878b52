"""What holds for all tests."""

import gc


def pytest_collection_finish():
    """Keep the collector from walking over the tests themselves, of which there are many."""
    gc.collect()
    gc.freeze()
