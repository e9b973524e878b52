"""Lua's values and standard library in Python: 5.1 as LuaJIT has it, with Torch's 5.2 parts.

Translated programs run on it, and Python code that deals with Lua's tables may use it.

- `kinds`, `values`, `numbers`: type, truth, tostring, tonumber
- `calls`: several results and missing arguments
- `operators`, `indexing`, `metatables`: what `+`, `..`, `<`, `t[k]`, `#t`, `t:f()` do
- `foreign`: Python's own objects in the place of tables
- `iteration`: next, pairs, ipairs, `for ... in`
- `errors`, `protection`, `debugging`: LuaError; error, assert, pcall, xpcall; tracebacks
- `table_library`, `sorting`, `string_library`, `string_format`, `math_library`, `tausworthe`,
  `bit_library`, `os_library`, `io_library`, `files`, `streams`, `coroutines`: the libraries
- `patterns`: find, match, gmatch, gsub, by `pattern_regex` or `pattern_matcher` on
  `pattern_classes`
- `library`: all of it under Lua's names, as tables

nil is None, strings have one character per byte (latin-1), whole numbers may be ints, tables
are `rekindle.core.checkpoint.Table`. docs/lualib.md tells the conventions. Imports core and
`legacy_nn.classes` only.
"""

from rekindle.core.checkpoint.table import Table as Table

from .calls import call as call
from .calls import first as first
from .calls import select as select
from .calls import spread as spread
from .calls import take as take
from .coroutines import Coroutine as Coroutine
from .debugging import traceback as traceback
from .errors import LuaError as LuaError
from .files import LuaFile as LuaFile
from .indexing import index as index
from .indexing import invoke as invoke
from .indexing import length as length
from .indexing import newindex as newindex
from .indexing import rawget as rawget
from .indexing import rawlen as rawlen
from .indexing import rawset as rawset
from .io_library import print_ as print_
from .iteration import each as each
from .iteration import ipairs as ipairs
from .iteration import next_ as next_
from .iteration import pairs as pairs
from .kinds import truth as truth
from .kinds import type_of as type_of
from .library import _G as _G
from .library import bit as bit
from .library import collectgarbage as collectgarbage
from .library import coroutine as coroutine
from .library import debug as debug
from .library import io as io
from .library import math as math
from .library import os as os
from .library import string as string
from .library import table as table
from .metatables import getmetatable as getmetatable
from .metatables import metamethod as metamethod
from .metatables import setmetatable as setmetatable
from .operators import add as add
from .operators import concat as concat
from .operators import div as div
from .operators import eq as eq
from .operators import ge as ge
from .operators import gt as gt
from .operators import le as le
from .operators import lt as lt
from .operators import mod as mod
from .operators import mul as mul
from .operators import not_ as not_
from .operators import power as power
from .operators import rawequal as rawequal
from .operators import sub as sub
from .operators import unm as unm
from .protection import assert_ as assert_
from .protection import dofile as dofile
from .protection import error as error
from .protection import load as load
from .protection import loadfile as loadfile
from .protection import loadstring as loadstring
from .protection import pcall as pcall
from .protection import xpcall as xpcall
from .table_library import pack as pack
from .table_library import sequence as sequence
from .table_library import unpack as unpack
from .values import tonumber as tonumber
from .values import tostring as tostring
