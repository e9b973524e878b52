"""Writes docs/mapping.md from the registries of classes and functions, and mapping_tables.py.

python docs/make_mapping.py           writes it
python docs/make_mapping.py --check   exits with 1 if it is not up to date
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

from mapping_tables import DRAWS, FUNCTIONS, NN, NN_TORCH, OPTIM, RECEIVER, TENSOR

from rekindle.core.checkpoint.registry import CLASSES
from rekindle.legacy_nn.modernise import NOT_TRANSLATED, known
from rekindle.legacy_nn.torch7 import api

HOME = r"rekindle\.legacy_nn\.(criterion\.)?\w+"
"""The modules of Python that have torch/nn's classes; packages around nn have their own."""

TARGET = Path(__file__).with_name("mapping.md")

INTRODUCTION = """\
# From Torch7 to Rekindle and PyTorch

Written by `docs/make_mapping.py` from the registries; do not edit. The expressions are evaluated
by the tests.

`rekindle.legacy_nn` has every class below under Torch7's name, and
`rekindle.legacy_nn.torch7.LuaTensor` every function, both counting from 1, with Torch7's numbers.
This page is for what comes after: code written with `rekindle.nn` and Rekindle's tensors, or with
PyTorch. There, **dimensions, indices and classes count from 0**, elementwise operations broadcast,
a reduction drops its dimension unless `keepdims` is given, and functions return new tensors: those
that write into theirs end with `_`.

`rekindle.modernise(model)` and `rekindle convert model.t7 -o model.py` do the part on `nn` by
themselves.
"""

NN_TEXT = """\
A bare name has PyTorch's arguments; `modernise` shows them for a given module. In expressions, `x`,
`a`, `b` are tensors, `f`, `g` modules.
"""

TRANSLATED_TEXT = """\
`modernise` translates these too, and cudnn's classes as their twins without `cudnn.`:
{}.
"""

TENSOR_TEXT = """\
`x`, `y`, `z` are 3 x 4, the other names matrices and vectors that fit; `rows` and `places` hold
indices from 1, as in Torch7. `ops` is `rekindle.ops`, `random` is `rekindle.random`.
"""

LEFT_TEXT = """\
These have no row here; `LuaTensor` has them:
{}.
"""


def nn_rows() -> list[str]:
    """Return the table of classes: all that are registered and mean something outside of Lua."""
    rows = ["| Torch7 | Rekindle | PyTorch |", "|---|---|---|"]
    for name in sorted(n for n in CLASSES if n.startswith("nn.") and n in NN):
        ours = NN[name]
        theirs = NN_TORCH.get(name, ours.replace("axis=", "dim=").replace("ops.", "torch."))
        rows.append(f"| `{name}` | {code(ours)} | {code(theirs)} |")
    return rows


def classes() -> set[str]:
    """Return the classes of torch/nn: those that stand beside Module, and the criterions."""
    return {
        name
        for name, entry in CLASSES.items()
        if name.startswith("nn.") and re.fullmatch(HOME, getattr(entry.cls, "__module__", ""))
    }


def other_classes() -> tuple[list[str], list[str]]:
    """Return the classes that modernise translates without a row here, and those it does not."""
    rest = sorted(classes() - NN.keys())
    return [n for n in rest if known(n)], [n for n in rest if n in NOT_TRANSLATED]


def tensor_rows() -> list[str]:
    """Return the table of functions that have a counterpart."""
    rows = ["| Torch7 | Rekindle | PyTorch |", "|---|---|---|"]
    for name, (arguments, ours, theirs) in TENSOR.items():
        shown = arguments.replace("'", '"')
        receiver = RECEIVER.get(name, "x")
        call = f"torch.{name}({shown})" if name in FUNCTIONS else f"{receiver}:{name}({shown})"
        rows.append(f"| `{call}` | `{ours}` | `{theirs}` |")
    rows += [f"| `{a}` | `{b}` | `{c}` |" for a, b, c in DRAWS.values()]
    return rows


def functions_left() -> list[str]:
    """Return the functions that have no row."""
    names = {*api.METHODS, *api.FUNCTIONS} - TENSOR.keys() - DRAWS.keys()
    return sorted(n for n in names if not n.startswith("__"))


def optim_rows() -> list[str]:
    """Return the table of optimisers."""
    rows = ["| Torch7 | Rekindle and PyTorch | what differs |", "|---|---|---|"]
    for name, (ours, note) in OPTIM.items():
        rows.append(f"| `optim.{name}` | {f'`optim.{ours}`' if ours else ''} | {note} |")
    return rows


def code(text: str) -> str:
    """Return a table's cell: code, or words as they are."""
    return text if text.startswith("a forward") or " after " in text else f"`{text}`"


def listed(names: list[str]) -> str:
    """Return names as code, in lines."""
    return textwrap.fill(" ".join(f"`{name}`" for name in names), 100)


def text() -> str:
    """Return the page."""
    translated, not_translated = other_classes()
    parts = [
        INTRODUCTION,
        "## Modules and criterions\n",
        NN_TEXT,
        "\n".join(nn_rows()) + "\n",
        TRANSLATED_TEXT.format(listed(translated)),
        f"These have no translation; [why](not-translated.md): {listed(not_translated)}.\n",
        "## Tensors\n",
        TENSOR_TEXT,
        "\n".join(tensor_rows()) + "\n",
        LEFT_TEXT.format(listed(functions_left())),
        "## Optimisers\n",
        "`rekindle.resume` goes on with a saved state: [training](training.md).\n",
        "\n".join(optim_rows()) + "\n",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(TARGET.read_text(encoding="utf-8") != text())
    TARGET.write_text(text(), encoding="utf-8")
