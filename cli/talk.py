"""Printing text that may hold anything: names and strings of a file go to a terminal."""

from __future__ import annotations

import click

from rekindle.core.text import printable


def clean(text: str) -> str:
    """Return lines without what a terminal would obey, and without bytes that are no text."""
    return "\n".join(printable(line) for line in text.split("\n"))


def say(text: str, *, err: bool = False, bold: bool = False) -> None:
    """Print lines on stdout, or on stderr, where only what programs read shall be on stdout."""
    click.secho(clean(text), err=err, bold=bold or None)
