"""A command that is told to stop leaves nothing half written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import rekindle


def test_sigterm_removes_what_is_half_written(tmp_path):
    tensors = rekindle.Table([rekindle.tensor(np.zeros(100_000)) for _ in range(300)])
    rekindle.save(tensors, tmp_path / "big.t7")
    out = tmp_path / "out"
    out.mkdir()
    command = Path(sys.executable).with_name("rekindle")
    process = subprocess.Popen(
        [command, "convert", tmp_path / "big.t7", "-o", out / "big.npz"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not any(out.iterdir()) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    # The signal may come when the file has just got its name; never is there a part of one.
    assert [p.name for p in out.iterdir()] in ([], ["big.npz"])
    assert process.returncode in (0, 128 + signal.SIGTERM)
