"""The works that `bench.py` measures."""
