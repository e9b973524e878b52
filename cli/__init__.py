"""placeholder"""

if __name__ == "cli":
    raise ImportError("import rekindle.cli: the folder cli is not a package of its own")
