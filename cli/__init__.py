"""The command line: `rekindle inspect`, `convert`, `verify`, `run`, `doctor`.

One file per command, each with a click command `command`; `group.py` is what they share
and `reading.py` how they find the object they work on. A command's own file imports only
click, and what it works with when it runs, so that help and completion answer at once.

The only package that prints, and the only one besides users that imports the facade
`rekindle`.
"""

if __name__ == "cli":
    raise ImportError("import rekindle.cli: the folder cli is not a package of its own")

import click

from .group import EXIT_CODES, HELP_NAMES, LazyGroup

COMMANDS = {
    "inspect": ("inspect", "Show what a checkpoint holds."),
    "convert": ("convert", "Write the weights to a modern file, or the whole as .t7."),
    "verify": ("verify", "Check that a converted file computes the same."),
    "run": ("run", "Run the model on an input."),
    "doctor": ("doctor", "Show what is installed, and what is missing for what."),
}
"""Each command's module and summary."""


@click.group(cls=LazyGroup, commands_in=COMMANDS, context_settings=HELP_NAMES, epilog=EXIT_CODES)
@click.version_option(package_name="rekindle", prog_name="rekindle", message="%(prog)s %(version)s")
def main() -> None:
    """Bring LuaTorch (Torch7) models back to life.

    Look inside a .t7 checkpoint, convert it, check the result, run it. Nothing in a
    checkpoint is ever executed. `rekindle COMMAND -h` shows each command's options and an
    example.
    """
