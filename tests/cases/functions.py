"""Cases of exponentials, trigonometry, rounding, and of arithmetic beyond the operators."""

from __future__ import annotations

from .table import ANY, POSITIVE, SHAPES, SMALL, Case, Draw, cases, inputs, layouts, pairs

UNIT = layouts("unit", *SHAPES)
EXPONENTIAL = dict.fromkeys(["exp2", "expm1"], ANY) | dict.fromkeys(["log2", "log10", "log1p"], POSITIVE)
TRIGONOMETRIC = dict.fromkeys(["tan", "atan", "arctan", "sinh", "cosh", "asinh", "arcsinh"], ANY)
TRIGONOMETRIC |= dict.fromkeys(["asin", "arcsin", "acos", "arccos", "atanh", "arctanh"], UNIT)
TRIGONOMETRIC |= dict.fromkeys(["deg2rad", "rad2deg"], ANY)
ROUNDING = dict.fromkeys(["floor", "ceil", "round", "trunc", "fix", "frac", "nan_to_num"], ANY)
OTHERS = {"square": ANY, "reciprocal": ANY, "rsqrt": POSITIVE}
OTHERS |= dict.fromkeys("absolute negative sgn angle real conj conj_physical resolve_conj resolve_neg".split(), ANY)
MARKS = ("isposinf", "isneginf", "isreal", "signbit")

UNARY: list[Case] = []
for _name, _samples in (EXPONENTIAL | TRIGONOMETRIC | ROUNDING | OTHERS).items():
    UNARY += cases(_name, {f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x)}, _samples)
    if _name != "real":
        UNARY += cases(_name, {f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)()}, [_samples[3]])
for _name in ("acosh", "arccosh"):
    UNARY += cases(_name, {f"{_name}(x + 1)": lambda lib, x, name=_name: getattr(lib, name)(x + 1)}, POSITIVE)
    UNARY += cases(_name, {f"x.{_name}()": lambda lib, x, name=_name: getattr(x * x + 2, name)()}, SMALL)
for _name in MARKS:
    UNARY += cases(
        _name,
        {
            f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x),
            f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)(),
            f"{_name}(x / 0)": lambda lib, x, name=_name: getattr(lib, name)(x / (x * 0)),
        },
        [inputs((2, 3)), inputs(()), inputs((0,)), inputs((3, 4), layout="transposed")],
        differentiable=False,
    )
