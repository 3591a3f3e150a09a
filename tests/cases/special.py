"""Cases of special functions: `lib.special` and the names that some of them have elsewhere."""

from __future__ import annotations

from typing import Any

from .table import ANY, POSITIVE, SHAPES, SMALL, Case, Draw, cases, inputs, layouts, pairs

UNIT = layouts("unit", *SHAPES)


def everywhere(names: str, samples: Any, in_place: str = "") -> list[Case]:
    """Functions of one input that have a name in `lib`, in `lib.special` and as a method."""
    found: list[Case] = []
    for name in names.split():
        small = [sample for sample in samples if sample[0].shape == (2, 3)][:1]
        found += cases(name, {f"{name}(x)": lambda lib, x, name=name: getattr(lib, name)(x)}, samples)
        found += cases(
            name,
            {
                f"x.{name}()": lambda lib, x, name=name: getattr(x, name)(),
                f"x.{name}_()": lambda lib, x, name=name: getattr(x * 1, f"{name}_")(),
            },
            small,
        )
    return found


def special(names: str, samples: Any, **options: Any) -> list[Case]:
    """Functions of one input of `lib.special`."""
    found: list[Case] = []
    for name in names.split():
        found += cases(name, {f"special.{name}(x)": lambda lib, x, name=name: getattr(lib.special, name)(x)}, samples)
    return found


def of_two(form: Any, samples: Any, **options: Any) -> list[Case]:
    """Functions of two inputs of `lib.special`."""
    return cases(
        form, {f"special.{form}(x, y)": lambda lib, x, y: getattr(lib.special, form)(x, y)}, samples, **options
    )


GAMMA = [  # no derivative by the first is known
    (Draw(a, "positive", grad=False), Draw(b, "positive"))
    for a, b in [((2, 3), (2, 3)), ((3,), (2, 3)), ((), (3,)), ((2, 1), (1, 3)), ((0,), (1,))]
]
NO_DERIVATIVE = """airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 modified_bessel_i1
modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0"""
FEW = [inputs(shape, numbers="positive") for shape in ((), (2, 3), (0,))]

POLYNOMIALS: list[Case] = []
for _name in """chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w
    hermite_polynomial_h hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p
    shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v
    shifted_chebyshev_polynomial_w""".split():
    POLYNOMIALS += cases(
        _name,
        {
            f"{_name}(x, 4)": lambda lib, x, name=_name: getattr(lib.special, name)(x, 4),
            f"{_name}(x, -1)": lambda lib, x, name=_name: getattr(lib.special, name)(x, -1),
        },
        [inputs((2, 3), numbers="unit"), inputs((), numbers="positive")],
        differentiable=False,
    )
    POLYNOMIALS += cases(
        _name,
        {f"{_name}(x, n)": lambda lib, x, n, name=_name: getattr(lib.special, name)(x, n)},
        [
            (Draw((2, 3)), Draw((2, 3), "below 6")),
            (Draw((3,)), Draw((2, 1), "below 4")),
            (Draw((0,)), Draw((1,), "below 2")),
        ],
        differentiable=False,
    )

