"""What PyTorch has and this library has not: the words that say what to use instead."""

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

_COMPLEX = "There are no complex tensors: keep two tensors, for the two parts"
_NUMPYS = f"{_COMPLEX}, or use numpy.fft on tensor.numpy()."

ABSENT = {
    "Event": "Measure time with cuda.synchronize() and time.perf_counter().",
    "Stream": "Work on a GPU runs in CuPy's current stream: use cupy.cuda.Stream around it.",
    "_dynamo": "There is no tracing compiler: functions run as Python runs them.",
    "complex": f"{_COMPLEX}.",
    "fft": _NUMPYS,
    "istft": _NUMPYS,
    "polar": f"{_COMPLEX}.",
    "stft": _NUMPYS,
    "view_as_complex": f"{_COMPLEX}.",
    "view_as_real": f"{_COMPLEX}.",
    "ao": "There are no quantized tensors: use float16 for half the memory.",
    "export": "Models can't be exported: save their state_dict() with tinygrad_dl.save.",
    "fx": "There is no symbolic tracing of modules: tinygrad_dl.viz.trace records what runs.",
    "hub": "Nothing is downloaded: load weights with tinygrad_dl.load and module.load_state_dict.",
    "onnx": "Models can't be exported to ONNX: save their state_dict() with tinygrad_dl.save.",
    "package": "Models can't be packed with their code: save their state_dict() with tinygrad_dl.save.",
    "profiler": "There is no profiler: Python's cProfile shows the calls.",
    "quantization": "There are no quantized tensors: use float16 for half the memory.",
    "sparse": "There are no sparse tensors: tensors are dense.",
    "sparse_coo_tensor": "There are no sparse tensors: put the values into zeros(...) by index.",
    "spmm": "There are no sparse tensors: use matmul.",
    "vmap": "There is no batching of functions: write the batch as a dimension of the tensors.",
    "xpu": "There are no XPUs: the devices are 'cpu' and 'cuda'.",
}


def refused(name: str, instead: str) -> Callable[..., NoReturn]:
    """A function that raises NotImplementedError and says what to use instead, whatever it is called with."""

    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise NotImplementedError(f"{name}: {instead}")

    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    refuse.__doc__ = f"Raises NotImplementedError: {instead}."
    return refuse


_warned: set[str] = set()


def warn_once(name: str, words: str) -> None:
    """Warn of what is different here, once in a process; the warning points at the caller's caller."""
    if name not in _warned:
        _warned.add(name)
        warnings.warn(f"{name}: {words}", UserWarning, stacklevel=3)
