"""What a graph costs: nothing outlives it, nothing grows, depth and width cost time and memory in proportion."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import resource
import subprocess
import sys
import tracemalloc
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_dl as tg
from tinygrad_dl import inplace, nn, optim, viz
from tinygrad_dl.node import Node

BY_OPERATION: dict[str, list[Case]] = {}
for _case in CASES:
    BY_OPERATION.setdefault(_case.operation, []).append(_case)


# --- graphs vanish by reference counts


@pytest.fixture
def no_collector() -> Iterator[None]:
    """The garbage collector is off, and what exists already is out of its sight."""
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.enable()


def require_gone(use: Callable[[], list[weakref.ref[Any]]], what: str) -> None:
    """After `use`, which gives what to watch, all is gone but what a first use left in a cache of constants."""
    cached = [array for watched in use() if (array := watched()) is not None]
    gc.collect()
    watched = use()
    alive = [array for ref in watched if (array := ref()) is not None and all(array is not old for old in cached)]
    assert (len(alive), gc.collect()) == (0, 0), f"{what}: {len(alive)} of {len(watched)} arrays are alive"
    assert all(array.ndim == 0 for array in cached)


def arrays_of(*results: Any) -> list[weakref.ref[Any]]:
    """Weak references to the arrays of tensors, of their gradients, and to all that their graphs saved."""
    found: list[Any] = []
    todo, seen = list(results), set()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, tg.Tensor):
            todo += [value.array, value.node, value._grad]
        elif isinstance(value, Node):
            todo += [value.parents, value.saved]
        elif isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, np.ndarray):
            found.append(weakref.ref(value))
    return found


def total_of(outputs: list[Any]) -> Any:
    """The sum of what can be differentiated, None if nothing can."""
    sums = [out.sum() for out in outputs if isinstance(out, tg.Tensor) and out.requires_grad]
    return sum(sums[1:], sums[0]) if sums else None


def abandoned(case: Case) -> list[weakref.ref[Any]]:
    inputs = case.make(tg)
    return arrays_of(*inputs, *case.outputs(case.run(tg, *inputs)))


def walked(case: Case) -> list[weakref.ref[Any]]:
    inputs = case.make(tg)
    outputs = case.outputs(case.run(tg, *inputs))
    watched = arrays_of(*inputs, *outputs)
    total = total_of(outputs)
    if total is not None:
        total.backward()
    return watched + arrays_of(*inputs)


def recorded(case: Case) -> list[weakref.ref[Any]]:
    inputs = case.make(tg)
    total = total_of(case.outputs(case.run(tg, *inputs)))
    if total is None:
        return []
    wanted = [x for x in inputs if x.requires_grad]
    slopes = tg.autograd.grad(total, wanted, create_graph=True, allow_unused=True)
    watched = arrays_of(*inputs, total, *slopes)
    again = total_of(list(slopes))
    if again is not None:
        again.backward()
    return watched + arrays_of(*inputs)


@pytest.mark.parametrize("use", [abandoned, walked, recorded])
@pytest.mark.parametrize("operation", BY_OPERATION)
@pytest.mark.usefixtures("no_collector")
def test_no_array_of_an_operation_outlives_its_graph(operation: str, use: Callable[[Case], Any]) -> None:
    for case in BY_OPERATION[operation]:
        try:
            require_gone(lambda: use(case), case.name)  # noqa: B023  # called at once
        except NotImplementedError:  # no second derivative, and the case says so elsewhere
            continue


def with_retained_gradients() -> list[weakref.ref[Any]]:
    x = tg.ones(3, requires_grad=True)
    u = x * 2.0
    u.retain_grad()
    (u * u).sum().backward()
    return arrays_of(x, u)


def with_deleted_gradients() -> list[weakref.ref[Any]]:
    x = tg.ones(3, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # leaf and gradient refer to each other; that is what the warning says
        (x * x * x).sum().backward(create_graph=True)
        (x.grad * x.grad).sum().backward()
    watched = arrays_of(x)
    x.grad = None
    return watched


def with_an_optimizer(kind: Callable[..., Any], **options: Any) -> Callable[[], list[weakref.ref[Any]]]:
    def run() -> list[weakref.ref[Any]]:
        model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
        optimizer = kind(model.parameters(), **options)
        watched = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(tg.ones(5, 3)), tg.tensor([0, 1, 0, 1, 0]))
            watched += arrays_of(loss)
            loss.backward()
            optimizer.step()
            watched += arrays_of(*model.parameters())
        state = [value for held in optimizer.state.values() for value in held.values()]
        return watched + arrays_of(*state)

    return run


def with_a_trace() -> list[weakref.ref[Any]]:
    x = tg.ones(3, requires_grad=True)
    with viz.trace():
        y = (x * x).sum()
    viz.graph(y).text()
    y.backward()
    return arrays_of(x, y)


def with_a_closed_generator() -> list[weakref.ref[Any]]:
    x = tg.ones(3, requires_grad=True)

    @tg.no_grad()
    def steps() -> Any:
        for _ in range(3):
            yield x * 2

    made = steps()
    first = next(made)
    made.close()
    return arrays_of(x, first)


def with_slots() -> list[weakref.ref[Any]]:
    x = tg.ones(3, requires_grad=True)
    parts = x.split(1)
    (parts[1] * 2.0).sum().backward()
    return arrays_of(x, *parts)


def with_a_hook_on_several() -> list[weakref.ref[Any]]:
    x = tg.ones(3, requires_grad=True)
    y = x * 2
    tg.autograd.graph.register_multi_grad_hook((x, y), lambda grads: None)
    (y * y).sum().backward()
    return arrays_of(x, y)


PROGRAMS: dict[str, Callable[[], list[weakref.ref[Any]]]] = {
    "retain_grad": with_retained_gradients,
    "create_graph, gradients deleted": with_deleted_gradients,
    "SGD": with_an_optimizer(optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": with_an_optimizer(optim.Adam, amsgrad=True),
    "AdamW": with_an_optimizer(optim.AdamW),
    "trace": with_a_trace,
    "generator": with_a_closed_generator,
    "slots": with_slots,
    "a hook on several tensors": with_a_hook_on_several,
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.usefixtures("no_collector")
def test_no_array_of_a_program_outlives_it(name: str) -> None:
    require_gone(PROGRAMS[name], name)


def edit_before_backward(x: Any) -> None:
    c = tg.ones(3)
    y = (x * c).sum()
    c.add_(1.0)
    y.backward()


def walk_twice(x: Any) -> None:
    y = (x * x).sum()
    y.backward()
    y.backward()


def fail_in_a_hook(x: Any) -> None:
    y = x * 2.0

    def refuse(g: Any) -> None:
        raise RuntimeError("refused")

    y.register_hook(refuse)
    (y * x).sum().backward()


def fail_while_recording(x: Any) -> None:
    with tg.no_grad():
        y = tg.ones(3)
        with tg.enable_grad():
            y * x @ x[:2]


def differentiate_a_constant_twice(x: Any) -> None:
    (slope,) = tg.autograd.grad((x * 2.0).sum(), x, create_graph=True)
    slope.sum().backward()


FAILURES: dict[str, Callable[[Any], Any]] = {
    "shapes": lambda x: (x * 2.0) + tg.ones(4),
    "matmul": lambda x: (x * 2.0) @ tg.ones(4),
    "linear": lambda x: nn.Linear(2, 2)(x * 1.0),
    "index": lambda x: (x * 2.0)[7],
    "dim": lambda x: (x * 2.0).sum(3),
    "dtype": lambda x: (x * 2.0) @ tg.ones(3, dtype=tg.float64),
    "reshape": lambda x: (x * 2.0).reshape(2, 2),
    "option": lambda x: (x * 2.0).sum(0, axes=3),
    "cat": lambda x: tg.cat([x * 2.0, tg.ones(2, 2)]),
    "attribute": lambda x: (x * 2.0).summ(),
    "numpy": lambda x: np.linalg.inv(x * 2.0),
    "item": lambda x: (x * 2.0).item(),
    "bool": lambda x: bool(x * 2.0),
    "backward of three elements": lambda x: (x * 2.0).backward(),
    "backward without a graph": lambda x: (x * 2.0).detach().backward(),
    "unused": lambda x: tg.autograd.grad((x * 2.0).sum(), tg.ones(3, requires_grad=True)),
    "edit of a leaf": lambda x: x.add_(x * 2.0),
    "overwritten": edit_before_backward,
    "freed": walk_twice,
    "hook": fail_in_a_hook,
    "modes": fail_while_recording,
    "no graph of the gradient": differentiate_a_constant_twice,
    "deepcopy": lambda x: copy.deepcopy(x * 2.0),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.usefixtures("no_collector")
def test_no_array_outlives_an_error(name: str) -> None:
    def fail() -> list[weakref.ref[Any]]:
        x = tg.ones(3, requires_grad=True)
        watched = arrays_of(x)
        try:
            FAILURES[name](x)
        except Exception as error:
            assert error.__traceback__ is not None
            frames, trace = [], error.__traceback__.tb_next
            while trace is not None:  # all that the error holds, as far as it is local to a function
                frames += list(trace.tb_frame.f_locals.values())
                trace = trace.tb_next
            watched += arrays_of(*[value for value in frames if isinstance(value, tg.Tensor | Node | list | tuple)])
            del frames, trace
        else:
            raise AssertionError(f"{name} did not fail")
        return watched + arrays_of(x)

    require_gone(fail, name)


# --- nothing grows


class Training:
    """Steps of a small network on batches of a loader, with what people do beside it."""

    def __init__(self) -> None:
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 3))
        self.optimizer = optim.Adam(self.model.parameters(), lr=1e-3)
        data = tg.utils.data.TensorDataset(tg.randn(24, 4), tg.arange(24) % 3)
        self.loader = tg.utils.data.DataLoader(data, batch_size=8, shuffle=True)
        self.memory = tg.zeros(16, 4)
        self.count = 0

    def epoch(self) -> None:
        for inputs, labels in self.loader:
            self.optimizer.zero_grad()
            out = self.model(inputs)
            out.retain_grad()
            loss = nn.functional.cross_entropy(out, labels)
            loss.backward(retain_graph=True)
            (loss * 0.5).backward()  # a second pass adds to the gradients in place
            self.optimizer.step()
            with tg.no_grad():
                self.memory[self.count % 16] = inputs[0]
            self.count += 1
            str(loss), loss.item()


def growth(run: Callable[[], None], rounds: int) -> tuple[int, int, int]:
    """How many objects, blocks and bytes are left more after so many rounds than there were before."""
    tracemalloc.start()
    try:
        for _ in range(max(rounds // 4, 8)):  # caches fill, and what earlier tests have left behind is tidied up
            run()
        gc.collect()
        before = len(gc.get_objects()), sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            run()
        gc.collect()
        after = len(gc.get_objects()), sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


def require_steady(rounds: int) -> None:
    objects, blocks, size = growth(Training().epoch, rounds)
    # The counting itself needs a few, which don't depend on the number of rounds.
    assert objects < 30 and blocks < 200 and size < 40_000, f"{objects} objects, {blocks} blocks, {size} bytes more"
    assert objects < rounds and blocks < 3 * rounds, "less than one a step"


def test_training_does_not_grow() -> None:
    require_steady(80)


@pytest.mark.slow
def test_10_000_training_steps_do_not_grow() -> None:
    held = Path("/proc/self/statm")
    require_steady(3_400)  # of three steps
    if held.exists():
        training = Training()
        for _ in range(500):
            training.epoch()
        pages = int(held.read_text().split()[1])
        for _ in range(3_400):
            training.epoch()
        assert (int(held.read_text().split()[1]) - pages) * resource.getpagesize() < 2 * 2**20


# --- stamps of edits


INTERVALS = st.tuples(st.integers(0, 11), st.integers(0, 6)).map(lambda pair: (pair[0], min(sum(pair), 12)))


@given(st.lists(INTERVALS, max_size=12), INTERVALS, st.integers(0, 12))
def test_a_memory_knows_the_last_edit_of_each_byte(
    edits: list[tuple[int, int]], asked: tuple[int, int], since: int
) -> None:
    array = np.zeros(12, np.int8)
    times = np.zeros(12, int)
    start = inplace.tick()
    for time, (low, high) in enumerate(edits, 1):
        inplace.stamp(array[low:high], str(time))
        times[low:high] = time
        while inplace.tick() < start + 2 * time:  # so that edit number n is at a known time
            pass
    for low, high in [asked, *[(i, i + 1) for i in range(12)]]:
        latest = int(times[low:high].max(initial=0))
        found = inplace.overwritten_by(array[low:high], start + 2 * since - 1)
        assert found == (str(latest) if latest > since else None)
    memory = inplace.edits.owned.get(id(array))
    if memory is not None:
        ends = [end for piece in memory.edits for end in piece[:2]]
        assert ends == sorted(ends) and len(memory.edits) <= 12


def test_edits_of_many_rows_are_linear_in_their_number() -> None:
    def calls(n: int) -> int:
        rows = tg.zeros(n, 2)
        parts = [rows[(i * 7_919) % n] for i in range(n)]

        def edit() -> None:
            for part in parts:
                part.add_(1.0)

        return count_lines(edit)

    calls(10)
    assert calls(1_600) < 4.2 * calls(400)


def test_edits_of_very_many_pieces_are_remembered_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inplace, "MOST_PIECES", 8)
    x, rows = tg.ones(2, requires_grad=True), tg.ones(40, 2)
    y = (x * rows[39]).sum()
    for i in range(39):
        rows[i] = float(i)
    assert len(inplace.edits.owned[id(rows.array)].edits) <= 9
    with tg.no_grad():
        rows[39] += 1.0
    with pytest.raises(RuntimeError, match="overwritten"):
        y.backward()
    rows += 1.0
    y = (x * rows[3]).sum()
    for i in (2, 4, 5):
        rows[i] = 0.0
    y.backward()  # of few pieces, neighbours are told apart
    assert x.grad.tolist() == [4.0, 4.0]


def test_an_edit_by_a_hook_is_seen_by_the_same_walk() -> None:
    x, w = tg.ones(2, requires_grad=True), tg.ones(2)
    u = x * w
    v = u * 1.0

    def edit(g: Any) -> None:
        w.add_(1.0)

    v.register_hook(edit)
    with pytest.raises(RuntimeError, match=r"mul saved its 'other'.*add_ has overwritten it"):
        v.sum().backward()
    assert x.grad is None


# --- depth and width


def count_lines(run: Callable[[], Any]) -> int:
    """How many calls, of Python's functions and of others, a program makes: the same in every run."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()  # its callbacks would be counted
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def used_often(n: int) -> Any:
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(n):
        y = y + x
    return y


