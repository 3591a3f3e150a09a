"""`save` and `load`: what comes back, what other readers of the format say, and files that lie."""

from __future__ import annotations

import io
import json
import math
import os
import stat
import warnings
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tinygrad_dl as tg
from tinygrad_dl import backend, serialization
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DeviceError, StateDictError
from tinygrad_dl.serialization import load, save
from tinygrad_dl.tensor import Size, Tensor, wrap

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")


def tensor(values: Any, dtype: str = "float32") -> Tensor:
    return wrap(np.array(values, dtype))


def strict(values: Any) -> Tensor:
    return wrap(backend.from_numpy(np.array(values, "float32"), backend.device("strict")))


def content(obj: Any) -> Any:
    """An object made comparable exactly: tensors as (dtype, shape, values), scalars as (type, text)."""
    if isinstance(obj, Tensor):
        return ("tensor", str(obj.dtype), tuple(obj.shape), repr(obj.tolist()))
    if isinstance(obj, dict):
        return [(content(key), content(value)) for key, value in obj.items()]
    if isinstance(obj, list | tuple):
        return (tuple if isinstance(obj, tuple) else list)(map(content, obj))
    return (type(obj), repr(obj))


def saved(obj: Any) -> bytes:
    file = io.BytesIO()
    save(obj, file)
    return file.getvalue()


def loaded(data: bytes, **options: Any) -> Any:
    return load(io.BytesIO(data), **options)


def file_of(header: Any, data: bytes = b"") -> bytes:
    """A file with this header (text, bytes or an object) and this data."""
    if not isinstance(header, str | bytes):
        header = json.dumps(header)
    text = header.encode() if isinstance(header, str) else header
    return len(text).to_bytes(8, "little") + text + data


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


# --- what is saved comes back


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4), (1,) * 64])
def test_a_tensor_of_any_dtype_and_shape(dtype: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    save({"x": wrap(values)}, tmp_path / "f")
    back = load(tmp_path / "f")["x"]
    assert back.array.dtype is np.dtype(dtype), "operations compare dtypes by identity"
    assert back.array.shape == shape and type(back.array) is np.ndarray
    np.testing.assert_array_equal(back.array, values)
    assert not back.requires_grad and back.is_leaf


def test_values_that_are_easily_lost() -> None:
    for dtype in ("float16", "float32", "float64"):
        limits = np.finfo(dtype)
        values = np.array([np.nan, np.inf, -np.inf, -0.0, limits.smallest_subnormal, limits.max], dtype)
        assert loaded(saved({"x": wrap(values)}))["x"].array.tobytes() == values.tobytes()
    for dtype in ("int8", "int64", "uint8"):
        values = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
        assert loaded(saved({"x": wrap(values)}))["x"].array.tobytes() == values.tobytes()


def test_arrays_that_do_not_lie_in_one_piece() -> None:
    base = np.arange(24.0).reshape(4, 6)
    for view in (base.T, base[::2, ::-1], np.broadcast_to(base[0], (3, 6)), base[1:, 2]):
        np.testing.assert_array_equal(loaded(saved({"x": wrap(view)}))["x"].array, view)


def test_a_tensor_in_the_graph_is_saved_as_its_values() -> None:
    weight = tensor([1.0, 2.0]).requires_grad_()
    back = loaded(saved({"w": weight}))["w"]
    assert back.tolist() == [1.0, 2.0] and not back.requires_grad


def test_a_flat_dict_keeps_its_order_and_its_names() -> None:
    names = ["z", "a.b", "", 'ü ✓ \n "quoted" \\', "tinygrad_dl", "a"]
    state = {name: tensor([i], dtype) for i, (name, dtype) in enumerate(zip(names, DTYPES))}
    back = loaded(saved(state))
    assert list(back) == names
    assert content(back) == content(state)


def test_a_flat_dict_is_a_plain_file() -> None:
    header, data = split(saved(OrderedDict(w=tensor([[1.0, 2.0]]))))
    assert header == {"w": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}
    assert data == np.array([1.0, 2.0], "<f4").tobytes()


def test_a_checkpoint_comes_back_exactly() -> None:
    checkpoint = {
        "model": {"fc.weight": tensor([[1.0, 2.0]]), "fc.bias": tensor(0.5), "count": tensor(3, "int64")},
        "optimizer": {
            "state": {0: {"step": 7, "exp_avg": tensor([0.1])}, 1: {"step": 7, "exp_avg": tensor([[0.2]])}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "amsgrad": False, "params": [0, 1], "foreach": None}],
        },
        "epoch": 3,
        "best": -math.inf,
        "losses": [0.1, 1e-300, math.nan, -0.0, 2.0],
        "names": ("a", ("b", []), {}),
        (1, "x", None, 2.5): True,
        None: 10**40,
        True: "yes",
        math.inf: "",
    }
    back = loaded(saved(checkpoint))
    assert content(back) == content(checkpoint)
    assert type(back["optimizer"]["param_groups"][0]["betas"]) is tuple
    assert list(back["optimizer"]["state"]) == [0, 1]
    header, _ = split(saved(checkpoint))
    assert "model.fc.weight" in header and "optimizer.state.0.exp_avg" in header, "other readers see these names"


