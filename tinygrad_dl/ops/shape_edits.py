"""Shapes changed in place: the tensor shows the same memory in another order, and so does its place in the graph."""

import functools
from collections.abc import Callable
from typing import Any

from ..errors import GraphError
from ..modes import modes
from ..tensor import Tensor
from ..views import View, leave_place, require_editable
from .editing import in_graph, set_node
from .shape import squeeze, swapaxes, swapdims, t, transpose, unsqueeze


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The form of a function of views that makes the tensor itself that view of what it was."""
    name = f"{function.__name__}_"

    @functools.wraps(function)
    def edit(self: Tensor, *args: Any, **options: Any) -> Tensor:
        if in_graph(self):
            require_editable(name, self)
        elif self.node is not None and modes.record is None:
            raise GraphError(
                f"{name}: under no_grad this tensor can't leave the shape that its graph knows (it came from "
                f"{self.node.name()}); use {function.__name__}(...), which gives a view"
            )
        result = function(self, *args, **options)
        if result is self:
            return self
        known = (self.extras or {}).get("view")
        leave_place(self, result.array)  # the paths from a root to its views lead from the old shape
        self.array = result.array
        if known is not None and result.extras is not None:
            self.extras["view"] = View(known.root, result.extras["view"].path, known.refusal)
        if result.node is not None:
            set_node(self, result.node)
        return self

    edit.__name__ = edit.__qualname__ = name
    edit.__doc__ = f"`{function.__name__}` in place: this tensor gets the other shape, in the same memory."
    return edit


for _function in (squeeze, unsqueeze, t, transpose, swapaxes, swapdims):
    setattr(Tensor, f"{_function.__name__}_", _in_place(_function))


def _no_resizing(name: str) -> Callable[..., Tensor]:
    def refuse(self: Tensor, *sizes: Any, **options: Any) -> Tensor:
        raise NotImplementedError(
            f"{name}: a tensor keeps its memory. Use reshape(...) for the same elements in another shape, x[:n] for "
            "fewer, nn.functional.pad(...) for more, or assign tinygrad_dl.empty(...)"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Not supported: a tensor keeps its memory."
    return refuse


for _name in ("resize", "resize_", "resize_as", "resize_as_"):
    setattr(Tensor, _name, _no_resizing(_name))