def fan(n: int) -> Any:
    x = tg.ones(1, requires_grad=True)
    return tg.cat([x * 1.0 for _ in range(n)]).sum()


def many_leaves(n: int) -> Any:
    leaves = [tg.tensor(1.0, requires_grad=True) for _ in range(n)]
    return sum(leaves[1:], leaves[0])


def stacked_leaves(n: int) -> Any:
    return tg.stack([tg.ones(1, requires_grad=True) for _ in range(n)]).sum()


def taken_apart(n: int) -> Any:
    return sum(part.sum() for part in tg.ones(n, requires_grad=True).split(1))


def one_of_many(n: int) -> Any:
    parts = tg.ones(n, requires_grad=True).split(1)
    return parts[0].sum() + parts[-1].sum()


def diamonds(n: int) -> Any:
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(n):
        y = (y + y) * 0.5
    return y


def lattice(n: int) -> Any:
    x = tg.tensor(1.0, requires_grad=True)
    a = b = x
    for _ in range(n):
        a, b = (a + b) * 0.5, (a - b) * 0.5
    return a + b


GRAPHS: dict[str, Callable[[int], Any]] = {
    "one tensor, used often": used_often,
    "a fan joined by cat": fan,
    "many leaves added up": many_leaves,
    "many leaves stacked": stacked_leaves,
    "taken apart and added up": taken_apart,
    "two of many parts": one_of_many,
    "diamonds": diamonds,
    "a lattice": lattice,
}


