"""PyTorch's names for what Rekindle has, so that PyTorch's own tests can run on it.

It translates spelling and nothing else: what Rekindle lacks stays `missing.Missing`.
"""
