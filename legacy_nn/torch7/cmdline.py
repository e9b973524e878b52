"""torch.CmdLine: the options of a program.

Source: torch7 CmdLine.lua, doc/cmdline.md.
"""

from __future__ import annotations

from typing import Any, NoReturn

from rekindle.core.checkpoint import Table

from ..classes import TorchClass, torch_class
from ..lualib import _G, io, os, pairs, tonumber, tostring, truth, type_of
from ..lualib.indexing import index, length
from ..lualib.operators import concat, eq
from .command_log import start_log
from .errors import TorchError


def _strip(key: str) -> str:
    return key.lstrip("-")


@torch_class("torch.CmdLine")
class CmdLine(TorchClass):
    """What a program's command line may hold, its help, and a log of what is printed.

    Parameters
    ----------
    argseparator, keyseparator : str
        What `string` puts between options, and between an option and its value.

    Attributes
    ----------
    arguments, options, helplines : Table
        What was declared: `{key=, help=, type=}`, with `default=` for options.
    environment : Table
        Where `log` finds and replaces `print`: Lua's globals.
    """

    environment: Any = _G

    def __init__(self, argseparator: str | None = None, keyseparator: str | None = None) -> None:
        self.argseparator = "," if argseparator is None else argseparator
        self.keyseparator = "=" if keyseparator is None else keyseparator
        self.options = Table()
        self.arguments = Table()
        self.helplines = Table()
        self.dateformat: str | None = None
        self.silentio = False

    # -- what there is ------------------------------------------------------------------

    def argument(self, key: str, help: str | None = None, _type_: str | None = None) -> None:
        """Declare an argument that must be given, in this place."""
        argument = Table({"key": key, "help": help, "type": _type_})
        self.arguments[len(self.arguments) + 1] = argument
        self.helplines[len(self.helplines) + 1] = argument

    def option(
        self, key: str, default: Any, help: str | None = None, _type_: str | None = None
    ) -> None:
        """Declare an option: "-lr". A boolean one needs no value and reverses its default.

        Raises
        ------
        TorchError
            Without a default, or with one that is not of the type given.
        """
        if default is None:
            raise TorchError(f"option {key} has no default value")
        kind = type_of(default) if _type_ is None else _type_
        if type_of(default) != kind:
            raise TorchError(f"option {key} has wrong default type value")
        option = Table({"key": key, "default": default, "help": help, "type": kind})
        self.options[key] = option
        self.helplines[len(self.helplines) + 1] = option

    def text(self, txt: str | None = None) -> None:
        """Add a line to the help.

        Raises
        ------
        TorchError
            If it is no text.
        """
        if txt is not None and not isinstance(txt, str):
            raise TorchError("assertion failed!")
        self.helplines[len(self.helplines) + 1] = "" if txt is None else txt

    def default(self) -> Table:
        """Return the defaults, by the names of the options without their dashes."""
        return Table({_strip(key): option.default for key, option in self.options.items()})

    # -- what is given ------------------------------------------------------------------

    def parse(self, arg: Any) -> Table:
        """Return the values given, and the defaults of what is not.

        Parameters
        ----------
        arg : Table or list
            The words of the command line from 1, the program's name at 0.

        Raises
        ------
        SystemExit
            After "-h", "-help" or "--help", and, with a message and the help, for what was
            not declared or is missing.
        """
        words = Table(arg) if isinstance(arg, list) else arg
        params = self.default()
        count, i, given = length(words), 1, 0
        while i <= count:
            word = index(words, i)
            if word in ("-help", "-h", "--help"):
                self.help(words)
                os.exit(0)
            if word in self.options:
                i += self._read_option(params, words, i)
            else:
                given += 1
                i += self._read_argument(params, words, i, given)
        if given != len(self.arguments):
            self.error("not enough arguments")
        return params

    def _read_argument(self, params: Table, words: Any, i: int, given: int) -> int:
        value = index(words, i)
        if given > len(self.arguments):
            self.error(f"invalid argument: {tostring(value)}")
        argument = self.arguments[given]
        kind = argument.get("type")
        if kind is not None and type_of(value) != kind:
            self.error(f"invalid argument type for argument {argument['key']} (should be {kind})")
        params[_strip(argument["key"])] = value
        return 1

    def _read_option(self, params: Table, words: Any, i: int) -> int:
        key = index(words, i)
        option = self.options[key]
        kind = option["type"]
        if kind == "boolean":
            params[_strip(key)] = not truth(option.default)
            return 1
        value = index(words, i + 1)
        if value is None:
            self.error(f"missing argument for option {key}")
        if kind == "number":
            value = tonumber(value)
        elif kind != "string":
            self.error(f"unknown required option type {kind}")
        if value is None:
            self.error(f"invalid type for option {key} (should be {kind})")
        params[_strip(key)] = value
        return 2

    def error(self, msg: str) -> NoReturn:
        """Print a message and the help, and end the program with status 1.

        Raises
        ------
        SystemExit
        """
        self._print("")
        io.stderr.write(msg)
        self._print("")
        self.help()
        os.exit(1)
        raise AssertionError("os.exit returned")

    # -- what is shown ------------------------------------------------------------------

    def help(self, arg: Any = None) -> None:
        """Print how the program is called, its arguments and options."""
        name = None if arg is None else index(arg, 0)
        program = "" if name is None else f"{name} "
        arguments = "".join(f" <{_strip(a['key'])}>" for a in self.arguments.array())
        io.write(f"Usage: {program}[options]{arguments}\n")
        lines = self.helplines.array()
        width = max((len(_name(line)) for line in lines if isinstance(line, Table)), default=0)
        for line in lines:
            if not isinstance(line, Table):
                io.write(f"{line}\n")
                continue
            shown = f"  {_name(line):<{width}}"
            if line.get("help") is not None:
                shown += f" {line['help']}"
            if line.get("default") is not None:
                shown += f" [{tostring(line['default'])}]"
            io.write(f"{shown}\n")

    def string(self, prefix: str | None, params: Any, ignore: Any = None) -> str:
        """Return a name for a run: the prefix, the arguments, and options unlike their defaults.

        Parameters
        ----------
        prefix : str or None
        params : Table
            What `parse` returned.
        ignore : Table, optional
            Names that are left out, for true; for false, that are there even with their
            default.
        """
        ignored = Table() if ignore is None else ignore
        arguments: dict[int, str] = {}
        options: list[str] = []
        for key, value in pairs(params):
            option = self.options.get(f"-{key}")
            places = [i for i, a in enumerate(self.arguments.array(), 1) if _strip(a["key"]) == key]
            if truth(index(ignored, key)):
                self._print(f"-- ignore option {key}")
            elif option is not None:
                if not eq(value, option.default) or index(ignored, key) is False:
                    shown = ("t" if value else "f") if isinstance(value, bool) else value
                    options.append(concat(f"{key}{self.keyseparator}", shown))
                    self._print(key, shown, option.default)
            elif places:
                arguments[places[-1]] = concat(f"{key}{self.keyseparator}", value)
            else:
                self._print(f"WARNING: unknown option/argument: {key} IGNORING for DIRECTORY NAME")
        text = self.argseparator.join(Table(arguments).array())
        named = self.argseparator.join(sorted(options))
        if text:
            named = f"{text}{self.argseparator}{named}"
        start = "" if prefix is None else prefix
        return f"{start}{self.argseparator}{named}" if named else start

    def silent(self) -> None:
        """Let `log` keep what is printed from the screen."""
        self.silentio = True

    def addTime(self, name: str | None = None, format: str | None = None) -> None:
        """Put the date and time, and a name, in front of the lines of the log.

        Raises
        ------
        TorchError
            If the format, that of C's `strftime`, is no text.
        """
        form = "%Y-%m-%d %H:%M:%S" if format is None else format
        if not isinstance(form, str):
            raise TorchError("Argument has to be string")
        self.dateformat = form + ("" if name is None else f"[{name}]: ")

    def log(self, file: Any, params: Any = None) -> None:
        """Write all that is printed from now on to a file, too, the parameters first.

        Parameters
        ----------
        file : str or LuaFile
        params : Table, optional
        """
        start_log(self, file, params)

    def _print(self, *values: Any) -> None:
        self.environment["print"](*values)


def _name(line: Table) -> str:
    key: str = line["key"]
    return key if line.get("default") is not None else f"<{_strip(key)}>"
