"""Cases of solutions, decompositions and functions of matrices."""

from __future__ import annotations

from typing import Any

from .table import Case, cases, inputs

_SQUARE = [inputs((3, 3)), inputs((2, 2, 2)), inputs((1, 1)), inputs((3, 3), layout="transposed")]
_EMPTY = [inputs((0, 0)), inputs((0, 2, 2))]
_ANY = [inputs((3, 3)), inputs((4, 2)), inputs((2, 4)), inputs((2, 3, 2)), inputs((2, 2, 3)), inputs((2, 2))]
_NOTHING = [inputs((2, 0)), inputs((0, 2))]


def _apart(lib: Any, x: Any) -> Any:
    """Square matrices that are far from singular ones."""
    return x + 3 * lib.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def _positive(lib: Any, x: Any) -> Any:
    """Symmetric, positive definite matrices with distinct eigenvalues."""
    n = x.shape[-1]
    steps = lib.eye(n, dtype=x.dtype, device=x.device) * lib.arange(1, n + 1, device=x.device)
    return x @ x.transpose(-2, -1) + steps


def _unsigned(factors: Any) -> tuple[Any, ...]:
    """What of factors doesn't depend on the signs that a library chose."""
    return tuple(factor.abs() for factor in factors)


_SOLVED = [inputs((3, 3), (3, 2)), inputs((2, 2, 2), (2, 2, 1)), inputs((2, 2, 2), (2, 3)), inputs((2, 2), (2, 2, 1))]


def _with_nothing(operation: str, forms: dict[str, Any], samples: list[Any], nothing: list[Any]) -> list[Case]:
    """Cases, and those of no matrices or of matrices without elements under names of their own."""
    renamed = {f"{form} of nothing": function for form, function in forms.items()}
    return [*cases(operation, forms, samples), *cases(operation, renamed, nothing)]