@pytest.mark.parametrize("obj", [None, 3, "text", [], (), {}, {1: 2}, [{}], tensor([1.0])], ids=repr)
def test_what_is_saved_need_not_be_a_dict(obj: Any) -> None:
    assert content(loaded(saved(obj))) == content(obj)


def test_a_shape_comes_back_as_a_tuple() -> None:
    assert loaded(saved([Size((2, 3))])) == [(2, 3)]


def test_names_that_would_collide() -> None:
    state = {"a.b": tensor(1.0), "a": {"b": tensor(2.0)}, "__metadata__": tensor(3.0), "a.b~2": tensor(4.0)}
    assert content(loaded(saved(state))) == content(state)
    alone = {"__metadata__": tensor(3.0)}
    assert content(loaded(saved(alone))) == content(alone)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
keys = st.recursive(scalars, lambda part: st.tuples(part, part), max_leaves=3)
tensors = st.builds(tensor, st.lists(st.integers(0, 1), max_size=3), st.sampled_from(DTYPES))
objects = st.recursive(
    scalars | tensors,
    lambda part: (
        st.lists(part, max_size=3)
        | st.lists(part, max_size=3).map(tuple)
        | st.dictionaries(keys, part, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), tensors, max_size=3)
    ),
    max_leaves=12,
)


@given(objects)
def test_any_object_comes_back(obj: Any) -> None:
    assert content(loaded(saved(obj))) == content(obj)


# --- what a file can't hold


class Thing:
    def state_dict(self) -> dict[str, Any]:
        return {}


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        ({"model": {"fc": Thing()}}, ["the object['model']['fc']", "Thing", "state_dict()"]),
        ({"a": [1, (np.float64(2.0),)]}, ["the object['a'][1][0]", "numpy.float64", ".item()"]),
        ({"a": np.zeros(2)}, ["the object['a']", "numpy.ndarray", "tinygrad_dl.tensor(value)"]),
        ({"a": {1, 2}}, ["the object['a']", "builtins.set"]),
        ({"a": b"bytes"}, ["the object['a']", "builtins.bytes"]),
        ({frozenset(): 1}, ["the object[frozenset()]", "builtins.frozenset"]),
        ({(1, b""): 1}, ["builtins.bytes"]),
        ([Point(1, 2)], ["the object[0]", "Point"]),
        (lambda: 0, ["the object is a builtins.function"]),
    ],
)
def test_unknown_objects_are_refused_with_their_place(obj: Any, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        save(obj, tmp_path / "f")
    assert all(word in str(error.value) for word in ["save: ", *words]), error.value
    assert not list(tmp_path.iterdir()), "refused before a file is made"


def test_an_object_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ArgumentError, match="contains itself"):
        saved(loop)


def test_text_that_is_no_unicode() -> None:
    for obj in ({"\ud800": tensor(1.0)}, ["\udfff"], {"a": {"\ud800": 1}}):
        with pytest.raises(ArgumentError, match="no valid Unicode"):
            saved(obj)


def test_a_header_that_grows_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "LONGEST_HEADER", 200)
    with pytest.raises(ArgumentError, match="the format allows 200"):
        saved({"numbers": list(range(1000))})


