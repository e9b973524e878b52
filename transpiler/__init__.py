"""Lua to Python: nothing yet; docs/design.md (8) tells what is planned."""

if __name__ == "transpiler":
    raise ImportError(
        "import rekindle.transpiler: the folder transpiler is not a package of its own"
    )
