"""What all tests of the command line use: a runner, fixtures, and files made on the spot."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import rekindle
from rekindle import Table, Tensor
from rekindle.cli import main
from rekindle.core.checkpoint import TorchObject

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def cli():
    """Return a function that runs the command line and checks its exit code."""

    def run(*args, code=0, stdin=None):
        result = CliRunner().invoke(main, [str(a) for a in args], input=stdin)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def fixtures():
    """Return the folder of recorded files."""
    return FIXTURES


@pytest.fixture
def models():
    """Return the folder of recorded models."""
    return FIXTURES / "models"


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves an object under a name and returns the path."""

    def save(value, name="made.t7", **options):
        path = tmp_path / name
        rekindle.save(value, path, **options)
        return path

    return save


@pytest.fixture
def unknown_model():
    """Return a Sequential of a Linear and of a class that nobody registered."""

    def tensor(*shape):
        return Tensor(np.arange(np.prod(shape), dtype=np.float64).reshape(shape) + 1)

    scale = TorchObject(
        "nn.MyScale",
        1,
        Table(
            {
                "scale": tensor(3),
                "gradScale": tensor(3),
                "weight": tensor(3, 3),
                "offsets": tensor(2),
                "output": tensor(7),
                "gradInput": tensor(7),
                "buffer": tensor(5),
                "_cache": tensor(4),
                "factor": 0.5,
                "train": True,
            }
        ),
    )
    return rekindle.legacy_nn.Sequential().add(rekindle.legacy_nn.Linear(3, 3)).add(scale)
