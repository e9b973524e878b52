"""Names that PyTorch has and Rekindle does not."""

import importlib.abc
import importlib.machinery
import sys
import types

LOADING = [True]
"""Whether a test file is being imported; decorators of missing things are then kept apart."""


CONDITIONS = ("skip", "expectedFailure", "xfail", "slow", "dtypesIf")
"""How decorators begin that say where a test is not run, or how, in PyTorch's own runs."""

ELSEWHERE = ("only",)
"""How decorators begin that say that a test is for one kind of device."""


class Lacking(BaseException):
    """A test used a name that Rekindle does not have.

    Not an Exception, so that no test takes it for the error that it expects.
    """


class Missing:
    """Stands for a name; may be passed on, and raises when it is used."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._name}.{name}")

    def __call__(self, *args, **kwargs):
        if not LOADING[0]:
            raise Lacking(self._name)
        if args and isinstance(args[0], types.FunctionType):
            word = self._name.rpartition(".")[2]
            if word.startswith(ELSEWHERE):
                args[0].elsewhere = word
            if word.startswith((*ELSEWHERE, *CONDITIONS)):
                return args[0]
        return Missing(self._name)

    def __mro_entries__(self, bases):
        name = self._name

        def init(self, *args, **kwargs):
            raise Lacking(name)

        return (type("Missing", (), {"__init__": init}),)

    def __enter__(self):
        raise Lacking(self._name)

    def __exit__(self, *exception):
        raise Lacking(self._name)

    def __instancecheck__(self, instance):
        raise Lacking(self._name)

    def __bool__(self):
        if LOADING[0]:
            return False
        raise Lacking(self._name)

    def __iter__(self):
        if LOADING[0]:
            return iter(())
        raise Lacking(self._name)


class MissingModule(types.ModuleType):
    """A module of which some names, or none, are known."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules.get(f"{self.__name__}.{name}") or Missing(f"{self.__name__}.{name}")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports any module below the given roots as a MissingModule."""

    def __init__(self, roots):
        self.roots = roots

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.roots:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return MissingModule(spec.name)

    def exec_module(self, module):
        pass