@pytest.mark.parametrize("shape", GRAPHS)
@pytest.mark.parametrize("targeted", [False, True])
def test_the_calls_of_a_walk_grow_as_the_graph(shape: str, targeted: bool) -> None:
    def calls(n: int) -> int:
        y = GRAPHS[shape](n)
        leaf = y.node
        while isinstance(leaf, Node):
            leaf = leaf.parents[0]
        return count_lines((lambda: tg.autograd.grad(y, leaf)) if targeted else y.backward)

    calls(5)
    small, large = calls(100), calls(400)
    assert large < 4.2 * small, f"{small} calls at 100, {large} at 400"


LIMITED = """
import resource, sys, threading
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds} + 1))
resource.setrlimit(resource.RLIMIT_DATA, ({megabytes} << 20, {megabytes} << 20))
import tinygrad_dl as tg

def run():
    x = tg.tensor([1.0], requires_grad=True)
{body}

sys.setrecursionlimit(120)
threading.stack_size(256 << 10)  # little room for what recurses in C
failed = []

def note(error):
    failed.append(error)
    sys.__excepthook__(error.exc_type, error.exc_value, error.exc_traceback)

threading.excepthook = note
thread = threading.Thread(target=run)
thread.start()
thread.join()
sys.exit(bool(failed))
"""


