"""A model as a table: its layers in the order of their calls, output shapes, parameters and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.creation import ones, zeros
from tinygrad_dl.dtypes import find
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.random import fork_rng
from tinygrad_dl.tensor import Tensor

from ..module import Module
from ..parameter import BUFFERS

MEGABYTE = 1e6


@dataclass
class LayerInfo:
    """One call of a module."""

    class_name: str
    var_name: str  # its path from the module that called it
    depth: int  # 0 for the model itself
    input_size: tuple[int, ...] | None
    output_size: tuple[int, ...] | None = None
    output_bytes: int = 0
    num_params: int = 0  # its own and those below it, as far as no call before had them
    own_params: int = 0  # its own only
    trainable: str = "--"  # "True", "False", "Partial", or "--" without parameters
    kernel_size: tuple[int, ...] | None = None
    is_leaf: bool = True  # it called no other
    is_recursive: bool = False  # it was called before


@dataclass
class ModelStatistics:
    """What `summary` found; printed, it is the table."""

    summary_list: list[LayerInfo]
    total_params: int
    trainable_params: int
    total_param_bytes: int
    total_buffer_bytes: int
    total_input: int  # bytes
    total_output_bytes: int  # of all layers that call no others, and as much for their gradients
    col_names: tuple[str, ...] = field(repr=False)
    col_width: int = field(repr=False)
    shown_depth: int = field(repr=False)
    show_names: bool = field(repr=False)

    def __str__(self) -> str:
        rows = [(_label(one, self.show_names), one) for one in self.summary_list if one.depth <= self.shown_depth]
        width = max([len("Layer (name)"), *(len(label) for label, _ in rows)]) + 2
        line = "=" * (width + self.col_width * len(self.col_names))
        table = [_row("Layer (name)", width, [COLUMNS[name][0] for name in self.col_names], self.col_width)]
        for label, one in rows:
            table.append(_row(label, width, [COLUMNS[name][1](one, self) for name in self.col_names], self.col_width))
        return "\n".join([line, table[0], line, *table[1:], line, *self._totals(), line])

    __repr__ = __str__

    def _totals(self) -> list[str]:
        whole = self.total_input + self.total_output_bytes + self.total_param_bytes + self.total_buffer_bytes
        sizes = {
            "Input size": self.total_input,
            "Forward/backward pass size": self.total_output_bytes,
            "Params size": self.total_param_bytes,
            "Buffers size": self.total_buffer_bytes,
            "Estimated total size": whole,
        }
        return [
            f"Total params: {self.total_params:,}",
            f"Trainable params: {self.trainable_params:,}",
            f"Non-trainable params: {self.total_params - self.trainable_params:,}",
            *(f"{name} (MB): {size / MEGABYTE:.2f}" for name, size in sizes.items()),
        ]


def summary(
    model: Module,
    input_size: Any = None,
    input_data: Any = None,
    batch_dim: int | None = None,
    *,
    input_shape: Any = None,
    col_names: Sequence[str] = ("output_size", "num_params"),
    col_width: int = 20,
    depth: int = 3,
    device: Any = None,
    dtypes: Sequence[Any] | None = None,
    mode: str = "same",
    row_settings: Sequence[str] = ("depth", "var_names"),
    verbose: int = 1,
    **kwargs: Any,
) -> ModelStatistics:
    """A table of a model's layers with output shapes and parameters, and of its memory, from one call of it.

    The call is without gradients, of ones, or zeros of an integer dtype. Afterwards the model is as before: its mode,
    its buffers and the generator's state. Parameters that are shared count once.

    Arguments: model; input_size (or input_shape), a shape with the batch's dimension or a list of one for each input;
    input_data, instead, an input, a list of inputs or a dict of them by name; batch_dim, where to put a dimension of
    size 1 into input_size; col_names, of input_size, output_size, num_params, params_percent, kernel_size, trainable;
    depth, how many levels below the model have rows; device, dtypes of the inputs; mode, "same", "train" or "eval";
    row_settings, "var_names" to show names; verbose, 0 for not printing; kwargs for the model. Returns the numbers as
    ModelStatistics, the table as its text.

    >>> from tinygrad_dl import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> found = nn.utils.summary(model, (2, 4), verbose=0)
    >>> found.total_params, [(one.class_name, one.output_size) for one in found.summary_list[1:]]
    (49, [('Linear', (2, 8)), ('ReLU', (2, 8)), ('Linear', (2, 1))])
    """
    if not isinstance(model, Module):
        raise ArgumentTypeError(f"summary: model must be a Module, {type(model).__name__} came")
    unknown = [name for name in col_names if name not in COLUMNS]
    if unknown:
        raise ArgumentError(f"summary: col_names has {unknown[0]!r}, but there are {list(COLUMNS)}")
    if mode not in ("same", "train", "eval"):
        raise ArgumentError(f"summary: mode is {mode!r}, but must be 'same', 'train' or 'eval'")
    if sum(given is not None for given in (input_size, input_shape, input_data)) != 1:
        raise ArgumentError("summary: give one of input_size, input_shape and input_data")
    shapes = input_size if input_shape is None else input_shape
    args, named = _inputs(model, shapes, input_data, batch_dim, device, dtypes)
    calls = _Calls(model)
    with ExitStack() as stack:
        for context in (no_grad(), fork_rng(), _left_as_it_was(model), calls.watched()):
            stack.enter_context(context)
        if mode != "same":
            model.train(mode == "train")
        model(*args, **named, **kwargs)
    parameters = list(model.parameters())
    found = ModelStatistics(
        calls.found,
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        _bytes(parameters),
        _bytes(list(model.buffers())),
        _bytes([*args, *named.values()]),
        2 * sum(one.output_bytes for one in calls.found if one.is_leaf),
        tuple(col_names),
        col_width,
        depth,
        "var_names" in row_settings,
    )
    if verbose:
        print(found)
    return found


# --- the inputs


def _inputs(
    model: Module, shapes: Any, data: Any, batch_dim: int | None, device: Any, dtypes: Sequence[Any] | None
) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments of the call."""
    if isinstance(data, Mapping):
        return [], {name: _moved(value, device) for name, value in data.items()}
    if data is not None:
        return [_moved(value, device) for value in (data if isinstance(data, list | tuple) else [data])], {}
    listed = [shapes] if all(isinstance(size, int) for size in shapes) else list(shapes)
    kinds = list(dtypes) if dtypes is not None else [None] * len(listed)
    if len(kinds) != len(listed):
        raise ArgumentError(f"summary: {len(kinds)} dtypes came for {len(listed)} inputs")
    if device is None:
        device = next((p.device for p in model.parameters()), None)
    return [_filled(_with_batch(shape, batch_dim), kind, device) for shape, kind in zip(listed, kinds)], {}


