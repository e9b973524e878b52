"""`rekindle transpile`: files written, summary, report, exit codes."""

import json
import subprocess
import sys


def test_a_program_is_translated_and_runs(cli, tmp_path):
    source = tmp_path / "lua"
    source.mkdir()
    (source / "main.lua").write_text("local u = require 'u'\nprint(u.twice(21), #arg, arg[1])\n")
    (source / "u.lua").write_text("return {twice = function(x) return 2 * x end}\n")
    out = tmp_path / "python"
    result = cli("transpile", source, "-o", out, "--report", tmp_path / "r.json")
    assert "2 files" in result.stdout
    assert "2 written" in result.stdout
    command = [sys.executable, "main.py", "-lr"]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert done.stdout == "42\t1\t-lr\n", done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["not_translated"] == 0
    assert "2 unchanged" in cli("transpile", source, "-o", out).stdout


def test_what_is_not_translated_is_listed_and_strict_fails(cli, tmp_path):
    source = tmp_path / "x.lua"
    source.write_text("print(loadfile('y.lua'))\n")
    result = cli("transpile", source, "-o", tmp_path / "o", "--strict", code=1)
    assert "x.lua:1:7: RK103" in result.stderr
    cli("transpile", source, "-o", tmp_path / "o")


def test_reports_of_all_kinds(cli, tmp_path):
    source = tmp_path / "x.lua"
    source.write_text("print(1)\n")
    for name in ("r.html", "r.md", "r.json"):
        cli("transpile", source, "-o", tmp_path / "o", "--report", tmp_path / name)
        assert "x.lua" in (tmp_path / name).read_text()
    cli("transpile", source, "-o", tmp_path / "o", "--report", tmp_path / "r.pdf", code=2)


def test_hand_edited_files_stop_it(cli, tmp_path):
    source = tmp_path / "x.lua"
    source.write_text("print(1)\n")
    cli("transpile", source, "-o", tmp_path / "o")
    (tmp_path / "o" / "x.py").write_text("mine\n")
    source.write_text("print(2)\n")
    result = cli("transpile", source, "-o", tmp_path / "o", code=2)
    assert "--force" in result.output
    cli("transpile", source, "-o", tmp_path / "o", "--force")


def test_a_folder_without_lua(cli, tmp_path):
    assert "no .lua file" in cli("transpile", tmp_path, "-o", tmp_path / "o", code=2).output