def run_limited(body: str, seconds: int = 12, megabytes: int = 1024) -> None:
    """Run a program in a process of its own that ends when it needs more processor time or memory."""
    root = Path(__file__).resolve().parent.parent
    indented = "".join(f"    {line}\n" for line in body.strip().splitlines())
    code = LIMITED.format(seconds=seconds, megabytes=megabytes, body=indented)
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-2000:]}"


STEPS = {
    "y * x": "y * x",
    "y + c": "y + 1e-6",
    "sin": "tg.sin(y)",
    "view": "y.view(1)",
    "slice": "y[0:1]",
    "expand": "y.expand(1)",
    "cat": "tg.cat([y])",
    "split": "y.split(1)[0]",
    "sum": "y.sum(0, keepdim=True)",
}
ENDS = {
    "walked": "y.backward()\nassert x.grad is not None\ndel y",
    "dropped": "del y",
    "freed in the middle": "del y\nmiddle.backward()\nassert x.grad is not None\ndel middle",
}


def deep(step: str, end: str, n: int) -> str:
    return f"""
y = x
for i in range({n}):
    y = {STEPS[step]}
    {f"middle = y if i == {n} // 2 else x if i < {n} // 2 else middle" if "middle" in end else "pass"}
{ENDS[end]}
"""


