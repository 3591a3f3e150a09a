"""Results of several tensors: named tuples with PyTorch's field names, public as `tinygrad_dl.return_types`.

>>> import tinygrad_dl as tg
>>> tg.max(tg.tensor([[1.0, 4.0], [3.0, 2.0]]), 1)
tinygrad_dl.return_types.max(
values=tensor([4., 3.]),
indices=tensor([1, 0]))
"""

from collections import namedtuple
from typing import Any


def named_result(name: str, *fields: str) -> Any:
    """The class of an operation's results, which `return_types` then has under the operation's name."""

    def text(self: Any) -> str:
        return f"{__package__}.return_types.{name}(\n" + ",\n".join(f"{f}={v!r}" for f, v in zip(fields, self)) + ")"

    made = type(name, (namedtuple(name, fields),), {"__slots__": (), "__repr__": text, "__module__": __name__})
    globals()[name] = made
    return made
