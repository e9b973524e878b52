"""Objects of Torch and of Lua that are objects of Python: their methods are called as such.

Results are letters as in `library`.
"""

from __future__ import annotations

from dataclasses import replace

from . import ast
from .kinds import COUNT, NUMBER, STRING, Type, results_of
from .text import words

METHODS: dict[str, dict[str, str]] = {
    "tester": {
        **dict.fromkeys(
            words(
                """
        assert assertlt assertgt assertle assertge asserteq assertne assertalmosteq eq ne
        assertGeneralEq assertGeneralNe assertTensorEq assertTensorNe assertTableEq assertTableNe
        assertError assertNoError assertErrorMsg assertErrorPattern assertErrorObj
        """
            ),
            "*",  # programs replace `_success` and `_failure`, whose results these are
        ),
        **dict.fromkeys(words("add disable run"), "a"),
        **dict.fromkeys(words("setEarlyAbort setRethrowErrors setSummaryOnly"), ""),
    },
    "timer": {"time": "t", **dict.fromkeys(words("reset stop resume"), "a")},
    "confusion": {**dict.fromkeys(words("add batchAdd zero updateValids"), ""), "farFrr": "*"},
    "logger": dict.fromkeys(words("add setNames style plot setlogscale display"), "a"),
    "file": {
        "lines": "f",
        **dict.fromkeys(words("read write seek close"), "*"),
        **dict.fromkeys(words("flush setvbuf"), "a"),
    },
}
"""By the kind of object, its methods and their results."""

COLOURS = words("black red green yellow blue magenta cyan white")

OF_PACKAGES = {
    **{f"paths.{name}": "s" for name in words("concat basename dirname cwd tmpname")},
    **{f"paths.{name}": "b" for name in ["filep", "dirp"]},
    "paths.extname": "Zs",
    "paths.mkdir": "b",
    **{f"sys.{name}": "n" for name in ["clock", "toc"]},
    **{f"sys.{name}": "s" for name in words("concat basename dirname execute")},
    **{f"sys.{name}": "b" for name in ["filep", "dirp"]},
    "sys.tic": "",
    "sys.sleep": "",
    "xlua.progress": "",
    **dict.fromkeys(
        [
            f"image.{name}"
            for name in words(
                """
        load scale crop translate rotate hflip vflip flip warp convolve lcn erode dilate minmax
        gaussian gaussian1D laplacian rgb2y rgb2yuv yuv2rgb rgb2nrgb rgb2hsl rgb2hsv hsl2rgb
        hsv2rgb rgb2lab lab2rgb y2jet colormap jetColormap decompress compressJPG compressPNG
        toDisplayTensor getSize drawRect
        """
            )
        ],
        "T",
    ),
    "image.save": "",
    **{
        f"{owner}.{name}": letters
        for module, functions in {
            "path": {"join basename dirname extension abspath normpath": "s", "isdir isfile": "b"},
            "stringx": {"replace strip lstrip rstrip join": "s", "split startswith endswith": "a"},
        }.items()
        for names, letters in functions.items()
        for name in words(names)
        for owner in (module, f"pl.{module}")
    },
    **{f"{owner}.exists": "a" for owner in ("path", "pl.path")},
    **{f"trepl.colorize.{mark}{name}": "s" for name in COLOURS for mark in ("", "_")},
    **{f"trepl.colorize.{name.capitalize()}": "s" for name in COLOURS},
    "tds.hash": "a",
    "tds.Hash": "a",
    "tds.vec": "a",
    "tds.Vec": "a",
}
"""Functions of the packages around torch whose results are known."""

TEXTS = frozenset(
    f"sys.COLORS.{name}" for c in COLOURS for name in (c, c.capitalize(), f"_{c}", "none")
)
"""Texts that packages have."""

MAKERS = {
    "torch.Tester": "tester",
    "torch.Timer": "timer",
    "optim.ConfusionMatrix": "confusion",
    "optim.Logger": "logger",
}
"""Functions that make them."""

FIRST_OF = {
    "io.open": Type("native", optional=True, detail="file"),
    "torch.typename": replace(STRING, optional=True),
    "string.find": replace(COUNT, optional=True),
    **dict.fromkeys(["io.popen", "io.tmpfile"], Type("native", detail="file")),
}
"""What functions of several results give first."""


def made_by(function: str) -> Type | None:
    """Return the type of what `torch.Timer()` and the like make."""
    kind = MAKERS.get(function)
    return None if kind is None else Type("native", detail=kind)


def method_results(owner: Type, name: str) -> list[Type] | None:
    """Return the results of a method; None where their number varies."""
    letters = METHODS.get(owner.detail or "", {}).get(name)
    return None if letters is None else results_of(letters)


def has_method(owner: Type, name: str) -> bool:
    """Whether objects of a type are known to have a method."""
    return name in METHODS.get(owner.detail or "", {})


def first_result(owner: Type, node: ast.MethodCall) -> Type | None:
    """Return the type of what a file's `read` gives first; None where its format does not tell."""
    if owner.detail != "file" or node.method != "read" or len(node.arguments) > 1:
        return None
    wanted = node.arguments[0] if node.arguments else None
    if wanted is None:
        return _READ["l"]
    return _READ.get(wanted.value.lstrip("*")[:1]) if isinstance(wanted, ast.String) else None


_READ = {
    "a": STRING,
    "l": replace(STRING, optional=True),
    "n": replace(NUMBER, optional=True),
}
