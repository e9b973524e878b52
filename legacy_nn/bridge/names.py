"""Names on both sides: methods that are Python's alone, and fields that would hide them."""

from __future__ import annotations

from typing import Any

from ..copying import Copying

_INTERNAL = frozenset(
    {
        "affine_gradients",
        "arranged",
        "averaged",
        "axis",
        "back",
        "backward_at_once",
        "batch",
        "better",
        "bias_shape",
        "borders",
        "check_input",
        "children",
        "coefficient",
        "compute",
        "compute_batch",
        "convert_fields",
        "dense_weight",
        "depth_first",
        "dtype",
        "enlarge",
        "entries",
        "estimator",
        "fastest",
        "filters",
        "flow",
        "gather",
        "geometry",
        "gradient",
        "gradients",
        "indexed",
        "indices_of",
        "input_gradient",
        "inside",
        "keep",
        "keep_extras",
        "keep_gradient",
        "listed",
        "named_modules",
        "new_parameters",
        "on_batch",
        "pair",
        "parameter_gradients",
        "per_axis",
        "plan",
        "position",
        "positions",
        "prepare",
        "put",
        "refusal",
        "rows",
        "set_axes",
        "set_kernel",
        "set_pooling",
        "set_target",
        "shares",
        "slide",
        "t7_fields",
        "t7_restore",
        "take_copy",
        "target",
        "text",
        "too_small",
        "upgrade",
        "uses_batch",
        "visit",
        "weigh",
        "weight_shape",
        "window",
        "written",
    }
)
"""Methods that modules have in Python and not in Torch7, which Lua neither sees nor replaces."""

_MARK = " "


def is_internal(cls: type, name: Any) -> bool:
    """Whether a name is that of a method which Lua shall not know of."""
    return name in _INTERNAL and issubclass(cls, Copying)


def attribute_name(cls: type, key: Any) -> Any:
    """Return the attribute that keeps a field; not one that hides a method of Python's own."""
    return key + _MARK if is_internal(cls, key) and hasattr(cls, key) else key


def lua_name(attribute: Any) -> Any:
    """Return the field that an attribute keeps."""
    return attribute.removesuffix(_MARK) if isinstance(attribute, str) else attribute
