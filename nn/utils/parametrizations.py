"""Weights by their norms, of bounded spectral norm, and orthogonal ones, as parametrizations."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.creation import eye, zeros_like
from tinygrad_dl.errors import ArgumentError, DimensionError, ShapeError
from tinygrad_dl.limits import finfo
from tinygrad_dl.linalg import matrix_exp, qr, solve
from tinygrad_dl.ops.joining import cat, stack
from tinygrad_dl.random import randn
from tinygrad_dl.tensor import Tensor

from ..functional import normalize
from ..module import Module
from .parametrize import register_parametrization

SETTLING = 15  # steps of the power method before first use, as PyTorch's


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight by its length and direction: W = g · v / ‖v‖, the norm taken over all dimensions but `dim`.

    Arguments: module; name of the tensor; dim (None or -1: one norm of all). g is "original0", of size 1 in the other
    dimensions, v is "original1". State dicts of the older `nn.utils.weight_norm` load as well. Returns the module.
    Source: Salimans, Kingma 2016.

    >>> from tinygrad_dl import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> [tuple(value.shape) for value in layer.state_dict().values()]
    [(3,), (3, 1), (3, 2)]
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    new, old = f"parametrizations.{name}.original", f"{name}_"

    def rename(module: Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        for number, letter in enumerate("gv"):
            if f"{prefix}{old}{letter}" in state:
                state[f"{prefix}{new}{number}"] = state.pop(f"{prefix}{old}{letter}")

    module.register_load_state_dict_pre_hook(rename)
    return module


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return scaled_to(weight_g, weight_v, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except(weight, self.dim), weight

    def extra_repr(self) -> str:
        return ""


def scaled_to(g: Tensor, v: Tensor, dim: int) -> Tensor:
    """v with the norms g, one for each index of `dim`."""
    return v * (g / norm_except(v, dim))


def norm_except(v: Tensor, dim: int) -> Tensor:
    """The norms over all dimensions but one, which are kept with size 1; of everything, 0-d, for -1."""
    if dim == -1:
        return v.norm()
    return v.norm(p=2, dim=[i for i in range(v.ndim) if i != dim % v.ndim], keepdim=True) if v.ndim > 1 else v.abs()


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value σ, as the power method finds it: W / σ, σ = uᵀ W v.

    In training each read takes n_power_iterations steps from the vectors before, which are the buffers `_u` and `_v`.
    Arguments: module; name of the tensor; n_power_iterations; eps, the least norm divided by; dim, that of the rows
    (None: 1 in transposed convolutions, else 0). Returns the module. Source: Miyato et al. 2018.

    >>> from tinygrad_dl import nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40), n_power_iterations=30)
    >>> round(float(layer.weight.norm(2).item() >= 1), 3)
    1.0
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"spectral_norm: {type(module).__name__} has no parameter or buffer {name!r}")
    if dim is None:
        dim = rows_of(module)
    register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    return module


def rows_of(module: Module) -> int:
    """Which dimension of a layer's weight counts its outputs."""
    return 1 if any("ConvTranspose" in kind.__name__ for kind in type(module).__mro__) else 0


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise DimensionError(f"spectral_norm: dim {dim} is out of range for a weight of {weight.ndim} dimensions")
        if n_power_iterations <= 0:
            raise ArgumentError(f"spectral_norm: n_power_iterations is {n_power_iterations}, but must be 1 or more")
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            with no_grad():
                matrix = as_matrix(weight, self.dim)
                for buffer, size in zip(("_u", "_v"), matrix.shape):
                    start = randn(size, dtype=weight.dtype, device=weight.device)
                    self.register_buffer(buffer, normalize(start, dim=0, eps=eps))
                power_steps(matrix, self._u, self._v, SETTLING, eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            with no_grad():
                power_steps(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        u, v = self._u.clone(), self._v.clone()  # which the next step overwrites, and backward may come later
        return weight / (u @ (matrix @ v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value

    def extra_repr(self) -> str:
        return ""


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight as a matrix with a row for each index of `dim`."""
    return weight.movedim(dim, 0).flatten(1)


def power_steps(matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float) -> None:
    """Turn u and v, in place, towards the singular vectors of the largest singular value."""
    for _ in range(steps):
        u.copy_(normalize(matrix @ v, dim=0, eps=eps))
        v.copy_(normalize(matrix.T @ u, dim=0, eps=eps))


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a weight orthogonal: QᵀQ = I, or QQᵀ = I for more columns than rows.

    Arguments: module; name of a tensor of 2 dimensions or more, the last two of which are the matrix; orthogonal_map,
    "matrix_exp" (the default for square ones), "cayley" or "householder" (the default for others);
    use_trivialization, whether Q is the nearest to the start value times the map of a tensor that starts at the map's
    identity. Returns the module. Raises ArgumentError for another map and a tensor of fewer dimensions;
    NotImplementedError where a value is assigned to "matrix_exp" or "cayley" without trivialization. Source:
    Lezcano-Casado, Martínez-Rubio 2019.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(4, 3).double())
    >>> tg.allclose(layer.weight @ layer.weight.T, tg.eye(3, dtype=tg.float64))
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"orthogonal: {type(module).__name__} has no parameter or buffer {name!r}")
    if weight.ndim < 2:
        raise ArgumentError(
            f"orthogonal: a matrix or a batch of them is needed, {name} has shape {tuple(weight.shape)}"
        )
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ArgumentError(f"orthogonal: orthogonal_map is {orthogonal_map!r}, but must be one of {sorted(MAPS)}")
    register_parametrization(module, name, _Orthogonal(weight, orthogonal_map, use_trivialization), unsafe=True)
    return module


class _Orthogonal(Module):
    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape, self.orthogonal_map, self.use_trivialization = weight.shape, orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        tall = _standing(x)
        q = MAPS[self.orthogonal_map](tall)
        if self.use_trivialization:
            q = self.base @ q
        return q if tall is x else q.mT

    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ShapeError(f"orthogonal: a value of shape {tuple(q.shape)} came for one of {tuple(self.shape)}")
        tall = _standing(q)
        if self.use_trivialization:
            self.base = _completed(tall)
            start = zeros_like(q)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # which the Householder map takes to the identity
            return start
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                f"orthogonal: no value can be assigned to the map {self.orthogonal_map!r} without trivialization"
            )
        reflections = _reflections(tall)
        return reflections if tall is q else reflections.mT

    def extra_repr(self) -> str:
        return ""


def _standing(x: Tensor) -> Tensor:
    """A matrix with no fewer rows than columns."""
    return x.mT if x.shape[-2] < x.shape[-1] else x


def _skew(x: Tensor) -> Tensor:
    """The skew-symmetric matrix A = L - Lᵀ of x's lower triangle L."""
    n, k = x.shape[-2:]
    lower = x.tril()
    if n != k:
        lower = cat([lower, lower.new_zeros(*lower.shape[:-2], n, n - k)], -1)
    return lower - lower.mT


def _exponential(x: Tensor) -> Tensor:
    """exp(A)"""
    return matrix_exp(_skew(x))[..., : x.shape[-1]]


def _cayley(x: Tensor) -> Tensor:
    """(I - A/2)⁻¹ (I + A/2)"""
    a = _skew(x)
    identity = eye(a.shape[-1], dtype=a.dtype, device=a.device)
    return solve(identity - a / 2, identity + a / 2)[..., : x.shape[-1]]


def _householder(x: Tensor) -> Tensor:
    """The product of the reflections I - τ v vᵀ, v in x's columns below its diagonal, times the diagonal's signs."""
    n, k = x.shape[-2:]
    identity = eye(n, k, dtype=x.dtype, device=x.device)
    v = x.tril(-1) + identity
    tau = 2 / (v * v).sum(-2, keepdim=True)
    q = identity.expand(*x.shape[:-2], n, k)
    for i in reversed(range(k)):
        column = v[..., i : i + 1]
        q = q - tau[..., i : i + 1] * column * (column.mT @ q)
    return q * x.detach().diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)


MAPS = {"matrix_exp": _exponential, "cayley": _cayley, "householder": _householder}


def _reflections(q: Tensor) -> Tensor:
    """What `_householder` takes to an orthogonal q: the columns below the diagonal, and signs on it."""
    rest, columns = q.clone(), []
    for i in range(q.shape[-1]):
        x = rest[..., i:, i : i + 1]
        first, below = x[..., :1, :], x[..., 1:, :]
        trivial = (below == 0).all(-2, keepdim=True)  # a column that is done already is not reflected
        length = x.norm(p=2, dim=-2, keepdim=True)
        image = first.where(trivial, -first.sign().where(first != 0, 1) * length)
        v = below / (first - image).where(~trivial, 1)
        tau = ((image - first) / image).where(~trivial, 0)
        whole = cat([v.new_ones(*v.shape[:-2], 1, 1), v], -2)
        rest = rest.clone()
        rest[..., i:, :] = rest[..., i:, :] - tau * whole * (whole.mT @ rest[..., i:, :])
        sign = image.sign().where(~trivial, -image.sign())
        above = v.new_zeros(*v.shape[:-2], i, 1)
        columns.append(cat([above, sign, v], -2).squeeze(-1))
    return stack(columns, -1)


def _completed(q: Tensor) -> Tensor:
    """A square orthogonal matrix that begins with the columns of q, as far as these are orthogonal."""
    n, k = q.shape[-2:]
    if n == k and _is_orthogonal(q):
        return q.clone()
    others = randn(*q.shape[:-2], n, n - k, dtype=q.dtype, device=q.device)
    basis, r = qr(cat([q, others], -1))
    return basis * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


def _is_orthogonal(q: Tensor) -> bool:
    identity = eye(q.shape[-1], dtype=q.dtype, device=q.device)
    distance = (q.mT @ q - identity).abs().max().item()
    return distance <= 10 * q.shape[-2] * finfo(q.dtype).eps