def _filled(shape: list[int], dtype: Any, device: Any) -> Tensor:
    """Ones, or zeros of an integer dtype, which are indices into any table."""
    make = ones if dtype is None or find(dtype).is_floating_point else zeros
    return make(*shape, dtype=dtype, device=device)


def _with_batch(shape: Sequence[int], batch_dim: int | None) -> list[int]:
    sizes = list(shape)
    if batch_dim is not None:
        sizes.insert(batch_dim, 1)
    return sizes


def _moved(value: Any, device: Any) -> Any:
    return value if device is None or not isinstance(value, Tensor) else value.to(device)


# --- the call


@contextmanager
def _left_as_it_was(model: Module) -> Iterator[None]:
    """Put modes and buffers back."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, value, None if value is None else value.clone())
        for module in model.modules()
        for name, value in module._named(*BUFFERS)
    ]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for module, name, value, numbers in buffers:
            module.__dict__[name] = value
            if value is not None and (value != numbers).any():
                value.copy_(numbers)


class _Calls:
    """The calls of a model's modules, in order."""

    def __init__(self, model: Module) -> None:
        self.model = model
        self.found: list[LayerInfo] = []
        self.running: list[tuple[Module, LayerInfo, int]] = []  # and its place in `found`
        self.seen: set[Module] = set()
        self.counted: set[Tensor] = set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch all modules' calls."""
        handles = []
        for module in self.model.modules():
            handles.append(module.register_forward_pre_hook(self._begin, with_kwargs=True))
            handles.append(module.register_forward_hook(self._end))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begin(self, module: Module, args: Any, kwargs: Any) -> None:
        first = next(_tensors([args, kwargs]), None)
        name = type(self.model).__name__
        if self.running:
            caller, info, _ = self.running[-1]
            info.is_leaf = False
            name = next((path for path, below in caller.named_modules() if below is module), "?")
        one = LayerInfo(type(module).__name__, name, len(self.running), _shape(first))
        one.is_recursive = module in self.seen
        kernel = getattr(module, "kernel_size", None)
        one.kernel_size = kernel if kernel is None or isinstance(kernel, tuple) else (kernel,)
        self.seen.add(module)
        self.running.append((module, one, len(self.found)))
        self.found.append(one)

    def _end(self, module: Module, args: Any, output: Any) -> None:
        _, one, place = self.running.pop()
        tensors = list(_tensors(output))
        one.output_size, one.output_bytes = _shape(tensors[0] if tensors else None), _bytes(tensors)
        new = set(module.parameters()) - self.counted  # those of the modules below are counted already
        one.own_params = sum(p.numel() for p in new)
        self.counted |= new
        one.num_params = sum(below.own_params for below in self.found[place:])
        learnt = {p.requires_grad for p in module.parameters()}
        one.trainable = "--" if not learnt else "Partial" if len(learnt) == 2 else str(learnt.pop())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)