def test_a_graph_20_000_deep_needs_no_stack() -> None:
    run_limited("\n".join(deep(step, end, 20_000) for step in STEPS for end in ENDS), seconds=60)


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("step", "seconds"),
    # A view of a view remembers the way to the root, which the garbage collector goes again and again.
    [("y * x", 12), ("y + c", 12), ("sin", 12), ("view", 20), ("slice", 20)],
)
def test_a_million_operations_deep(step: str, seconds: int, end: str) -> None:
    run_limited(deep(step, end, 1_000_000), seconds)


EDITS = {
    "x += c": """
y = x * 1.0
for _ in range({n}):
    y += 1.0
""",
    "y *= x": """
y = x * 1.0
for _ in range({n}):
    y *= x
""",
    "an edit through a view": """
y = x * 1.0
part = y[0:1]
for _ in range({n}):
    part += 1.0
del part
""",
    "row after row": """
y = tg.zeros({n}, 1)
y[0] = x
for i in range(1, {n}):
    y[i] = y[i - 1] * 0.9999
y = y[-1]
""",
}


def edited(kind: str, end: str, n: int) -> str:
    return (
        EDITS[kind].format(n=n) + {"walked": "y.backward()\nassert x.grad is not None\ndel y", "dropped": "del y"}[end]
    )


