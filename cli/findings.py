"""What `inspect` says at the end: what to know before using a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.naming import Place
from rekindle.legacy_nn.unknown_classes import looks_like_module, typename
from rekindle.legacy_nn.unsupported import stored_methods

from .survey import Findings, ModelSurvey
from .texts import size_text

LISTED = 3
"""Places that a finding names."""

TIES = 8
"""Ties that are listed; all are marked in the tree."""


def finding_lines(found: Findings, models: Sequence[ModelSurvey]) -> Iterator[str]:
    """Yield what to know before using the file, a line each."""
    for name, places in found.unknown.items():
        runs = (
            "; its weights convert, but it cannot run" if looks_like_module(places[0].value) else ""
        )
        yield f"unknown class {name}, {len(places):,}x: {listed(places)}{runs}"
    for place in found.overrides:
        owner = place.parent.value if place.parent else None
        stops = isinstance(owner, Module) and place.keys[-1] in stored_methods(owner)
        yield f"{place.lua_path} is a Lua function of this {typename(owner)} alone" + (
            ", which replaces its class's method: run and convert stop there" if stops else ""
        )
    if found.functions:
        yield f"Lua functions, which are never executed: {listed(found.functions)}"
    for model in models:
        yield from tie_lines(model)
    for places in found.shared[:LISTED]:
        size = places[0].value.storage().nbytes
        yield f"shared buffer of {size_text(size)}, not tied weights: {listed(places)}"
    if len(found.shared) > LISTED:
        yield f"{len(found.shared) - LISTED} more shared buffers"


def tie_lines(model: ModelSurvey) -> Iterator[str]:
    """Yield what is tied in a model, by names: parameters, and buffers apart from them."""
    groups: dict[str, list[str]] = {}
    for i, (first, whole) in model.tied.items():
        entry = model.state[i]
        if entry.kind != "parameter":
            title = "shared buffers"
        else:
            title = "tied parameters" if whole else "tied parameters, as different views"
        groups.setdefault(title, []).append(f"{entry.name} = {first.name}")
    for title, pairs in groups.items():
        more = f" and {len(pairs) - TIES:,} more" if len(pairs) > TIES else ""
        yield f"{title}: {', '.join(pairs[:TIES])}{more}"


def listed(places: list[Place]) -> str:
    """Return the first places, and how many more there are."""
    text = ", ".join(place.lua_path or "the file's object" for place in places[:LISTED])
    return text + (f" and {len(places) - LISTED:,} more" if len(places) > LISTED else "")
