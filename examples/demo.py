"""The main job, end to end, on two checkpoints that Torch7 wrote.

Runs the same commands as a user would, from the project's folder, then compares with the
outputs that Torch7 recorded in the files. Results go to `demo-output/`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import rekindle
from rekindle import Tensor

HERE = Path("examples")
OUT = Path("demo-output")
COMMAND = Path(sys.executable).with_name("rekindle")


def rekindle_command(*args: str | Path) -> None:
    """Show a command line and run it; stop the demo if it fails."""
    words = [str(a) for a in args]
    print("\n$ rekindle", " ".join(words), flush=True)
    subprocess.run([str(COMMAND), *words], check=True)


def report(what: str, ours: Tensor, recorded: Tensor) -> None:
    """Print how far `ours` is from what Torch7 recorded, and stop if that is far."""
    difference = float(abs(ours - recorded).max() / abs(recorded).max())
    print(f"{what}: largest relative difference from Torch7's own output {difference:.1e}")
    if not difference <= 1e-5:
        sys.exit(f"{what} does not reproduce Torch7")


def image_network() -> None:
    """Look inside a SqueezeNet, convert it, verify, run and compare."""
    source, weights = HERE / "squeezenet.t7", OUT / "squeezenet.safetensors"
    rekindle_command("inspect", source)
    rekindle_command("convert", source, "-o", weights)
    rekindle_command("verify", source, weights)
    recorded = rekindle.load(source)
    rekindle.save(recorded.input, OUT / "input.t7")
    rekindle_command(
        "run", source, "--input", OUT / "input.t7", "-o", OUT / "output.t7", "--topk", "3"
    )
    report("SqueezeNet", rekindle.load(OUT / "output.t7"), recorded.output)


def char_rnn() -> None:
    """Do the same with a char-rnn checkpoint, and repeat a run that Torch7 recorded."""
    source, weights = HERE / "charrnn.t7", OUT / "charrnn.safetensors"
    rekindle_command("inspect", source)
    rekindle_command("convert", source, "-o", weights)
    rekindle_command("verify", source, weights)
    recorded = rekindle.load(HERE / "charrnn_recorded.t7")
    model, sequence = recorded.model.evaluate(), recorded.sequence
    state = [recorded.input[i] * 0 for i in range(2, len(recorded.input) + 1)]
    for step, characters in enumerate(sequence.inputs.array(), 1):
        *state, logprobs = model([characters, *state]).array()
        report(f"char-rnn, step {step}", logprobs, sequence.logprobs[step])


def main() -> None:
    """Run the demo into an empty `demo-output/`."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    image_network()
    char_rnn()
    print(f"\nDone. The converted files are in {OUT.name}/.")


if __name__ == "__main__":
    main()
