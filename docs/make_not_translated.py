"""Write docs/not-translated.md from the registry: `python docs/make_not_translated.py`."""

from __future__ import annotations

from pathlib import Path

from rekindle.legacy_nn.modernise import NOT_TRANSLATED

HEAD = """# What is not translated

`rekindle.modernise` and `rekindle convert model.t7 -o model.py` refuse a model with any of these
classes, and say which and where in one list. The model still runs as `legacy_nn`, and as
`LegacyModule` inside a module of `nn`. Classes that Rekindle does not know are refused likewise.

Some classes draw noise, images or actions in training only: WhiteNoise, TotalDropout,
SpatialRegionDropout, SpatialUniformCrop, SimpleColorTransform, PCAColorTransform, ReinforceNormal,
ReinforceBernoulli, ReinforceCategorical, ReinforceGamma, and NCEModule with `normalized`;
SpatialBinaryConvolution rounds its filters. Of a model in evaluation mode (`model.evaluate()`;
`convert` does so) their translation computes what they compute then, in both modes.

| class | why |
|---|---|
"""


def text() -> str:
    """Return the page."""
    rows = [f"| `{name}` | {why} |\n" for name, why in sorted(NOT_TRANSLATED.items())]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    Path(__file__).with_name("not-translated.md").write_text(text(), encoding="utf-8")