@pytest.mark.parametrize("operation", [lambda f: save({}, f), load])
def test_what_is_no_file(operation: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError, match="a path or a binary file, not int"):
        operation(3)
    with open(tmp_path / "f", "w+") as text, pytest.raises(ArgumentTypeError, match="open for text"):
        operation(text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        save({}, tmp_path / "nowhere" / "f")


# --- writing


def test_an_interrupted_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    save({"x": tensor(1.0)}, path)
    for interruption in (OSError("disk full"), KeyboardInterrupt()):

        def interrupt(handle: int, error: BaseException = interruption) -> None:
            raise error

        with monkeypatch.context() as patch, pytest.raises(type(interruption)):
            patch.setattr(os, "fsync", interrupt)
            save({"x": tensor(2.0)}, path)
        assert load(path)["x"].item() == 1.0
        assert [p.name for p in tmp_path.iterdir()] == ["f"], "nothing is left beside it"


def test_the_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (events.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("replace"), replace(a, b))[1])
    save({"x": tensor(1.0)}, tmp_path / "f")
    assert events == (["fsync", "replace", "fsync"] if os.name == "posix" else ["fsync", "replace"])


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    save({"x": tensor(1.0)}, target)
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode, "a new file has the mode that any new file has"
    target.chmod(0o640)
    link.symlink_to(target)
    save({"x": tensor(2.0)}, link)
    assert link.is_symlink() and load(target)["x"].item() == 2.0
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_path_may_be_a_string_bytes_or_a_path(tmp_path: Path) -> None:
    for path in (str(tmp_path / "a"), os.fsencode(tmp_path / "b"), tmp_path / "c"):
        save({"x": tensor(1.0)}, path)
        assert load(path)["x"].item() == 1.0


def test_a_loaded_tensor_is_mapped_and_can_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "f"
    save({"x": tensor([1.0, 2.0]), "y": tensor([True], "bool"), "z": tensor([3], "int8")}, path)
    before = path.read_bytes()
    state = load(path)
    assert isinstance(backend.memory_root(state["x"].array).base, np.memmap)
    for value in state.values():
        value.array[...] = 0
    assert state["x"].tolist() == [0.0, 0.0]
    assert path.read_bytes() == before, "the file does not see it"
    assert load(path)["x"].tolist() == [1.0, 2.0]


def test_saving_over_the_file_one_has_loaded(tmp_path: Path) -> None:
    path = tmp_path / "f"
    save({"x": wrap(np.arange(10_000.0))}, path)
    state = load(path)
    save({"x": wrap(state["x"].array + 1)}, path)
    assert state["x"].tolist()[-1] == 9999.0, "the old tensors keep the old file's bytes"
    assert load(path)["x"].tolist()[-1] == 10000.0


def test_every_tensor_begins_at_a_multiple_of_its_elements_size() -> None:
    data = saved({f"{dtype}{i}": tensor([1] * 3, dtype) for i in range(2) for dtype in DTYPES})
    header, _ = split(data)
    assert int.from_bytes(data[:8], "little") % 8 == 0
    for name, entry in header.items():
        assert entry["data_offsets"][0] % np.dtype(name[:-1]).itemsize == 0


# --- devices


def test_devices_are_kept(tmp_path: Path) -> None:
    state = {"here": tensor([1.0]), "there": strict([2.0])}
    save(state, tmp_path / "f")
    back = load(tmp_path / "f")
    assert {name: str(value.device) for name, value in back.items()} == {"here": "cpu", "there": "strict"}
    nested = loaded(saved({"model": state, "epoch": 1}))
    assert str(nested["model"]["there"].device) == "strict" and nested["epoch"] == 1
    assert nested["model"]["there"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("map_location", "devices"),
    [
        ("cpu", ["cpu", "cpu"]),
        ("strict", ["strict", "strict"]),
        ({"strict": "cpu"}, ["cpu", "cpu"]),
        ({"cpu": "strict"}, ["strict", "strict"]),
        ({"cuda": "cpu"}, ["cpu", "strict"]),
        (None, ["cpu", "strict"]),
    ],
)
def test_map_location(map_location: Any, devices: list[str]) -> None:
    data = saved({"here": tensor([1.0]), "there": strict([2.0])})
    back = loaded(data, map_location=map_location)
    assert [str(value.device) for value in back.values()] == devices
    assert [value.tolist() for value in back.values()] == [[1.0], [2.0]]


