"""The Lua bridge: LuaTorch programs run in Python, unmodified, and share its objects.

Read runtime.py (what users call), then border.py with lua/border.lua (what crosses, and how),
classes.py with lua/classes.lua and lua/objects.lua (classes of both sides), mirror.py with
lua/tensors.lua (what Lua reads of tensors by itself). sources.py and lua/packages.lua load
programs; packages/ has what `require` finds. May import what legacy_nn may, and lupa.
"""

from .errors import BridgeError as BridgeError
from .errors import LuaError as LuaError
from .errors import LuaExit as LuaExit
from .runtime import Runtime as Runtime
from .runtime import is_package as is_package
from .values import LuaFunction as LuaFunction
