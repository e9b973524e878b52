"""Records that are not one table: Torch7's own classes, tds, and three of the GPU packages.

The last three are described by name only; which Python classes they become is another
matter (registry.py).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from .errors import T7Error
from .objects import TdsHash, TdsVec, TorchObject
from .records import RecordReader, RecordWriter
from .registry import CLASSES, LAYOUTS, Layout, TorchClass
from .table import Table

GENERATOR_BYTES = 5048
"""sizeof(THGenerator) on 64-bit machines: seed, counters, 624 words of state, one normal."""


def _read_hash(record: RecordReader) -> Generator[None, Any, TdsHash]:
    table = TdsHash()
    record.announce(table)
    for _ in range(record.read_count(smallest=4)):
        key = yield
        value = yield
        table._map[record.check_key(key)] = value
    return table


def _write_hash(table: TdsHash, record: RecordWriter) -> Generator[Any, None, None]:
    record.write_long(table.count())
    for key, value in table.items():
        yield key
        yield value


def _read_vec(record: RecordReader) -> Generator[None, Any, TdsVec]:
    table = TdsVec()
    record.announce(table)
    for index in range(1, record.read_count(smallest=2) + 1):
        table[index] = yield
    return table


def _write_vec(table: TdsVec, record: RecordWriter) -> Generator[Any, None, None]:
    record.write_long(len(table))
    yield from table.array()


def _read_atomic(record: RecordReader) -> TorchObject:
    return TorchObject(record.typename, record.version, payload=record.read_long())


def _write_atomic(value: TorchObject, record: RecordWriter) -> None:
    record.write_long(value.t7_payload)


def _read_generator(record: RecordReader) -> TorchObject:
    raw = record.read_bytes(GENERATOR_BYTES)
    return TorchObject(record.typename, record.version, payload=raw)


def _write_generator(value: TorchObject, record: RecordWriter) -> None:
    record.write_bytes(value.t7_payload)


def _read_timer(record: RecordReader) -> TorchObject:
    return TorchObject(record.typename, record.version)


def _write_timer(value: TorchObject, record: RecordWriter) -> None:
    """Write nothing: nn.Profile, which holds one, gave timers an empty record."""


# Sources: torch/tds hash.lua, vec.lua, atomic.lua; torch7 Generator.c; torch/nn Profile.lua.
# `tds_hash` is the name that early versions of tds used.
for _name in ("tds.Hash", "tds_hash"):
    CLASSES[_name] = TorchClass(_name, None, _read_hash, _write_hash)
CLASSES["tds.Vec"] = TorchClass("tds.Vec", None, _read_vec, _write_vec)
CLASSES["tds.AtomicCounter"] = TorchClass("tds.AtomicCounter", None, _read_atomic, _write_atomic)
CLASSES["torch.Generator"] = TorchClass("torch.Generator", None, _read_generator, _write_generator)
CLASSES["torch.Timer"] = TorchClass("torch.Timer", None, _read_timer, _write_timer)


def _read_data_parallel(record: RecordReader) -> Generator[None, Any, Table]:
    assignments = yield
    fields = yield
    fields = _fields(record, fields)
    fields["gpuAssignments"] = assignments
    return fields


def _write_data_parallel(fields: Table, record: RecordWriter) -> Generator[Any, None, None]:
    yield fields.get("gpuAssignments")
    yield fields


def _read_model_parallel(record: RecordReader) -> Generator[None, Any, Table]:
    assignments = yield
    # The number of modules stands nowhere else.
    modules = Table()
    for index in range(1, len(_fields(record, assignments)) + 1):
        modules[index] = yield
    fields = yield
    fields = _fields(record, fields)
    fields["gpuAssignments"] = assignments
    fields["modules"] = modules
    return fields


def _write_model_parallel(fields: Table, record: RecordWriter) -> Generator[Any, None, None]:
    assignments, modules = fields.get("gpuAssignments"), fields.get("modules")
    if not (isinstance(assignments, Table) and isinstance(modules, Table)):
        raise T7Error("nn.ModelParallelTable without its tables gpuAssignments and modules")
    yield assignments
    for index in range(1, len(assignments) + 1):
        yield modules[index]
    yield Table({k: v for k, v in fields.items() if k not in ("gpuAssignments", "modules")})


def _read_gpu(record: RecordReader) -> Generator[None, Any, Table]:
    _fields(record, (yield))  # type and device, which are fields too
    fields = yield
    return _fields(record, fields)


def _write_gpu(fields: Table, record: RecordWriter) -> Generator[Any, None, None]:
    yield Table([fields.get("_type"), fields.get("device")])
    yield fields


def _fields(record: RecordReader, value: Any) -> Table:
    if not isinstance(value, Table):
        raise record.fail(f"a {type(value).__name__} where its record has a table")
    return value


# Sources: torch/cunn DataParallelTable.lua, torch/nn GPU.lua; ModelParallelTable of
# imagenet-multiGPU.torch and multipathnet.
LAYOUTS["nn.DataParallelTable"] = Layout(2, _read_data_parallel, _write_data_parallel)
LAYOUTS["nn.ModelParallelTable"] = Layout(2, _read_model_parallel, _write_model_parallel)
LAYOUTS["nn.GPU"] = Layout(0, _read_gpu, _write_gpu)
