"""Older names that scripts still use: types of tensors, `Variable`, threads, precision, compiling."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, settings, unavailable
from tinygrad_dl.forms import FORMS, OF_NN


@pytest.fixture(params=["ours", "PyTorch's"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The tests say what PyTorch does too."""
    if request.param == "ours":
        return tg
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    unavailable._warned.clear()
    yield
    tg.set_default_dtype(tg.float32)
    tg.set_default_device("cpu")


# --- types of tensors

KINDS = {
    "Float": "float32", "Double": "float64", "Half": "float16", "Long": "int64", "Int": "int32", "Short": "int16",
    "Char": "int8", "Byte": "uint8", "Bool": "bool",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_types_make_tensors_and_know_them(lib: Any, kind: str) -> None:
    make, dtype = getattr(lib, f"{kind}Tensor"), getattr(lib, KINDS[kind])
    for made, shape in (
        (make([1, 0]), (2,)),
        (make((1, 0)), (2,)),
        (make([[1, 0]]), (1, 2)),
        (make(2, 3), (2, 3)),
        (make(0), (0,)),
        (make(), (0,)),
        (make(lib.Size([2, 1])), (2, 1)),
        (make([], device="cpu"), (0,)),
    ):
        assert made.dtype == dtype and tuple(made.shape) == shape and type(made) is lib.Tensor
        assert isinstance(made, make) and not isinstance(made, getattr(lib.cuda, f"{kind}Tensor"))
    assert make([1, 0]).tolist() == [1, 0] and make.dtype == dtype
    assert not isinstance(lib.ones(1, dtype=lib.float64 if kind != "Double" else lib.float32), make)
    assert not isinstance(np.ones(1), make)


def test_types_have_names(lib: Any) -> None:
    package = lib.__name__
    assert repr(lib.FloatTensor) == f"<class '{package}.FloatTensor'>" and lib.LongTensor.__name__ == "LongTensor"
    assert repr(lib.cuda.LongTensor) == f"<class '{package}.cuda.LongTensor'>"
    assert lib.zeros(1).type() == lib.typename(lib.zeros(1)) == f"{package}.FloatTensor"
    assert lib.zeros(1, dtype=lib.bool).type() == f"{package}.BoolTensor"
    assert lib.typename(3) == "int" and lib.typename(lib.FloatTensor) == f"{package}.FloatTensor"
    assert lib.typename(lib.nn.Linear(1, 1)) == lib.typename(lib.nn.Linear) == f"{lib.nn.Linear.__module__}.Linear"
    assert tg.zeros(1, device="strict").type() == "tinygrad_dl.strict.FloatTensor"


def test_type_converts_by_name(lib: Any) -> None:
    x = lib.tensor([1.5, 2.0], requires_grad=True)
    assert x.type("torch.LongTensor" if lib is not tg else "tinygrad_dl.LongTensor").dtype == lib.int64
    assert x.type("torch.DoubleTensor").dtype == x.type(lib.DoubleTensor).dtype == x.type(lib.float64).dtype
    assert x.type(dtype=lib.float16).dtype == lib.float16
    x.type("torch.DoubleTensor").sum().backward()
    assert x.grad.tolist() == [1.0, 1.0] and x.type(lib.FloatTensor) is x
    with pytest.raises(ValueError, match="foo"):
        x.type("foo")


def test_a_type_does_not_copy_its_own() -> None:
    x = tg.tensor([1, 2])
    tg.LongTensor(x)[0] = 5
    assert x.tolist() == [5, 2]
    array = np.array([1, 2])
    tg.LongTensor(array)[0] = 5
    assert array.tolist() == [1, 2]
    assert tg.FloatTensor(np.array([1.5, 2.5])).tolist() == [1.5, 2.5] and tg.LongTensor([1.5, 2]).tolist() == [1, 2]


def test_what_types_refuse() -> None:
    for call, kind, words in (
        (lambda: tg.FloatTensor(5.0), TypeError, "FloatTensor: takes one sequence of numbers or sizes"),
        (lambda: tg.FloatTensor("a"), TypeError, "FloatTensor: .*'a'"),
        (lambda: tg.ByteTensor([1, 300]), RuntimeError, "ByteTensor: 300 does not fit into uint8"),
        (lambda: tg.FloatTensor([1], [2]), TypeError, "FloatTensor"),
        (lambda: tg.FloatTensor([[1, 2], [3]]), ValueError, "FloatTensor: nested lists"),
        (lambda: tg.FloatTensor(-1), RuntimeError, r"FloatTensor: sizes can't be negative, \(-1,\)"),
        (lambda: tg.LongTensor(tg.ones(2)), RuntimeError, "LongTensor: a tensor of tinygrad_dl.float32 on 'cpu'"),
        (lambda: tg.LongTensor(2, device="strict"), ValueError, "LongTensor: makes tensors on 'cpu'"),
        (
            lambda: tg.zeros(1).type("torch.FooTensor"),
            ValueError,
            "'torch.FooTensor' is unknown; there are FloatTensor",
        ),
    ):
        with pytest.raises(kind, match=words) as caught:
            call()
        assert isinstance(caught.value, tg.TinygradError)


def test_without_a_gpu_its_types_say_so() -> None:
    if tg.cuda.is_available():
        pytest.skip("there is a GPU")
    for call in (lambda: tg.cuda.FloatTensor([1.0]), lambda: tg.ones(1).type("torch.cuda.FloatTensor")):
        with pytest.raises(tg.DeviceError, match="cuda"):
            call()


def test_types_pickle() -> None:
    for kind in (tg.LongTensor, tg.cuda.HalfTensor):
        assert pickle.loads(pickle.dumps(kind)) is kind


@pytest.mark.filterwarnings("ignore:.*set_default_tensor_type:UserWarning")
def test_the_default_type(lib: Any) -> None:
    try:
        lib.set_default_tensor_type("torch.DoubleTensor")
        assert lib.zeros(1).dtype == lib.tensor(1.5).dtype == lib.float64
        lib.set_default_tensor_type(lib.FloatTensor)
        assert lib.zeros(1).dtype == lib.float32
        with pytest.raises(TypeError, match="floating"):
            lib.set_default_tensor_type(lib.LongTensor)
    finally:
        lib.set_default_dtype(lib.float32)


# --- Variable


def test_a_variable_is_a_tensor(lib: Any) -> None:
    from_module = __import__(f"{lib.__name__}.autograd", fromlist=["Variable"]).Variable
    variable = lib.autograd.Variable
    assert from_module is variable
    x = lib.ones(2)
    v = variable(x, requires_grad=True)
    assert type(v) is lib.Tensor and isinstance(x, variable) and not isinstance(3, variable)
    assert v is not x and v.data_ptr() == x.data_ptr() and v.requires_grad and v.is_leaf and not x.requires_grad
    (v * v).sum().backward()
    assert v.grad.tolist() == [2.0, 2.0]
    assert variable(v * 2).is_leaf and not variable(v * 2).requires_grad and variable().shape == (0,)
    with pytest.raises(TypeError, match="Variable"):
        variable([1.0])


def test_volatile_warns_and_does_nothing(lib: Any) -> None:
    with pytest.warns(UserWarning, match="volatile .*no_grad"):
        assert lib.autograd.Variable(lib.ones(1), volatile=True).tolist() == [1.0]


# --- settings


def test_numbers_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = pytest.importorskip("threadpoolctl")

    def of_blas() -> int:
        return max(pool["num_threads"] for pool in pools.threadpool_info() if pool["user_api"] == "blas")

    before = tg.get_num_threads()
    assert before == of_blas()
    try:
        tg.set_num_threads(1)
        assert tg.get_num_threads() == of_blas() == 1
        tg.set_num_threads(2)
        assert tg.get_num_threads() == of_blas() == 2
    finally:
        tg.set_num_threads(before)
    assert tg.get_num_interop_threads() == 1


def test_threads_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_threadpools", lambda: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert tg.get_num_threads() == 3
    with pytest.warns(UserWarning, match=r"set_num_threads\(1\): nothing changed.*pip install threadpoolctl"):
        tg.set_num_threads(1)
    assert tg.get_num_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert tg.get_num_threads() >= 1


def test_threads_that_are_none(lib: Any) -> None:
    for wrong, kind in ((0, RuntimeError), (-1, RuntimeError)):
        with pytest.raises(kind, match="set_num_threads"):
            lib.set_num_threads(wrong)
    with pytest.raises(NotImplementedError, match="one after another"):
        tg.set_num_interop_threads(2)
    with pytest.raises(TypeError, match=r"set_num_threads: .*1\.5"):
        tg.set_num_threads(1.5)  # type: ignore[arg-type]


def test_precision_and_determinism(lib: Any) -> None:
    assert lib.get_float32_matmul_precision() == "highest"
    lib.set_float32_matmul_precision("medium")
    assert lib.get_float32_matmul_precision() == "medium"
    lib.set_float32_matmul_precision("highest")
    for mode, warn_only in ((True, False), (True, True), (False, False)):
        lib.use_deterministic_algorithms(mode, warn_only=warn_only)
        assert lib.are_deterministic_algorithms_enabled() is mode
        assert lib.is_deterministic_algorithms_warn_only_enabled() is warn_only
    with pytest.raises(ValueError, match="'fast' is none of 'highest'"):
        tg.set_float32_matmul_precision("fast")


# --- compiling


def test_compiled_functions_are_themselves() -> None:
    def square(x: Any) -> Any:
        return x * x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.compile(square, backend="eager") is square and tg.compile(square, disable=True) is square
        assert tg.compile(backend="eager")(square) is square
        assert tg.jit.ignore(square) is square and tg.jit.ignore(drop=True)(square) is square
        assert tg.jit.export(square) is tg.jit.unused(square) is tg.compiler.disable(square) is square
        assert tg.compiler.disable(reason="slow")(square) is square
    net = tg.nn.Linear(2, 1)
    with pytest.warns(UserWarning, match="compile: nothing is compiled") as caught:
        assert tg.compile(net, mode="max-autotune") is net and tg.compile(square) is square
    assert len(caught) == 1 and caught[0].filename == __file__, "once, where it was called"
    with pytest.warns(UserWarning, match="jit.script: nothing is compiled"):
        assert tg.jit.script(net) is net
    with pytest.warns(UserWarning, match="jit.trace: nothing is compiled"):
        assert tg.jit.trace(square, tg.ones(1)) is square


def test_questions_to_a_compiler(lib: Any) -> None:
    assert not lib.compiler.is_compiling() and not lib.jit.is_scripting() and not lib.jit.is_tracing()
    assert not isinstance(lib.nn.Linear(1, 1), lib.jit.ScriptModule)


def test_compiled_files_are_refused() -> None:
    for call, words in (
        (lambda: tg.jit.save(None, "f"), r"jit.save: .*state_dict\(\)"),
        (lambda: tg.jit.load("f"), "jit.load: .*tinygrad_dl.load"),
        (lambda: tg.jit.ScriptModule(), "jit.ScriptModule: .*nn.Module"),
    ):
        with pytest.raises(NotImplementedError, match=words):
            call()


# --- names that are not there


@pytest.mark.parametrize("name", unavailable.ABSENT)
def test_what_is_not_there_says_what_is(name: str) -> None:
    assert not hasattr(tg, name)
    with pytest.raises(AttributeError) as caught:
        getattr(tg, name)
    assert str(caught.value) == f"module 'tinygrad_dl' has no attribute '{name}'. {unavailable.ABSENT[name]}"


def test_a_misspelt_name_has_the_nearest_one() -> None:
    for wrong, right in (("multinomal", "multinomial"), ("distribted", "distributed"), ("autocst", "autocast")):
        with pytest.raises(AttributeError, match=f"Did you mean '{right}'"):
            getattr(tg, wrong)


# --- submodules as scripts import them

IMPORTS = [
    "from torch.autograd import Variable",
    "import torch.backends.cudnn as cudnn; cudnn.benchmark = True; torch.backends.cudnn.deterministic = True",
    "import torch.multiprocessing as mp; mp.Process, mp.Queue, mp.set_start_method, mp.spawn",
    "import torch.distributed as dist; dist.is_available()",
    "from torch.cuda.amp import autocast, GradScaler",
    "from torch.amp import autocast, GradScaler",
    "from torch import cuda, backends, amp, jit, version",
    "import torch.cuda; torch.cuda.is_available()",
    "import torch.version; torch.version.cuda, torch.version.__version__, torch.version.hip",
    "from torch.distributed import init_process_group, destroy_process_group, all_reduce, ReduceOp",
    "from torch.jit import script, ignore",
    "torch.backends.cuda.matmul.allow_tf32 = True",
    "torch.accelerator.is_available(), torch.mps.manual_seed(0), torch.compiler.is_compiling()",
]


@pytest.mark.parametrize("line", IMPORTS)
def test_imports_of_scripts(line: str) -> None:
    """Each alone in a fresh interpreter: none depends on what another has loaded."""
    program = "import tinygrad_dl as torch\n" + line.replace("import torch.", "import tinygrad_dl.", 1).replace(
        "from torch", "from tinygrad_dl", 1
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_versions(lib: Any) -> None:
    assert lib.version.__version__ == lib.__version__
    with pytest.raises(AttributeError):
        lib.version.cdua  # noqa: B018


# --- constants and dtypes that are named


def test_constants(lib: Any) -> None:
    assert (lib.pi, lib.e, lib.inf, lib.newaxis) == (np.pi, np.e, np.inf, None) and lib.nan != lib.nan
    assert issubclass(lib.OutOfMemoryError, MemoryError if lib is tg else RuntimeError)


@pytest.mark.parametrize(
    "name", ["complex64", "complex128", "cfloat", "cdouble", "uint16", "uint32", "uint64", "bfloat16"]
)
def test_dtypes_that_can_only_be_named(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(tg, name), getattr(torch, name)
    for what in ("itemsize", "is_floating_point", "is_complex", "is_signed"):
        assert getattr(ours, what) == getattr(theirs, what)
    assert str(ours).rpartition(".")[2] == str(theirs).rpartition(".")[2] and tg.ones(1).dtype not in (ours,)
    with pytest.raises(tg.DtypeError, match=f"{ours.name}: tensors have no such dtype; use .*(float|int|two)"):
        tg.zeros(1, dtype=ours)


RESULT_TYPES: dict[str, Any] = {
    "arrays": lambda lib: (lib.ones(1, dtype=lib.float16), lib.ones(1, dtype=lib.float64)),
    "a number": lambda lib: (lib.tensor([1], dtype=lib.int8), 3),
    "a number of another kind": lambda lib: (lib.tensor([1], dtype=lib.int8), 3.0),
    "0-d": lambda lib: (lib.ones(1, dtype=lib.float16), lib.tensor(1.0, dtype=lib.float64)),
    "0-d of a higher kind": lambda lib: (lib.tensor([True]), lib.tensor(1)),
    "numbers": lambda lib: (1, 2.0),
    "bools": lambda lib: (True, 2),
}


@pytest.mark.parametrize("name", RESULT_TYPES)
def test_result_types(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (lib.result_type(*RESULT_TYPES[name](lib)) for lib in (tg, torch))
    assert ours.name == str(theirs).rpartition(".")[2]


# --- nested structures


def test_trees(lib: Any) -> None:
    pytree = __import__(f"{lib.__name__}.utils._pytree", fromlist=["tree_flatten"])
    tree = {"a": [1, (2, 3)], "b": 4, "c": []}
    leaves, spec = pytree.tree_flatten(tree)
    assert leaves == pytree.tree_leaves(tree) == [1, 2, 3, 4] and spec.num_leaves == 4
    assert pytree.tree_unflatten(leaves, spec) == spec.unflatten(leaves) == tree
    assert pytree.tree_map(lambda x: x * 2, tree) == {"a": [2, (4, 6)], "b": 8, "c": []}
    assert pytree.tree_map(lambda x, y: x - y, [1, 2], [3, 5]) == [-2, -3]
    assert spec == pytree.tree_flatten({"a": [0, (0, 0)], "b": 0, "c": []})[1] != pytree.tree_flatten([1])[1]
    assert pytree.tree_flatten(5)[0] == [5] and pytree.tree_flatten((1,))[1] != pytree.tree_flatten([1])[1]
    with pytest.raises(ValueError, match="4"):
        pytree.tree_unflatten([1], spec)


def test_edits_in_place_are_functions_too() -> None:
    """Those that PyTorch has at the top, with the method's result in the tensor that came."""
    torch = pytest.importorskip("torch")
    theirs = {name for name in dir(torch) if name.endswith("_") and not name.startswith("_")}
    assert all(hasattr(tg, name) for name in theirs if name in dir(tg.Tensor) and name not in ("resize_as_", "i0_"))
    assert FORMS.keys() <= theirs
    for lib in (tg, torch):
        x = lib.tensor([0.25, 0.5])
        assert lib.sqrt_(x) is x and x[0].item() == 0.5
        assert lib.clamp_(x, max=0.6).tolist() == lib.tensor([0.5, 0.6]).tolist()
    with pytest.raises(TypeError, match="exp_: input must be a Tensor, float came"):
        tg.exp_(1.0)


def test_functions_of_nn_are_found_at_the_top_as_well() -> None:
    torch = pytest.importorskip("torch")
    for name in OF_NN:
        assert getattr(tg, name) is getattr(nn.functional, name) and hasattr(torch, name)


def test_a_factor_may_come_first_as_in_older_scripts() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    for lib in (tg, torch):
        x, g = lib.ones(2), lib.full((2,), 2.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x.add_(-0.5, g).sub_(3, g)
            x.addcmul_(0.5, g, g).addcdiv_(-1, g, g)
            assert x.tolist() == [-5, -5] and lib.add(x, 2, g).tolist() == [-1, -1]
        for call in (lambda lib=lib, x=x, g=g: lib.add(x, g, 2), lambda lib=lib, x=x, g=g: x.sub_(g, g)):
            with pytest.raises(TypeError):
                call()
    with pytest.warns(UserWarning, match="add: a factor before the tensors is older"):
        tg.ones(2).add_(2, tg.ones(2))
