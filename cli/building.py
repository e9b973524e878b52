"""`--build`: a file of bare parameters becomes a model that Lua code builds."""

from __future__ import annotations

from typing import Any

import click

from rekindle.legacy_nn.bridge import LuaError, Runtime
from rekindle.legacy_nn.filling import FillError, fill_parameters
from rekindle.legacy_nn.module import Module

from .group import Unusable


def built(context: click.Context, saved: Any) -> Any:
    """Return the model that `--build` makes, with the parameters of the file.

    Raises
    ------
    Unusable
        If the code fails, makes no module, or one that the parameters do not fit.
    """
    expression = context.meta["rekindle.build"]
    runtime = context.meta.get("rekindle.lua")
    try:
        if runtime is None:
            runtime = context.meta["rekindle.lua"] = Runtime()
            for package in ("torch", "nn", "nngraph"):
                runtime.require(package)
        model = runtime.execute(f"return {expression}", "=--build")
    except LuaError as error:
        raise Unusable(f"--build: {error}") from error
    if not isinstance(model, Module):
        raise Unusable(f"--build: {expression} makes no module, but {type(model).__name__}")
    try:
        return fill_parameters(model, saved)
    except FillError as error:
        raise Unusable(f"--build: {error}") from error
