"""The report of `inspect` as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rekindle.core.checkpoint import LuaFunction, Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.naming import Place, StateEntry
from rekindle.legacy_nn.paths import format_path
from rekindle.legacy_nn.unknown_classes import typename

from .inspection import Inspection, file_format, key_order
from .survey import ModelSurvey, module_text, overridden
from .texts import value_text

PLACES = 100
"""Paths of a finding that are listed; its count is complete."""


def as_json(inspection: Inspection) -> dict[str, Any]:
    """Return the report as JSON has it."""
    checkpoint, found = inspection.checkpoint, inspection.findings
    return {
        "file": checkpoint.name,
        "bytes": checkpoint.size,
        "format": file_format(checkpoint),
        "objects": checkpoint.count,
        "path": format_path(checkpoint.path),
        "value": value_text(checkpoint.value),
        "tensor_bytes": found.nbytes,
        "models": [_model_json(model, inspection.depth) for model in inspection.models],
        "entries": [{"path": p.lua_path, **value_json(p.value)} for p in _leaves(inspection)],
        "unknown_classes": {name: _listed(places) for name, places in found.unknown.items()},
        "functions": _listed(found.functions),
        "overrides": _listed(found.overrides),
        "shared_buffers": [_listed(places) for places in found.shared[:PLACES]],
    }


def _listed(places: list[Place]) -> dict[str, Any]:
    return {"count": len(places), "paths": [place.lua_path for place in places[:PLACES]]}


def _model_json(model: ModelSurvey, depth: int) -> dict[str, Any]:
    tied = {id(model.state[i]): tie for i, tie in model.tied.items()}
    rows = [row for row in model.rows if row.depth <= depth]
    return {
        "path": model.rows[0].place.lua_path,
        "class": typename(model.rows[0].place.value),
        "parameters": model.parameters,
        "bytes": model.rows[0].nbytes,
        "dtypes": model.dtypes,
        "modules_left_out": len(model.rows) - len(rows),
        "modules": [
            {
                "path": row.place.lua_path,
                "name": row.place.name,
                "class": typename(row.place.value),
                "text": module_text(row.place.value, row.has_modules),
                "depth": row.depth,
                "known": not isinstance(row.place.value, TorchObject),
                "overrides": overridden(row.place.value),
                "same_as": row.same_as.lua_path if row.same_as else None,
                "parameters": row.parameters,
                "bytes": row.nbytes,
                "tensors": [tensor_json(e, tied.get(id(e))) for e in row.tensors],
            }
            for row in rows
        ],
    }


def _leaves(inspection: Inspection) -> Iterator[Place]:
    """Yield the places of all that stands in tables outside the models."""
    models = {id(model.rows[0].place.value) for model in inspection.models}
    pending = [(inspection.root, 0)]
    seen: set[int] = set()
    while pending:
        place, depth = pending.pop()
        if id(place.value) in models:
            continue
        if not isinstance(place.value, Table) or depth >= inspection.depth:
            yield place
        elif id(place.value) not in seen:
            seen.add(id(place.value))
            below = [place.step((k,), v) for k, v in sorted(place.value.items(), key=key_order)]
            pending.extend((step, depth + 1) for step in reversed(below))


def tensor_json(entry: StateEntry, tie: tuple[StateEntry, bool] | None) -> dict[str, Any]:
    """Return a parameter or buffer as JSON has it."""
    return {
        "path": entry.lua_path,
        "name": entry.name,
        "kind": entry.kind,
        "shape": list(entry.tensor.shape),
        "dtype": entry.tensor.dtype.name,
        "bytes": entry.tensor.nbytes,
        "tied_to": tie[0].name if tie else None,
        "same_view": tie[1] if tie else None,
    }


def value_json(value: Any) -> dict[str, Any]:
    """Return an entry as JSON has it."""
    if isinstance(value, Tensor):
        return {"type": "tensor", "shape": list(value.shape), "dtype": value.dtype.name}
    if isinstance(value, (str, bool, int, float)):
        finite = not isinstance(value, float) or value - value == 0
        return {"type": type(value).__name__, "value": value if finite else str(value)}
    if isinstance(value, LuaFunction):
        return {"type": "function", "bytes": len(value.bytecode)}
    return {"type": typename(value) or type(value).__name__, "text": value_text(value)}