UNARY += [
    *cases(
        "real",
        {"x.real": lambda lib, x: x.real, "x.real in place": lambda lib, x: (x * 1).real.mul_(2)},
        [inputs((2, 3)), inputs(())],
    ),
    *cases(
        "positive",
        {
            "positive(x) * 1": lambda lib, x: lib.positive(x) * 1,
            "x.positive() * 1": lambda lib, x: x.positive() * 1,
            "positive(x) in place": lambda lib, x: lib.positive(x * 1).mul_(2),
        },
        SMALL,
    ),
    *cases(
        "round",
        {
            "round(x, decimals=1)": lambda lib, x: lib.round(x, decimals=1),
            "x.round(decimals=2)": lambda lib, x: x.round(decimals=2),
            "round(100 x, decimals=-1)": lambda lib, x: lib.round(100 * x, decimals=-1),
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases("round", {"halves": lambda lib, x: lib.round(x.detach().round() + 0.5) * x}, SMALL),
    *cases(
        "nan_to_num",
        {
            "nan_to_num(x / 0)": lambda lib, x: lib.nan_to_num(x / (x.detach() * 0)),
            "nan_to_num(x, 1, 2, 3)": lambda lib, x: lib.nan_to_num(x / (x.detach() > 0), 1.0, 2.0, 3.0),
            "x.nan_to_num(nan=, posinf=)": lambda lib, x: (x / (x.detach() > 0)).nan_to_num(nan=5.0, posinf=7.0),
            "nan_to_num(log(x), neginf=)": lambda lib, x: lib.nan_to_num(lib.log(x * (x.detach() > 0)), neginf=-1.0),
        },
        [inputs((2, 3))],
        differentiable=False,
    ),
    *cases(
        "frexp",
        {
            "frexp(x)": lambda lib, x: lib.frexp(x),
            "x.frexp()": lambda lib, x: tuple(x.frexp()),
            "frexp(x).mantissa": lambda lib, x: lib.frexp(x).mantissa,
            "frexp(x).exponent": lambda lib, x: lib.frexp(x).exponent,
        },
        [inputs((2, 3)), inputs(()), inputs((3, 4), layout="transposed")],
    ),
]

# --- two inputs

TENSORS = ["logaddexp", "logaddexp2", "hypot", "fmax", "fmin"]  # a number in place of a tensor is ours only
NUMBERS = ["fmod", "copysign", "float_power", "multiply", "subtract", "divide"]

BINARY: list[Case] = []
for _name in TENSORS:
    BINARY += cases(_name, {f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y)}, pairs())
for _name in [*TENSORS, "atan2", "arctan2", "fmod", "copysign", "multiply", "subtract", "divide", "ldexp"]:
    BINARY += cases(
        _name,
        {
            f"{_name}(x, y) of rows": lambda lib, x, y, name=_name: getattr(lib, name)(x, y),
            f"x.{_name}(y)": lambda lib, x, y, name=_name: getattr(x, name)(y),
        },
        [inputs((2, 3), (3,)), inputs((2, 1), (1, 3)), inputs((0, 3), (3,))],
    )
for _name in NUMBERS:
    BINARY += cases(
        _name,
        {
            f"{_name}(x, 2)": lambda lib, x, name=_name: getattr(lib, name)(x, 2),
            f"x.{_name}(-0.75)": lambda lib, x, name=_name: getattr(x, name)(-0.75),
        },
        [inputs((2, 3), numbers="positive"), inputs((), numbers="positive")],
    )
for _name in ("gcd", "lcm"):
    BINARY += cases(
        _name,
        {
            f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y),
            f"x.{_name}(y)": lambda lib, x, y, name=_name: getattr(x, name)(y),
            f"{_name}(x - 4, y - 4)": lambda lib, x, y, name=_name: getattr(lib, name)((x - 4).to(lib.int8), y - 4),
        },
        [inputs((2, 3), (3,), numbers="below 9"), inputs((), (3,), numbers="below 9")],
        differentiable=False,
    )
for _name in ("nextafter", "heaviside"):
    BINARY += cases(
        _name,
        {
            f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y),
            f"x.{_name}(y)": lambda lib, x, y, name=_name: getattr(x, name)(y),
            f"{_name}(0 x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x * 0, y),
        },
        [inputs((2, 3), (3,)), inputs((), ())],
        differentiable=False,
    )
