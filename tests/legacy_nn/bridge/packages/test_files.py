"""lfs, matio and hdf5, against os, SciPy and h5py."""

import os
import sys

import numpy as np
import pytest
from scipy.io import savemat

from rekindle.legacy_nn.bridge import LuaError


def test_lfs(lua, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("12345")
    (tmp_path / "link").symlink_to("a.txt")
    lua.execute("lfs = require 'lfs'")
    assert lua.execute("return lfs.currentdir()") == str(tmp_path)
    assert lua.execute("return lfs.attributes('a.txt', 'mode'), lfs.attributes('a.txt').size") == (
        "file", 5)  # fmt: skip
    links = "return lfs.attributes('.').mode, lfs.symlinkattributes('link', 'mode')"
    assert lua.execute(links) == ("directory", "link")
    modified = int(os.stat("a.txt").st_mtime)
    assert lua.execute("return lfs.attributes('a.txt', 'modification')") == modified
    missing = lua.execute("return lfs.attributes('none', 'mode')")
    assert missing[0] is None
    assert "No such file" in missing[1]
    assert lua.execute("return lfs.mkdir('d')") is True
    assert lua.execute("return lfs.mkdir('d')")[:2] == (None, "d: File exists")
    names = lua.execute("local t = {} for n in lfs.dir('.') do t[#t + 1] = n end return t")
    assert sorted(names.array()) == [".", "..", "a.txt", "d", "link"]
    assert lua.execute("lfs.chdir('d') local d = lfs.currentdir() lfs.chdir('..') return d") == str(
        tmp_path / "d"
    )
    assert lua.execute("return lfs.rmdir('d'), lfs.touch('a.txt', 10, 20)") == (True, True)
    assert os.stat("a.txt").st_mtime == 20
    with pytest.raises(LuaError, match="cannot open none"):
        lua.execute("for n in lfs.dir('none') do end")
    with pytest.raises(LuaError, match="invalid attribute name 'weight'"):
        lua.execute("return lfs.attributes('a.txt', 'weight')")


def test_penlight_walks_folders(lua, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = """
        require 'pl'
        dir.makepath('a/b/c')
        file.write('a/x.lua', 'return 1')
        file.write('a/b/y.txt', 'two')
        file.copy('a/x.lua', 'a/b')
        local files = dir.getallfiles('a'):sorted():join(' ')
        local found = dir.getfiles('a/b', '*.txt'):join ' '
        local folders = dir.getdirectories('a'):join ' '
        dir.rmtree('a/b')
        local there, text = path.exists('a/b'), file.read('a/x.lua')
        return files, found, folders, there, text, path.getsize('a/x.lua')
    """
    assert lua.execute(code) == (
        "a/b/x.lua a/b/y.txt a/x.lua", "a/b/y.txt", "a/b", False, "return 1", 8)  # fmt: skip


def test_matio(lua, tmp_path):
    x = np.arange(6.0).reshape(2, 3)
    path = str(tmp_path / "m.mat")
    savemat(path, {"x": x, "s": "text", "b": np.uint8([1, 2]), "p": {"q": x, "n": "name"}})
    lua.globals.path = path
    lua.execute("require 'torch' m = require('matio').load(path)")
    np.testing.assert_array_equal(lua.globals.m.x.numpy(), x)
    assert lua.execute("return m.s, m.p.n, m.b:type(), m.p.q[2][3]") == (
        "text", "name", "torch.ByteTensor", 5)  # fmt: skip
    np.testing.assert_array_equal(lua.execute("return require('matio').load(path, 'x')").numpy(), x)
    with pytest.raises(LuaError, match="no variable y"):
        lua.execute("require('matio').load(path, 'y')")


def test_hdf5_without_h5py_says_what_to_install(lua, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(LuaError, match="pip install h5py"):
        lua.require("hdf5")


def test_hdf5(lua, tmp_path):
    h5py = pytest.importorskip("h5py")
    lua.globals.path = path = str(tmp_path / "f.h5")
    lua.execute("""
        require 'hdf5'
        local f = hdf5.open(path, 'w')
        local options = hdf5.DataSetOptions()
        options:setChunked(2, 2)
        options:setDeflate()
        f:write('/a/x', torch.range(1, 12):resize(3, 4), options)
        f:write('t', {u = torch.IntTensor{1, 2}, v = {w = torch.ones(1)}})
        f:append('log', torch.ones(2, 3))
        f:append('log', torch.zeros(1, 3))
        f:close()
        f = hdf5.open(path)
        part = f:read('a/x'):partial({2, 3}, {1, 2})
        whole = f:all()
        size = f:read('/a/x'):dataspaceSize()
        f:close()
    """)
    np.testing.assert_array_equal(lua.globals.part.numpy(), [[5, 6], [9, 10]])
    assert lua.execute("return whole.a.x[3][4], whole.t.u:type(), size[2], whole.log:size(1)") == (
        12, "torch.IntTensor", 4, 3)  # fmt: skip
    with h5py.File(path) as written:
        np.testing.assert_array_equal(written["a/x"][()], np.arange(1.0, 13).reshape(3, 4))
        assert written["a/x"].compression == "gzip"
        np.testing.assert_array_equal(written["t/u"][()], [1, 2])
    with pytest.raises(LuaError, match="no data at 'none'"):
        lua.execute("hdf5.open(path):read('none')")


def test_pointers_reach_the_elements_as_in_image_loaders(lua):
    code = """
        require 'torch'
        local ffi = require 'ffi'
        local paths = torch.CharTensor(2, 8):fill(0)
        local at = paths:data()
        for _, name in ipairs {'one.jpg', 'two.png'} do
          ffi.copy(at, name)
          at = at + 8
        end
        local t = torch.range(1, 6):resize(2, 3)
        torch.data(t)[5] = 60
        return ffi.string(torch.data(paths[2])), t[2][3], t[2]:data()[0], t:storage():data()[1],
               torch.data(t, true) == torch.data(t:storage(), true), (pcall(torch.data, 3))
    """
    assert lua.execute(code) == ("two.png", 60, 4, 2, True, False)
