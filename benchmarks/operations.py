"""`python -m benchmarks.operations`: each everyday operation beside PyTorch's at two sizes, forward and both ways.

The median of the ratios of interleaved rounds, processor time at one thread. "Scratch" is what NumPy allocated during
the forward beyond what is alive after it, in parts of the result: 0 for an operation that wastes no memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.interleave import ONE_THREAD, worker_environment
from benchmarks.report import environment, table

SMALL, LARGE = 8, 2000  # rows and columns: 64 and 4 million elements
LIMIT = 3.0


class Inputs(NamedTuple):
    """What operations are called with: matrices of one size, and what goes with them."""

    lib: Any
    x: Any  # -2 to 2
    y: Any  # 0.1 to 0.9
    z: Any  # 0.1 to 0.9, other numbers
    mask: Any
    places: Any  # a column for each element
    rows: Any  # a row for each row, with repeats
    vector: Any  # a row
    above: Any  # 1.1 to 1.9

    @property
    def n(self) -> int:
        return int(self.x.shape[0])

    def batch(self, tensor: Any) -> Any:
        """The same numbers as many smaller matrices."""
        return tensor.reshape(-1, *(2 * [2 if self.n == SMALL else 250]))


def inputs(lib: Any, n: int, grad: bool) -> Inputs:
    draw = np.random.default_rng(0)
    x, y, z = draw.uniform(-2, 2, (n, n)), draw.uniform(0.1, 0.9, (n, n)), draw.uniform(0.1, 0.9, (n, n))
    mask, places, rows = draw.random((n, n)) < 0.5, draw.integers(0, n, (n, n)), draw.integers(0, n, n)
    floats = [lib.tensor(a.astype(np.float32), requires_grad=grad) for a in (x, y, z)]
    vector = lib.tensor(y[0].astype(np.float32), requires_grad=grad)
    above = lib.tensor((y + 1).astype(np.float32), requires_grad=grad)
    return Inputs(lib, *floats, *[lib.tensor(a) for a in (mask, places, rows)], vector, above)


Forward = Callable[[Inputs], Any]


def named(names: str, call: Callable[[Any, Inputs], Any]) -> dict[str, Forward]:
    """Functions of the library that are called alike."""
    return {name: (lambda i, name=name: call(getattr(i.lib, name), i)) for name in names.split()}  # type: ignore[misc]


UNARY = "abs neg positive square exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh sigmoid erf floor ceil round"
UNARY += " trunc sign nan_to_num isnan isinf isfinite logical_not relu"
ON_POSITIVE = "sqrt rsqrt reciprocal log log2 log10 log1p asin acos atanh"
BINARY = "add sub mul div atan2 fmod remainder floor_divide maximum minimum logaddexp eq ne lt le gt ge isclose"
BINARY += " logical_and logical_or logical_xor"
WHOLE = "sum mean prod amax amin max min argmax argmin all any std var var_mean std_mean norm logsumexp count_nonzero"
ALONG = "sum mean amax max argmax std var logsumexp softmax log_softmax cumsum cumprod median"
VIEWS: dict[str, Forward] = {
    "reshape": lambda i: i.x.reshape(-1),
    "view": lambda i: i.x.view(-1),
    "flatten": lambda i: i.x.flatten(),
    "unflatten": lambda i: i.x.unflatten(0, (2, -1)),
    "squeeze": lambda i: i.x.squeeze(),
    "unsqueeze": lambda i: i.x.unsqueeze(1),
    "transpose": lambda i: i.x.transpose(0, 1),
    "permute": lambda i: i.x.permute(1, 0),
    "t": lambda i: i.x.t(),
    "T": lambda i: i.x.T,
    "mT": lambda i: i.x.mT,
    "movedim": lambda i: i.x.movedim(0, 1),
    "expand": lambda i: i.x.expand(1, i.n, i.n),
    "expand_as": lambda i: i.vector.expand_as(i.x),
    "broadcast_to": lambda i: i.lib.broadcast_to(i.vector, (i.n, i.n)),
    "chunk": lambda i: i.x.chunk(2)[0],
    "split": lambda i: i.x.split(i.n // 2)[0],
    "unbind": lambda i: i.batch(i.x).unbind(1)[0],
    "narrow": lambda i: i.x.narrow(0, 1, 2),
    "select": lambda i: i.x.select(0, 1),
    "diagonal": lambda i: i.x.diagonal(),
    "x[1:]": lambda i: i.x[1:],
}
OPERATIONS: dict[str, Forward] = {
    **named(UNARY, lambda f, i: f(i.x)),
    **named(ON_POSITIVE, lambda f, i: f(i.y)),
    "acosh": lambda i: i.lib.acosh(i.above),
    **named(BINARY, lambda f, i: f(i.y, i.z)),
    "x + 2": lambda i: i.x + 2,
    "2 - x": lambda i: 2 - i.x,
    "x * 2": lambda i: i.x * 2,
    "2 / x": lambda i: 2 / i.y,
    "2 ** x": lambda i: 2**i.x,
    "x ** 2": lambda i: i.x**2,
    "x ** 3": lambda i: i.x**3,
    "x ** 2.5": lambda i: i.y**2.5,
    "pow": lambda i: i.lib.pow(i.y, i.z),
    "x + row": lambda i: i.x + i.vector,
    "clamp": lambda i: i.x.clamp(-1, 1),
    "clamp_min": lambda i: i.x.clamp_min(0.5),
    "clamp_max": lambda i: i.x.clamp_max(0.5),
    "lerp": lambda i: i.lib.lerp(i.x, i.y, 0.3),
    "addcmul": lambda i: i.lib.addcmul(i.x, i.y, i.z),
    "addcdiv": lambda i: i.lib.addcdiv(i.x, i.y, i.z),
    "where": lambda i: i.lib.where(i.mask, i.x, i.y),
    "allclose": lambda i: i.lib.allclose(i.x, i.x),
    "equal": lambda i: i.lib.equal(i.x, i.x),
    "gelu": lambda i: i.lib.nn.functional.gelu(i.x),
    "silu": lambda i: i.lib.nn.functional.silu(i.x),
    "softplus": lambda i: i.lib.nn.functional.softplus(i.x),
    "layer_norm": lambda i: i.lib.nn.functional.layer_norm(i.x, (i.n,), i.vector, i.vector),
    "rms_norm": lambda i: i.lib.nn.functional.rms_norm(i.x, (i.n,), i.vector),
    "batch_norm": lambda i: i.lib.nn.functional.batch_norm(i.x, None, None, i.vector, i.vector, True),
    "batch_norm of maps": lambda i: i.lib.nn.functional.batch_norm(i.batch(i.x), None, None, training=True),
    "group_norm": lambda i: i.lib.nn.functional.group_norm(i.batch(i.x), 2),
    "dropout": lambda i: i.lib.nn.functional.dropout(i.x),
    **named(WHOLE.replace(" logsumexp", ""), lambda f, i: f(i.y)),
    "median": lambda i: i.lib.median(i.x),
    **{f"{name} of rows": call for name, call in named(ALONG, lambda f, i: f(i.x, 1)).items()},
    **{f"{name} of columns": call for name, call in named(ALONG, lambda f, i: f(i.x, 0)).items()},
    **VIEWS,
    "contiguous": lambda i: i.x.t().contiguous(),
    "clone": lambda i: i.x.clone(),
    "repeat": lambda i: i.x.repeat(2, 1),
    "repeat_interleave": lambda i: i.x.repeat_interleave(2, 1),
    "tile": lambda i: i.x.tile((2,)),
    "flip": lambda i: i.x.flip(1),
    "roll": lambda i: i.x.roll(1, 1),
    **named("cat stack hstack vstack", lambda f, i: f([i.x, i.y])),
    "diag": lambda i: i.lib.diag(i.vector),
    **named("tril triu", lambda f, i: f(i.x)),
    "meshgrid": lambda i: i.lib.meshgrid(i.vector, i.vector, indexing="ij")[0],
    "x[rows]": lambda i: i.x[i.rows],
    "x[mask]": lambda i: i.x[i.mask],
    "index_select": lambda i: i.x.index_select(0, i.rows),
    "gather": lambda i: i.x.gather(1, i.places),
    "scatter": lambda i: i.x.scatter(1, i.places, 1.5),
    "scatter_add": lambda i: i.x.scatter_add(1, i.places, i.y),
    "index_add": lambda i: i.x.index_add(0, i.rows, i.y),
    "index_fill": lambda i: i.x.index_fill(0, i.rows, 0.5),
    "index_put": lambda i: i.x.index_put((i.rows,), i.vector),
    "masked_fill": lambda i: i.x.masked_fill(i.mask, 0.5),
    "masked_select": lambda i: i.x.masked_select(i.mask),
    "take_along_dim": lambda i: i.lib.take_along_dim(i.x, i.places, 1),
    "nonzero": lambda i: i.mask.nonzero(),
    "sort": lambda i: i.x.sort(1),
    "argsort": lambda i: i.x.argsort(1),
    "topk": lambda i: i.x.topk(5, 1),
    "unique": lambda i: i.places.unique(),
    "searchsorted": lambda i: i.lib.searchsorted(i.lib.arange(1.0, 2.0, 0.01), i.x.detach()),
    "bincount": lambda i: i.lib.bincount(i.places.flatten()),
    **named("matmul mm dot", lambda f, i: f(i.vector, i.vector) if f.__name__ == "dot" else f(i.x, i.y)),
    **named("bmm", lambda f, i: f(i.batch(i.x), i.batch(i.y))),
    "baddbmm": lambda i: i.lib.baddbmm(i.batch(i.z), i.batch(i.x), i.batch(i.y)),
    "mv": lambda i: i.lib.mv(i.x, i.vector),
    "outer": lambda i: i.lib.outer(i.vector, i.vector),
    "addmm": lambda i: i.lib.addmm(i.z, i.x, i.y),
    "einsum": lambda i: i.lib.einsum("bij,bkj->bik", i.batch(i.x), i.batch(i.y)),
    "tensordot": lambda i: i.lib.tensordot(i.x, i.y, ([1], [1])),
    "trace": lambda i: i.lib.trace(i.x),
    **named("zeros ones rand randn", lambda f, i: f(i.n, i.n)),
    "full": lambda i: i.lib.full((i.n, i.n), 1.5),
    "eye": lambda i: i.lib.eye(i.n),
    "arange": lambda i: i.lib.arange(i.n * i.n),
    "linspace": lambda i: i.lib.linspace(0, 1, i.n * i.n),
    **named("zeros_like ones_like", lambda f, i: f(i.x)),
    "full_like": lambda i: i.lib.full_like(i.x, 1.5),
    "randint": lambda i: i.lib.randint(10, (i.n, i.n)),
    "randperm": lambda i: i.lib.randperm(i.n * i.n),
    "float": lambda i: i.places.float(),
    "double": lambda i: i.x.double(),
    "long": lambda i: i.x.long(),
    "bool": lambda i: i.places.bool(),
    "to": lambda i: i.x.to(i.lib.float64),
    "item": lambda i: i.x[0, 0].item(),
}


def both_ways(forward: Forward, given: Inputs) -> Callable[[], Any] | None:
    """A step of forward and backward, or None where the result has no gradient."""
    out = first(forward(given))
    if not getattr(out, "requires_grad", False):
        return None
    gradient = given.lib.ones_like(out.detach())
    leaves = (given.x, given.y, given.z, given.vector, given.above)

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        first(forward(given)).backward(gradient)

    return step


def first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def ratio(steps: tuple[Callable[[], Any], Callable[[], Any]], rounds: int, seconds: float) -> tuple[float, float]:
    """The median ratio of ours to PyTorch's, and seconds a step of PyTorch."""
    counts = [max(1, int(seconds / max(timed(step, 1), 1e-7))) for step in steps]
    counts = [max(1, int(seconds / max(timed(step, n), 1e-7))) for step, n in zip(steps, counts, strict=True)]
    times = [[timed(step, n) for step, n in zip(steps, counts, strict=True)] for _ in range(rounds)]
    return median(ours / theirs for ours, theirs in times), median(theirs for _, theirs in times)