BINARY += [
    *cases(
        "float_power",
        {
            "float_power(x, y)": lambda lib, x, y: lib.float_power(x, y),
            "x.float_power(y)": lambda lib, x, y: x.float_power(y),
        },
        [(Draw((2, 3), "positive"), Draw((3,)))],
    ),
    *cases("float_power", {"float_power(2, x)": lambda lib, x: lib.float_power(2, x)}, SMALL),
    *cases(
        "ldexp",
        {"ldexp(x, n)": lambda lib, x, n: lib.ldexp(x, n), "x.ldexp(n)": lambda lib, x, n: x.ldexp(n)},
        [(Draw((2, 3)), Draw((3,), "below 5"))],
    ),
    *cases(
        "ldexp",
        {
            "ldexp of small float32": lambda lib, x: lib.ldexp(
                (x.double() * 1e-30).float(), lib.tensor(150, device=x.device)
            )
        },
        SMALL,
        differentiable=False,
    ),
    *cases(
        "rsub",
        {
            "rsub(x, y)": lambda lib, x, y: lib.rsub(x, y),
            "rsub(x, y, alpha=)": lambda lib, x, y: lib.rsub(x, y, alpha=2),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases("rsub", {"rsub(x, 2)": lambda lib, x: lib.rsub(x, 2)}, SMALL),
]

BINARY += [
    *cases("div", {"x.__div__(2)": lambda lib, x: x.__div__(2), "x.__rdiv__(2)": lambda lib, x: x.__rdiv__(2)}, SMALL)
]

# --- three inputs

TERNARY: list[Case] = []
for _name in ("addcmul", "addcdiv"):
    TERNARY += cases(
        _name,
        {
            f"{_name}(x, y, z)": lambda lib, x, y, z, name=_name: getattr(lib, name)(x, y, z),
            f"{_name}(x, y, z, value=3)": lambda lib, x, y, z, name=_name: getattr(lib, name)(x, y, z, value=3),
            f"x.{_name}(y, z, value=0.5)": lambda lib, x, y, z, name=_name: getattr(x, name)(y, z, value=0.5),
            f"{_name}(tensor1=, tensor2=)": lambda lib, x, y, z, name=_name: getattr(lib, name)(
                x, tensor1=y, tensor2=z
            ),
        },
        [inputs((2, 3), (2, 3), (2, 3)), inputs((2, 3), (3,), (2, 1)), inputs((), (3,), ()), inputs((0,), (1,), (0,))],
    )
TERNARY += [
    *cases(
        "lerp",
        {
            "lerp(x, y, z)": lambda lib, x, y, z: lib.lerp(x, y, z),
            "x.lerp(y, z)": lambda lib, x, y, z: x.lerp(y, z),
            "lerp(x, end=y, weight=z)": lambda lib, x, y, z: lib.lerp(x, end=y, weight=z),
        },
        [inputs((2, 3), (2, 3), (2, 3)), inputs((2, 3), (3,), (2, 1)), inputs((), (3,), ()), inputs((0,), (1,), (0,))],
    ),
    *cases(
        "lerp",
        {
            "lerp(x, y, 0.25)": lambda lib, x, y: lib.lerp(x, y, 0.25),
            "x.lerp(y, 0.75)": lambda lib, x, y: x.lerp(y, 0.75),
            "lerp(x, y, 1)": lambda lib, x, y: lib.lerp(x, y, 1),
            "lerp(x, y, 2)": lambda lib, x, y: lib.lerp(x, y, 2),
        },
        [inputs((2, 3), (3,)), inputs((), ())],
    ),
]

# --- bounds

BOUNDS: list[Case] = [
    *cases(
        "clamp_min",
        {
            "clamp_min(x, 0.5)": lambda lib, x: lib.clamp_min(x, 0.5),
            "x.clamp_min(1)": lambda lib, x: x.clamp_min(1),
            "x.clamp_min(min=-1)": lambda lib, x: x.clamp_min(min=-1),
        },
        [inputs((4, 3)), inputs(())],
    ),
    *cases(
        "clamp_max",
        {
            "clamp_max(x, 0.5)": lambda lib, x: lib.clamp_max(x, 0.5),
            "x.clamp_max(max=1)": lambda lib, x: x.clamp_max(max=1),
        },
        [inputs((4, 3)), inputs(())],
    ),
    *cases("clamp_min", {"clamp_min(x, y)": lambda lib, x, y: lib.clamp_min(x, y)}, [inputs((4, 3), (3,))]),
    *cases("clamp_max", {"clamp_max(x, y)": lambda lib, x, y: lib.clamp_max(x, y)}, [inputs((4, 3), (3,))]),
    *cases(
        "clip",
        {"clip(x, -1, 1)": lambda lib, x: lib.clip(x, -1, 1), "clip(x, max=0)": lambda lib, x: lib.clip(x, max=0)},
        [inputs((4, 3))],
    ),
]

# --- comparisons and bits

LOGIC: list[Case] = []
for _name in ("greater", "greater_equal", "less", "less_equal", "not_equal"):
    LOGIC += cases(
        _name,
        {f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y)},
        [inputs((2, 3), (3,))],
        differentiable=False,
    )
    LOGIC += cases(
        _name, {f"x.{_name}(0.5)": lambda lib, x, name=_name: getattr(x, name)(0.5)}, SMALL, differentiable=False
    )
for _name, _sign, _method in (("left", "<<", "lshift"), ("right", ">>", "rshift")):
    LOGIC += cases(
        f"bitwise_{_name}_shift",
        {
            f"x {_sign} y": lambda lib, x, y, name=_method: getattr(x, f"__{name}__")(y),
            f"bitwise_{_name}_shift(x - 4, y)": lambda lib, x, y, name=_name: getattr(lib, f"bitwise_{name}_shift")(
                x - 4, y
            ),
            f"x.bitwise_{_name}_shift(y)": lambda lib, x, y, name=_name: getattr(x, f"bitwise_{name}_shift")(y),
            f"bitwise_{_name}_shift(x, 30 y)": lambda lib, x, y, name=_name: getattr(lib, f"bitwise_{name}_shift")(
                x, 30 * y - 30
            ),
        },
        [inputs((2, 3), (3,), numbers="below 6"), inputs((), (3,), numbers="below 6")],
        differentiable=False,
    )
    LOGIC += cases(
        f"bitwise_{_name}_shift",
        {
            f"x {_sign} 2": lambda lib, x, name=_method: getattr(x, f"__{name}__")(2),
            f"2 {_sign} x": lambda lib, x, name=_method: getattr(x, f"__r{name}__")(2),
            f"uint8 {_sign} -255": lambda lib, x, name=_method: getattr(x.to(lib.uint8), f"__{name}__")(-255),
        },
        [inputs((3,), numbers="below 6"), inputs((3,), numbers="mask")],
        differentiable=False,
    )
LOGIC += [
    *cases(
        "isclose",
        {
            "isclose(x, y)": lambda lib, x, y: lib.isclose(x, y),
            "x.isclose(y, rtol=1)": lambda lib, x, y: x.isclose(y, rtol=1),
            "isclose(x, y, atol=2)": lambda lib, x, y: lib.isclose(x, y, 0, 2),
            "isclose, exactly": lambda lib, x, y: lib.isclose(x, y * 0 + x, rtol=0, atol=0),
            "isclose of infinities": lambda lib, x, y: lib.isclose(x / (x * 0), y / (y * 0)),
            "isclose of NaN": lambda lib, x, y: lib.isclose(x * 0 / (x * 0), y * 0 / (y * 0), equal_nan=True),
        },
        [inputs((2, 3), (3,)), inputs((), ()), inputs((0, 3), (3,))],
        differentiable=False,
    ),
    *cases(
        "isin",
        {
            "isin(x, y)": lambda lib, x, y: lib.isin(x, y),
            "isin(elements=, test_elements=)": lambda lib, x, y: lib.isin(elements=x, test_elements=y),
            "isin(x, y, invert=True)": lambda lib, x, y: lib.isin(x, y, invert=True),
        },
        [inputs((2, 3), (4,), numbers="below 6"), inputs((), (2, 2)), (Draw((2, 3)), Draw((4,), "below 3"))],
        differentiable=False,
    ),
    *cases(
        "isin",
        {
            "isin(x, 2)": lambda lib, x: lib.isin(x, 2),
            "isin(2, x)": lambda lib, x: lib.isin(2, x),
            "isin(unique)": lambda lib, x: lib.isin(x[0, :1], x[1, 1:2], assume_unique=True),
            "isin(2, x, invert=True)": lambda lib, x: lib.isin(2, x, invert=True),
        },
        [inputs((2, 3), numbers="below 3"), inputs((2, 3))],
        differentiable=False,
    ),
]


LOGIC += [
    case
    for name in ("is_conj", "is_neg")
    for case in cases(
        name,
        {
            f"{name}(x)": lambda lib, x, name=name: x * getattr(lib, name)(x),
            f"x.{name}()": lambda lib, x, name=name: x * getattr(x, name)(),
        },
        SMALL,
        differentiable=False,
    )
]
LOGIC += cases(
    "is_nonzero",
    {"is_nonzero(x)": lambda lib, x: x * lib.is_nonzero(x), "x.is_nonzero()": lambda lib, x: x * (x * 0).is_nonzero()},
    [inputs(()), inputs((1, 1))],
    differentiable=False,
)

CASES = [*UNARY, *BINARY, *TERNARY, *BOUNDS, *LOGIC]
