"""Lua to Python: programs for Torch7 become programs on Rekindle; docs/transpiler.md.

In reading order:

- parse, reading, ast, literals, scope, syntax, walk: Lua's text to nodes, and the variable of
  every name
- kinds, types, rules, library: what values are, as far as the text and known functions tell
- module, project, closures, names: the facts of a file, of a program, of variables
- code, lower/, idioms/, translate: nodes to Python text
- emit, diagnostics, report, report_html: files written, and what is said about them
- runtime/: what translated programs import
"""

if __name__ == "transpiler":
    raise ImportError(
        "import rekindle.transpiler: the folder transpiler is not a package of its own"
    )
