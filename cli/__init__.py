"""The command line: `rekindle inspect`, `convert`, `verify`, `run`, `exec`, `transpile` and others.

One file per command holds its options and help: a click command called `command`. It imports
only click; what does the work is imported when it runs, so that help and completion answer
at once. In reading order:

- group.py, options.py, talk.py, tables.py, progress.py, output.py: what all commands share
- reading.py: from FILE and `--select` to the object that a command works on
- inspect.py: survey.py, texts.py, inspection.py, findings.py, inspection_json.py, drawing.py
- convert.py: state.py, limits.py, overrides.py, renaming.py, casting.py, conversion.py,
  convert_optim.py
- run.py: inputs.py, images.py, running.py, execution.py
- trace.py: tracing.py
- exec.py: programs.py
- transpile.py: translation.py
- verify.py: guess.py, comparing.py, verification.py
- doctor.py

The only package that prints, and the only one besides users that imports the facade
`rekindle`.
"""

if __name__ == "cli":
    raise ImportError("import rekindle.cli: the folder cli is not a package of its own")

import signal
import sys

import click

from .group import EXIT_CODES, HELP_NAMES, LazyGroup

COMMANDS = {
    "inspect": ("inspect", "Show what a checkpoint holds."),
    "convert": ("convert", "Write the weights, or the model as source, as ONNX or as .t7."),
    "verify": ("verify", "Check that a converted file computes the same."),
    "run": ("run", "Run the model on an input."),
    "trace": ("trace", "Write what every module computes for an input."),
    "exec": ("exec", "Run a Lua program as Torch7 did."),
    "transpile": ("transpile", "Translate Lua programs to Python."),
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
    # Being told to stop is an orderly end, which removes what is half written.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
