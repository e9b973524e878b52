"""Writes docs/cli.md, the reference of the command line, from the commands themselves.

python docs/make_cli.py           writes it
python docs/make_cli.py --check   exits with 1 if it is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rekindle.cli import COMMANDS, main

TARGET = Path(__file__).with_name("cli.md")

INTRODUCTION = """\
# The command line

Written by `make docs` from the commands' own help; do not edit.

`rekindle -h` and `rekindle COMMAND -h` print what follows. Everywhere:

- **FILE** is a `.t7` checkpoint of any kind: binary or ascii, from any machine, with GPU
  tensors or without. `-` is standard input.
- **Paths** given to `--select` are Lua's and count from 1: `protos.rnn`, `model.modules[3].weight`,
  `["learning rate"]`. The only module of a file is found by itself; where there are
  several, the message lists them. A file of several objects is a table of them: `[1]`, `[2]`.
- **Names** in converted files count from 0 and are those of the modernised model: `3.weight`,
  `0.1.running_mean`. `inspect` shows both.
- **Output files** appear when they are complete, and replace nothing unless `--force` is given.
- **Talk** (progress, warnings, notes, errors) goes to stderr, results to stdout; `--json` makes
  them readable for programs. Colours appear on terminals only, and not where `NO_COLOR` is set.
- **Exit codes**: 0 done, 1 the work found a problem, 2 wrong usage or an unreadable file.
- **Completion** in bash: `eval "$(_REKINDLE_COMPLETE=bash_source rekindle)"`; zsh and fish
  likewise.
"""


def reference() -> str:
    """Return the text of docs/cli.md."""
    parts = [INTRODUCTION]
    parent = click.Context(main, info_name="rekindle", max_content_width=90, terminal_width=90)
    for name in COMMANDS:
        command = main.get_command(parent, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=parent, **command.context_settings)
        parts.append(f"## rekindle {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(TARGET.read_text(encoding="utf-8") != reference())
    TARGET.write_text(reference(), encoding="utf-8")
