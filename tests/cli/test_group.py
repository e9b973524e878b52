import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rekindle.cli import COMMANDS, main
from rekindle.cli.group import Command

HEAVY = ("numpy", "scipy", "rich", "PIL", "safetensors", "torch", "lupa", "numba", "torchfile")


def run_entry_point(*args, **environment):
    command = Path(sys.executable).with_name("rekindle")
    return subprocess.run(
        [command, *args],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments", ["['-h']", "['--version']", "['doctro']", "['inspect', '-h']", "['convert', '-h']"]
)
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from rekindle.cli import main\n"
        f"main({arguments}, standalone_mode=False) if 'doctro' not in {arguments} else None\n"
        f"print('IMPORTED', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert "IMPORTED []" in result.stdout, result.stdout + result.stderr


def test_entry_point_answers():
    result = run_entry_point("-h")
    assert result.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in result.stdout


def test_version_is_that_of_the_distribution(cli):
    from importlib.metadata import version

    assert cli("--version").stdout == f"rekindle {version('rekindle')}\n"


def test_a_wrong_command_is_wrong_usage(cli):
    result = cli("inspct", code=2)
    assert "Did you mean 'inspect'?" in result.stderr
    assert result.stdout == ""
    cli(code=2)
    cli("inspect", code=2)
    cli("inspect", "no-such-file.t7", code=2)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_exit_codes(cli, name):
    for flag in ("-h", "--help"):
        text = cli(name, flag).stdout
        assert f"Example:\n  rekindle {name} " in text or f"Example:\n  rekindle {name}\n" in text
        assert "Exit codes: 0 done, 1 the work found a problem, 2 wrong usage" in text
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, Command)
    assert command.get_short_help_str(200) == COMMANDS[name][1]
    for option in command.params:
        assert isinstance(option, click.Argument) or option.help, f"{name} {option.opts}"


def test_json_where_there_is_something_to_read():
    for name in set(COMMANDS) - {"exec", "transpile"}:  # programs print; --report writes JSON
        command = main.get_command(click.Context(main), name)
        options = {opt for param in command.params for opt in param.opts}
        assert "--json" in options
        assert "--select" in options or name == "doctor"


def test_errors_are_one_line_and_debug_shows_more(models, tmp_path):
    broken = tmp_path / "broken.t7"
    broken.write_bytes((models / "siamese_cosine.t7").read_bytes()[:5000])
    result = run_entry_point("inspect", str(broken))
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"Error: {broken}: the file ends inside")
    assert "Traceback" in run_entry_point("inspect", "--debug", str(broken)).stderr


def test_no_color_is_honoured(models):
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals")
    import pty

    def on_a_terminal(**environment):
        master, slave = pty.openpty()
        with subprocess.Popen(
            [Path(sys.executable).with_name("rekindle"), "inspect", models / "siamese_cosine.t7"],
            stdout=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200", **environment},
        ) as process:
            os.close(slave)
            chunks = []
            while True:
                try:
                    chunk = os.read(master, 4096)
                except OSError:
                    break
                if not chunk:
                    break
                chunks.append(chunk)
        os.close(master)
        assert process.returncode == 0
        return b"".join(chunks)

    assert b"\x1b[3" in on_a_terminal()
    wide = on_a_terminal(NO_COLOR="1")
    assert b"\x1b[3" not in wide
    line = b"    modules[1]  0.0.0  nn.Linear(6 -> 5)  weight 5x6, bias 5  "
    assert line in wide
    narrow = on_a_terminal(NO_COLOR="1", COLUMNS="80").splitlines()
    place = next(i for i, found in enumerate(narrow) if b"nn.Linear(6 -> 5)" in found)
    assert narrow[place + 1].strip() == b"weight 5x6, bias 5"


def test_the_output_may_be_cut_off():
    files = sorted(Path(__file__).parents[1].glob("fixtures/models/*.t7"))[:3]
    command = Path(sys.executable).with_name("rekindle")
    with subprocess.Popen(
        [command, "inspect", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