def on_device(name: str) -> bytes:
    metadata = {"tinygrad_dl": json.dumps({"version": 1, "devices": {"x": name}})}
    return file_of({"__metadata__": metadata, "x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"\x01")


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError) as error:
        loaded(on_device("cuda:77"))
    assert all(word in str(error.value) for word in ["'x'", "cuda:77", "map_location='cpu'"])
    with pytest.raises(DeviceError, match="'teapot'"):
        loaded(on_device("teapot"))
    assert loaded(on_device("cuda:77"), map_location="cpu")["x"].tolist() == [1]


def test_a_function_as_map_location_is_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="not a function"):
        loaded(saved({}), map_location=lambda storage, location: storage)


# --- bfloat16


def test_bfloat16_is_widened_with_a_warning() -> None:
    header = {
        "half": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
        "full": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]},
    }
    halves = np.array([0x3F80, 0xC000, 0x7F80, 0x0001], "<u2")  # 1, -2, infinity, the smallest positive number
    with pytest.warns(UserWarning) as caught:
        back = load(io.BytesIO(file_of(header, halves.tobytes() + np.float32(3).tobytes())))
    assert back["half"].array.dtype is np.dtype("float32")
    assert back["half"].tolist() == [[1.0, -2.0], [math.inf, 2.0**-133]]
    assert back["full"].tolist() == [3.0]
    (warning,) = caught
    assert all(word in str(warning.message) for word in ["1 of 2", "bfloat16", "widened to float32", "half"])
    assert warning.filename == __file__, "it points to the call of load"


# --- other readers and writers of the format


