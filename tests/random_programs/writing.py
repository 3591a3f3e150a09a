"""Writes random programs: lines of Python over numbered variables, in which `lib` is PyTorch or tinygrad_dl.

A program depends on its seed alone; no library runs while it is written. The writer follows shapes, dtypes and what
needs a gradient well enough that most lines make sense, and now and then writes one that does not on purpose.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")
ORDER = ("bool", "int64", "float32", "float64")  # how dtypes meet
LARGE = 1e4  # what a value may grow to by the writer's estimate


@dataclass(frozen=True)
class Statement:
    """One line. `kind` is what it is counted as, `edited` the variable whose memory it writes into."""

    kind: str
    source: str
    edited: str = ""
    data: bool = False  # an edit of memory that `.data` shows too
    reaches: bool = False  # other variables may change with it
    recorded: bool = False  # an edit that the graph knows of

    @property
    def walks(self) -> bool:
        """Whether it runs a backward pass."""
        return self.kind.startswith(("backward", "grad"))


@dataclass
class Variable:
    """What the writer believes of a variable."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    requires: bool = False
    leaf: bool = False
    root: str = ""  # the variable whose memory this one shows
    bound: float = 2.0  # on absolute values
    positive: bool = False
    data: bool = False  # made by `.data`, or a view of that
    repeats: bool = False  # an expanded view
    edited: bool = False  # in place, while recording
    retained: bool = False  # its gradient
    grads: bool = False  # a backward pass has reached this leaf
    ancestors: frozenset[str] = frozenset()  # what it was computed from, itself included

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATS

    @property
    def shadow(self) -> np.ndarray:
        """An array of this shape without memory, on which NumPy works out the shapes of views."""
        return np.broadcast_to(np.int8(0), self.shape)