CASES = [
    *POLYNOMIALS,
    *everywhere("erf erfc sinc i0", ANY),
    *everywhere("erfinv logit", UNIT),
    *everywhere("lgamma digamma", ANY),
    *special("erf erfc sinc i0 gammaln psi digamma expit exp2 expm1", SMALL),
    *special("round", SMALL),
    *special("log1p", POSITIVE[:1]),
    *special("erfcx ndtr log_ndtr i0e i1 i1e", ANY),
    *special("ndtri", UNIT),
    *special("erfinv logit", UNIT[:1]),
    *special("entr", POSITIVE),
    *special(NO_DERIVATIVE, FEW, differentiable=False),
    *cases(
        "polygamma",
        {
            "polygamma(0, x)": lambda lib, x: lib.polygamma(0, x),
            "polygamma(2, x)": lambda lib, x: lib.polygamma(2, x),
            "x.polygamma(3)": lambda lib, x: x.polygamma(3),
            "x.polygamma_(2)": lambda lib, x: (x * 1).polygamma_(2),
            "special.polygamma(4, x)": lambda lib, x: lib.special.polygamma(4, x),
        },
        [inputs((2, 3), numbers="positive"), inputs((), numbers="positive"), inputs((0,), numbers="positive")],
    ),
    *cases(
        "mvlgamma",
        {
            "mvlgamma(x + 1, 2)": lambda lib, x: lib.mvlgamma(x + 1, 2),
            "mvlgamma(x, 1)": lambda lib, x: lib.mvlgamma(x, p=1),
            "x.mvlgamma(3)": lambda lib, x: (x + 2).mvlgamma(3),
            "x.mvlgamma_(2)": lambda lib, x: (x + 2).mvlgamma_(2),
            "special.multigammaln(x, 2)": lambda lib, x: lib.special.multigammaln(x + 1, 2),
        },
        [inputs((2, 3), numbers="positive"), inputs((), numbers="positive"), inputs((0,), numbers="positive")],
    ),
    *cases(
        "logit",
        {
            "logit(x, 0.3)": lambda lib, x: lib.logit(x, 0.3),
            "logit(x, eps=-1)": lambda lib, x: lib.logit(x, eps=-1.0),
            "x.logit(eps=0.4)": lambda lib, x: x.logit(eps=0.4),
        },
        [inputs((2, 3), numbers="unit")],
    ),
    *cases(
        "xlogy",
        {
            "xlogy(x, y)": lambda lib, x, y: lib.xlogy(x, y),
            "x.xlogy(y)": lambda lib, x, y: x.xlogy(y),
            "special.xlogy(x, y)": lambda lib, x, y: lib.special.xlogy(x, y),
        },
        pairs("any", "positive"),
    ),
    *cases(
        "xlogy",
        {
            "xlogy(x, 2)": lambda lib, x: lib.xlogy(x, 2),
            "xlogy(0.5, x)": lambda lib, x: lib.xlogy(0.5, x),
            "xlogy(0, x)": lambda lib, x: lib.xlogy(0, x),
            "x.xlogy_(3)": lambda lib, x: (x * 1).xlogy_(3),
        },
        [inputs((2, 3), numbers="positive")],
    ),
    *of_two("xlog1py", pairs("any", "positive")),
    *cases(
        "igamma",
        {
            "igamma(x, y)": lambda lib, x, y: lib.igamma(x, y),
            "x.igamma(y)": lambda lib, x, y: x.igamma(y),
            "special.gammainc(x, y)": lambda lib, x, y: lib.special.gammainc(x, y),
        },
        GAMMA,
    ),
    *cases(
        "igammac",
        {
            "igammac(x, y)": lambda lib, x, y: lib.igammac(x, y),
            "x.igammac(y)": lambda lib, x, y: x.igammac(y),
            "special.gammaincc(x, y)": lambda lib, x, y: lib.special.gammaincc(x, y),
        },
        GAMMA,
    ),
    *cases("zeta", {"special.zeta(x + 1.5, y)": lambda lib, x, y: lib.special.zeta(x + 1.5, y)}, GAMMA),
    *cases("zeta", {"special.zeta(3.5, x)": lambda lib, x: lib.special.zeta(3.5, x)}, FEW),
    *cases("softmax", {"special.softmax(x, 1)": lambda lib, x: lib.special.softmax(x, 1)}, SMALL),
    *cases("log_softmax", {"special.log_softmax(x, 0)": lambda lib, x: lib.special.log_softmax(x, 0)}, SMALL),
    *cases("logsumexp", {"special.logsumexp(x, 1)": lambda lib, x: lib.special.logsumexp(x, 1)}, SMALL),
]
