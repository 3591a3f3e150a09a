"""Makes `einops.rearrange` and its kin work on our tensors.

einops looks for a backend among the subclasses of its AbstractBackend. Ours is defined when einops is imported, before
or after this package, so that neither loads the other.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from .creation import arange, from_numpy
from .ops.einsum import einsum
from .ops.joining import cat, stack
from .tensor import Tensor

BACKENDS = "einops._backends"


def define(module: Any) -> None:
    """Define the backend for our tensors in einops' module of backends."""

    class TinygradBackend(module.AbstractBackend):
        framework_name = "tinygrad_dl"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def is_float_type(self, x: Tensor) -> bool:
            return x.is_floating_point()

        def from_numpy(self, x: Any) -> Tensor:
            made = from_numpy(x)
            return made.requires_grad_(made.is_floating_point())

        def to_numpy(self, x: Tensor) -> Any:
            return x.numpy(force=True)

        def arange(self, start: int, stop: int) -> Tensor:
            return arange(start, stop)

        def transpose(self, x: Tensor, axes: Any) -> Tensor:
            return x.permute(axes)

        def reduce(self, x: Tensor, operation: str, axes: Any) -> Tensor:
            if operation in ("any", "all", "prod"):
                for axis in sorted(axes, reverse=True):
                    x = getattr(x, operation)(dim=axis)
                return x
            return getattr(x, {"min": "amin", "max": "amax"}.get(operation, operation))(dim=axes)

        def stack_on_zeroth_dimension(self, tensors: list[Tensor]) -> Tensor:
            return stack(tensors)

        def add_axis(self, x: Tensor, new_position: int) -> Tensor:
            return x.unsqueeze(new_position)

        def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Tensor:
            for position in pos2len:
                x = x.unsqueeze(position)
            return x.expand([pos2len.get(axis, -1) for axis in range(n_axes)])

        def concat(self, tensors: Any, axis: int) -> Tensor:
            return cat(tensors, dim=axis)

        def einsum(self, pattern: str, *x: Tensor) -> Tensor:
            return einsum(pattern, *x)

    module.tinygrad_backend = TinygradBackend  # subclasses are known weakly


class _EinopsFinder:
    """Waits in `sys.meta_path` for the import of einops' backends, and is gone after it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The usual spec of einops' backends, whose loader also defines ours; None for other modules."""
        if name != BACKENDS:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_define(module: ModuleType) -> None:
                execute(module)
                define(module)

            spec.loader.exec_module = execute_and_define  # type: ignore[method-assign]
        return spec


if BACKENDS in sys.modules:
    define(sys.modules[BACKENDS])
else:
    sys.meta_path.insert(0, _EinopsFinder())
