"""Layers that look up rows of a matrix by number."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.creation import empty
from tinygrad_dl.ops.embedding import EmbeddingArgumentError, checked_padding, embedding, embedding_bag
from tinygrad_dl.tensor import Tensor

from . import init
from .module import Module
from .parameter import Parameter


class _Table(Module):
    """A matrix with a row for each of the numbers that may come, drawn from N(0, 1); 0 in the row for padding."""

    def __init__(self, rows: int, width: int, padding_idx: Any, weight: Any, freeze: bool, *place: Any) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = rows, width
        self.padding_idx = checked_padding(padding_idx, rows)
        if weight is None:
            self.weight = Parameter(empty(rows, width, device=place[0], dtype=place[1]), requires_grad=not freeze)
            self.reset_parameters()
            return
        if tuple(weight.shape) != (rows, width):
            raise EmbeddingArgumentError(
                f"{type(self).__name__}: a weight of shape {tuple(weight.shape)} came for {(rows, width)}"
            )
        self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw the rows anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    @classmethod
    def _pretrained(cls: Any, embeddings: Tensor, freeze: bool, **options: Any) -> Any:
        if embeddings.ndim != 2:
            raise EmbeddingArgumentError(
                f"from_pretrained: embeddings must be a matrix, their shape is {tuple(embeddings.shape)}"
            )
        made = cls(*embeddings.shape, _weight=embeddings, **options)
        made.weight.requires_grad = not freeze
        return made

    def _shown_options(self, **usual: Any) -> str:
        """The sizes, and the options that are not as usual."""
        shown = [f"{name}={vars(self)[name]!r}" for name, value in usual.items() if vars(self)[name] != value]
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *shown])


class Embedding(_Table):
    """A table of vectors that are learned: returns the rows of `weight` with the numbers in the input.

    The product of a one-hot vector with the matrix, without the zeros. Rows start from N(0, 1), the padding row at 0.

    Arguments: num_embeddings V, embedding_dim H; padding_idx, a row that gets no gradient; max_norm, norm_type: rows
    that are read and longer are scaled to it, in place; scale_grad_by_freq: divide a row's gradient by how often it
    comes; sparse changes nothing: gradients are dense; device, dtype. Input (*), int64 or int32, result (*, H);
    `weight` is (V, H). Raises DimensionError for a number that no row has. Source: notes, N121.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Embedding(10, 3)(tg.tensor([[1, 2], [9, 1]])).shape
    tinygrad_dl.Size([2, 2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer with given rows, which are not learned unless `freeze` is False.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> nn.Embedding.from_pretrained(tg.eye(3))(tg.tensor(2))
        tensor([0., 0., 1.])
        """
        return cls._pretrained(
            embeddings,
            freeze,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
        )

    def forward(self, input: Tensor) -> Tensor:
        return embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        return self._shown_options(padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False)


class EmbeddingBag(_Table):
    """Sums, means or maxima of the rows of a table whose numbers are in one bag, without keeping the rows.

    Arguments: num_embeddings V, embedding_dim H; mode, "sum", "mean" or "max"; include_last_offset: offsets also say
    where the last bag ends; padding_idx, a row that counts as not there; the others as for `Embedding`. Input: a matrix
    with a bag in each row, or a vector with offsets; result (bags, H). Raises ArgumentError, ShapeError.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.EmbeddingBag(10, 3)(tg.tensor([1, 2, 4]), tg.tensor([0, 2])).shape
    tinygrad_dl.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, _weight, False, device, dtype)
        self.max_norm, self.norm_type, self.mode = max_norm, norm_type, mode
        self.scale_grad_by_freq, self.sparse, self.include_last_offset = scale_grad_by_freq, sparse, include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A layer with given rows, which are not learned unless `freeze` is False."""
        return cls._pretrained(
            embeddings,
            freeze,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        shown = self._shown_options(max_norm=None, norm_type=2, scale_grad_by_freq=False)
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{shown}, mode={self.mode!r}{padding}"
