"""The library's exceptions: each is ours and also the class that PyTorch raises in the same place."""

import difflib
from collections.abc import Callable, Iterable


class TinygradError(Exception):
    """Base of all errors that tinygrad_dl raises itself."""


class ShapeError(TinygradError, RuntimeError, ValueError):
    """Shapes that do not fit each other or the operation."""


class DimensionError(TinygradError, IndexError, RuntimeError):
    """A dimension or an index that is out of range."""


class DtypeError(TinygradError, RuntimeError):
    """A dtype that the operation does not take."""


class DeviceError(TinygradError, RuntimeError):
    """Operands on different devices, or a device that is not there."""


class GraphError(TinygradError, RuntimeError):
    """A graph that cannot be walked: no history, already freed, or a saved value overwritten."""


class ExportError(TinygradError, BufferError):
    """Memory that can't be shared with another library."""


class AnomalyError(TinygradError, RuntimeError):
    """In anomaly mode: a NaN or an infinity that nothing brought in."""


class LinAlgError(TinygradError, RuntimeError):
    """A matrix for which a result does not exist: singular, not positive definite, not finite."""


class ArgumentError(TinygradError, ValueError, RuntimeError):
    """An argument of the right type with a value that makes no sense."""


class ArgumentTypeError(TinygradError, TypeError):
    """An argument of the wrong type, a missing one, or one too many."""


class MissingPackageError(TinygradError, ImportError):
    """An optional package that a feature needs is not installed."""


class StateDictError(TinygradError, RuntimeError):
    """A state dict that does not fit the module or the optimizer."""


class HookResultError(TinygradError, RuntimeError, AssertionError):
    """What a hook returned can't be used in its place."""


class UnknownAttributeError(TinygradError, AttributeError):
    """An attribute that an object does not have.

    The message says what to use `instead`, or has the nearest name, which is looked for when it is read.
    """

    def __init__(self, owner: str, name: str, candidates: Callable[[], Iterable[str]], instead: str = "") -> None:
        super().__init__(f"{owner} has no attribute {name!r}.")
        self._name, self._candidates, self._instead = name, candidates, instead

    def __str__(self) -> str:
        return f"{self.args[0]}{' ' * bool(self._instead)}{self._instead or nearest(self._name, self._candidates())}"


def nearest(name: str, candidates: Iterable[str]) -> str:
    """A hint `" Did you mean 'x'?"` for a misspelt name, or an empty string.

    >>> from tinygrad_dl.errors import nearest
    >>> nearest("wieght", ["weight", "bias"])
    " Did you mean 'weight'?"
    """
    found = difflib.get_close_matches(str(name), list(candidates), n=1)
    return f" Did you mean {found[0]!r}?" if found else ""