@dataclass
class Writer:
    """The program so far."""

    random: random.Random
    statements: list[Statement] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    names: int = 0
    mode: str = ""

    # --- lines

    def write(self, kind: str, source: str, **how: Any) -> None:
        self.statements.append(Statement(kind, self.mode + source, **how))

    @property
    def recording(self) -> bool:
        return self.mode == "" or "enable_grad" in self.mode

    def name(self, letter: str = "v") -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def new(self, kind: str, source: str, shape: tuple[int, ...], dtype: str, *parents: Variable, **facts: Any) -> Any:
        """A line that assigns a new variable."""
        requires = self.recording and dtype in FLOATS and any(parent.requires for parent in parents)
        found = Variable(self.name(), tuple(shape), dtype, **{"requires": requires, **facts})
        found.root = found.root or found.name
        found.ancestors = frozenset({found.name}).union(*[parent.ancestors for parent in parents] if requires else [])
        self.write(kind, f"{found.name} = {source}")
        self.variables[found.name] = found
        return found

    def view(self, kind: str, source: str, of: Variable, shape: tuple[int, ...], **facts: Any) -> Any:
        """A line that assigns a view of a variable."""
        shared = {"root": of.root, "bound": of.bound, "positive": of.positive, "data": of.data, "repeats": of.repeats}
        return self.new(kind, source, shape, of.dtype, of, **{**shared, **facts})

    def edit(self, kind: str, source: str, target: Variable, *written: Variable, bound: float = 2.0) -> None:
        """A line that writes into a variable's memory."""
        relatives = [other for other in self.variables.values() if other.root == target.root]
        data = any(other.data for other in relatives)
        requires = self.recording and target.floating and any(value.requires for value in written)
        if requires and not target.requires and any(other.requires for other in relatives):
            return  # by way of detach(): PyTorch would make the views in the graph anew
        recorded = requires or (self.recording and target.requires)
        self.write(kind, source, edited=target.name, data=data, reaches=True, recorded=recorded)
        for other in relatives:
            other.edited |= self.recording
            other.bound = max(other.bound, bound)
            other.positive = False
            other.requires |= requires and not other.data
            other.leaf &= not requires
            if requires:
                other.ancestors = other.ancestors.union(*[value.ancestors for value in written])

    # --- choices

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, *fits: Callable[[Variable], bool]) -> Variable | None:
        """A variable that fits; newer ones, and those in the graph, more often."""
        found = [v for v in self.variables.values() if all(fit(v) for fit in fits)]
        if not found:
            return None
        weights = [(i + 2) * (3 if v.requires else 1) for i, v in enumerate(found)]
        return self.random.choices(found, weights)[0]

    def any(self) -> Variable:
        return self.pick() or leaf(self)

    def floating(self, *fits: Callable[[Variable], bool]) -> Variable:
        """A floating variable that fits, or a new leaf, which might not."""
        return self.pick(lambda v: v.floating, *fits) or leaf(self, dtype="float64")

    def alone(self, v: Variable) -> bool:
        """Whether no other variable shows the memory: PyTorch makes those anew, some time later."""
        return not any(other.root == v.root and other is not v for other in self.variables.values())

    def partner(self, shape: tuple[int, ...], *fits: Callable[[Variable], bool]) -> Variable:
        """A variable that broadcasts with a shape, seldom one that does not."""
        if self.chance(0.03):
            return self.any()
        found = self.pick(lambda v: broadcast(v.shape, shape) is not None, *fits)
        if found is None or self.chance(0.15):
            return leaf(self, self.broadcastable(shape))
        return found

    def broadcastable(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to another one."""
        kept = shape[self.random.randint(0, len(shape)) if self.chance(0.4) else 0 :]
        return tuple([1 if self.chance(0.15) else n for n in kept])

    def number(self, positive: bool = False) -> str:
        if self.chance(0.25):
            return str(self.random.choice([1, 2, 3] if positive else [-2, -1, 0, 1, 2]))
        value = self.random.uniform(0.3, 1.5) if positive else self.random.uniform(-1.5, 1.5)
        return f"{value:.2f}"

    def dim(self, of: Variable, extra: int = 0) -> int:
        """A dimension of a variable, counted from either end; seldom one that it does not have."""
        n = max(len(of.shape) + extra, 1)
        return n if self.chance(0.02) else self.random.randrange(-n, n)


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def meet(*variables: Variable) -> str:
    """The dtype in which variables meet: 0-d ones don't widen others within their category."""
    category = {"bool": 0, "int64": 1, "float32": 2, "float64": 2}
    top = max(category[v.dtype] for v in variables)
    of_top = [v for v in variables if category[v.dtype] == top]
    dimensioned = [v for v in of_top if v.shape] or of_top
    return max((v.dtype for v in dimensioned), key=ORDER.index)


def floated(dtype: str) -> str:
    return dtype if dtype in FLOATS else "float32"


def fits_into(dtype: str) -> Callable[[Variable], bool]:
    """Whether a variable's dtype may be written into another in place."""
    rank = {"bool": 0, "int64": 1, "float32": 2, "float64": 2}
    return lambda v: rank[v.dtype] <= rank[dtype]


# --- the kinds of statements, each with its weight

KINDS: dict[str, tuple[float, Callable[[Writer], Any]]] = {}


def kind(weight: float) -> Callable[[Any], Any]:
    """Enter a function that writes a statement of a kind, named as the function."""

    def enter(function: Callable[[Writer], Any]) -> Callable[[Writer], Any]:
        KINDS[function.__name__] = (weight, function)
        return function

    return enter


# --- leaves


def sizes(random: random.Random) -> tuple[int, ...]:
    ndim = random.choices([0, 1, 2, 3], [2, 4, 6, 2])[0]
    return tuple(random.choices([0, 1, 2, 3, 4], [1, 4, 10, 10, 4], k=ndim))


def literal(values: np.ndarray) -> str:
    return repr(values.tolist()).replace(" ", "") if values.ndim < 2 else repr(values.tolist())


def drawn(w: Writer, shape: tuple[int, ...], dtype: str, positive: bool) -> str:
    """A tensor of drawn numbers, as source."""
    draw = w.random
    count = int(np.prod(shape))
    if dtype == "bool":
        values: list[Any] = [draw.random() < 0.5 for _ in range(count)]
    elif dtype == "int64":
        values = [draw.randint(1 if positive else -3, 3) for _ in range(count)]
    else:
        values = [round(draw.uniform(0.3 if positive else -2, 2), 2) for _ in range(count)]
    if count == 0:
        return f"lib.zeros({shape}, dtype=lib.{dtype})"
    return f"lib.tensor({literal(np.array(values).reshape(shape))}, dtype=lib.{dtype})"


def leaf(w: Writer, shape: tuple[int, ...] | None = None, dtype: str = "", requires: bool | None = None) -> Variable:
    """A new leaf."""
    shape = sizes(w.random) if shape is None else shape
    dtype = dtype or w.random.choices(["float64", "float32", "int64", "bool"], [14, 2, 2, 1])[0]
    positive = w.chance(0.2)
    requires = dtype in FLOATS and (w.chance(0.65) if requires is None else requires)
    source = drawn(w, shape, dtype, positive)
    if requires:
        source = source[:-1] + ", requires_grad=True)"
    facts = {"requires": requires, "leaf": True, "positive": positive and dtype != "bool", "bound": 3.0}
    return w.new("leaf", source, shape, dtype, **facts)


@kind(3)
def another_leaf(w: Writer) -> None:
    leaf(w)


@kind(2)
def flag(w: Writer) -> None:
    v = w.pick(lambda v: v.floating and v.leaf) if w.chance(0.8) else w.any()
    if v is None:
        return
    uses = sum(v.name in re.findall(r"v\d+", statement.source) for statement in w.statements)
    value = w.chance(0.7) and uses == 1  # PyTorch would also change what was computed from it before
    if not value and not w.alone(v):
        return
    w.write("requires_grad_", f"{v.name}.requires_grad_({value})", reaches=True)
    if v.floating and (value or v.leaf):
        v.requires = value


# --- elementwise

TAME = {  # name: source, bound of the result, whether it is positive
    "tanh": ("{}.tanh()", 1.0, False),
    "sigmoid": ("{}.sigmoid()", 1.0, True),
    "sin": ("{}.sin()", 1.0, False),
    "cos": ("lib.cos({})", 1.0, False),
    "softmax": ("{}.softmax(-1)", 1.0, True),
}
FLOATING = {  # on any floating input
    "exp": ("{}.exp()", lambda b: float(np.exp(min(b, 50.0))), True),
    "exp of the negative square": ("(-{0} * {0}).exp()", lambda b: 1.0, True),
    "log_softmax": ("{}.log_softmax(-1)", lambda b: 2 * b + 2, False),
    "mul": ("{0} * {0}", lambda b: b * b, False),
    "pow": ("{} ** 2", lambda b: b * b, False),
    "pow 3": ("{} ** 3", lambda b: b**3, False),
    "abs": ("{}.abs()", lambda b: b, False),
    "neg": ("-{}", lambda b: b, False),
    "relu": ("{}.relu()", lambda b: b, False),
    "clone": ("{}.contiguous().clone()", lambda b: b, False),
    "contiguous": ("{}.contiguous()", lambda b: b, False),
    "clamp": ("{}.clamp(-0.8, 0.9)", lambda b: 1.0, False),
    "clamp min": ("{}.clamp(min=0.1)", lambda b: b, True),
    "clamp max": ("lib.clamp({}, max=0.4)", lambda b: b, False),
}
POSITIVE = {  # on positive inputs only
    "sqrt": ("{}.sqrt()", lambda b: b + 1, True),
    "log": ("{}.log()", lambda b: 10.0, False),
    "reciprocal": ("1 / {}", lambda b: 10.0, True),
    "power of a positive": ("{} ** 0.5", lambda b: b + 1, True),
    "negative power": ("{} ** -1.5", lambda b: 50.0, True),
}


@kind(12)
def unary(w: Writer) -> Any:
    v = w.floating() if w.chance(0.92) else w.any()
    if v.bound > LARGE or w.chance(0.25):
        name = w.random.choice(list(TAME))
        source, bound, positive = TAME[name]
        return w.new(name, source.format(v.name), v.shape, floated(v.dtype), v, bound=bound, positive=positive)
    if v.positive and w.chance(0.4):
        name = w.random.choice(list(POSITIVE))
        source, bounds, positive = POSITIVE[name]
        return w.new(
            name, source.format(v.name), v.shape, floated(v.dtype), v, bound=bounds(v.bound), positive=positive
        )
    name = w.random.choice(list(FLOATING))
    source, bounds, positive = FLOATING[name]
    shared = {"root": v.root} if name == "contiguous" else {}
    dtype = floated(v.dtype) if "exp" in name else v.dtype
    return w.new(name, source.format(v.name), v.shape, dtype, v, bound=bounds(v.bound), positive=positive, **shared)


@kind(10)
def with_number(w: Writer) -> None:
    v = w.any()
    name, source = w.random.choice(
        [("add", "{v} + {n}"), ("radd", "{n} + {v}"), ("sub", "{v} - {n}"), ("rsub", "{n} - {v}"), ("mul", "{v} * {n}"),
         ("rmul", "{n} * {v}"), ("div", "{v} / {p}"), ("add with alpha", "{v}.add({n}, alpha=2)"),
         ("maximum with a number", "{v}.clamp(min={n})"), ("remainder", "{v} % {p}"), ("floor divide", "{v} // {p}")]
    )  # fmt: skip
    if name == "floor divide" and v.requires:
        return  # has no derivative
    if v.dtype == "bool" and ("sub" in name or name in ("add with alpha", "maximum with a number")):
        return  # a difference
    number, positive = w.number(), w.number(positive=True)
    of = v.dtype if v.dtype != "bool" else "int64"
    dtype = floated(v.dtype) if "." in source.format(v="", n=number, p=positive) or name == "div" else of
    w.new(name, source.format(v=v.name, n=number, p=positive), v.shape, dtype, v, bound=2 * v.bound + 2)


@kind(16)
def binary(w: Writer) -> None:
    a = w.any()
    b = w.partner(a.shape)
    choices = {
        "add": ("{a} + {b}", a.bound + b.bound),
        "sub": ("{a} - {b}", a.bound + b.bound),
        "mul": ("{a} * {b}", a.bound * b.bound),
        "maximum": ("lib.maximum({a}, {b})", a.bound + b.bound),
        "minimum": ("lib.minimum({a}, {b})", a.bound + b.bound),
    }
    if b.positive:
        choices["div"] = ("{a} / {b}", a.bound * 10)
    if a.positive and b.bound < 5 and b.dtype != "bool":  # PyTorch can't differentiate by bools
        choices["pow"] = ("{a} ** {b}", (a.bound + 3) ** b.bound)
    choices = {name: choice for name, choice in choices.items() if choice[1] < LARGE} or {"add": choices["add"]}
    if "bool" in (a.dtype, b.dtype):
        choices.pop("sub", None)  # a difference
    name = w.random.choice(list(choices))
    source, bound = choices[name]
    if w.chance(0.3):
        a, b, source = b, a, source.format(a="{b}", b="{a}")
    dtype = floated(meet(a, b)) if name == "div" else meet(a, b)
    shape = broadcast(a.shape, b.shape) or a.shape
    w.new(name, source.format(a=a.name, b=b.name), shape, dtype, a, b, bound=bound)


@kind(4)
def sum_of_leaves(w: Writer) -> None:
    """Both get one gradient."""
    a = w.floating(lambda v: v.leaf and v.requires)
    b = w.pick(lambda v: v.leaf and v.requires and v.shape == a.shape and v is not a)
    b = b or leaf(w, a.shape, a.dtype, requires=True)
    w.new("add", f"{a.name} + {b.name}", a.shape, meet(a, b), a, b, bound=a.bound + b.bound)


@kind(3)
def choose(w: Writer) -> None:
    a, condition = w.any(), w.any()
    condition = w.partner(a.shape)
    test = condition.name if condition.dtype == "bool" else f"{condition.name} > {w.number()}"
    shape = broadcast(a.shape, condition.shape) or a.shape
    if w.chance(0.4):
        source = f"lib.where({test}, {a.name}, {w.number()})"
        w.new("where with a number", source, shape, floated(a.dtype), a, bound=a.bound)
        return
    b = w.partner(shape)
    shape = broadcast(shape, b.shape) or shape
    source = f"lib.where({test}, {a.name}, {b.name})"
    w.new("where", source, shape, meet(a, b), a, b, bound=max(a.bound, b.bound))


@kind(2)
def compare(w: Writer) -> None:
    a = w.any()
    b = w.partner(a.shape)
    sign = w.random.choice(["<", "<=", ">", ">=", "==", "!="])
    w.new("compare", f"{a.name} {sign} {b.name}", broadcast(a.shape, b.shape) or a.shape, "bool", bound=1.0)


@kind(2)
def clamp_by_tensors(w: Writer) -> None:
    v = w.floating()
    low = w.partner(v.shape, lambda b: b.floating)
    if "bool" in (v.dtype, low.dtype):
        return  # a difference
    shape = broadcast(v.shape, low.shape) or v.shape
    side = w.random.choice(["min", "max"])
    w.new(
        "clamp by a tensor",
        f"{v.name}.clamp({side}={low.name})",
        shape,
        meet(v, low),
        v,
        low,
        bound=v.bound + low.bound,
    )


# --- reductions


def reduced(shape: tuple[int, ...], dim: Any, keepdim: bool) -> tuple[int, ...]:
    if not shape or dim is None:
        return () if not keepdim or not shape else tuple([1] * len(shape))
    dims = {d % len(shape) for d in (dim if isinstance(dim, tuple) else (dim,))}
    return tuple([1 if i in dims else n for i, n in enumerate(shape) if keepdim or i not in dims])


@kind(8)
def reduction(w: Writer) -> None:
    name = w.random.choice(
        ["sum", "sum", "mean", "mean", "var", "amax", "amin", "logsumexp", "max", "min", "argmax", "any"]
    )
    v = w.any() if name in ("sum", "amax", "amin", "argmax", "any", "max", "min") else w.floating()
    if name == "argmax" and v.dtype == "bool":
        return  # a difference
    dim: Any = w.dim(v)
    if name in ("sum", "mean", "amax", "amin") and len(v.shape) > 1 and w.chance(0.2):
        dim = tuple(sorted(w.random.sample(range(len(v.shape)), 2)))
    keepdim = w.chance(0.3)
    dtype = {"argmax": "int64", "any": "bool"}.get(name, v.dtype if v.floating or name != "sum" else "int64")
    bound = v.bound * max(v.shadow.size, 1) if name in ("sum", "var") else v.bound + 3
    if name in ("sum", "mean", "var", "max", "min", "argmax", "any") and w.chance(0.4):
        w.new(name, f"{v.name}.{name}()", (), dtype, v, bound=bound)
        return
    if bound > LARGE and name in ("sum", "var"):
        name, bound = "mean" if v.floating else "amax", v.bound
    ending = ".values" if name in ("max", "min") else ""
    keep = ", keepdim=True" if keepdim else ""
    shape = reduced(v.shape, dim, keepdim)
    w.new(name, f"{v.name}.{name}({dim}{keep}){ending}", shape, dtype, v, bound=bound)


# --- products of matrices


@kind(4)
def matmul(w: Writer) -> None:
    a = w.pick(lambda v: v.floating and len(v.shape) > 0 and v.bound < 100 and (len(v.shape) < 3 or v.root == v.name))
    if a is None:
        return
    inner = a.shape[-1]

    def fits(v: Variable) -> bool:
        return (
            v.floating and v.dtype == a.dtype and v.bound < 100 and len(v.shape) in (1, 2) and v.shape[-2:][0] == inner
        )

    b = w.pick(fits) if w.chance(0.6) else None
    if b is None:
        shape = (inner,) if w.chance(0.3) else (inner, w.random.choice([1, 2, 3]))
        b = leaf(w, shape if w.chance(0.95) else (inner + 1, 2), a.dtype)
    shape = a.shape[:-1] + b.shape[1:]
    w.new("matmul", f"{a.name} @ {b.name}", shape, a.dtype, a, b, bound=a.bound * b.bound * max(inner, 1))


# --- shapes and views


def factored(w: Writer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Another shape of as many elements."""
    n = int(np.prod(shape))
    ways = [(n,), (1, n), (n, 1), (-1,)]
    ways += [(d, n // d) for d in (2, 3, 4) if n and n % d == 0]
    ways += [(-1, d) for d in (2, 3) if n and n % d == 0]
    if w.chance(0.03):
        ways = [(n + 1,)]
    return w.random.choice(ways)


def worked_out(shape: tuple[int, ...], n: int) -> tuple[int, ...]:
    rest = int(np.prod([d for d in shape if d != -1]))
    return tuple([n // max(rest, 1) if d == -1 else d for d in shape])


def index_parts(w: Writer, shape: tuple[int, ...]) -> list[Any]:
    """A basic index: integers, slices, None, Ellipsis."""
    parts: list[Any] = []
    for n in shape[: w.random.randint(0 if len(shape) > 1 else 1, len(shape))] if shape else ():
        choice = w.random.random()
        if choice < 0.4 and n:
            parts.append(w.random.randrange(-n, n) if w.chance(0.97) else n)
        elif choice < 0.85:
            start = w.random.choice([None, 0, 1, -1, -2])
            stop = w.random.choice([None, None, n, -1, 2, 1])
            parts.append(slice(start, stop, w.random.choice([None, None, None, 2])))
        else:
            parts.append(slice(None))
    if w.chance(0.15):
        parts.insert(w.random.randint(0, len(parts)), None)
    if w.chance(0.2):
        parts.insert(w.random.randint(0, len(parts)), Ellipsis)
    return parts or [Ellipsis]


def part_source(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        words = ["" if x is None else str(x) for x in (part.start, part.stop, part.step)]
        return ":".join(words if part.step is not None else words[:2])
    return str(part)


def index_source(parts: Iterable[Any]) -> str:
    return ", ".join(map(part_source, parts))


def basic_index(w: Writer, v: Variable) -> tuple[str, tuple[int, ...]]:
    """An index that gives a view, as source, and the shape of that view."""
    parts = index_parts(w, v.shape)
    for _ in range(3):  # seldom nothing
        try:
            shape = v.shadow[tuple(parts)].shape
        except IndexError:
            return index_source(parts), v.shape
        if 0 not in shape or 0 in v.shape:
            break
        parts = index_parts(w, v.shape)
    return index_source(parts), shape


def a_view(w: Writer, v: Variable) -> Variable:
    """A view of a variable by one of many operations."""
    name = v.name
    choices = ["index", "index", "index", "reshape", "view", "flatten", "squeeze", "unsqueeze", "expand", "detach"]
    if len(v.shape) >= 2:
        choices += ["transpose", "transpose", "permute", "T"]
    if v.shape:
        choices += ["select", "split"]
    if w.chance(0.06):
        choices = ["data"]
    if w.chance(0.06):
        choices = ["view as itself"]
    choice = w.random.choice(choices)
    if choice in ("reshape", "view"):
        shape = factored(w, v.shape)
        return w.view(choice, f"{name}.{choice}({shape})", v, worked_out(shape, v.shadow.size))
    if choice == "view as itself":
        return w.view("view", f"{name}.view({v.shape})", v, v.shape)
    if choice == "flatten":
        same = {"requires": v.requires, "leaf": v.leaf} if len(v.shape) == 1 else {}  # the tensor itself
        return w.view("flatten", f"{name}.flatten()", v, (v.shadow.size,), **same)
    if choice in ("detach", "data"):
        source = f"{name}.detach()" if choice == "detach" else f"{name}.data"
        return w.view(choice, source, v, v.shape, requires=False, leaf=True, data=v.data or choice == "data")
    if choice == "transpose":
        a, b = w.dim(v), w.dim(v)
        shape = v.shape if max(a, b) >= len(v.shape) else v.shadow.swapaxes(a, b).shape
        return w.view("transpose", f"{name}.transpose({a}, {b})", v, shape)
    if choice == "permute":
        dims = tuple(w.random.sample(range(len(v.shape)), len(v.shape)))
        return w.view("permute", f"{name}.permute({dims})", v, v.shadow.transpose(dims).shape)
    if choice == "T":
        return w.view("T", f"{name}.mT", v, v.shadow.swapaxes(-1, -2).shape)
    if choice == "squeeze":
        return w.view("squeeze", f"{name}.squeeze()", v, v.shadow.squeeze().shape)
    if choice == "unsqueeze":
        d = w.dim(v, 1)
        shape = v.shape if d > len(v.shape) else np.expand_dims(v.shadow, d).shape
        return w.view("unsqueeze", f"{name}.unsqueeze({d})", v, shape)
    if choice == "expand":
        shape = tuple([w.random.choice([2, 3]) if n == 1 else n for n in v.shape])
        shape = (2, *shape) if w.chance(0.3) else shape
        return w.view("expand", f"{name}.expand({shape})", v, shape, repeats=v.repeats or shape != v.shape)
    if choice == "select":
        d = w.dim(v)
        n = v.shape[d] if d < len(v.shape) else 1
        at = w.random.randrange(n) if n else 0
        return w.view("select", f"{name}.select({d}, {at})", v, reduced(v.shape, min(d, len(v.shape) - 1), False))
    if choice == "split":
        d = w.dim(v)
        n = v.shape[d] if d < len(v.shape) else 1
        size = w.random.randint(1, max(n, 1))
        shape = list(v.shape)
        shape[min(d, len(shape) - 1)] = min(size, n)
        at = 0 if size >= n or w.chance(0.5) else 1
        if at:
            shape[min(d, len(shape) - 1)] = min(size, n - size)
        return w.view("split", f"{name}.split({size}, {d})[{at}]", v, tuple(shape))
    index, shape = basic_index(w, v)
    return w.view("index", f"{name}[{index}]", v, shape)


@kind(16)
def view(w: Writer) -> None:
    a_view(w, w.any())


@kind(4)
def view_of_view(w: Writer) -> None:
    v = w.pick(lambda v: v.root != v.name) or w.any()
    a_view(w, a_view(w, v))


@kind(3)
def join(w: Writer) -> None:
    v = w.any()
    if w.chance(0.4):
        other = w.pick(lambda b: b.shape == v.shape) or v
        d = w.dim(v, 1)
        shape = np.stack([v.shadow] * 2, min(d, len(v.shape))).shape
        source = f"lib.stack([{v.name}, {other.name}], {d})"
        w.new("stack", source, shape, meet(v, other), v, other, bound=max(v.bound, other.bound))
        return
    d = 0 if v.shape == (0,) else w.dim(v)  # PyTorch takes any for those
    if not v.shape or d >= len(v.shape):
        w.new("cat", f"lib.cat([{v.name}, {v.name}], {d})", v.shape, v.dtype, v)
        return
    d %= len(v.shape)

    def fits(b: Variable) -> bool:
        return len(b.shape) == len(v.shape) and b.shape[:d] + b.shape[d + 1 :] == v.shape[:d] + v.shape[d + 1 :]

    other = w.pick(fits) or v
    shape = (*v.shape[:d], v.shape[d] + other.shape[d], *v.shape[d + 1 :])
    dtype = max(v.dtype, other.dtype, key=ORDER.index)
    w.new("cat", f"lib.cat(({v.name}, {other.name}), {d})", shape, dtype, v, other, bound=max(v.bound, other.bound))


# --- indices of tensors


def array_index(w: Writer, v: Variable) -> tuple[str, tuple[int, ...] | None]:
    """An index that gives a copy, as source, and the shape of the result where that is known."""
    n, rest = v.shape[0], v.shape[1:]
    if w.chance(0.25):
        mask = [w.chance(0.6) for _ in range(n)]
        return f"lib.tensor({mask}, dtype=lib.bool)", (sum(mask), *rest)
    if w.chance(0.15):
        return f"{v.name} > {w.number()}", None
    if not n:
        return "lib.tensor([], dtype=lib.int64)", (0, *rest)
    count = w.random.randint(1, 3)
    places = [w.random.randrange(-n, n) for _ in range(count)]
    if w.chance(0.02) and 0 not in rest:  # counts in an empty result for us only
        places[0] = n
    if rest and rest[0] and w.chance(0.3):
        others = [w.random.randrange(rest[0]) for _ in range(count)]
        return f"{places}, {others}", (count, *rest[1:])
    if rest and w.chance(0.2):
        places = [place % n for place in places]  # out of range counts in an empty result for us only
        return f"lib.tensor({[places]}), ..., 1:", (1, count, *rest[:-1], max(rest[-1] - 1, 0))
    if rest and rest[0] and w.chance(0.15):
        return f"..., None, {[place % max(v.shape[-1], 1) for place in places]}", (*v.shape[:-1], 1, count)
    return f"lib.tensor({places})" if w.chance(0.7) else str(places), (count, *rest)


@kind(5)
def array_indexing(w: Writer) -> None:
    v = w.pick(lambda v: bool(v.shape)) or leaf(w, (3, 2))
    index, shape = array_index(w, v)
    if shape is None:
        bound = v.bound * max(v.shadow.size, 1)
        w.new("read by a mask", f"{v.name}[{index}].sum()", (), v.dtype if v.floating else "int64", v, bound=bound)
    else:
        w.new("read by an array", f"{v.name}[{index}]", shape, v.dtype, v, bound=v.bound, positive=v.positive)


# --- dtypes


@kind(3)
def cast(w: Writer) -> None:
    v = w.any()
    dtype = w.random.choices(["float64", "float32", "int64", "bool"], [4, 2, 1, 1])[0]
    word = {"float64": "double", "float32": "float", "int64": "long", "bool": "bool"}[dtype]
    source = f"{v.name}.{word}()" if w.chance(0.5) else f"{v.name}.to(lib.{dtype})"
    same = {"root": v.root, "data": v.data, "requires": v.requires, "leaf": v.leaf}
    shared = same if dtype == v.dtype else {}  # the tensor itself
    w.new("cast", source, v.shape, dtype, v, bound=v.bound, **shared)


# --- edits in place


def target(w: Writer, *fits: Callable[[Variable], bool]) -> Variable:
    """What to edit: mostly what may be edited, and views often."""

    def allowed(v: Variable) -> bool:
        root = w.variables.get(v.root)
        leafy = (v.leaf and v.requires) or (root is not None and root.leaf and root.requires and not v.data)
        return not v.repeats and (not leafy or not w.recording) and all(fit(v) for fit in fits)

    if w.chance(0.08):
        return w.any()
    found = w.pick(allowed, lambda v: v.root != v.name) if w.chance(0.45) else None
    return found or w.pick(allowed) or w.any()


@kind(8)
def edit_by_number(w: Writer) -> None:
    v = target(w)
    number, positive = w.number(), w.number(positive=True)
    choices = [
        ("+=", f"{v.name} += {number}"), ("-=", f"{v.name} -= {number}"), ("*=", f"{v.name} *= {number}"),
        ("/=", f"{v.name} /= {positive}"), ("add_", f"{v.name}.add_({number})"), ("mul_", f"{v.name}.mul_({number})"),
        ("sub_", f"{v.name}.sub_({number}, alpha=2)"), ("div_", f"{v.name}.div_({positive})"),
        ("fill_", f"{v.name}.fill_({number})"), ("zero_", f"{v.name}.zero_()"),
        ("clamp_", f"{v.name}.clamp_(-0.7, 0.8)"), ("clamp_", f"{v.name}.clamp_(min=-0.3)"),
    ]  # fmt: skip
    if v.dtype == "bool":  # a difference
        choices = [
            choice for choice in choices if "sub" not in choice[0] and "-" not in choice[0] and "clamp" not in choice[0]
        ]
    if v.bound < 30:
        choices += [("**=", f"{v.name} **= 2"), ("pow_", f"{v.name}.pow_(2)")]
    name, source = w.random.choice(choices)
    w.edit(name, source, v, bound=max(2 * v.bound + 4, v.bound**2 if name in ("**=", "pow_") else 0))


@kind(10)
def edit_by_tensor(w: Writer) -> None:
    v = target(w, lambda v: v.bound < LARGE)
    b = w.pick(fits_into(v.dtype), lambda b: broadcast(b.shape, v.shape) == v.shape and b.bound * v.bound < LARGE)
    if b is None or w.chance(0.2):
        b = w.any() if w.chance(0.1) else leaf(w, w.broadcastable(v.shape), v.dtype if w.chance(0.9) else "")
    if b.requires and not v.floating:
        return  # PyTorch would have integers require grad
    choices = [
        ("+=", f"{v.name} += {b.name}"), ("-=", f"{v.name} -= {b.name}"), ("*=", f"{v.name} *= {b.name}"),
        ("add_", f"{v.name}.add_({b.name})"), ("mul_", f"{v.name}.mul_({b.name})"),
        ("sub_", f"{v.name}.sub_({b.name})"), ("copy_", f"{v.name}.copy_({b.name})"),
        ("copy_", f"{v.name}.copy_({b.name})"), ("clamp_ by a tensor", f"{v.name}.clamp_(min={b.name})"),
    ]  # fmt: skip
    if "bool" in (v.dtype, b.dtype):  # a difference
        choices = [
            choice for choice in choices if "sub" not in choice[0] and "-" not in choice[0] and "clamp" not in choice[0]
        ]
    if b.positive:
        choices += [("/=", f"{v.name} /= {b.name}"), ("div_", f"{v.name}.div_({b.name})")]
    if v.positive and b.bound < 4 and v.bound < 10:
        choices += [("pow_", f"{v.name}.pow_({b.name})"), ("**=", f"{v.name} **= {b.name}")]
    if not b.shape:
        choices += [("fill_", f"{v.name}.fill_({b.name})")]
    name, source = w.random.choice(choices)
    w.edit(name, source, v, b, bound=max(v.bound + b.bound, v.bound * b.bound, b.bound * 10))


@kind(8)
def edit_by_function(w: Writer) -> None:
    v = target(w, lambda v: v.floating)
    choices = ["tanh_", "sigmoid_", "relu_", "neg_", "sin_", "cos_", "abs_"]
    if v.bound < 5:
        choices += ["exp_"]
    if v.positive:
        choices += ["sqrt_", "log_"]
    name = w.random.choice(choices)
    bound = float(np.exp(v.bound)) if name == "exp_" else v.bound
    w.edit(name, f"{v.name}.{name}()", v, bound=bound)


@kind(2)
def masked_fill(w: Writer) -> None:
    v = target(w)
    other = w.pick(lambda b: broadcast(b.shape, v.shape) == v.shape) or v
    test = other.name if other.dtype == "bool" else f"{other.name} > {w.number()}"
    w.edit("masked_fill_", f"{v.name}.masked_fill_({test}, {w.number()})", v)


@kind(3)
def edit_by_indices(w: Writer) -> None:
    v = target(w, lambda v: bool(v.shape))
    if not v.shape or 0 in v.shape:
        return
    d = w.random.randrange(len(v.shape))
    n = v.shape[d]
    places = w.random.sample(range(n), w.random.randint(1, min(n, 3)))
    shape = (*v.shape[:d], len(places), *v.shape[d + 1 :])
    name = w.random.choice(["index_fill_", "index_add_", "index_copy_", "masked_scatter_"])
    if name == "index_fill_":
        w.edit(name, f"{v.name}.index_fill_({d}, lib.tensor({places}), {w.number()})", v)
        return
    shape = v.shape if name == "masked_scatter_" else shape
    value = w.pick(lambda b: b.shape == shape and b.dtype == v.dtype and b.root != v.root) or leaf(w, shape, v.dtype)
    at = f"{v.name} > {w.number()}" if name == "masked_scatter_" else f"{d}, lib.tensor({places})"
    w.edit(name, f"{v.name}.{name}({at}, {value.name})", v, value, bound=v.bound + value.bound)


@kind(11)
def assign_by_index(w: Writer) -> None:
    v = target(w, lambda v: bool(v.shape))
    shape: tuple[int, ...] | None
    if v.shape and w.chance(0.35):
        index, shape = array_index(w, v)
        if index.count("-") or len(set(index)) < len(index):  # a place written twice holds either value
            value: Variable | None = None if w.chance(0.9) else leaf(w, (), v.dtype)
        else:
            value = w.pick(fits_into(v.dtype), lambda b: broadcast(b.shape, shape or (0, 7)) == shape)
        name = "assign by an array"
    else:
        index, shape = basic_index(w, v)
        value = w.pick(lambda b: broadcast(b.shape, shape or ()) == shape) if w.chance(0.7) else None
        name = "assign by index"
    if value is None and w.chance(0.3):
        value = leaf(w, shape if shape and name == "assign by index" else (), v.dtype)
    if value is not None and (value.dtype != v.dtype or value.root == v.root):
        value = None
    written = () if value is None else (value,)
    bound = 2.0 if value is None else value.bound
    stale = v.root != v.name and not v.requires  # PyTorch would take such a view for a leaf in the second edit
    if value is not None and not (stale and value.requires) and w.chance(0.2):
        w.edit(f"{name} and add", f"{v.name}[{index}] += {value.name}", v, value, bound=bound + v.bound)
    else:
        w.edit(name, f"{v.name}[{index}] = {value.name if value else w.number()}", v, *written, bound=bound)


@kind(4)
def edit_after_saving(w: Writer) -> None:
    """Something saves a variable; an edit of it or of a relative follows."""
    v = w.floating(lambda v: v.requires and not v.leaf and v.bound < 100)
    source, bound = w.random.choice(
        [("{0} * {0}", v.bound**2), ("{}.sin()", 1.0), ("{}.tanh()", 1.0), ("{} ** 2", v.bound**2)]
    )
    result = w.new("save", source.format(v.name), v.shape, v.dtype, v, bound=bound)
    victim = w.random.choice([v, result, w.pick(lambda b: b.root == v.root) or v])
    w.edit("+=", f"{victim.name} += {w.number()}", victim, bound=victim.bound + 2)


@kind(2)
def edit_a_neighbour(w: Writer) -> None:
    """Two parts of one memory: one is saved, the other edited."""
    v = w.floating(lambda v: v.requires and v.bound < 100 and v.shape != () and v.shape[0] > 1)
    base = w.new("mul", f"{v.name} * {w.number(positive=True)}", v.shape, v.dtype, v, bound=v.bound * 2)
    first, second = (w.view("index", f"{base.name}[{i}]", base, base.shape[1:]) for i in (0, 1))
    w.new("save", f"{first.name} * {first.name}", first.shape, first.dtype, first, bound=first.bound**2)
    w.edit("+=", f"{second.name} += {w.number()}", second, bound=second.bound + 2)


@kind(12)
def edit_a_view(w: Writer) -> None:
    """An interior tensor, a view of it, an edit through the view; then either is used."""
    v = w.floating(lambda v: v.requires and v.bound < 100)
    base = w.new("mul", f"{v.name} * {w.number(positive=True)}", v.shape, v.dtype, v, bound=v.bound * 2)
    part = a_view(w, base)
    if w.chance(0.3):
        part = a_view(w, part)
    other = w.pick(fits_into(part.dtype), lambda b: broadcast(b.shape, part.shape) == part.shape and b.bound < 100)
    by = other.name if other and w.chance(0.6) else w.number()
    sign = w.random.choice(["+=", "*="] if other and other.dtype == "bool" else ["+=", "*=", "-="])
    edited = part if w.chance(0.75) else base
    w.edit(sign, f"{edited.name} {sign} {by}", edited, *([other] if other else []), bound=part.bound * 100)
    used = w.random.choice([base, part])
    w.new("mul", f"{used.name} * {used.name}", used.shape, used.dtype, used, bound=used.bound**2)


# --- the graph


@kind(2)
def detach_in_place(w: Writer) -> None:
    v = w.any()
    if w.alone(v) and not v.retained and w.chance(0.5):
        v.requires, v.leaf = False, True
        w.write("detach_", f"{v.name}.detach_()", reaches=True)
    else:
        v.retained = True
        w.write("retain_grad", f"{v.name}.retain_grad()")


@kind(3)
def retain(w: Writer) -> None:
    v = w.floating(lambda v: v.requires and not v.leaf)
    v.retained = True
    w.write("retain_grad", f"{v.name}.retain_grad()")


@kind(5)
def hook(w: Writer) -> None:
    v = w.floating(lambda v: v.requires) if w.chance(0.95) else w.any()
    name = w.name("h")
    what = w.random.choice(["see", "see", "change", "post"])
    if what == "see":
        w.write("hook that sees", f"{name} = {v.name}.register_hook(lambda g: see({name!r}, g))")
    elif what == "change":
        change = w.random.choice(["g * 0.5", "g + 1", "-g"])
        w.write("hook that changes", f"{name} = {v.name}.register_hook(lambda g: [see({name!r}, g), {change}][1])")
    else:
        v = w.floating(lambda v: v.requires and v.leaf) if w.chance(0.9) else v
        call = f"register_post_accumulate_grad_hook(lambda t: see({name!r}, t.grad))"
        w.write("hook after accumulation", f"{name} = {v.name}.{call}")
    if w.chance(0.15):
        w.write("removed hook", f"{name}.remove()")


@kind(1.5)
def forget(w: Writer) -> None:
    if len(w.variables) > 4:
        v = w.any()
        del w.variables[v.name]
        w.write("del", f"del {v.name}")


def scalar(w: Writer, v: Variable) -> str:
    """A 0-d expression of a variable."""
    if not v.shape:
        return v.name
    forms = ["{0}.sum()", "{0}.sum()", "{0}.mean()"]
    if v.bound < 100:
        forms += ["({0} * {0}).sum()", "{0}.tanh().sum()", "(0.5 * {0}).sin().mean()"]
    return w.random.choice(forms).format(v.name)


def source_of(w: Writer, v: Variable) -> Variable:
    """A variable that `v` was computed from, seldom any other."""
    return (w.pick(lambda x: x.name in v.ancestors and x.requires) if w.chance(0.9) else None) or w.floating()


def reached(w: Writer) -> None:
    for v in w.variables.values():
        v.grads |= v.leaf and v.requires


@kind(4)
def backward(w: Writer) -> None:
    v = w.floating(lambda v: v.requires and not v.leaf) if w.chance(0.95) else w.any()
    options = ["retain_graph=True"] if w.chance(0.6) else []
    if w.chance(0.2):
        inputs = source_of(w, v)
        inputs.retained = True
        options.append(f"inputs=[{inputs.name}]")
    if w.chance(0.03):
        options.append("create_graph=True")
    end = ", ".join(options)
    form = w.random.random()
    if form < 0.7:
        w.write("backward", f"{scalar(w, v)}.backward({end})", reaches=True)
    elif form < 0.85:
        seed = drawn(w, v.shape if w.chance(0.97) else (7,), v.dtype, False)
        w.write("backward with a gradient", f"{v.name}.backward({', '.join([seed, *options])})", reaches=True)
    else:
        other = w.floating(lambda v: v.requires and not v.leaf)
        roots = f"[{scalar(w, v)}, {scalar(w, other)}]"
        w.write("backward from two", f"lib.autograd.backward({', '.join([roots, *options])})", reaches=True)
    reached(w)


@kind(3)
def gradient(w: Writer) -> None:
    v = w.floating(lambda v: v.requires and not v.leaf and v.bound < 1000)
    x = source_of(w, v)
    create = w.chance(0.5)
    options = ", create_graph=True" if create else ", retain_graph=True" if w.chance(0.7) else ""
    if w.chance(0.5):
        options += ", materialize_grads=True"
    source = f"lib.autograd.grad({scalar(w, v)}, {x.name}{options})[0].contiguous().clone()"
    parents = (v, x) if create else ()
    w.new(
        "grad with a graph" if create else "grad",
        source,
        x.shape,
        x.dtype,
        *parents,
        bound=v.bound * 100,
        requires=create,
    )


@kind(3)
def second_order(w: Writer) -> None:
    v = w.floating(lambda v: v.requires and not v.leaf and v.bound < 100)
    x = source_of(w, v)
    y = w.name()
    w.write("save", f"{y} = ({v.name} * {v.name}).sum()")
    g = w.name()
    w.write("grad with a graph", f"{g} = lib.autograd.grad({y}, {x.name}, create_graph=True)[0].contiguous().clone()")
    end = "retain_graph=True" if w.chance(0.5) else ""
    w.write("backward of a gradient", f"({g} * {g}).sum().backward({end})", reaches=True)
    reached(w)


@kind(2)
def with_grad(w: Writer) -> None:
    """Gradients are tensors too: read, edited, thrown away."""
    v = w.pick(lambda v: v.grads)
    if v is None:
        return
    choice = w.random.choice(["read", "edit", "forget"])
    if choice == "forget":
        w.write("forget .grad", f"{v.name}.grad = None")
        v.grads = False
    elif choice == "edit":
        w.write("edit .grad", f"{v.name}.grad.mul_({w.number()})", reaches=True)
    else:
        w.new("read .grad", f"{v.name}.grad.contiguous().clone()", v.shape, v.dtype, bound=100.0)


# --- whole programs


def write_program(seed: int) -> list[Statement]:
    """The program of a seed."""
    w = Writer(random.Random(f"program {seed}"))
    weights, functions = zip(*KINDS.values())
    for _ in range(w.random.randint(1, 3)):
        leaf(w)
    leaf(w, dtype="float64", requires=True)
    for _ in range(w.random.randint(4, 14)):
        w.mode = ""
        if w.chance(0.1):
            w.mode = w.random.choice(["with lib.no_grad(): "] * 5 + ["with lib.no_grad(), lib.enable_grad(): "])
        w.random.choices(functions, weights)[0](w)
    w.mode = ""
    edited = w.pick(lambda v: v.edited and v.requires and v.bound < LARGE) if w.chance(0.6) else None
    roots = [scalar(w, w.floating(lambda v: v.requires and not v.leaf)) for _ in range(w.random.randint(1, 3))]
    roots[0] = roots[0] if edited is None else scalar(w, edited)
    w.write("backward at the end", f"({' + '.join(roots)}).backward()", reaches=True)
    return w.statements
