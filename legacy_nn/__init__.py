"""placeholder"""

if __name__ == "legacy_nn":
    raise ImportError("import rekindle.legacy_nn: the folder legacy_nn is not a package of its own")
