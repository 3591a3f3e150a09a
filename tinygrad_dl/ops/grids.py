"""Tensors made from the elements of several: grids of coordinates, tuples, blocks along a diagonal."""

import itertools
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, DtypeError, ShapeError
from ..tensor import NUMPY, Tensor, wrap
from .broadcasting import atleast_2d, require_one_device, require_tensors
from .composed import composed
from .elementwise import pow
from .joining import cat, stack
from .padding import pad
from .shape import expand, reshape


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Grids of coordinates from the coordinates along each axis; views.

    Arguments: tensors (0-d or 1-d of one dtype, as arguments or as one sequence), indexing ("ij": the first runs along
    dimension 0; "xy": along dimension 1, as in pictures; None is "ij"). Returns a tuple of tensors of shape
    (n, m, ...). Raises ShapeError for more dimensions, DtypeError for different dtypes.

    >>> import tinygrad_dl as tg
    >>> rows, columns = tg.meshgrid(tg.arange(2), tg.arange(3), indexing="ij")
    >>> columns
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    given = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else list(tensors)
    require_tensors("meshgrid", given)
    _require_vectors("meshgrid", given, 0)
    require_one_device("meshgrid", **{f"tensor {i}": x for i, x in enumerate(given)})
    if indexing not in (None, "ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing is 'ij' or 'xy', not {indexing!r}")
    swapped = indexing == "xy" and len(given) > 1
    if swapped:
        given[0], given[1] = given[1], given[0]
    shape = tuple([x.numel() for x in given])
    ones = (1,) * len(given)
    grids = [expand(reshape(x, (*ones[:i], -1 if shape[i] else 0, *ones[i + 1 :])), shape) for i, x in enumerate(given)]
    if swapped:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def _require_vectors(name: str, tensors: list[Any], least: int = 1) -> None:
    """Refuse no tensors, other dimensions than 1 (or 0 where that may be), and several dtypes."""
    if not tensors:
        raise ArgumentError(f"{name}: at least one tensor is needed")
    for i, x in enumerate(tensors):
        if not least <= x.ndim <= 1:
            raise ShapeError(f"{name}: tensor {i} must have one dimension, it has shape {tuple(x.shape)}; flatten() it")
        if x.dtype != tensors[0].dtype:
            raise DtypeError(f"{name}: all tensors must have one dtype, {tensors[0].dtype} and {x.dtype} came")


def cartesian_prod(*tensors: Any) -> Tensor:
    """All tuples with an element of each tensor, as rows; the last element changes fastest.

    Arguments: tensors (1-d, of one dtype). Returns a tensor of shape (n · m · ..., number of tensors), a single tensor
    as it is. Raises as `meshgrid`.

    >>> import tinygrad_dl as tg
    >>> tg.cartesian_prod(tg.tensor([1, 2]), tg.tensor([5, 6]))
    tensor([[1, 5],
            [1, 6],
            [2, 5],
            [2, 6]])
    """
    require_tensors("cartesian_prod", tensors)
    _require_vectors("cartesian_prod", list(tensors))
    if len(tensors) == 1:
        return tensors[0]
    return reshape(stack(meshgrid(*tensors), -1), (-1, len(tensors)))


@composed
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of `r` elements, in the order in which they stand, as rows.

    Arguments: input (1-d tensor), r (not negative), with_replacement (whether an element may be chosen again). Raises
    ShapeError for another input, ArgumentError for a negative r.

    >>> import tinygrad_dl as tg
    >>> tg.combinations(tg.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    _require_vectors("combinations", [input])
    if r < 0:
        raise ArgumentError(f"combinations: r can't be negative, {r} came")
    if r == 0:
        return input.detach()[:0]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = itertools.chain.from_iterable(choose(range(input.numel()), r))
    return input[np.fromiter(chosen, np.int64).reshape(-1, r)]


@composed
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element as a row: x^(N-1), ..., x, 1, or the other way round.

    Arguments: x (1-d tensor), N (how many; None: as many as there are elements), increasing. Returns a tensor of shape
    (n, N), int64 of integers. Raises ShapeError for other dimensions, ArgumentError for a negative N.

    >>> import tinygrad_dl as tg
    >>> tg.vander(tg.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise ShapeError(f"vander: x must have one dimension, it has shape {tuple(x.shape)}")
    count = x.numel() if N is None else N
    if count < 0:
        raise ArgumentError(f"vander: N can't be negative, {N} came")
    base = x if x.is_floating_point() else x.long()
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    exponents = wrap(backend.from_numpy(powers.copy(), x.device))
    return pow(base.unsqueeze(1) if count > 1 else base.detach().unsqueeze(1), exponents)


def block_diag(*tensors: Any) -> Tensor:
    """A matrix with the tensors along its diagonal, each beginning where the last one ended, and zeros elsewhere.

    Arguments: tensors (of at most 2 dimensions; vectors are rows; mixed dtypes are promoted). Raises ShapeError for
    more dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.block_diag(tg.tensor([[1, 2]]), tg.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    require_tensors("block_diag", tensors)
    for i, x in enumerate(tensors):
        if x.ndim > 2:
            raise ShapeError(f"block_diag: tensor {i} has shape {tuple(x.shape)}; matrices have 2 dimensions at most")
    blocks = [atleast_2d(x) for x in tensors]
    ends = list(itertools.accumulate(block.shape[1] for block in blocks))
    width = ends[-1]
    return cat([pad(block, (end - block.shape[1], width - end)) for block, end in zip(blocks, ends)])


NUMPY[np.meshgrid] = lambda *xi, indexing="xy": meshgrid(*xi, indexing=indexing)
