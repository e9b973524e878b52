"""The package image as Lua programs use it, and packages that would draw on a screen."""

import numpy as np
import pytest
from PIL import Image

from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import image
from rekindle.legacy_nn.bridge import LuaError

COLORS = np.random.default_rng(1).integers(0, 256, (8, 6, 3)).astype(np.uint8)


def test_a_program_that_prepares_pictures(lua, tmp_path):
    Image.fromarray(COLORS).save(tmp_path / "in.png")
    lua.globals.folder = str(tmp_path)
    lua.execute("""
        local image = require 'image'
        img = image.load(folder .. '/in.png', 3, 'float')
        small = image.scale(img, 4, 5, 'bicubic')
        cropped = image.crop(image.hflip(small), 1, 1, 3, 4)
        image.save(folder .. '/out.png', cropped)
        size = image.getSize(folder .. '/out.png')
    """)
    loaded = image.load(str(tmp_path / "in.png"), 3, "float")
    small = image.hflip(image.scale(loaded, 4, 5, "bicubic"))
    expected = image.crop(small, 1, 1, 3, 4)
    np.testing.assert_array_equal(lua.globals.cropped.numpy(), expected.numpy())
    assert lua.globals.size.numpy().tolist() == [3, 3, 2]
    written = np.asarray(Image.open(tmp_path / "out.png"))
    lower = np.float64(np.clip(expected.numpy(), 0, 1)) * 255
    np.testing.assert_array_equal(written, np.moveaxis(lower.astype(np.uint8), 0, 2))


def test_arguments_by_name_and_tables(lua):
    code = """
        local image = require 'image'
        local k = image.gaussian{size = 3, sigma = 1, normalize = true}
        local pictures = {torch.ones(2, 2), torch.zeros(2, 2)}
        local grid = image.toDisplayTensor{input = pictures, padding = 1}
        local out = torch.Tensor()
        local back = image.minmax{tensor = torch.Tensor{1, 3}, tensorOut = out}
        local levels = image.gaussianpyramid(torch.rand(8, 8), {1, 0.5})
        return k:sum(), grid:size(2), grid:size(3), back == out, out[2], #levels, levels[2]:size(1)
    """
    total, *rest = lua.execute(code)
    assert abs(total - 1) < 1e-12
    assert rest == [3, 6, True, 1, 2, 4]


def test_errors_are_those_of_lua(lua):
    with pytest.raises(LuaError, match="depths do not match"):
        lua.execute("require('image').scale(torch.zeros(2, 2, 2), torch.zeros(3, 2, 2))")
    with pytest.raises(LuaError, match="No such file"):
        lua.execute("require('image').load('/none.png')")
    with pytest.raises(LuaError, match=r"image\.lena: this picture is not part of Rekindle"):
        lua.execute("require('image').lena()")


def test_without_a_screen_programs_go_on(lua, capfd):
    code = """
        local image, gnuplot, display = require 'image', require 'gnuplot', require 'display'
        local win = image.display{image = torch.rand(3, 4, 4), win = nil}
        image.display(torch.rand(4, 4))
        gnuplot.figure(2)
        gnuplot.plot({'loss', torch.rand(3)})
        gnuplot.title('x')
        local pane = display.image(torch.rand(3, 4, 4))
        local again = display.image(torch.rand(1), {win = pane})
        return win, gnuplot.pngfigure('a.png'), pane, again == pane
    """
    assert lua.execute(code) == (None, 3, "window_1", True)
    said = capfd.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == ["image.display", "gnuplot", "display"]
    with pytest.raises(LuaError, match="packed must be"):
        lua.execute("require('image').display(torch.rand(2, 2, 2, 2))")


def test_byte_images_stay_bytes(lua):
    lua.globals.img = Tensor(np.moveaxis(COLORS, 2, 0).copy())
    kind = "local i = require('image') return i.scale(img, 3, 3):type(), i.rgb2y(img):size(1)"
    assert lua.execute(kind) == ("torch.ByteTensor", 1)


def test_dok_env_and_trepl(lua, capfd):
    code = """
        require 'env'
        local _, a, b, c = dok.unpack({{b = 5}}, 'f', 'text',
          {arg = 'a', type = 'number', help = 'first', default = 1},
          {arg = 'b', type = 'number', req = true}, {arg = 'c', type = 'number', defaulta = 'b'})
        local t = table()
        t:insert('x')
        local colorize = require 'trepl.colorize'
        return a, b, c, t[1], colorize.red('r'), (pcall(dok.error, 'wrong', 'f'))
    """
    assert lua.execute(code) == (1, 5, 5, "x", "\x1b[0;31mr\x1b[0m", False)
    lua.execute("pcall(dok.unpack, {}, 'f', 'text', {arg = 'b', type = 'number', req = true})")
    out = capfd.readouterr().out
    assert out.startswith("missing argument: b\nf\n")
    assert "    b = number " in out


def test_tensors_in_memory_for_transfers_are_plain_ones(lua):
    code = """
        local cutorch = require 'cutorch'
        local double = cutorch.createCudaHostDoubleTensor(4)
        return cutorch.createCudaHostTensor(2, 3):type(), double:size(1),
               cutorch.createCudaHostHalfTensor(2):type()
    """
    assert lua.execute(code) == ("torch.FloatTensor", 4, "torch.HalfTensor")


def test_xlua_gives_strings_a_split(lua):
    code = """
        require 'xlua'
        local function joined(...)
          local parts = string.split(...)
          return table.concat(parts, '|') .. #parts
        end
        return joined('a,b,c', ','), joined(',a,,b,', ','), joined('', ','), joined('a  b', '%s+')
    """
    assert lua.execute(code) == ("a|b|c3", "a||b3", "0", "a|b2")
