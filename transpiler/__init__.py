"""placeholder"""

if __name__ == "transpiler":
    raise ImportError(
        "import rekindle.transpiler: the folder transpiler is not a package of its own"
    )
