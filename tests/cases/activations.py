"""Cases of activations: `nn.functional` and the few that have other names as well."""

from __future__ import annotations

from typing import Any

from .table import ANY, SMALL, Case, Draw, cases, inputs


def functional(name: str, *args: Any, **options: Any) -> Any:
    """The function of nn.functional with these options."""
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *args, **options)


CASES: list[Case] = []
for _name in """gelu silu mish hardsigmoid hardswish logsigmoid softsign tanhshrink leaky_relu elu selu celu softplus
    relu6 hardtanh softshrink hardshrink rrelu""".split():
    CASES += cases(_name, {f"functional.{_name}(x)": functional(_name)}, ANY)
_FORMS = {
    "gelu": {"gelu(x, approximate='tanh')": functional("gelu", approximate="tanh")},
    "leaky_relu": {"leaky_relu(x, 0.2)": functional("leaky_relu", 0.2), "slope -1": functional("leaky_relu", -1.0)},
    "elu": {"elu(x, alpha=0.5)": functional("elu", alpha=0.5)},
    "celu": {"celu(x, 2.0)": functional("celu", 2.0), "lib.celu(x, 0.5)": lambda lib, x: lib.celu(x, 0.5)},
    "selu": {"lib.selu(x)": lambda lib, x: lib.selu(x)},
    "softplus": {"softplus(x, 2)": functional("softplus", 2), "softplus(x, 3, 1)": functional("softplus", 3, 1)},
    "hardtanh": {"hardtanh(x, 0, 1)": functional("hardtanh", 0, 1), "bounds": functional("hardtanh", -0.5, 1.5)},
    "threshold": {
        "threshold(x, 0.5, 2)": functional("threshold", 0.5, 2),
        "lib.threshold(x, 1, -3)": lambda lib, x: lib.threshold(x, 1, -3),
    },
    "softshrink": {"softshrink(x, 1)": functional("softshrink", 1.0)},
    "hardshrink": {
        "lib.hardshrink(x, lambd=1)": lambda lib, x: lib.hardshrink(x, lambd=1),
        "x.hardshrink()": lambda lib, x: x.hardshrink(),
    },
    "rrelu": {
        "rrelu(x, 0.1, 0.5)": functional("rrelu", 0.1, 0.5),
        "rrelu(x, 0.25, 0.25, True)": functional("rrelu", 0.25, 0.25, True),
    },
    "softmin": {"softmin(x, 1)": functional("softmin", 1), "softmin(x, dim=0)": functional("softmin", dim=0)},
    "glu": {"glu(x, 1)": functional("glu", 1), "glu(x, dim=0)": functional("glu", dim=0)},
}
for _name, _forms in _FORMS.items():
    CASES += cases(_name, _forms, [inputs((2, 4)), inputs((4, 2), layout="transposed")])
for _name in "relu6 leaky_relu elu selu celu silu mish hardtanh hardsigmoid hardswish rrelu relu".split():
    CASES += cases(
        _name,
        {f"{_name}(x, inplace=True)": lambda lib, x, name=_name: getattr(lib.nn.functional, name)(x * 1, inplace=True)},
        SMALL,
    )
for _name in "relu_ leaky_relu_ elu_ selu_ celu_ hardtanh_ rrelu_".split():
    CASES += cases(
        _name[:-1], {f"{_name}(x)": lambda lib, x, name=_name: getattr(lib.nn.functional, name)(x * 1)}, SMALL
    )
for _name in "relu_ selu_ celu_".split():
    CASES += cases(_name[:-1], {f"lib.{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x * 1)}, SMALL)
CASES += [
    *cases(
        "threshold",
        {
            "threshold(x, 1, 2, True)": lambda lib, x: lib.nn.functional.threshold(x * 1, 1, 2, True),
            "threshold_(x, 1, 2)": lambda lib, x: lib.nn.functional.threshold_(x * 1, 1, 2),
            "lib.threshold_(x, 1, 2)": lambda lib, x: lib.threshold_(x * 1, 1, 2),
        },
        SMALL,
    ),
    *cases("glu", {"glu(x)": functional("glu")}, [inputs((4,)), inputs((2, 0))]),
    *cases(
        "prelu",
        {
            "functional.prelu(x, w)": lambda lib, x, w: lib.nn.functional.prelu(x, w),
            "lib.prelu(x, w)": lambda lib, x, w: lib.prelu(x, w),
            "x.prelu(w)": lambda lib, x, w: x.prelu(w),
        },
        [
            inputs((2, 3), (1,)),
            inputs((2, 3), (3,)),
            inputs((4,), (1,)),
            inputs((), (1,)),
            inputs((2, 3), ()),
            inputs((2, 3, 2), (3,)),
            inputs((0, 3), (3,)),
            (Draw((3, 2), layout="transposed"), Draw((2,))),
        ],
    ),
    *cases(
        "normalize",
        {
            "normalize(x)": functional("normalize"),
            "normalize(x, dim=0)": functional("normalize", dim=0),
            "normalize(x, 1, -1)": functional("normalize", 1, -1),
            "normalize(x, 3, eps=2)": functional("normalize", 3.0, eps=2.0),
            "normalize(x, dim=(0, 1))": functional("normalize", dim=(0, 1)),
        },
        [inputs((2, 3)), inputs((3, 2), layout="transposed"), inputs((0, 3))],
    ),
]
