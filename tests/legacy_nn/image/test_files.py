"""Files and compressed bytes, against Pillow and bytes written by hand."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import image
from rekindle.legacy_nn.torch7 import types

RNG = np.random.default_rng(3)
COLORS = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)


def saved(array, path, **options):
    Image.fromarray(array).save(path, **options)
    return str(path)


@pytest.mark.parametrize("kind", ["byte", "float", "double"])
def test_png_is_what_pillow_reads(tmp_path, kind):
    path = saved(COLORS, tmp_path / "a.png")
    loaded = image.load(path, None, kind).numpy()
    expected = np.moveaxis(COLORS, 2, 0)
    if kind == "byte":
        np.testing.assert_array_equal(loaded, expected)
    else:
        factor = np.dtype("f4" if kind == "float" else "f8").type(1 / 255)
        np.testing.assert_array_equal(loaded, expected.astype(factor.dtype) * factor)


def test_without_a_type_it_is_the_default_tensor_type(tmp_path, monkeypatch):
    path = saved(COLORS, tmp_path / "a.png")
    assert image.load(path).dtype == np.float64
    monkeypatch.setattr(types, "default_dtype", lambda: np.dtype("f4"))
    assert image.load(path).dtype == np.float32


def test_jpeg_is_what_pillow_reads(tmp_path):
    path = saved(COLORS, tmp_path / "a.jpg")
    expected = np.moveaxis(np.asarray(Image.open(path)), 2, 0)
    np.testing.assert_array_equal(image.load(path, 3, "byte").numpy(), expected)
    tensor = Tensor(np.frombuffer((tmp_path / "a.jpg").read_bytes(), np.uint8).copy())
    np.testing.assert_array_equal(image.decompress(tensor, 3, "byte").numpy(), expected)


def test_content_decides_not_the_name(tmp_path):
    path = saved(COLORS, tmp_path / "picture.jpg", format="PNG")
    np.testing.assert_array_equal(image.load(path, 3, "byte").numpy(), np.moveaxis(COLORS, 2, 0))


def test_depths(tmp_path):
    path = saved(COLORS, tmp_path / "a.png")
    grey = image.load(path, 1, "byte").numpy()
    assert grey.shape == (5, 7)
    weighted = COLORS @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - weighted).max() <= 0.5 + 1e-4
    one = saved(COLORS[..., 0], tmp_path / "b.png")
    assert image.load(one, None, "byte").shape == (1, 5, 7)
    np.testing.assert_array_equal(image.load(one, 3, "byte").numpy(), [COLORS[..., 0]] * 3)
    alpha = saved(np.dstack([COLORS, COLORS[..., :1]]), tmp_path / "c.png")
    assert image.load(alpha, None, "byte").shape == (4, 5, 7)
    assert image.load(alpha, 3, "byte").shape == (3, 5, 7)


def test_palettes_and_single_bits(tmp_path):
    palette = Image.fromarray(COLORS).quantize(4)
    palette.save(tmp_path / "p.png")
    loaded = image.load(str(tmp_path / "p.png"), None, "byte").numpy()
    np.testing.assert_array_equal(loaded, np.moveaxis(np.asarray(palette.convert("RGB")), 2, 0))
    bits = COLORS[..., 0] > 128
    Image.fromarray(bits).save(tmp_path / "1.png")
    np.testing.assert_array_equal(
        image.load(str(tmp_path / "1.png"), None, "byte").numpy()[0], bits * 255
    )


def png16(samples, filters):
    """Return a PNG file of 16 bits whose lines have these filters; written as the text defines."""
    height, width, channels = samples.shape
    lines, before = [], None
    step = 2 * channels
    rows = samples.astype(">u2").view(np.uint8).reshape(height, -1)
    for row, kind in zip(rows, filters, strict=True):
        above = np.zeros_like(row) if before is None else before
        left = np.concatenate([np.zeros(step, np.uint8), row[:-step]]).astype(int)
        corner = np.concatenate([np.zeros(step, np.uint8), above[:-step]]).astype(int)
        up = above.astype(int)
        p = left + up - corner
        ranks = np.stack([abs(p - left), abs(p - up), abs(p - corner)])
        paeth = np.choose(ranks.argmin(0), [left, up, corner])
        predicted = [0 * left, left, up, (left + up) // 2, paeth][kind]
        lines.append(bytes([kind]) + (row - predicted).astype(np.uint8).tobytes())
        before = row

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0)
    body = zlib.compress(b"".join(lines))
    halves = chunk(b"IDAT", body[:9]) + chunk(b"IDAT", body[9:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + halves + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_are_kept(tmp_path, channels):
    samples = RNG.integers(0, 65536, (6, 4, channels)).astype(np.uint16)
    (tmp_path / "d.png").write_bytes(png16(samples, [0, 1, 2, 3, 4, 4]))
    path = str(tmp_path / "d.png")
    planes = np.moveaxis(samples, 2, 0)
    np.testing.assert_allclose(image.load(path).numpy(), planes / 65535, rtol=1e-12)
    np.testing.assert_array_equal(image.load(path, None, "byte").numpy(), planes >> 8)
    assert image.getSize(path).numpy().tolist() == [channels, 6, 4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"P2 # comment\n2 2\n# more\n15\n0 5\n10 15\n", [[[0, 85], [170, 255]]]),
        (b"P5\n2 1\n255\n\x01\xff", [[[1, 255]]]),
        (b"P6\n1 2\n255\n\x01\x02\x03\x04\x05\x06", [[[1], [4]], [[2], [5]], [[3], [6]]]),
        (b"P3\n1 1\n255\n9 8 7", [[[9]], [[8]], [[7]]]),
    ],
)
def test_pnm(tmp_path, text, expected):
    path = tmp_path / "x.ppm"
    path.write_bytes(text)
    np.testing.assert_array_equal(image.load(str(path), None, "byte").numpy(), expected)
    assert image.getSize(str(path)).numpy().tolist() == list(np.shape(expected))


def test_saved_values_lose_their_fraction(tmp_path):
    values = np.array([[[-0.5, 0.0, 0.5], [0.999, 1.0, 2.0]]])
    for name in ("a.png", "a.pgm"):
        path = str(tmp_path / name)
        image.save(path, Tensor(values))
        found = np.asarray(Image.open(path))
        np.testing.assert_array_equal(found, [[0, 0, 127], [254, 255, 255]])
    image.save(str(tmp_path / "c.ppm"), Tensor(np.moveaxis(COLORS, 2, 0).copy()))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "c.ppm")), COLORS)


def test_compressed_bytes_are_files():
    planes = np.moveaxis(COLORS, 2, 0).copy()
    png = image.compressPNG(Tensor(planes)).numpy().tobytes()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), COLORS)
    small, large = (image.compressJPG(Tensor(planes), q).size for q in (10, 95))
    assert small < large
    expected = io.BytesIO()
    Image.fromarray(COLORS).save(expected, "JPEG", quality=75)
    assert image.compressJPG(Tensor(planes)).numpy().tobytes() == expected.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"\x89PNG nothing more", "not a PNG image"),
        ("a.jpg", b"\xff\xd8\xff", "not a JPEG image"),
        ("a.gif", b"GIF89a", "unknown image type: gif"),
        ("noending", b"????", "unable to determine image type"),
        ("a.ppm", b"P6\n2 2\n255\n\x00", "1 of 12 samples"),
        ("a.pgm", b"P5\nx", "no header"),
        ("d.png", png16(np.zeros((2, 2, 1), np.uint16), [0, 0])[:45], "not a PNG image"),
    ],
)
def test_what_is_no_image_is_said(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(image.ImageError, match=words):
        image.load(str(path))


def test_missing_files_and_channels(tmp_path):
    with pytest.raises(FileNotFoundError):
        image.load(str(tmp_path / "none.png"))
    with pytest.raises(image.ImageError, match="1xHxW or 3xHxW"):
        image.save(str(tmp_path / "a.jpg"), Tensor(np.zeros((2, 3, 3))))
    with pytest.raises(image.ImageError, match="unknown image type: tif"):
        image.save(str(tmp_path / "a.tif"), Tensor(np.zeros((3, 3, 3))))
    with pytest.raises(image.ImageError, match="jpg or png"):
        image.decompress(Tensor(np.zeros(9, np.uint8)))


def test_without_pillow_it_says_what_to_install(tmp_path, monkeypatch):
    path = saved(COLORS, tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(image.MissingPillow, match="pip install pillow"):
        image.load(path)
