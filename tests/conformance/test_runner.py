"""What the runner of PyTorch's tests says of those that pass, fail, or ask for too much."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

SUITE = """
import torch
from torch.nn import Linear
from torch.testing._internal.common_cuda import TEST_CUDA
from torch.testing._internal.common_device_type import dtypes, expectedFailureMPS, onlyCUDA
from torch.testing._internal.common_utils import TestCase, parametrize, skipIfTorchDynamo

acc = torch.accelerator.current_accelerator()


class TestAutograd(TestCase):
    @skipIfTorchDynamo("not here")
    @parametrize("n", [2, 3])
    def test_passes(self, n):
        x = torch.ones(n, dtype=torch.double, requires_grad=True)
        (x.sum(0, keepdim=True) * torch.arange(n)).sum().backward()
        self.assertEqual(x.grad, torch.full((n,), n * (n - 1) / 2, dtype=torch.double))
        self.assertEqual(x.size(), (n,))
        x.detach().add_(1)
        self.assertEqual(x._version, 1)

    def test_is_wrong(self):
        x = torch.ones(2, requires_grad=True)
        (x * 2).sum().backward()
        self.assertEqual(x.grad, torch.full((2,), 3.0))

    def test_lacks(self):
        with self.assertRaises(RuntimeError):
            Linear(2, 3)

    def test_expects_another_message(self):
        with self.assertRaisesRegex(RuntimeError, "no such words"):
            torch.ones(2).backward()

    @expectedFailureMPS
    def test_leaves_a_mode_behind(self):
        torch.set_grad_enabled(False)

    def test_next(self):
        self.assertTrue(torch.is_grad_enabled())


class TestAutogradDeviceType(TestCase):
    @onlyCUDA
    def test_elsewhere(self, device):
        self.fail()

    @dtypes(torch.double, torch.float)
    def test_here(self, device, dtype):
        self.assertEqual(torch.zeros(1, device=device, dtype=dtype).dtype, dtype)
"""


def test_what_is_said(tmp_path):
    suite = tmp_path / "suite.py"
    suite.write_text(SUITE)
    command = [sys.executable, str(HERE / "pytorch_autograd.py"), str(suite)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.stderr == ""
    counts, *lines = run.stdout.splitlines()
    assert counts == "4 passed, 3 failed, 1 not applicable"
    said = {line.split(" fails: ")[0]: line.split(" fails: ")[1] for line in lines}
    assert [*said] == [
        f"TestAutograd.test_{t}" for t in ("is_wrong", "lacks", "expects_another_message")
    ]
    assert "Not equal to tolerance" in said["TestAutograd.test_is_wrong"]
    assert said["TestAutograd.test_lacks"] == "lacks torch.nn.Linear"
    assert "no such words" in said["TestAutograd.test_expects_another_message"]
    assert run.returncode == 1