def test_safetensors_reads_what_we_write(tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy")
    state = {f"{dtype}.{len(shape)}": np.ones(shape, dtype) for dtype in DTYPES for shape in [(), (3,), (2, 0), (2, 3)]}
    save({name: wrap(array) for name, array in state.items()}, tmp_path / "flat")
    save({"model": {name: wrap(array) for name, array in state.items()}, "epoch": 1}, tmp_path / "nested")
    for theirs, prefix in ((numpy.load_file(tmp_path / "flat"), ""), (numpy.load_file(tmp_path / "nested"), "model.")):
        assert set(theirs) == {prefix + name for name in state}
        for name, array in state.items():
            assert theirs[prefix + name].dtype == array.dtype
            np.testing.assert_array_equal(theirs[prefix + name], array)


def test_we_read_what_safetensors_writes(tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy")
    state = {f"{dtype}.{len(shape)}": np.ones(shape, dtype) for dtype in DTYPES for shape in [(), (3,), (2, 0), (2, 3)]}
    numpy.save_file(state, tmp_path / "f", metadata={"format": "np", "author": "someone"})
    ours = load(tmp_path / "f")
    assert set(ours) == set(state)
    for name, array in state.items():
        assert ours[name].array.dtype is array.dtype
        np.testing.assert_array_equal(ours[name].array, array)


def test_a_model_of_pytorch_goes_both_ways(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("safetensors.torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    model[0].weight.data = model[0].weight.data.bfloat16()
    theirs.save_file(model.state_dict(), tmp_path / "theirs")
    with pytest.warns(UserWarning, match="bfloat16"):
        state = load(tmp_path / "theirs")
    assert state["0.weight"].tolist() == model[0].weight.tolist()
    assert state["1.num_batches_tracked"].tolist() == 0
    save(state, tmp_path / "ours")
    back = theirs.load_file(tmp_path / "ours")
    assert {name: value.tolist() for name, value in back.items()} == {
        name: value.tolist() for name, value in model.state_dict().items()
    }


def test_a_pickle_of_pytorch_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        torch.save({"w": torch.ones(2)}, tmp_path / "f", **options)
        with pytest.raises(StateDictError) as error:
            load(tmp_path / "f")
        assert "safetensors.torch.save_file" in str(error.value) and repr(str(tmp_path / "f")) in str(error.value)


def test_a_header_whose_length_looks_like_a_pickle() -> None:
    """640 bytes: the file begins with 80 02, as pickles do."""
    obj = [""]
    while len(saved(obj)) < 8 + 640:
        obj[0] += "x"
    data = saved(obj)
    assert data.startswith(b"\x80\x02")
    assert loaded(data) == obj


# --- files that lie

ENTRY = {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}


def entry(**changes: Any) -> dict[str, Any]:
    return {"x": {**ENTRY, **changes}}


def two(first: tuple[int, int], second: tuple[int, int]) -> dict[str, Any]:
    return {
        name: {"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end]}
        for name, (begin, end) in {"x": first, "y": second}.items()
    }


LIES = {
    "empty": (b"", "0 bytes"),
    "too short": (b"1234567", "7 bytes"),
    "header cut": (file_of(ENTRY)[:20], "only 12 are there"),
    "header longer than the file": ((1000).to_bytes(8, "little") + b"{}", "would have 1000 bytes, only 2"),
    "header absurdly long": (b"\xff" * 16, "the format allows 100000000"),
    "header empty": (file_of(""), "does not begin with '{'"),
    "a list": (file_of([1]), "does not begin with '{'"),
    "a space first": (file_of(" {}"), "does not begin with '{'"),
    "not JSON": (file_of("{x}"), "not valid JSON"),
    "not UTF-8": (file_of(b'{"\xff": 1}'), "not valid JSON"),
    "nested without end": (file_of('{"x":' + "[" * 100_000), "not valid JSON"),
    "more behind": (file_of("{}{}"), "not valid JSON"),
    "a name twice": (file_of(f'{{"x":{json.dumps(ENTRY)},"x":{json.dumps(ENTRY)}}}', b"12"), "'x' twice"),
    "a field twice": (
        file_of('{"x":{"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]}}', b"12"),
        "'dtype' twice",
    ),
    "half a character": (file_of(r'{"\ud800":' + json.dumps(ENTRY) + "}", b"12"), "not valid Unicode"),
    "no object": (file_of({"x": [1]}), "'x' is described by [1]"),
    "field missing": (file_of({"x": {"dtype": "U8", "shape": [2]}}, b"12"), "instead of data_offsets, dtype, shape"),
    "field too many": (file_of(entry(strides=[1]), b"12"), "'strides'"),
    "unknown dtype": (file_of(entry(dtype="F8_E4M3"), b"12"), "dtype 'F8_E4M3'; known are BOOL, U8"),
    "unsigned dtype": (file_of(entry(dtype="U16", shape=[1]), b"12"), "dtype 'U16'"),
    "dtype of another type": (file_of(entry(dtype=["U8"]), b"12"), "dtype ['U8']"),
    "negative size": (file_of(entry(shape=[-2]), b"12"), "number -2"),
    "size as float": (file_of(entry(shape=[2.0]), b"12"), "shape [2.0]"),
    "size as bool": (file_of(entry(shape=[True, 2]), b"12"), "shape [True, 2]"),
    "size as text": (file_of(entry(shape="2"), b"12"), "shape '2'"),
    "size not finite": (file_of(entry(shape=[math.nan]), b"12"), "NaN"),
    "size of many digits": (file_of('{"x":{"dtype":"U8","shape":[' + "9" * 5000 + "]}}"), "no size"),
    "too many dimensions": (file_of(entry(shape=[2] + [1] * 64), b"12"), "at most 64 sizes"),
    "sizes that overflow": (file_of(entry(shape=[2**32, 2**32, 2]), b"12"), f"instead of {2**65}"),
    "empty and too large": (file_of(entry(shape=[0, 2**62, 2**62], data_offsets=[0, 0])), "too large"),
    "empty and of too many bytes": (file_of(entry(dtype="F64", shape=[0, 2**60], data_offsets=[0, 0])), "too large"),
    "empty and just too large": (file_of(entry(shape=[0, 2**63], data_offsets=[0, 0])), "too large"),
    "too few bytes": (file_of(entry(shape=[3]), b"12"), "2 bytes instead of 3"),
    "three offsets": (file_of(entry(data_offsets=[0, 1, 2]), b"12"), "not a begin and an end"),
    "backwards": (file_of(entry(data_offsets=[2, 0]), b"12"), "not a begin and an end"),
    "data cut": (file_of(entry(), b"1"), "take 2 bytes, the file has 1 for them: truncated?"),
    "data missing": (file_of(entry()), "take 2 bytes, the file has 0"),
    "data left over": (file_of(entry(), b"123"), "something follows"),
    "data without tensors": (file_of({}, b"1"), "something follows"),
    "overlap": (file_of(two((0, 2), (1, 3)), b"123"), "'y' overlaps"),
    "twice the same bytes": (file_of(two((0, 2), (0, 2)), b"12"), "'y' overlaps"),
    "a gap": (file_of(two((0, 1), (2, 3)), b"123"), "'y' leaves a gap"),
    "a gap at the start": (file_of(entry(data_offsets=[1, 3]), b"123"), "'x' leaves a gap"),
    "metadata of numbers": (file_of({"__metadata__": {"a": 1}}), "not an object of strings"),
    "metadata as a list": (file_of({"__metadata__": []}), "not an object of strings"),
}


@pytest.mark.parametrize("case", LIES)
def test_files_that_lie_are_refused(case: str, tmp_path: Path) -> None:
    data, words = LIES[case]
    path = tmp_path / "f"
    path.write_bytes(data)
    for source in (path, io.BytesIO(data)):
        with pytest.raises(StateDictError) as error:
            load(source)
        assert str(error.value).startswith("load: ") and words in str(error.value), error.value


def ours(structure: Any, version: Any = 1, **more: Any) -> bytes:
    metadata = {"tinygrad_dl": json.dumps({"version": version, "structure": structure, **more})}
    return file_of({"__metadata__": metadata, **entry()}, b"12")


X = {"tensor": "x"}
WRONG_STRUCTURES = {
    "no version": (file_of({"__metadata__": {"tinygrad_dl": "{}"}}), "not of version 1"),
    "a later version": (ours(X, version=2), "written by a later release?"),
    "no object": (file_of({"__metadata__": {"tinygrad_dl": "3"}}), "not of version 1"),
    "not JSON": (file_of({"__metadata__": {"tinygrad_dl": "{"}}), "not valid JSON"),
    "nested without end": (file_of({"__metadata__": {"tinygrad_dl": "[" * 100_000}}), "not valid JSON"),
    "a tensor that is not there": (ours({"tensor": "y"}), "names the tensor 'y'"),
    "a tensor without a name": (ours({"tensor": ["x"]}), "names the tensor ['x']"),
    "a tensor left out": (ours([]), "leaves out the tensors ['x']"),
    "an unknown kind": (ours([X, {"set": []}]), "{'set': []}"),
    "two kinds": (ours([X, {"tuple": [], "dict": []}]), "does not write"),
    "no kind": (ours([X, {}]), "does not write"),
    "a tuple of text": (ours([X, {"tuple": "ab"}]), "a tuple of 'ab'"),
    "no float": (ours([X, {"float": "1.0"}]), "the float '1.0'"),
    "no pairs": (ours({"dict": [[1, X], [2]]}), "the pair [2]"),
    "a list as key": (ours({"dict": [[[1], X]]}), "the key [1]"),
    "a tensor as key": (ours({"dict": [[X, 1]]}), "the key {'tensor': 'x'}"),
    "a key twice": (ours({"dict": [["a", X], ["a", 1]]}), "same key twice"),
    "devices that are none": (ours(X, devices={"x": 3}), "are not names"),
    "devices in a list": (ours(X, devices=["cpu"]), "are not names"),
}


@pytest.mark.parametrize("case", WRONG_STRUCTURES)
def test_structures_that_lie_are_refused(case: str) -> None:
    data, words = WRONG_STRUCTURES[case]
    with pytest.raises(StateDictError) as error:
        loaded(data)
    assert words in str(error.value), error.value


def test_the_cases_above_fail_for_what_they_say() -> None:
    """Without the lie, the same file is read."""
    assert loaded(file_of(entry(), b"12"))["x"].tolist() == [49, 50]
    assert loaded(file_of(two((0, 1), (1, 3)), b"123"))["y"].tolist() == [50, 51]
    assert loaded(ours({"dict": [["a", X], ["b", 1]]}))["b"] == 1
    assert loaded(file_of(entry(shape=[2] + [1] * 63), b"12"))["x"].ndim == 64
    assert loaded(file_of(entry(shape=[0, 2**62], data_offsets=[0, 0])))["x"].numel() == 0


@pytest.mark.parametrize(
    "obj", [{"w": tensor([1.0, 2.0]), "b": tensor([3], "int8")}, {"m": {"w": tensor([1.0])}, "n": 1}]
)
def test_a_file_cut_anywhere_is_refused(obj: Any) -> None:
    data = saved(obj)
    for length in range(len(data)):
        with pytest.raises(StateDictError):
            loaded(data[:length])
    with pytest.raises(StateDictError):
        loaded(data + b"\0")


def test_a_bool_of_another_byte_is_true() -> None:
    back = loaded(file_of(entry(dtype="BOOL"), b"\x02\x00"))["x"]
    assert back.array.view(np.uint8).tolist() == [1, 0]


def test_tensors_may_begin_anywhere() -> None:
    header = {
        "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "b": {"dtype": "F64", "shape": [2], "data_offsets": [1, 17]},
    }
    back = loaded(file_of(header, b"\1" + np.array([1.0, 2.0], "<f8").tobytes()))
    assert back["b"].tolist() == [1.0, 2.0] and back["b"].array.flags.aligned


VALID = saved({"model": {"w": tensor([[1.0, 2.0]]), "b": tensor([3], "int16")}, "epoch": 3})
FLAT = saved({"w": tensor([[1.0, 2.0]]), "b": tensor([True], "bool"), "e": tensor([])})


def refused(data: bytes) -> bool:
    """Whether `load` refuses these bytes; any other exception than ours fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a changed byte can make a tensor bfloat16
        try:
            loaded(data, map_location="cpu")
        except StateDictError:
            return True
    return False


def refused_by_safetensors(data: bytes) -> bool:
    safetensors = pytest.importorskip("safetensors")
    try:
        safetensors.deserialize(data)
    except Exception:
        return True
    return False


edits = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3)


@given(st.sampled_from([VALID, FLAT]), edits)
def test_changed_bytes_never_break_load(data: bytes, changes: list[tuple[int, int]]) -> None:
    """Whatever safetensors refuses, we refuse; and nothing but StateDictError comes out."""
    changed = bytearray(data)
    for place, value in changes:
        changed[place % len(changed)] = value
    assert refused(bytes(changed)) or not refused_by_safetensors(bytes(changed))


sizes = st.integers(0, 4) | st.sampled_from([-1, 2**31, 2**63, 10**19, 1.0, True, None, "1"])
descriptions = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F32", "I8", "BOOL", "BF16", "F64", "U16", "f32", "", 3]),
        "shape": st.lists(sizes, max_size=3) | st.just(3),
        "data_offsets": st.lists(st.integers(0, 9), min_size=2, max_size=2).map(sorted) | st.lists(sizes, max_size=3),
    }
)
headers = st.dictionaries(st.sampled_from(["a", "b", "c", "__metadata__"]), descriptions, max_size=3)


@given(headers, st.integers(0, 16))
@example({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, 8)
def test_made_up_headers_never_break_load(header: dict[str, Any], size: int) -> None:
    data = file_of(header, bytes(size))
    assert refused(data) or not refused_by_safetensors(data)


@given(st.binary(max_size=40))
def test_noise_is_refused(noise: bytes) -> None:
    assert refused(noise)


def test_the_comparison_with_safetensors_sees_both_verdicts() -> None:
    assert not refused(VALID) and not refused_by_safetensors(VALID)
    assert not refused(FLAT) and not refused_by_safetensors(FLAT)
    assert refused(VALID[:-1]) and refused_by_safetensors(VALID[:-1])


# --- a checkpoint in use


@pytest.mark.parametrize("make", [lambda p: tg.optim.SGD(p, lr=0.1, momentum=0.9), lambda p: tg.optim.Adam(p, lr=0.1)])
def test_training_goes_on_from_a_checkpoint_as_if_nothing_had_happened(make: Any, tmp_path: Path) -> None:
    tg.manual_seed(0)
    net = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Dropout(0.5), tg.nn.Linear(4, 1))
    optimizer = make(net.parameters())
    x, y = tg.randn(8, 3), tg.randn(8, 1)

    def train(net: Any, optimizer: Any, steps: int) -> list[Any]:
        for _ in range(steps):
            optimizer.zero_grad()
            tg.nn.functional.mse_loss(net(x), y).backward()
            optimizer.step()
        return [parameter.tolist() for parameter in net.parameters()]

    train(net, optimizer, 3)
    state = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "random": tg.get_rng_state()}
    tg.save(state, tmp_path / "f")
    wanted = train(net, optimizer, 3)

    state = tg.load(tmp_path / "f")
    other = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Dropout(0.5), tg.nn.Linear(4, 1))
    again = make(other.parameters())
    other.load_state_dict(state["model"])
    again.load_state_dict(state["optimizer"])
    tg.set_rng_state(state["random"])
    assert train(other, again, 3) == wanted and state["epoch"] == 3