def test_edits_in_place_5_000_deep_need_no_stack() -> None:
    run_limited("\n".join(edited(kind, end, 5_000) for kind in EDITS for end in ("walked", "dropped")), seconds=60)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["walked", "dropped"])
@pytest.mark.parametrize(("kind", "n"), [("x += c", 1_000_000), ("y *= x", 400_000), ("row after row", 20_000)])
def test_very_many_edits_deep(kind: str, n: int, end: str) -> None:
    run_limited(edited(kind, end, n))


@pytest.mark.parametrize("kind", EDITS)
def test_the_calls_of_edits_grow_with_their_number(kind: str) -> None:
    def calls(n: int) -> int:
        program = compile(EDITS[kind].format(n=n) + "y.sum().backward()", "<program>", "exec")
        x = tg.tensor([1.0], requires_grad=True)
        return count_lines(lambda: exec(program, {"tg": tg, "x": x}))

    calls(5)
    small, large = calls(100), calls(400)
    assert large < 4.2 * small, f"{small} calls at 100, {large} at 400"


def test_a_recorded_walk_of_a_deep_graph_needs_no_stack() -> None:
    run_limited(
        """
y = x
for _ in range(5_000):
    y = y * 0.9999 + x
slope, = tg.autograd.grad(y, x, create_graph=True)
(slope * x).backward()
del slope, y
""",
        seconds=30,
    )


@pytest.mark.slow
@pytest.mark.parametrize("shape", GRAPHS)
def test_wide_graphs_and_diamonds_of_100_000_take_time_in_proportion(shape: str) -> None:
    def seconds(n: int) -> float:
        y = GRAPHS[shape](n)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        y.backward()
        del y
        return resource.getrusage(resource.RUSAGE_SELF).ru_utime - before

    gc.collect()
    gc.disable()
    try:
        seconds(1_000)
        small = min(seconds(25_000) for _ in range(5))
        assert min(seconds(100_000) for _ in range(3)) < 8 * small  # of quadratic time 16, and caches cost some
    finally:
        gc.enable()


# --- what looks at a deep graph does not recurse


@contextmanager
def little_stack() -> Iterator[None]:
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 120)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def chain(x: Any, n: int = 10_000) -> Any:
    for _ in range(n):
        x = x + 1.0
    return x


def test_copying_a_leaf_whose_gradient_has_a_graph_is_refused_as_in_pytorch() -> None:
    x = tg.ones(1, requires_grad=True)
    x.grad = chain(tg.ones(1, requires_grad=True))
    with little_stack(), pytest.raises(RuntimeError, match=r"deepcopy: only leaves"):
        copy.deepcopy(x)
    x.grad = x.grad.detach()
    with little_stack():
        assert copy.deepcopy(x).grad.item() == 10_001.0


def test_a_module_is_copied_and_pickled_while_its_graph_is_deep() -> None:
    model = nn.Linear(1, 1)
    y = chain(model(tg.ones(1, 1)))
    with little_stack():
        twin = copy.deepcopy(model)
        other = pickle.loads(pickle.dumps(model))
    y.backward()
    for made in (twin, other):
        assert made.weight.item() == model.weight.item()
        assert made.weight.grad is None and model.weight.grad.item() == 1.0


def test_pickling_leaves_out_the_graph_of_a_gradient() -> None:
    x = tg.ones(1, requires_grad=True)
    x.grad = chain(tg.ones(1, requires_grad=True))
    file = io.BytesIO()
    with little_stack():
        pickle.dump(x, file)
    assert file.tell() < 2_000
    file.seek(0)
    loaded = pickle.load(file)
    assert loaded.requires_grad and loaded.grad is None


def test_printing_walking_and_drawing_a_deep_graph() -> None:
    y = chain(tg.ones(1, requires_grad=True))
    with little_stack():
        assert repr(y.grad_fn) == "<AddBackward0>" and "AddBackward0" in repr(y)
        picture = viz.graph(y)
        assert "10,000 operations" in repr(picture) and "->" in picture.source