CASES: list[Case] = [
    *_with_nothing(
        "inv",
        {
            "linalg.inv(x)": lambda lib, x: lib.linalg.inv(_apart(lib, x)),
            "inverse(x)": lambda lib, x: lib.inverse(_apart(lib, x)),
            "x.inverse()": lambda lib, x: _apart(lib, x).inverse(),
        },
        _SQUARE,
        _EMPTY,
    ),
    *cases("solve", {"linalg.solve(x, y)": lambda lib, x, y: lib.linalg.solve(_apart(lib, x), y)}, _SOLVED),
    *cases(
        "solve",
        {
            "linalg.solve(x, y) of vectors": lambda lib, x, y: lib.linalg.solve(_apart(lib, x), y),
            "linalg.solve(A=, B=)": lambda lib, x, y: lib.linalg.solve(A=_apart(lib, x), B=y),
        },
        [inputs((3, 3), (3,)), inputs((2, 2, 2), (2, 2)), inputs((2, 2, 2), (2,))],
    ),
    *cases(
        "solve",
        {"linalg.solve(x, y, left=False)": lambda lib, x, y: lib.linalg.solve(_apart(lib, x), y, left=False)},
        [inputs((3, 3), (2, 3)), inputs((2, 2, 2), (2, 1, 2)), inputs((2, 2), (0, 2))],
    ),
    *cases(
        "solve_triangular",
        {
            f"linalg.solve_triangular(x, y, upper={upper}, unitriangular={unit})": (
                lambda lib, x, y, upper=upper, unit=unit: lib.linalg.solve_triangular(
                    _apart(lib, x), y, upper=upper, unitriangular=unit
                )
            )
            for upper in (False, True)
            for unit in (False, True)
        },
        [*_SOLVED, inputs((0, 0), (0, 2))],
    ),
    *cases(
        "solve_triangular",
        {
            "linalg.solve_triangular(x, y, upper=True, left=False)": lambda lib, x, y: lib.linalg.solve_triangular(
                _apart(lib, x), y, upper=True, left=False
            ),
            "linalg.solve_triangular(x, y, upper=False, left=False)": lambda lib, x, y: lib.linalg.solve_triangular(
                _apart(lib, x), y, upper=False, left=False
            ),
        },
        [inputs((3, 3), (2, 3)), inputs((2, 2, 2), (2, 1, 2))],
    ),
    *_with_nothing(
        "cholesky",
        {
            "linalg.cholesky(x)": lambda lib, x: lib.linalg.cholesky(_positive(lib, x)),
            "linalg.cholesky(x, upper=True)": lambda lib, x: lib.linalg.cholesky(_positive(lib, x), upper=True),
            "cholesky(x)": lambda lib, x: lib.cholesky(_positive(lib, x)),
            "x.cholesky(True)": lambda lib, x: _positive(lib, x).cholesky(True),
        },
        _SQUARE,
        _EMPTY,
    ),
    *cases(
        "cholesky_solve",
        {
            "cholesky_solve(y, L)": lambda lib, x, y: lib.cholesky_solve(y, lib.linalg.cholesky(_positive(lib, x))),
            "y.cholesky_solve(U, upper=True)": lambda lib, x, y: y.cholesky_solve(
                lib.linalg.cholesky(_positive(lib, x), upper=True), upper=True
            ),
        },
        [inputs((3, 3), (3, 2)), inputs((2, 2, 2), (2, 2, 1))],
    ),
    *cases(
        "cholesky_inverse",
        {
            "cholesky_inverse(L)": lambda lib, x: lib.cholesky_inverse(lib.linalg.cholesky(_positive(lib, x))),
            "U.cholesky_inverse(True)": lambda lib, x: lib.linalg.cholesky(
                _positive(lib, x), upper=True
            ).cholesky_inverse(True),
        },
        [inputs((3, 3)), inputs((2, 2, 2))],
    ),
    *_with_nothing(
        "det",
        {
            "linalg.det(x)": lambda lib, x: lib.linalg.det(x),
            "det(x)": lambda lib, x: lib.det(x),
            "x.det()": lambda lib, x: x.det(),
        },
        _SQUARE,
        _EMPTY,
    ),
    *_with_nothing(
        "slogdet",
        {
            "linalg.slogdet(x)": lambda lib, x: lib.linalg.slogdet(x),
            "slogdet(x).logabsdet": lambda lib, x: lib.slogdet(x).logabsdet,
            "x.slogdet().sign": lambda lib, x: x.slogdet().sign.detach(),
            "logdet(x)": lambda lib, x: lib.logdet(_positive(lib, x)),
            "x.logdet()": lambda lib, x: _positive(lib, x).logdet(),
        },
        _SQUARE,
        _EMPTY,
    ),
    *cases(
        "tensorinv",
        {
            "linalg.tensorinv(x)": lambda lib, x: lib.linalg.tensorinv(_apart(lib, x).reshape(2, 2, 4)),
            "linalg.tensorinv(x, ind=1)": lambda lib, x: lib.linalg.tensorinv(_apart(lib, x).reshape(4, 2, 2), ind=1),
        },
        [inputs((4, 4))],
    ),
    *cases(
        "tensorsolve",
        {
            "linalg.tensorsolve(x, y)": lambda lib, x, y: lib.linalg.tensorsolve(_apart(lib, x).reshape(2, 2, 4), y),
            "linalg.tensorsolve(x, y, dims=(1,))": lambda lib, x, y: lib.linalg.tensorsolve(
                _apart(lib, x).reshape(2, 2, 4).transpose(1, 2), y, dims=(1,)
            ),
        },
        [inputs((4, 4), (2, 2))],
    ),
    *cases(
        "qr",
        {
            "linalg.qr(x)": lambda lib, x: _unsigned(lib.linalg.qr(x)),
            "linalg.qr(x).R": lambda lib, x: lib.linalg.qr(x, mode="reduced").R.abs(),
            "qr(x)": lambda lib, x: _unsigned(lib.qr(x)),
            "x.qr()": lambda lib, x: _unsigned(x.qr()),
            "Q of qr times R": lambda lib, x: (lambda q: q.Q @ q.R)(lib.linalg.qr(x)),
        },
        _ANY,
    ),
    *cases(
        "qr", {"linalg.qr(x, 'complete')": lambda lib, x: _unsigned(lib.linalg.qr(x, "complete"))}, [inputs((2, 3))]
    ),
    *cases(
        "qr",
        {
            "linalg.qr(x, 'complete') without a derivative": lambda lib, x: _unsigned(lib.linalg.qr(x, "complete")),
            "linalg.qr(x, 'r')": lambda lib, x: _unsigned(lib.linalg.qr(x, "r")),
        },
        [inputs((3, 2)), inputs((2, 4))],
        differentiable=False,
    ),
    *cases(
        "svd",
        {
            "linalg.svd(x, full_matrices=False)": lambda lib, x: _unsigned(lib.linalg.svd(x, full_matrices=False)),
            "svd(x)": lambda lib, x: _unsigned(lib.svd(x)),
            "x.svd(compute_uv=False)": lambda lib, x: x.svd(compute_uv=False),
            "linalg.svd(x).S": lambda lib, x: lib.linalg.svd(x).S,
            "linalg.svdvals(x)": lambda lib, x: lib.linalg.svdvals(x),
            "U·S·Vh": lambda lib, x: (lambda d: (d.U * d.S[..., None, :]) @ d.Vh)(lib.linalg.svd(x, False)),
        },
        _ANY,
    ),
    *cases(
        "svd",
        {
            "shapes of linalg.svd(x)": lambda lib, x: [part * 0 for part in lib.linalg.svd(x)],
            "shapes of svd(x, some=False)": lambda lib, x: [part * 0 for part in lib.svd(x, some=False)],
        },
        [inputs((3, 2)), inputs((2, 3))],
        differentiable=False,
    ),
    *cases(
        "svd",
        {
            "linalg.svd(x) of nothing": lambda lib, x: lib.linalg.svd(x),
            "linalg.svdvals(x) of nothing": lambda lib, x: lib.linalg.svdvals(x),
        },
        [*_NOTHING, *_EMPTY],
    ),
    *_with_nothing(
        "eigh",
        {
            "linalg.eigh(x)": lambda lib, x: _unsigned(lib.linalg.eigh(_positive(lib, x))),
            "linalg.eigh(x, 'U')": lambda lib, x: _unsigned(lib.linalg.eigh(_positive(lib, x), "U")),
            "linalg.eigh(x).eigenvalues": lambda lib, x: lib.linalg.eigh(_positive(lib, x), UPLO="l").eigenvalues,
            "linalg.eigvalsh(x)": lambda lib, x: lib.linalg.eigvalsh(_positive(lib, x)),
            "linalg.eigvalsh(x, 'U')": lambda lib, x: lib.linalg.eigvalsh(_positive(lib, x), "U"),
        },
        _SQUARE,
        _EMPTY,
    ),
    *_with_nothing(
        "pinv",
        {
            "linalg.pinv(x)": lambda lib, x: lib.linalg.pinv(x),
            "pinverse(x)": lambda lib, x: lib.pinverse(x),
            "x.pinverse()": lambda lib, x: x.pinverse(),
            "linalg.pinv(x, rtol=)": lambda lib, x: lib.linalg.pinv(x, rtol=1e-3),
            "linalg.pinv(x, atol=, rtol=)": lambda lib, x: lib.linalg.pinv(x, atol=1e-4, rtol=1e-3),
        },
        _ANY,
        _NOTHING,
    ),
    *cases(
        "pinv",
        {
            "linalg.pinv(x, hermitian=True)": lambda lib, x: lib.linalg.pinv(_positive(lib, x), hermitian=True),
            "linalg.pinv(x, atol=a tensor)": lambda lib, x: lib.linalg.pinv(x, atol=lib.tensor(0.001, device=x.device)),
        },
        [inputs((3, 3)), inputs((2, 2, 2))],
    ),
    *_with_nothing(
        "matrix_rank",
        {
            "linalg.matrix_rank(x)": lambda lib, x: lib.linalg.matrix_rank(x),
            "linalg.matrix_rank(x, 1.0)": lambda lib, x: lib.linalg.matrix_rank(x, 1.0),
            "linalg.matrix_rank(x, atol=, rtol=)": lambda lib, x: lib.linalg.matrix_rank(x, atol=0.1, rtol=0.5),
            "linalg.matrix_rank(x @ x.mT, hermitian=True)": lambda lib, x: lib.linalg.matrix_rank(
                x @ x.transpose(-2, -1), hermitian=True
            ),
        },
        _ANY,
        _NOTHING,
    ),
    *cases(
        "lstsq",
        {
            "linalg.lstsq(x, y).solution": lambda lib, x, y: lib.linalg.lstsq(x, y).solution,
            "linalg.lstsq(x, y).rank": lambda lib, x, y: lib.linalg.lstsq(x, y).rank,
            "linalg.lstsq(x, y, driver='gelsd')": lambda lib, x, y: lib.linalg.lstsq(
                x.detach(), y.detach(), driver="gelsd"
            ),
        },
        [inputs((4, 2), (4, 3)), inputs((2, 3), (2, 1)), inputs((2, 3, 2), (2, 3, 1)), inputs((2, 3, 2), (2, 3))],
    ),
    *cases(
        "cond", {**{f"linalg.cond(x, {p})": lambda lib, x, p=p: lib.linalg.cond(x, p) for p in (None, 2, -2)}}, _ANY
    ),
    *cases(
        "cond",
        {
            f"linalg.cond(x, {p!r})": lambda lib, x, p=p: lib.linalg.cond(_apart(lib, x), p)
            for p in ("fro", "nuc", 1, -1, float("inf"), -float("inf"))
        },
        [inputs((3, 3)), inputs((2, 2, 2))],
    ),
    *_with_nothing(
        "matrix_power",
        {
            f"linalg.matrix_power(x, {n})": lambda lib, x, n=n: lib.linalg.matrix_power(_apart(lib, x) / 3, n)
            for n in (0, 1, 2, 3, 6, -1, -2)
        }
        | {
            "matrix_power(x, 2)": lambda lib, x: lib.matrix_power(x, 2),
            "x.matrix_power(3)": lambda lib, x: x.matrix_power(3),
        },
        _SQUARE,
        _EMPTY,
    ),
    *_with_nothing(
        "matrix_exp",
        {
            "linalg.matrix_exp(x)": lambda lib, x: lib.linalg.matrix_exp(x),
            "matrix_exp(x / 50)": lambda lib, x: lib.matrix_exp(x / 50),
            "x.matrix_exp()": lambda lib, x: (x / 2).matrix_exp(),
        },
        _SQUARE,
        _EMPTY,
    ),
    *cases(
        "cross",
        {
            "linalg.cross(x, y)": lambda lib, x, y: lib.linalg.cross(x, y),
            "cross(x, y, -1)": lambda lib, x, y: lib.cross(x, y, -1),
        },
        [
            inputs((3,), (3,)),
            inputs((2, 3), (2, 3)),
            inputs((2, 3), (1, 3)),
            inputs((1, 2, 3), (2, 2, 3)),
            inputs((0, 3), (0, 3)),
        ],
    ),
    *cases(
        "cross",
        {"cross(x, y)": lambda lib, x, y: lib.cross(x, y), "x.cross(y, dim=0)": lambda lib, x, y: x.cross(y, dim=0)},
        [inputs((3, 2), (3, 2)), inputs((3, 3), (3, 3))],
    ),
    *cases(
        "vander",
        {
            "linalg.vander(x)": lambda lib, x: lib.linalg.vander(x),
            "linalg.vander(x, N=4)": lambda lib, x: lib.linalg.vander(x, N=4),
        },
        [inputs((3,)), inputs((2, 2)), inputs((0, 3))],
    ),
    *cases(
        "diagonal",
        {
            "linalg.diagonal(x)": lambda lib, x: lib.linalg.diagonal(x),
            "linalg.diagonal(x, offset=1, dim1=0, dim2=1)": lambda lib, x: lib.linalg.diagonal(
                x, offset=1, dim1=0, dim2=1
            ),
        },
        [inputs((2, 2, 3)), inputs((3, 3))],
    ),
    *cases(
        "norm",
        {
            "norm(x, 'nuc')": lambda lib, x: lib.norm(x, "nuc"),
            "x.norm('nuc', (0, 1), True)": lambda lib, x: x.norm("nuc", (0, 1), True),
        },
        [inputs((2, 3)), inputs((3, 2))],
    ),
    *cases(
        "vander",
        {
            "vander(x)": lambda lib, x: lib.vander(x),
            "vander(x, N=4, increasing=True)": lambda lib, x: lib.vander(x, N=4, increasing=True),
            "vander(x, 1)": lambda lib, x: lib.vander(x.detach(), 1),
        },
        [inputs((3,))],
    ),
]
