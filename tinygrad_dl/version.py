"""The version of this library, and of CUDA as CuPy has it: `torch.version`."""

from typing import Any

from . import __version__ as __version__
from . import cuda as _cuda
from .errors import UnknownAttributeError

hip = xpu = None  # there are no such devices
debug = False


def __getattr__(name: str) -> Any:
    if name == "cuda":  # when it is asked for, since CuPy takes long to load
        return _cuda.runtime_version()
    raise UnknownAttributeError("module 'tinygrad_dl.version'", name, lambda: [*globals(), "cuda"])
