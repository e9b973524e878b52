"""The page that says how other projects' suites fare: a section for each, between two marks."""


def replace_section(path, name, text):
    """Put `text` between the marks of section `name`.

    Raises
    ------
    ValueError
        If the page does not have them.
    """
    page = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if start not in page or end not in page:
        raise ValueError(f"{path} has no section between {start.strip()!r} and {end!r}")
    before, _, rest = page.partition(start)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
