"""Tensors and storages in Lua: what Lua reads by itself, identity, memory that is shared."""

import numpy as np
import pytest

import rekindle

TYPES = ["double", "float", "long", "int", "short", "char", "byte"]


def test_geometry_follows_the_tensor(torch_lua):
    x = rekindle.tensor(np.arange(24.0).reshape(2, 3, 4))
    look = torch_lua.execute("""
        return function(t)
          return t:dim(), t:nDimension(), t:nElement(), t:size(1), t:stride(1), t:storageOffset(),
                 t:isContiguous()
        end""")
    assert look(x) == (3, 3, 24, 2, 12, 1, True)
    view = x[1].T
    assert look(view) == (2, 2, 12, 4, 1, 13, False)
    x.set_(rekindle.tensor(np.zeros(5)))
    assert look(x) == (1, 1, 5, 5, 1, 1, True)
    assert torch_lua.execute("local e = torch.Tensor() return e:dim(), e:nElement()") == (0, 0)
    nine = rekindle.tensor(np.zeros((1,) * 9))
    assert look(nine)[:3] == (9, 9, 1)


def test_a_resize_that_moves_memory_is_followed(torch_lua):
    code = """
        local a = torch.Tensor{1, 2, 3}
        local view = a:narrow(1, 2, 2)
        local before = view[1]
        a:resize(1000):fill(7)
        return before, view[1], a[1000], view:size(1)"""
    assert torch_lua.execute(code) == (2, 7, 7, 2)


@pytest.mark.parametrize("kind", TYPES)
def test_elements_of_every_type(torch_lua, kind):
    code = f"""
        local t = torch.Tensor(2, 3):{kind}():zero()
        t[2][3], t[{{1, 2}}], t[1][-1] = 5, 7, -1
        return t, t[2][3], t[{{1, 2}}], t[-2][3]"""
    tensor, a, b, c = torch_lua.execute(code)
    assert (a, b) == (5, 7)
    assert tensor.numpy()[1, 2] == 5
    assert tensor.numpy()[0, 1] == 7
    assert c == tensor.numpy()[0, 2].item()


def test_integers_wrap_as_in_c(torch_lua):
    code = "local b = torch.ByteTensor(4) b[1], b[2], b[3] = 300, -1, 2.9 b[4] = 2^32 + 5 return b"
    assert torch_lua.execute(code).tolist() == [44, 255, 2, 5]


def test_indices_out_of_range_are_errors(torch_lua):
    for index in ("4", "0", "{1, 1}", "{4}"):
        assert (
            torch_lua.execute(f"return (pcall(function() return torch.ones(3)[{index}] end))")
            is False
        )


def test_one_tensor_is_one_userdata(torch_lua):
    x = rekindle.tensor(np.zeros(2))
    code = """
        return function(a, b)
          local seen = {[a] = 'key'}
          return rawequal(a, b), a == b, seen[b], type(a), a == a:clone()
        end"""
    assert torch_lua.execute(code)(x, x) == (True, True, "key", "userdata", False)
    assert torch_lua.execute("return function(t) return t:fill(3) end")(x) is x
    assert torch_lua.execute("return function(t) return t:storage() end")(x) is x.storage()


def test_memory_is_shared(torch_lua):
    x = rekindle.tensor(np.zeros((2, 2)))
    torch_lua.execute("return function(t) t[1][1] = 4; t[2]:fill(9); X = t end")(x)
    assert x.tolist() == [[4, 0], [9, 9]]
    x.numpy()[0, 1] = 5
    assert torch_lua.execute("return X[1][2], X:sum()") == (5, 27)


def test_types_and_names(torch_lua):
    code = """
        local t = torch.FloatTensor(2)
        return torch.type(t), torch.typename(t), torch.isTensor(t), torch.isStorage(t:storage()),
               torch.isTypeOf(t, 'torch.FloatTensor'), torch.type(torch.CudaTensor(1)),
               torch.type(t:double()), torch.Tensor == torch.DoubleTensor"""
    assert torch_lua.execute(code) == (
        *("torch.FloatTensor", "torch.FloatTensor", True, True, True),
        *("torch.FloatTensor", "torch.DoubleTensor", True),
    )


def test_methods_added_by_a_program(torch_lua):
    code = """
        function torch.FloatTensor:twice() return self * 2 end
        rawset(torch.getmetatable('torch.DoubleTensor'), 'name', function() return 'double' end)
        return torch.FloatTensor{2}:twice()[1], torch.DoubleTensor(1):name(),
               pcall(function() return torch.DoubleTensor(1):twice() end)"""
    assert torch_lua.execute(code)[:3] == (4, "double", False)


def test_an_object_that_comes_again_while_its_wrapper_is_being_collected(torch_lua):
    """A reference that Lua's collector had yet to finish with was dropped too early."""
    code = """
        local wrong = 0
        for i = 1, 20000 do
          local a = torch.Tensor(3):fill(i)
          local b = a:narrow(1, 2, 2)
          if a[3] ~= i or b:size(1) ~= 2 or a:storage():size() ~= 3 then wrong = wrong + 1 end
        end
        return wrong"""
    assert torch_lua.execute(code) == 0


def test_rows_are_views_whoever_makes_them(torch_lua):
    x = rekindle.tensor(np.arange(24.0).reshape(2, 3, 4))
    code = """
        return function(t)
          local row, column = t[2], t:transpose(1, 3)[1]
          row[3][4] = -1
          column[2][1] = -2
          return row, t[-1][1], row:size(1), row:stride(1), row:isContiguous(),
                 column:isContiguous(), row:storage() == t:storage(), row:storageOffset(),
                 row[3]:sum()
        end"""
    row, first, *rest = torch_lua.execute(code)(x)
    assert rest == [3, 4, True, False, True, 13, 20 + 21 + 22 - 1]
    assert x.numpy()[1, 2, 3] == -1
    assert x.numpy()[0, 1, 0] == -2
    assert row.storage() is x.storage()
    assert np.shares_memory(row.numpy(), x.numpy())
    assert np.array_equal(row.numpy(), x.numpy()[1])
    assert np.array_equal(first.numpy(), x.numpy()[1, 0])


def test_rows_outlive_what_their_tensor_becomes(torch_lua):
    code = """
        local t = torch.Tensor{{1, 2}, {3, 4}}
        local row = t[2]
        t:set(torch.zeros(5))
        local other = torch.Tensor{{5, 6}}
        local kept = other[1]
        other:resize(1000, 1000):zero()
        collectgarbage() collectgarbage()
        local fresh = torch.ones(10000)
        return row[1], row:sum(), kept[2], kept:sum(), row == row, rawequal(row:fill(2), row)"""
    assert torch_lua.execute(code) == (3, 7, 6, 11, True, True)


def test_a_row_is_one_tensor_once_it_was_in_python(torch_lua):
    code = """
        local t = torch.ones(2, 2)
        local row = t[1]
        keep(row)
        row:resize(4):fill(3)
        return kept() == row, row:size(1), row[4]"""
    kept = []
    torch_lua.globals.keep = kept.append
    torch_lua.globals.kept = lambda: kept[0]
    assert torch_lua.execute(code) == (True, 4, 3)
    assert kept[0].shape == (4,)


def test_resizing_a_storage_takes_what_else_programs_give_it(torch_lua):
    assert torch_lua.execute("local s = torch.DoubleStorage(2) s:resize(4, true) return #s") == 4
