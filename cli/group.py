"""The command group, which imports a command when it runs, and what all commands share.

`rekindle -h` imports no command: names and summaries stand in a table. Errors end in one
line on stderr and a documented exit code; `--debug` shows the traceback instead.
"""

from __future__ import annotations

import difflib
import importlib
import os
import warnings
from collections.abc import Mapping
from typing import Any

import click

from .talk import clean, say

HELP_NAMES = {"help_option_names": ["-h", "--help"]}

EXIT_CODES = "Exit codes: 0 done, 1 the work found a problem, 2 wrong usage or an unreadable file."

NOTES = 6
"""Levels of modules that an error names, from the innermost."""

_DEBUG = "rekindle.debug"


class Failure(click.ClickException):
    """An error that ends a command with one line on stderr."""

    def format_message(self) -> str:
        """Return the message, with nothing that a terminal would obey."""
        return clean(self.message)


class Problem(Failure):
    """The work was done, or tried, and found a problem: exit code 1."""

    exit_code = 1


class Unusable(Failure):
    """What was asked cannot be done with this input: exit code 2."""

    exit_code = 2


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed.

    Parameters
    ----------
    commands_in : mapping
        Name of each command to `(module, summary)`; the module, beside this one, holds the
        click command `command`.
    """

    def __init__(
        self, *args: Any, commands_in: Mapping[str, tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._modules = dict(commands_in)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, in the order in which one needs them."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module."""
        if cmd_name not in self._modules:
            return None
        module = importlib.import_module(f".{self._modules[cmd_name][0]}", __package__)
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that was asked for, or say which one may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = difflib.get_close_matches(args[0], self._modules, n=1)
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._modules.items()])

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Honour NO_COLOR (no-color.org), which click itself does not."""
        if os.environ.get("NO_COLOR"):
            kwargs.setdefault("color", False)
        return super().make_context(*args, **kwargs)


class Command(click.Command):
    """A command that reports errors in one line, unless `--debug` is given.

    Parameters
    ----------
    example : str
        Lines of a shell session, shown at the end of the help.
    """

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", HELP_NAMES)
        super().__init__(*args, **kwargs)
        self.example = example
        self.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                callback=_remember_debug,
                help="Show the traceback of an error.",
            )
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example and the exit codes after the options."""
        with formatter.section("Example"):
            for line in self.example.strip().splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")
        formatter.write_paragraph()
        formatter.write_text(EXIT_CODES)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see the class."""
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except click.ClickException as error:
                if ctx.meta.get(_DEBUG) and error.__cause__ is not None:
                    raise error.__cause__ from None
                raise
            except (click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:
                if ctx.meta.get(_DEBUG):
                    raise
                raise explained(error) from error


def _remember_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[_DEBUG] = value


def explained(error: Exception) -> click.ClickException:
    """Return the one line and exit code for an exception."""
    from rekindle.core.errors import RekindleError

    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return Unusable(f"{name}{error.strerror or error}")
    if isinstance(error, MemoryError):
        return Problem(f"not enough memory: {error}" if str(error) else "not enough memory")
    if isinstance(error, RecursionError):
        return Problem("the model's modules are nested too deeply")
    if isinstance(error, RekindleError):
        from rekindle.core.checkpoint import T7Error
        from rekindle.core.export import UnreadableError

        kind = Unusable if isinstance(error, (T7Error, UnreadableError)) else Problem
        return kind(with_notes(error))
    return Problem(
        f"{type(error).__name__}: {with_notes(error)}\n"
        "This is a defect of Rekindle: please report it with what --debug prints."
    )


def with_notes(error: BaseException) -> str:
    """Return the message of an exception with the notes that say where it came from."""
    notes = list(getattr(error, "__notes__", ()))
    if len(notes) > NOTES:
        notes[NOTES:] = [f"and {len(notes) - NOTES} levels more"]
    return f"{error} ({', '.join(n.rstrip(':') for n in notes)})" if notes else str(error)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        say(f"warning: {message}", err=True)
