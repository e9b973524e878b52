"""`rekindle doctor`: which kernels, devices and packages are here, and what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
from typing import Any

import click

from .group import Command, Problem

REQUIRED = {
    "numpy": "arrays on the CPU",
    "scipy": "special functions and linear algebra",
    "safetensors": "convert and verify .safetensors files",
    "pillow": "images in and out of run",
    "rich": "progress bars",
    "torchfile": "the second reader, load(engine='torchfile')",
    "lupa": "the Lua bridge",
    "tree-sitter": "the transpiler's parser",
    "tree-sitter-lua": "the transpiler's Lua grammar",
    "ruff": "formats what the transpiler writes",
}
"""Packages that every installation has, and what for."""

OPTIONAL = {
    "torch": ("convert and verify .pt and .pth files", "pip install 'rekindle[parity]'"),
    "cupy": ("arrays on NVIDIA GPUs", "pip install 'rekindle[cuda12]' (or [cuda13])"),
}
"""Packages that add something: what, and how to get them."""

CUPY_WHEELS = ("cupy", "cupy-cuda12x", "cupy-cuda13x", "cupy-cuda11x")


@click.command(
    cls=Command,
    short_help="Show what is installed, and what is missing for what.",
    example="rekindle doctor",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show which kernels, devices and packages are here, and what is missing for what.

    The exit code is 1 if a required package is missing.
    """
    report = examine()
    click.echo(json.dumps(report, indent=2) if as_json else as_text(report))
    missing = [p["name"] for p in report["packages"] if p["required"] and not p["version"]]
    if missing:
        raise Problem(f"missing: {', '.join(missing)}. pip install {' '.join(missing)}")


def examine() -> dict[str, Any]:
    """Return what is here, as JSON has it."""
    packages = [
        {"name": name, "version": version_of(name), "for": use, "required": True, "get": None}
        for name, use in REQUIRED.items()
    ]
    packages += [
        {"name": name, "version": version_of(name), "for": use, "required": False, "get": how}
        for name, (use, how) in OPTIONAL.items()
    ]
    return {
        "rekindle": version_of("rekindle"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "kernels": [{"name": "reference", "with": _array_library()}, *_faster_kernels()],
        "devices": [_cpu(), _cuda()],
        "packages": packages,
    }


def version_of(distribution: str) -> str | None:
    """Return the installed version of a distribution; None if it is not installed."""
    for name in CUPY_WHEELS if distribution == "cupy" else (distribution,):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _array_library() -> str | None:
    if importlib.util.find_spec("numpy") is None:
        return None
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"NumPy {np.__version__}, BLAS {blas['name']} {blas['version']}"


def _faster_kernels() -> list[dict[str, Any]]:
    """Return each library of faster kernels: its version, or why it is not used; its kernels."""
    if importlib.util.find_spec("numpy") is None:
        return []
    importlib.import_module("rekindle.core.nn")  # kernels make themselves known when imported
    from rekindle.core.kernels import dispatch

    found = []
    for library in dispatch.LIBRARIES:
        names = sorted(k.name for k in dispatch.KERNELS.values() if k.library == library)
        told = dispatch.describe(library)
        if dispatch.missing(library) is None:
            told += f": {len(names)} kernels"
            told += "" if dispatch.fast_wanted() else ", turned off by REKINDLE_KERNELS"
        found.append({"name": library, "with": told, "kernels": names})
    return found


def _cpu() -> dict[str, Any]:
    return {"name": "cpu", "available": True, "detail": f"{os.cpu_count()} cores"}


def _cuda() -> dict[str, Any]:
    device: dict[str, Any] = {"name": "cuda", "available": False}
    driver = shutil.which("nvidia-smi") is not None
    if importlib.util.find_spec("cupy") is None:
        found = "there is an NVIDIA driver, but " if driver else ""
        device["detail"] = f"{found}CuPy is not installed"
        return device
    import cupy

    if not cupy.cuda.is_available():
        device["detail"] = "CuPy is installed, but sees no GPU"
        return device
    count = cupy.cuda.runtime.getDeviceCount()
    names = [cupy.cuda.runtime.getDeviceProperties(i)["name"].decode() for i in range(count)]
    return {**device, "available": True, "detail": ", ".join(names)}


def as_text(report: dict[str, Any]) -> str:
    """Return the report for a reader."""
    lines = [f"Rekindle {report['rekindle']}, Python {report['python']}, {report['platform']}"]
    lines += ["", "Kernels"]
    lines += [f"  {k['name']:<16} {k['with'] or 'NumPy is missing'}" for k in report["kernels"]]
    lines += ["", "Devices"]
    for device in report["devices"]:
        state = "" if device["available"] else "not available: "
        lines.append(f"  {device['name']:<16} {state}{device['detail']}")
    lines += ["", "Packages"]
    for package in report["packages"]:
        how = f": {package['get']}" if package["get"] and not package["version"] else ""
        version = package["version"] or "missing"
        lines.append(f"  {package['name']:<16} {version:<10} {package['for']}{how}")
    return "\n".join(lines)
