"""What scripts ask of their surroundings: GPUs, libraries, other processes; the answers are true."""

from __future__ import annotations

import contextlib
import io
import math
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import amp, cuda, unavailable


@pytest.fixture(params=["ours", "PyTorch's"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The tests say what PyTorch does too."""
    if request.param == "ours":
        return tg
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.fixture
def without_gpu(lib: Any) -> None:
    if tg.cuda.is_available() or lib.cuda.is_available():
        pytest.skip("there is a GPU")


# --- cuda without a GPU

ANSWERS: dict[str, Callable[[Any], Any]] = {
    "is_available": lambda lib: lib.cuda.is_available(),
    "device_count": lambda lib: lib.cuda.device_count(),
    "is_bf16_supported": lambda lib: lib.cuda.is_bf16_supported(),
    "empty_cache": lambda lib: lib.cuda.empty_cache(),
    "memory_allocated": lambda lib: lib.cuda.memory_allocated(),
    "memory_reserved": lambda lib: lib.cuda.memory_reserved(),
    "max_memory_allocated": lambda lib: lib.cuda.max_memory_allocated(),
    "manual_seed": lambda lib: lib.cuda.manual_seed(0),
    "manual_seed_all": lambda lib: lib.cuda.manual_seed_all(0),
    "seed": lambda lib: lib.cuda.seed(),
    "set_device(-1)": lambda lib: lib.cuda.set_device(-1),
    "get_rng_state_all": lambda lib: lib.cuda.get_rng_state_all(),
    "device(-1)": lambda lib: lib.cuda.device(-1).__enter__(),
    "mps": lambda lib: (lib.backends.mps.is_available(), lib.backends.mps.is_built(), lib.mps.device_count()),
    "mps.manual_seed": lambda lib: lib.mps.manual_seed(0),
    "accelerator": lambda lib: (lib.accelerator.is_available(), lib.accelerator.current_accelerator()),
    "accelerator.device_count": lambda lib: lib.accelerator.device_count(),
    "version": lambda lib: (lib.version.cuda, lib.version.hip),
    "cudnn": lambda lib: (lib.backends.cudnn.is_available(), lib.backends.cudnn.version()),
    "distributed": lambda lib: (lib.distributed.is_initialized(), lib.distributed.is_nccl_available()),
    "is_autocast_enabled": lambda lib: lib.is_autocast_enabled(),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_without_a_gpu_the_answers_are_pytorchs(without_gpu: None, name: str) -> None:
    torch = pytest.importorskip("torch")
    assert ANSWERS[name](tg) == ANSWERS[name](torch)


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.cuda.current_device(),
        lambda lib: lib.cuda.synchronize(),
        lambda lib: lib.cuda.set_device(0),
        lambda lib: lib.cuda.get_device_name(),
        lambda lib: lib.cuda.get_device_properties(0),
        lambda lib: lib.cuda.get_device_capability(),
        lambda lib: lib.cuda.mem_get_info(),
        lambda lib: lib.cuda.init(),
        lambda lib: lib.cuda.device(0).__enter__(),
        lambda lib: lib.accelerator.synchronize(),
    ],
)
def test_without_a_gpu_work_on_it_is_refused(without_gpu: None, lib: Any, call: Callable[[Any], Any]) -> None:
    with pytest.raises((tg.DeviceError, AssertionError, RuntimeError, AttributeError)) as caught:
        call(lib)
    assert lib is not tg or (type(caught.value) is tg.DeviceError and "cuda" in str(caught.value))


def test_without_a_gpu_seeding_it_leaves_the_numbers(without_gpu: None, lib: Any) -> None:
    lib.manual_seed(3)
    lib.cuda.manual_seed(9), lib.cuda.manual_seed_all(9)
    first = lib.rand(3).tolist()
    lib.manual_seed(3)
    assert lib.rand(3).tolist() == first


def test_what_is_not_there_says_what_to_use() -> None:
    for call, words in (
        (lambda: tg.cuda.Stream(), "cuda.Stream: .*cupy.cuda.Stream"),
        (lambda: tg.cuda.current_stream(), "cuda.current_stream"),
        (lambda: tg.cuda.stream(None), "cuda.stream"),
        (lambda: tg.cuda.Event(enable_timing=True), r"cuda.Event: .*perf_counter\(\)"),
        (lambda: tg.cuda.CUDAGraph(), "cuda.CUDAGraph"),
        (lambda: tg.mps.synchronize(), r"mps.synchronize: .*is_available\(\)"),
        (lambda: tg.mps.empty_cache(), "mps.empty_cache"),
        (lambda: tg.distributed.init_process_group("nccl"), r"distributed.init_process_group: .*is_available\(\)"),
        (lambda: tg.distributed.all_reduce(tg.ones(1), op=tg.distributed.ReduceOp.SUM), "distributed.all_reduce"),
        (lambda: tg.distributed.barrier(), "distributed.barrier"),
        (lambda: tg.distributed.destroy_process_group(), "distributed.destroy_process_group"),
        (lambda: tg.multiprocessing.set_sharing_strategy("file_system"), "set_sharing_strategy: .*copies"),
    ):
        with pytest.raises(NotImplementedError, match=words):
            call()


def test_ranks_without_a_group(lib: Any) -> None:
    for name in ("get_rank", "get_world_size"):
        with pytest.raises(ValueError, match="group"):
            getattr(lib.distributed, name)()


def test_switches_keep_what_they_are_set_to(lib: Any) -> None:
    cudnn, matmul = lib.backends.cudnn, lib.backends.cuda.matmul
    before = cudnn.benchmark, matmul.allow_tf32
    cudnn.deterministic = False
    try:
        cudnn.benchmark = matmul.allow_tf32 = True
        assert cudnn.benchmark and matmul.allow_tf32
        with cudnn.flags(enabled=False, benchmark=False, deterministic=True):
            assert not cudnn.enabled and not cudnn.benchmark and cudnn.deterministic
        assert cudnn.enabled and cudnn.benchmark and not cudnn.deterministic
    finally:
        cudnn.benchmark, matmul.allow_tf32 = before


@pytest.mark.filterwarnings("ignore:Install `pyyaml`:UserWarning")
def test_libraries_are_numpys() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        np.show_config()
    blas = shown.getvalue().partition("blas:")[2].partition("lapack:")[0].lower()
    assert tg.backends.mkl.is_available() == ("mkl" in blas.partition("name:")[2].split("\n")[0])
    assert tg.backends.openmp.is_available() == ("openmp" in blas)
    assert not tg.backends.mkldnn.is_available()


# --- cuda with a stand-in for CuPy: how the functions ask it


class FakeCuPy:
    """The part of CuPy that `cuda` asks, with two GPUs."""

    def __init__(self) -> None:
        self.current, self.log = 0, []
        self.cuda = SimpleNamespace(Device=self.device, runtime=self)

    def device(self, index: int) -> Any:
        outer = self

        class Device:
            def use(self) -> None:
                outer.current = index

            def synchronize(self) -> None:
                outer.log.append(("synchronize", index))

            def __enter__(self) -> None:
                self.before, outer.current = outer.current, index

            def __exit__(self, *error: Any) -> None:
                outer.current = self.before

        return Device()

    def getDeviceCount(self) -> int:
        return 2

    def getDevice(self) -> int:
        return self.current

    def runtimeGetVersion(self) -> int:
        return 12040

    def memGetInfo(self) -> tuple[int, int]:
        return 1000 + self.current, 2000

    def getDeviceProperties(self, index: int) -> dict[str, Any]:
        name = f"GPU {index}".encode()
        return {"name": name, "major": 9, "minor": 0, "totalGlobalMem": 2000, "multiProcessorCount": 7}

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(
            used_bytes=lambda: 10 + self.current,
            total_bytes=lambda: 20 + self.current,
            free_all_blocks=lambda: self.log.append("freed"),
        )


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> FakeCuPy:
    fake = FakeCuPy()
    monkeypatch.setattr(cuda, "_cupy", lambda: fake)
    return fake


def test_a_gpu_is_described(cupy: FakeCuPy) -> None:
    assert cuda.is_available() and cuda.device_count() == 2 and tg.version.cuda == "12.4"
    assert cuda.get_device_name() == "GPU 0" and cuda.get_device_name(1) == cuda.get_device_name("cuda:1") == "GPU 1"
    properties = cuda.get_device_properties(tg.device("cuda", 1))
    assert (properties.name, properties.total_memory, properties.multi_processor_count) == ("GPU 1", 2000, 7)
    assert cuda.get_device_capability() == (properties.major, properties.minor) == (9, 0)
    assert tg.accelerator.current_accelerator() == tg.device("cuda")


def test_the_current_gpu(cupy: FakeCuPy) -> None:
    cuda.set_device("cuda:1")
    assert cuda.current_device() == tg.accelerator.current_device_index() == 1
    with cuda.device(0):
        assert cuda.current_device() == 0
        with cuda.device(None), cuda.device(-1):
            assert cuda.current_device() == 0
    assert cuda.current_device() == 1 and cuda.mem_get_info() == (1001, 2000) and cuda.mem_get_info(0) == (1000, 2000)
    cuda.set_device(0)
    cuda.synchronize(), cuda.synchronize(1), tg.accelerator.synchronize()
    assert cupy.log == [("synchronize", 0), ("synchronize", 1), ("synchronize", 0)]
    with cuda.device_of(tg.ones(1)):
        assert cuda.current_device() == 0


def test_the_memory_of_a_gpu(cupy: FakeCuPy) -> None:
    assert (cuda.memory_allocated(), cuda.memory_reserved()) == (10, 20)
    assert (cuda.memory_allocated(1), cuda.memory_reserved("cuda:1")) == (11, 21)
    cuda.empty_cache()
    assert cupy.log == ["freed"]
    for peak in (cuda.max_memory_allocated, cuda.max_memory_reserved, cuda.reset_peak_memory_stats):
        with pytest.raises(NotImplementedError, match="keeps no peak"):
            peak()


def test_which_gpu_is_meant(cupy: FakeCuPy) -> None:
    for wrong, kind, words in (
        (2, tg.DeviceError, "there is no GPU 2; this machine has 2, numbered from 0"),
        ("cuda:5", tg.DeviceError, "there is no GPU 5"),
        ("cpu", tg.DeviceError, "'cpu' is no GPU"),
        (1.5, tg.ArgumentTypeError, "1.5 came"),
    ):
        with pytest.raises(kind, match=words):
            cuda.get_device_name(wrong)


def test_the_seed_of_a_gpu_is_that_of_the_generator(cupy: FakeCuPy) -> None:
    cuda.manual_seed_all(17)
    assert tg.initial_seed() == cuda.initial_seed() == 17
    states = cuda.get_rng_state_all()
    assert len(states) == 2
    first = tg.rand(3).tolist()
    cuda.set_rng_state_all(states)
    assert tg.rand(3).tolist() == first
    cuda.set_rng_state(states[0])
    assert tg.rand(3).tolist() == first
    cuda.seed()
    assert tg.initial_seed() != 17


# --- mixed precision


@pytest.fixture
def warn_again() -> Iterator[None]:
    unavailable._warned.clear()
    yield


def test_autocast_that_is_off_is_silent(lib: Any, recwarn: pytest.WarningsRecorder) -> None:
    with lib.autocast("cpu", enabled=False), lib.amp.autocast(device_type="cpu", dtype=lib.float16, enabled=False):
        assert (lib.ones(2, 2) @ lib.ones(2, 2)).dtype == lib.float32
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]

    @lib.autocast("cpu", enabled=False)
    def double(x: Any, scale: float = 2.0) -> Any:
        return x * scale

    assert double(lib.ones(1), scale=3.0).item() == 3.0 and double.__name__ == "double"


def test_autocast_says_once_that_it_does_nothing(warn_again: None) -> None:
    with pytest.warns(UserWarning, match=r"autocast: operations keep the dtypes.*\.half\(\)") as caught:
        for make in (tg.autocast, tg.amp.autocast):
            with make("cuda", dtype=tg.bfloat16):
                assert (tg.ones(2, 2) @ tg.ones(2, 2)).dtype is tg.float32
        with tg.cuda.amp.autocast():
            assert not tg.is_autocast_enabled()
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.raises(ZeroDivisionError), tg.autocast("cpu"):
        1 / 0  # noqa: B018


def scaler_of(lib: Any, **options: Any) -> tuple[Any, Any, Any]:
    w = lib.tensor([1.0, 2.0], requires_grad=True)
    return w, lib.optim.SGD([w], lr=0.5), lib.amp.GradScaler("cpu", **options)


def test_scaled_gradients_give_the_same_step(lib: Any) -> None:
    w, optimizer, scaler = scaler_of(lib, init_scale=8.0, growth_interval=2)
    for step in range(4):
        optimizer.zero_grad()
        scaler.scale((w * w).sum()).backward()
        if step == 1:
            scaler.unscale_(optimizer)
            assert lib.allclose(w.grad, 2 * w.detach()) if lib is not tg else np.allclose(w.grad, 2 * w.detach())
        scaler.step(optimizer)
        scaler.update()
    assert w.tolist() == [0.0, 0.0] and scaler.get_scale() == 32.0


def test_a_step_that_is_not_finite_is_left_out(lib: Any) -> None:
    w, optimizer, scaler = scaler_of(lib, init_scale=4.0)
    scaler.scale((w * math.inf).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [1.0, 2.0] and scaler.get_scale() == 2.0
    optimizer.zero_grad()
    scaler.scale(w.sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.5, 1.5] and scaler.get_scale() == 2.0


def test_the_state_of_a_scaler(lib: Any) -> None:
    _, _, scaler = scaler_of(lib, init_scale=4.0, growth_factor=3.0)
    assert scaler.state_dict() == {
        "scale": 4.0,
        "growth_factor": 3.0,
        "backoff_factor": 0.5,
        "growth_interval": 2000,
        "_growth_tracker": 0,
    }
    other = lib.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 4.0 and other.get_growth_factor() == 3.0 and other.is_enabled()
    other.set_growth_interval(7), other.set_growth_factor(5.0), other.set_backoff_factor(0.25)
    assert (other.get_growth_interval(), other.get_growth_factor(), other.get_backoff_factor()) == (7, 5.0, 0.25)
    with pytest.raises(RuntimeError, match="empty"):
        other.load_state_dict({})


def test_a_scaler_that_is_off(lib: Any) -> None:
    w, optimizer, scaler = scaler_of(lib, enabled=False)
    loss = w.sum()
    assert scaler.scale(loss) is loss and not scaler.is_enabled() and scaler.get_scale() == 1.0
    loss.backward()
    scaler.unscale_(optimizer), scaler.step(optimizer), scaler.update(), scaler.load_state_dict(scaler.state_dict())
    assert w.tolist() == [0.5, 1.5] and scaler.state_dict() == {}


def test_what_a_scaler_refuses(lib: Any) -> None:
    w, optimizer, scaler = scaler_of(lib, init_scale=4.0)
    first, second = scaler.scale([w.sum(), w.sum()])
    assert first.item() == second.item() == 12.0
    (first + second).backward()
    scaler.unscale_(optimizer)
    for again in (scaler.unscale_,):
        with pytest.raises(RuntimeError, match="since the last update"):
            again(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="since the last update"):
        scaler.step(optimizer)
    scaler.update(16.0)
    assert scaler.get_scale() == 16.0
    with pytest.raises((tg.GraphError, AssertionError)):
        scaler.update()
    assert lib is not tg or issubclass(tg.cuda.amp.GradScaler, amp.GradScaler)
    with pytest.raises((ValueError, AssertionError)):
        lib.amp.GradScaler("cpu", growth_factor=0.5)


# --- other processes

PROGRAM = """
import time
import tinygrad_dl as torch
import tinygrad_dl.multiprocessing as mp

def work(i, queue, x):
    queue.put((i, x * i))

def fail(i):
    if i == 1:
        raise LookupError("gone")
    time.sleep(100)

if __name__ == "__main__":
    queue = mp.get_context("spawn").SimpleQueue()
    x = torch.ones(2, requires_grad=True)
    assert mp.spawn(work, (queue, x.detach()), nprocs=2) is None
    print(sorted((i, y.tolist()) for i, y in (queue.get(), queue.get())))
    context = mp.spawn(work, args=(queue, torch.ones(1)), join=False)
    print(queue.get()[1].tolist(), context.join(), context.processes[0].exitcode)
    start = time.monotonic()
    try:
        mp.spawn(fail, nprocs=2)
    except mp.ProcessRaisedException as error:
        print(error.error_index, "LookupError: gone" in str(error), time.monotonic() - start < 90)
"""


def test_spawn(tmp_path: Any, repository: Any) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    assert done.stdout.splitlines() == ["[(0, [0.0, 0.0]), (1, [1.0, 1.0])]", "[0.0] True 0", "1 True True"], (
        done.stderr
    )


def test_multiprocessing_is_pythons() -> None:
    assert tg.multiprocessing.Process is multiprocessing.Process
    assert tg.multiprocessing.cpu_count() == multiprocessing.cpu_count()
