"""Statements with the wider range of operations: one line of a table each, written in forms that PyTorch shares.

Each table gives how a line is spelled, the shape of its result and a bound on its values; where an operation is not
smooth, or picks elements, both sides see the same numbers, so that ties are found as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .writing import LARGE, Variable, Writer, broadcast, kind, leaf, reduced, target

Shape = tuple[int, ...]
LAST_VIEWED = {"cartesian_prod", "repeat_interleave", "inner", "tensordot", "kron", "cross"}


def fresh(w: Writer, name: str, source: str, shape: Shape, dtype: str, *parents: Variable, **facts: Any) -> None:
    """A new variable, of its own memory: PyTorch makes some results by a last view, and edits of views differ."""
    w.new(
        name,
        f"({source}).clone()" if "no_grad" in w.mode or name in LAST_VIEWED else source,
        shape,
        dtype,
        *parents,
        **facts,
    )


# --- elementwise: (source, bound of the result, whether it is positive), on any floating input

SMOOTH: dict[str, tuple[str, Callable[[float], float], bool]] = {
    "square": ("{}.square()", lambda b: b * b, False),
    "expm1": ("lib.expm1({}.clamp(max=5))", lambda b: 150.0, False),
    "exp2": ("lib.exp2({}.clamp(max=5))", lambda b: 32.0, True),
    "atan": ("{}.atan()", lambda b: 1.6, False),
    "asinh": ("{}.asinh()", lambda b: b, False),
    "sinh": ("{}.clamp(-3, 3).sinh()", lambda b: 11.0, False),
    "cosh": ("{}.clamp(-3, 3).cosh()", lambda b: 11.0, True),
    "erf": ("{}.erf()", lambda b: 1.0, False),
    "erfc": ("{}.erfc()", lambda b: 2.0, False),
    "gelu": ("lib.nn.functional.gelu({})", lambda b: b, False),
    "silu": ("lib.nn.functional.silu({})", lambda b: b, False),
    "softplus": ("lib.nn.functional.softplus({})", lambda b: b + 1, True),
    "elu": ("lib.nn.functional.elu({})", lambda b: b, False),
    "leaky_relu": ("lib.nn.functional.leaky_relu({}, 0.1)", lambda b: b, False),
    "hardtanh": ("lib.nn.functional.hardtanh({})", lambda b: 1.0, False),
    "hardswish": ("lib.nn.functional.hardswish({})", lambda b: b, False),
    "logsigmoid": ("lib.nn.functional.logsigmoid({})", lambda b: b + 1, False),
    "asin": ("lib.asin({}.clamp(-0.9, 0.9))", lambda b: 1.6, False),
    "acos": ("lib.acos({}.clamp(-0.9, 0.9))", lambda b: 3.2, True),
    "atanh": ("lib.atanh({}.clamp(-0.9, 0.9))", lambda b: 2.0, False),
    "floor": ("{}.floor()", lambda b: b + 1, False),
    "ceil": ("{}.ceil()", lambda b: b + 1, False),
    "round": ("{}.round()", lambda b: b + 1, False),
    "trunc": ("{}.trunc()", lambda b: b, False),
    "frac": ("{}.frac()", lambda b: 1.0, False),
    "sgn": ("{}.sgn()", lambda b: 1.0, False),
    "nan_to_num": ("lib.nan_to_num({}, 0.5)", lambda b: b, False),
    "clamp_min": ("{}.clamp_min(-0.3)", lambda b: b, False),
    "clamp_max": ("{}.clamp_max(0.3)", lambda b: b, False),
    "fmod by a number": ("lib.fmod({}, 0.7)", lambda b: 1.0, False),
    "positive": ("lib.positive({}) * 1", lambda b: b, False),
    "logit": ("lib.logit({}, 0.1)", lambda b: 3.0, False),
    "sinc": ("{}.sinc()", lambda b: 1.0, False),
    "deg2rad": ("lib.deg2rad({})", lambda b: b, False),
}
ON_POSITIVE: dict[str, tuple[str, Callable[[float], float], bool]] = {
    "rsqrt": ("{}.rsqrt()", lambda b: 10.0, True),
    "reciprocal of": ("lib.reciprocal({})", lambda b: 10.0, True),
    "log2": ("lib.log2({})", lambda b: 10.0, False),
    "log10": ("{}.log10()", lambda b: 10.0, False),
    "log1p": ("{}.log1p()", lambda b: 10.0, True),
    "lgamma": ("{}.lgamma()", lambda b: b * b + 5, False),
    "digamma": ("{}.digamma()", lambda b: 10.0, False),
    "acosh": ("lib.acosh({} + 1.5)", lambda b: b, True),
}


@kind(10)
def more_unary(w: Writer) -> Any:
    v = w.floating()
    names = ON_POSITIVE if v.positive and w.chance(0.5) else SMOOTH
    name = w.random.choice(list(names))
    source, bounds, positive = names[name]
    bound = bounds(v.bound)
    if bound < LARGE:
        fresh(w, name, source.format(v.name), v.shape, v.dtype, v, bound=bound, positive=positive)


PAIRS: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "atan2": ("lib.atan2({a}, {b})", lambda a, b: 3.2),
    "hypot": ("lib.hypot({a}, {b})", lambda a, b: a + b),
    "logaddexp": ("lib.logaddexp({a}, {b})", lambda a, b: a + b + 1),
    "fmax": ("lib.fmax({a}, {b})", lambda a, b: a + b),
    "fmin": ("lib.fmin({a}, {b})", lambda a, b: a + b),
    "copysign": ("lib.copysign({a}, {b})", lambda a, b: a),
    "lerp": ("lib.lerp({a}, {b}, 0.3)", lambda a, b: a + b),
    "addcmul": ("lib.addcmul({a}, {a}, {b}, value=0.5)", lambda a, b: a + a * b),
    "xlogy": ("lib.xlogy({a}, {b}.abs() + 0.5)", lambda a, b: a * (b + 1)),
    "fmod": ("lib.fmod({a}, {b}.abs() + 0.5)", lambda a, b: b + 1),
    "remainder by a tensor": ("lib.remainder({a}, {b}.abs() + 0.5)", lambda a, b: b + 1),
    "addcdiv": ("lib.addcdiv({a}, {a}, {b}.abs() + 0.5)", lambda a, b: 3 * a),
    "heaviside": ("lib.heaviside({a}.detach(), {b}.detach())", lambda a, b: b + 1),
    "isclose": ("lib.isclose({a}, {b}).double()", lambda a, b: 1.0),
}


@kind(5)
def more_pairs(w: Writer) -> None:
    a = w.floating()
    b = w.partner(a.shape, lambda v: v.dtype == a.dtype)
    name = w.random.choice(list(PAIRS))
    source, bounds = PAIRS[name]
    bound = bounds(a.bound, b.bound)
    if b.dtype != a.dtype or bound > LARGE:
        return
    parents = () if name in ("heaviside", "isclose") else (a, b)
    dtype = "float64" if name == "isclose" else a.dtype
    shape = broadcast(a.shape, b.shape) or a.shape
    fresh(w, name, source.format(a=a.name, b=b.name), shape, dtype, *parents, bound=bound)


WHOLE_NUMBERS = [
    "a & b",
    "a | b",
    "a ^ b",
    "lib.gcd(a, b)",
    "a << 1",
    "a >> 1",
    "lib.bitwise_not(a)",
    "a % 3",
    "a // 2",
]


@kind(1)
def whole_numbers(w: Writer) -> None:
    a = w.pick(lambda v: v.dtype == "int64") or leaf(w, dtype="int64")
    b = w.pick(lambda v: v.dtype == "int64" and v.shape == a.shape) or leaf(w, a.shape, "int64")
    form = w.random.choice(WHOLE_NUMBERS)
    source = form.replace("lib.bitwise_not(a)", f"lib.bitwise_not({a.name})")
    if source == form:
        source = " ".join({"a": a.name, "b": b.name}.get(word, word) for word in form.split(" "))
        source = source.replace("(a,", f"({a.name},").replace(" b)", f" {b.name})")
    fresh(w, "whole numbers", source, a.shape, "int64", bound=a.bound + b.bound + 8)


# --- reductions and cumulative operations

# Of equal elements PyTorch chooses any.
DISTINCT = "({v} + 0.001 * lib.arange({v}.numel()).reshape({v}.shape).to({v}.dtype))"

SMALLER: dict[str, tuple[str, Callable[[float, int], float]]] = {  # with {d} and {k}; bounds of (bound, elements)
    "prod": ("{v}.clamp(-1.5, 1.5).prod({d}{k})", lambda b, n: 1.5**n),
    "norm": ("{v}.norm(dim={d}{k})", lambda b, n: b * n),
    "norm 1": ("lib.norm({v}, 1, dim={d}{k})", lambda b, n: b * n),
    "norm inf": ("{v}.norm(float('inf'), dim={d}{k})", lambda b, n: b),
    "vector_norm": ("lib.linalg.vector_norm({v}, 3, {d}{k})", lambda b, n: b * n),
    "std": ("{v}.std({d}, correction=0{k})", lambda b, n: b + 1),
    "var_mean": ("lib.var_mean({v}, {d}, correction=0{k})[0]", lambda b, n: b * b + 1),
    "median": ("{v}.median({d}{k}).values", lambda b, n: b),
    "nansum": ("lib.nansum({v}, {d}{k})", lambda b, n: b * n),
    "nanmean": ("{v}.nanmean({d}{k})", lambda b, n: b),
    "quantile": ("lib.quantile({v}, 0.4, {d}{k})", lambda b, n: b),
    "kthvalue": (DISTINCT + ".kthvalue(1, {d}{k}).values", lambda b, n: b + 1),
    "aminmax": ("lib.aminmax({v}, dim={d}{k}).max", lambda b, n: b),
    "mode": ("{v}.mode({d}{k}).values", lambda b, n: b),
}
SAME: dict[str, tuple[str, Callable[[float, int], float]]] = {
    "cumsum": ("{v}.cumsum({d})", lambda b, n: b * n),
    "cumprod": ("{v}.clamp(-1.5, 1.5).cumprod({d})", lambda b, n: 1.5**n),
    "cummax": ("lib.cummax({v}, {d}).values", lambda b, n: b),
    "logcumsumexp": ("lib.logcumsumexp({v}, {d})", lambda b, n: b + n),
    "sort": ("{v}.sort({d}).values", lambda b, n: b),
    "sort descending": ("lib.sort({v}, {d}, descending=True).values", lambda b, n: b),
    "flip": ("{v}.flip({d})", lambda b, n: b),
    "roll": ("{v}.roll(1, {d})", lambda b, n: b),
    "softmin": ("lib.nn.functional.softmin({v}, {d})", lambda b, n: 1.0),
    "normalize": ("lib.nn.functional.normalize({v}, dim={d})", lambda b, n: 1.0),
    "renorm": ("{v}.renorm(2, {d}, 0.9)", lambda b, n: b),
}


@kind(6)
def more_reductions(w: Writer) -> None:
    v = w.floating()
    table = SMALLER if w.chance(0.6) else SAME
    name = w.random.choice(list(table))
    source, bounds = table[name]
    d, keepdim = w.dim(v), w.chance(0.3)
    bound = bounds(v.bound, max(v.shadow.size, 1))
    if bound > LARGE or (name == "renorm" and len(v.shape) < 2):
        return
    shape = v.shape if table is SAME else reduced(v.shape, min(d, len(v.shape) - 1) if v.shape else 0, keepdim)
    fresh(w, name, source.format(v=v.name, d=d, k=", keepdim=True" if keepdim else ""), shape, v.dtype, v, bound=bound)


# --- shapes: (source, function of the shadow array; None when it does not apply)


def _at_least(n: int, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(x) if x.ndim >= n else None


def _shadow(*shape: int) -> Any:
    return np.broadcast_to(np.int8(0), shape)


VIEWS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "movedim": ("{}.movedim(0, -1)", _at_least(1, lambda x: np.moveaxis(x, 0, -1))),
    "swapaxes": ("{}.swapaxes(0, -1)", _at_least(1, lambda x: x.swapaxes(0, -1))),
    "diagonal": ("{}.diagonal()", _at_least(2, lambda x: x.diagonal())),
    "diagonal 1": ("{}.diagonal(1, -1, 0)", _at_least(2, lambda x: x.diagonal(1, -1, 0))),
    "narrow": ("{}.narrow(0, 0, 1)", _at_least(1, lambda x: x[:1] if len(x) else None)),
    "unflatten": ("{}.unflatten(0, (1, -1))", _at_least(1, lambda x: x[None] if x.size else None)),
    "unfold": ("{}.unfold(0, 1, 1)", _at_least(1, lambda x: np.moveaxis(x[..., None], 0, 0))),
    "broadcast_to": ("lib.broadcast_to({0}, (2, *{0}.shape))", lambda x: np.broadcast_to(x, (2, *x.shape))),
    "ravel": ("{}.ravel()", lambda x: x.reshape(-1)),
    "squeeze a dimension": ("{}.squeeze(0)", _at_least(1, lambda x: x[0] if len(x) == 1 else x)),
    "adjoint": ("{}.mH", _at_least(2, lambda x: x.swapaxes(-1, -2))),
}
COPIES: dict[str, tuple[str, Callable[[Any], Any]]] = {  # among them parts, which PyTorch lets nobody edit
    "chunk": ("{}.chunk(2)[0].clone()", _at_least(1, lambda x: x[: -(-len(x) // 2)])),
    "unbind": ("{}.unbind()[0].clone()", _at_least(1, lambda x: x[0] if len(x) else None)),
    "tensor_split": ("lib.tensor_split({}, 2)[0].clone()", _at_least(1, lambda x: np.array_split(x, 2)[0])),
    "tile": ("{}.tile((2,))", lambda x: np.tile(x, (2,))),
    "repeat": ("{0}.repeat(2, *[1] * {0}.ndim)", lambda x: np.broadcast_to(x, (2, *x.shape))),
    "repeat_interleave": ("{}.repeat_interleave(2, 0)", _at_least(1, lambda x: np.repeat(x, 2, 0))),
    "tril": ("{}.tril()", _at_least(2, lambda x: x)),
    "triu": ("lib.triu({}, 1)", _at_least(2, lambda x: x)),
    "rot90": ("lib.rot90({}, 1, (0, 1)).contiguous().clone()", _at_least(2, lambda x: np.rot90(x))),
    "diag_embed": (
        "lib.diag_embed({})",
        _at_least(1, lambda x: np.broadcast_to(x[..., None], (*x.shape, x.shape[-1]))),
    ),
    "diff": ("lib.diff({}, dim=0)", _at_least(1, lambda x: x[1:])),
    "hstack": ("lib.hstack([{0}, {0}])", lambda x: np.hstack([x, x])),
    "vstack": ("lib.vstack([{0}, {0}])", lambda x: np.vstack([x, x])),
    "dstack": ("lib.dstack([{0}, {0}])", lambda x: np.dstack([x, x])),
    "pad": (
        "lib.nn.functional.pad({}, (1, 0), value=0.5)",
        _at_least(1, lambda x: _shadow(*x.shape[:-1], x.shape[-1] + 1)),
    ),
    "trace": ("{}.trace()", lambda x: x[0, 0] if x.ndim == 2 and x.size else None),
    "block_diag": ("lib.block_diag({0}, {0})", lambda x: _shadow(*[2 * n for n in x.shape]) if x.ndim == 2 else None),
    "cartesian_prod": ("lib.cartesian_prod({0}, {0})", lambda x: _shadow(x.size**2, 2) if x.ndim == 1 else None),
    "slice_scatter": ("{0}.slice_scatter({0}[:1] * 2, 0, 0, 1)", _at_least(1, lambda x: x if len(x) else None)),
    "select_scatter": ("{0}.select_scatter({0}[0] * 2, 0, 0)", _at_least(1, lambda x: x if len(x) else None)),
}


@kind(5)
def more_views(w: Writer) -> None:
    v = w.any()
    name = w.random.choice(list(VIEWS))
    source, function = VIEWS[name]
    shadow = function(v.shadow)
    if shadow is not None and not (name == "ravel" and len(v.shape) == 1):
        w.view(name, source.format(v.name), v, shadow.shape, repeats=v.repeats or name == "broadcast_to")


@kind(5)
def more_copies(w: Writer) -> None:
    v = w.floating()
    name = w.random.choice(list(COPIES))
    source, function = COPIES[name]
    shadow = function(v.shadow)
    if shadow is not None and shadow.size < 200:
        fresh(w, name, source.format(v.name), shadow.shape, v.dtype, v, bound=4 * v.bound)


# --- indices


def indices(w: Writer, shape: Shape, n: int) -> str:
    values = np.array([w.random.randrange(n) for _ in range(math.prod(shape))], dtype=np.int64).reshape(shape)
    return f"lib.tensor({values.tolist()}, dtype=lib.int64).reshape({shape})"


@kind(7)
def more_indexing(w: Writer) -> None:
    v = w.floating(lambda v: bool(v.shape) and 0 not in v.shape)
    if not v.shape or 0 in v.shape:
        return
    d = w.random.randrange(-len(v.shape), len(v.shape))
    n = v.shape[d]
    count = w.random.randint(1, 3)
    part = list(v.shape)
    part[d] = count
    name = w.random.choice(
        ["gather", "index_select", "take", "take_along_dim", "masked_select", "topk", "scatter",
         "scatter with a number", "scatter_add", "scatter_reduce", "index_reduce", "embedding", "put"]
    )  # fmt: skip
    at, shape = indices(w, tuple(part), n), tuple(part)
    row = indices(w, (count,), n)
    if name in ("gather", "index_select"):
        fresh(w, name, f"{v.name}.{name}({d}, {at if name == 'gather' else row})", shape, v.dtype, v, bound=v.bound)
    elif name == "take_along_dim":
        fresh(w, name, f"lib.take_along_dim({v.name}, {at}, {d})", shape, v.dtype, v, bound=v.bound)
    elif name == "take":
        places = indices(w, (2, count), v.shadow.size)
        fresh(w, name, f"{v.name}.take({places})", (2, count), v.dtype, v, bound=v.bound)
    elif name == "masked_select":
        bound = v.bound * v.shadow.size
        fresh(w, name, f"{v.name}.masked_select({v.name} > {w.number()}).sum()", (), v.dtype, v, bound=bound)
    elif name == "topk":
        part[d] = k = min(count, n)
        largest = w.chance(0.5)
        fresh(
            w,
            name,
            f"{DISTINCT.format(v=v.name)}.topk({k}, {d}, {largest}).values",
            tuple(part),
            v.dtype,
            v,
            bound=v.bound,
        )
    elif name == "embedding":
        table = v if len(v.shape) == 2 else leaf(w, (3, 2), v.dtype)
        at = indices(w, (2, count), table.shape[0])
        source = f"lib.nn.functional.embedding({at}, {table.name})"
        fresh(w, name, source, (2, count, table.shape[1]), table.dtype, table, bound=table.bound)
    elif name == "scatter with a number":
        fresh(w, name, f"{v.name}.scatter({d}, {at}, {w.number()})", v.shape, v.dtype, v, bound=v.bound + 2)
    else:
        source = w.pick(lambda b: b.shape == shape and b.dtype == v.dtype) or leaf(w, shape, v.dtype)
        own = list(v.shape)
        own[d] = min(count, n)
        if name == "scatter" and tuple(own) != source.shape:
            return  # PyTorch can't differentiate by a source that is larger than the index
        distinct = w.random.sample(range(n), own[d])
        if name == "scatter":  # a place written twice holds either value
            places = f"lib.tensor({distinct}).reshape({[-1 if i == d % len(own) else 1 for i in range(len(own))]})"
            places += f".expand({tuple(own)})"
            form = f"{v.name}.scatter({d}, {places}, {source.name})"
        elif name == "scatter_reduce":
            way = w.random.choice(["sum", "mean", "amax", "amin", "prod"])
            form = f"{v.name}.scatter_reduce({d}, {at}, {source.name}, {way!r}, include_self={w.chance(0.5)})"
        elif name == "index_reduce":
            way = w.random.choice(["mean", "amax", "amin", "prod"])
            form = f"{v.name}.index_reduce({d}, {row}, {source.name}, {way!r}, include_self={w.chance(0.5)})"
        elif name == "put":
            places = indices(w, shape, v.shadow.size)
            form = f"{v.name}.put({places}, {source.name}, accumulate=True)"
        else:
            form = f"{v.name}.scatter_add({d}, {at}, {source.name})"
        bound = v.bound + count * source.bound if "prod" not in form else v.bound * source.bound**count
        if bound < LARGE:
            fresh(w, name, form, v.shape, v.dtype, v, source, bound=bound)


# --- linear algebra


@kind(6)
def more_products(w: Writer) -> None:
    a = w.floating(lambda v: len(v.shape) in (1, 2, 3) and v.bound < 30 and 0 not in v.shape)
    if len(a.shape) not in (1, 2, 3) or a.bound > 30 or 0 in a.shape:
        return
    inner = max(a.shape)
    v, other = a.name, leaf(w, a.shape, a.dtype)
    bound = a.bound * other.bound * inner * 3

    def made(name: str, source: str, shape: Shape, parents: tuple[Variable, ...] = (a, other)) -> None:
        fresh(w, name, source, shape, a.dtype, *parents, bound=bound)

    n = a.shape
    if len(n) == 1:
        name = w.random.choice(["outer", "dot", "inner", "einsum i,i", "einsum i,j", "kron", "cross"])
        if name in ("outer", "einsum i,j"):
            source = f"lib.outer({v}, {other.name})" if name == "outer" else f"lib.einsum('i,j', {v}, {other.name})"
            made(name, source, (*n, *n))
        elif name == "kron":
            made(name, f"lib.kron({v} * 1, {other.name} * 1)", (n[0] ** 2,))
        elif name == "cross":
            if n == (3,):
                made(name, f"lib.linalg.cross({v}, {other.name})", n)
        else:
            source = {"dot": "lib.dot({}, {})", "inner": "{}.inner({})"}.get(name, "lib.einsum('i,i->', {}, {})")
            made(name, source.format(v, other.name), ())
    elif len(n) == 2:
        name = w.random.choice(
            ["addmm", "mv", "einsum ij,kj", "einsum ii", "tensordot", "cdist", "matrix_power", "det", "inv", "solve",
             "cholesky", "matrix_norm", "slogdet", "linear", "pinv"]
        )  # fmt: skip
        gram = f"({v} @ {v}.mT + 2 * lib.eye({n[0]}, dtype=lib.{a.dtype}))"
        bound = bound * bound if name in ("matrix_power", "det") else bound
        if bound > LARGE:
            return
        if name == "addmm":
            made(name, f"lib.addmm({other.name}, {gram}, {v}, beta=0.5, alpha=0.3)", n)
        elif name == "mv":
            made(name, f"lib.mv({v}, {other.name}[0])", (n[0],))
        elif name == "einsum ij,kj":
            made(name, f"lib.einsum('ij,kj->ik', {v}, {other.name})", (n[0], n[0]))
        elif name == "einsum ii":
            made(name, f"lib.einsum('ii->i', {gram})", (n[0],), (a,))
        elif name == "tensordot":
            made(name, f"lib.tensordot({v}, {other.name}, ([0, 1], [0, 1]))", ())
        elif name == "cdist":
            made(name, f"lib.cdist({v}, {other.name} + 7)", (n[0], n[0]))
        elif name == "linear":
            made(name, f"lib.nn.functional.linear({v}, {other.name})", (n[0], n[0]))
        elif name in ("matrix_power",):
            made(name, f"lib.linalg.matrix_power({gram}, 2)", (n[0], n[0]), (a,))
        elif name in ("det", "slogdet"):
            source = f"lib.linalg.det({gram})" if name == "det" else f"lib.linalg.slogdet({gram})[1]"
            made(name, source, (), (a,))
        elif name in ("inv", "cholesky", "pinv"):
            made(name, f"lib.linalg.{name}({gram}).contiguous().clone()", (n[0], n[0]), (a,))
        elif name == "matrix_norm":
            made(name, f"lib.linalg.matrix_norm({v})", (), (a,))
        else:
            made(
                name, f"lib.linalg.solve({gram}, {other.name}).contiguous().clone()", n
            )  # else it lies in columns there
    else:
        name = w.random.choice(["bmm", "baddbmm", "einsum bij,bkj", "einsum ...i"])
        square = (n[0], n[1], n[1])
        if name == "bmm":
            made(name, f"lib.bmm({v}, {other.name}.mT)", square)
        elif name == "baddbmm":
            made(name, f"lib.baddbmm({v}, {v}, {other.name}.mT @ {other.name}, beta=2)", n)
        elif name == "einsum bij,bkj":
            made(name, f"lib.einsum('bij,bkj->bik', {v}, {other.name})", square)
        else:
            made(name, f"lib.einsum('...i,...i->...', {v}, {other.name})", n[:-1])


# --- in place

EDITS = [
    "square_()", "atan_()", "floor_()", "round_()", "trunc_()", "sgn_()", "erf_()", "clamp_min_(-0.4)",
    "clamp_max_(0.4)", "nan_to_num_(0.5)", "tril_()", "triu_(1)", "cumsum_(0)", "lerp_({b}, 0.3)",
    "addcmul_({b}, {b}, value=0.5)",
    "fmod_(0.7)", "remainder_(0.7)", "atan2_({b})", "hypot_({b})", "copysign_({b})", "frac_()",
    "scatter_(0, {i}, 0.5)", "scatter_add_(0, {i}, {b}[:1])", "put_({p}, {b}.reshape(-1)[:2])"
]  # fmt: skip


@kind(5)
def more_edits(w: Writer) -> None:
    v = target(w, lambda v: v.floating and v.bound < 30)
    form = w.random.choice(EDITS)
    if not v.floating or v.bound > 100:
        return
    if form.startswith(("tril_", "triu_")) and len(v.shape) < 2:
        return
    if ("{i}" in form or "{p}" in form or "cumsum" in form) and (not v.shape or 0 in v.shape or v.shadow.size < 2):
        return
    b = None
    if "{b}" in form:
        b = w.pick(lambda b: b.shape == v.shape and b.dtype == v.dtype and b.root != v.root and b.bound < 30)
        b = b or leaf(w, v.shape, v.dtype)
    places = indices(w, (1, *v.shape[1:]), v.shape[0]) if "{i}" in form else ""
    put = f"lib.tensor({w.random.sample(range(v.shadow.size), 2)})" if "{p}" in form else ""
    source = form.format(b=b.name if b else "", i=places, p=put)
    name = form.partition("(")[0]
    bound = max(v.bound**2, v.bound * max(v.shadow.size, 1), (b.bound**2 if b else 0) + v.bound)
    w.edit(name, f"{v.name}.{source}", v, *([b] if b else []), bound=bound)