def timed(step: Callable[[], Any], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        step()
    return (time.process_time() - start) / count


def scratch(forward: Forward, given: Inputs) -> float:
    """What the forward allocated at its peak and did not keep, in parts of its result."""
    forward(given)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    out = forward(given)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = first(out).nbytes if hasattr(first(out), "nbytes") else 0
    return (peak - max(after, before)) / max(size, 1) if size > 1e6 else 0.0


def measure(name: str, rounds: int, seconds: float, ours: Any, torch: Any) -> dict[str, Any]:
    """One operation: ratios by size and direction, times of PyTorch, scratch."""
    found: dict[str, Any] = {}
    forward = OPERATIONS[name]
    for size, n in (("8x8", SMALL), ("4 million", LARGE)):
        for way, grad in (("forward", False), ("both ways", True)):
            pair = [inputs(lib, n, grad) for lib in (ours, torch)]
            steps = [both_ways(forward, given) if grad else (lambda g=given: forward(g)) for given in pair]  # type: ignore[misc]
            if None not in steps:
                found[f"{way}, {size}"] = ratio(tuple(steps), rounds, seconds)  # type: ignore[arg-type]
    found["scratch"] = scratch(forward, inputs(ours, LARGE, False))
    return found


COLUMNS = ("forward, 8x8", "both ways, 8x8", "forward, 4 million", "both ways, 4 million")


def rows(results: dict[str, Any]) -> Iterable[list[str]]:
    for name, found in results.items():
        if "error" in found:
            yield [name, found["error"], "", "", "", ""]
            continue
        cells = [f"{found[column][0]:.2f}" if column in found else "" for column in COLUMNS]
        yield [name, *cells, f"{found['scratch']:.1f}"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--only", metavar="exp,sum", help="operations; default: all")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.02, help="how long a round should last")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write FILE.md and FILE.json")
    options = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):  # BLAS reads them when NumPy is loaded
        return subprocess.call([sys.executable, "-m", "benchmarks.operations", *sys.argv[1:]], env=worker_environment())
    import torch

    import tinygrad_dl

    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    for name in options.only.split(",") if options.only else OPERATIONS:
        try:
            results[name] = measure(name, options.rounds, options.seconds, tinygrad_dl, torch)
        except Exception as error:  # what one lacks, or what fails, becomes its row
            results[name] = {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"}
        print(*next(iter(rows({name: results[name]}))), file=sys.stderr, flush=True)
    where = environment(["torch"], "cpu")
    text = "\n\n".join(
        [
            "# Each operation beside PyTorch's",
            f"`python -m benchmarks.operations`; {where['processor']}, numpy {where['versions']['numpy']}, torch "
            f"{where['versions']['torch']}. Processor time of ours divided by PyTorch's at one thread, median of "
            f"{options.rounds} interleaved rounds; scratch in parts of the result.",
            table(("operation", *COLUMNS, "scratch"), list(rows(results))),
            f"Above {LIMIT:g}: "
            + ", ".join(
                f"{n} ({c} {r[c][0]:.1f})" for n, r in results.items() for c in COLUMNS if c in r and r[c][0] > LIMIT
            ),
        ]
    )
    print(text)
    if options.output:
        options.output.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
        options.output.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