def _shape(tensor: Tensor | None) -> tuple[int, ...] | None:
    return None if tensor is None else tuple(tensor.shape)


def _bytes(values: Sequence[Any]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in _tensors(list(values)))


# --- the table


def _size(size: tuple[int, ...] | None) -> str:
    return "--" if size is None else str(list(size))


def _count(one: LayerInfo, found: ModelStatistics) -> str:
    number = _number(one, found)
    if number or one.trainable == "--":
        return f"{number:,}" if number else "--"
    return "(recursive)" if one.is_recursive else "(shared)" if not one.num_params else "--"


def _percent(one: LayerInfo, found: ModelStatistics) -> str:
    number = _number(one, found)
    return f"{100 * number / found.total_params:.2f}%" if number else "--"


def _number(one: LayerInfo, found: ModelStatistics) -> int:
    """The parameters of a row: its own, and at the deepest level shown those below it as well."""
    return one.num_params if one.depth == found.shown_depth else one.own_params


COLUMNS: dict[str, tuple[str, Callable[[LayerInfo, ModelStatistics], str]]] = {
    "input_size": ("Input Shape", lambda one, found: _size(one.input_size)),
    "output_size": ("Output Shape", lambda one, found: _size(one.output_size)),
    "num_params": ("Param #", _count),
    "params_percent": ("Param %", _percent),
    "kernel_size": ("Kernel Shape", lambda one, found: _size(one.kernel_size)),
    "trainable": ("Trainable", lambda one, found: one.trainable),
}


def _label(one: LayerInfo, show_names: bool) -> str:
    name = f" ({one.var_name})" if show_names and one.depth else ""
    return "│    " * (one.depth - 1) + "├─" * bool(one.depth) + one.class_name + name


def _row(label: str, width: int, cells: list[str], cell_width: int) -> str:
    return label.ljust(width) + "".join(cell.ljust(cell_width) for cell in cells).rstrip()
