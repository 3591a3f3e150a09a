"""Saving and loading: state dicts and whole checkpoints as files in the safetensors format, written and read here.

A file is 8 bytes with the length of the header, the header (JSON: dtype, shape and place of each tensor) and the bytes
of the tensors. It holds no code, so that loading a file from a stranger can't run any; and a file that lies about
itself is refused before anything is made from it.

A flat dict of tensors is a plain safetensors file, which other libraries read. What is nested, as a checkpoint of a
model and its optimizer, has its tensors there under dotted names, and its structure as JSON under "tinygrad_dl" in the
header's "__metadata__". So have the devices, when some tensors are not on the CPU.
"""

import io
import json
import math
import os
import secrets
import shutil
import sys
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from . import backend, dtypes
from .errors import ArgumentError, ArgumentTypeError, DeviceError, StateDictError
from .tensor import Size, Tensor, wrap

LENGTH_BYTES = 8  # in front of the header: its length, little-endian
LONGEST_HEADER = 100_000_000  # the format's own limit
MOST_DIMENSIONS = 64  # NumPy's limit
METADATA = "__metadata__"  # the header's one name that is no tensor
OURS = "tinygrad_dl"  # our name in the metadata
VERSION = 1  # of what stands there

LITTLE_ENDIAN = sys.byteorder == "little"  # as files are on every machine

# Our dtypes by the format's names.
DTYPES = {
    "BOOL": dtypes.bool_,
    "U8": dtypes.uint8,
    "I8": dtypes.int8,
    "I16": dtypes.int16,
    "I32": dtypes.int32,
    "I64": dtypes.int64,
    "F16": dtypes.float16,
    "F32": dtypes.float32,
    "F64": dtypes.float64,
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
BFLOAT16 = "BF16"  # the upper half of a float32; widened, because no tensor here has it


def save(obj: Any, f: Any) -> None:
    """Write a state dict, or a checkpoint made of several, to a file.

    The file appears under its name only when it is complete: it is written beside it, flushed to the disk and renamed,
    so that an interrupted `save` leaves the old file as it was. Values are saved, not graphs: what is loaded requires
    no gradient. Tensors that share memory are saved once each.

    Arguments: obj, a dict with str keys and tensors of any shape and dtype; or dicts (keys of str, int, float, bool,
    None, tuples of them), lists and tuples of such, with tensors, numbers, strings, bools and None in them; f, a path
    or a file open for writing bytes. Raises ArgumentTypeError, naming the place, for anything else. Source: the
    safetensors format.

    >>> import tinygrad_dl as tg
    >>> tg.save({"model": {"weight": tg.ones(2)}, "epoch": 3}, "checkpoint.safetensors")
    >>> tg.load("checkpoint.safetensors")
    {'model': {'weight': tensor([1., 1.])}, 'epoch': 3}
    """
    chunks = _chunks(_Content(obj))
    if hasattr(f, "write"):
        _require_binary("save", f)
        for chunk in chunks:
            f.write(chunk)
    else:
        _replace(_path("save", f), chunks)


def load(f: Any, map_location: Any = None) -> Any:
    """Read what `save`, or another library that writes safetensors, has written.

    Tensors on the CPU are mapped into memory: bytes are read from the disk when they are looked at, and what is written
    to the tensors does not reach the file. bfloat16, which no tensor here has, is widened to float32, with a warning.

    Arguments: f, a path or a file open for reading bytes; map_location, the device for all tensors, or a dict from
    devices in the file to devices here, or None: where they were when they were saved. Returns what was saved (of a
    file from elsewhere a dict of its tensors). Raises StateDictError, before anything is made, for a file that is
    truncated, damaged, of another format or of an unknown dtype; DeviceError for a device that is not there.

    >>> import tinygrad_dl as tg
    >>> tg.save({"weight": tg.ones(2)}, "weights.safetensors")
    >>> tg.load("weights.safetensors", map_location="strict")["weight"].device
    device(type='strict')
    """
    place = _placement(map_location)
    content, source = _read(f)
    try:
        header, data = _split(content)
        metadata = _metadata(header.pop(METADATA, {}))
        entries = _entries(header, len(data))
        if "structure" in metadata:
            _check_structure(metadata["structure"], set(entries))
    except _Damaged as error:
        raise StateDictError(f"load: {source}: {error}") from None
    _warn_about_bfloat16(source, entries)
    devices = metadata.get("devices", {})
    tensors = {
        name: _tensor(name, entry, data, place(devices.get(name, "cpu")), source) for name, entry in entries.items()
    }
    return _rebuild(metadata["structure"], tensors) if "structure" in metadata else tensors


class _Damaged(Exception):
    """What is wrong with a file; `load` adds which one."""


# --- taking an object apart: its structure as JSON data, its tensors by name


class _Content:
    """What a file holds: the tensors by name and, unless it is a flat dict of tensors, the structure around them.

    JSON has no tuples, tensors, dicts with other keys than strings, or numbers that are not finite: these are written
    as an object with one key that says what it is, {"tuple": [...]}, {"dict": [[key, value], ...]}, {"float": "nan"},
    {"tensor": name}. A JSON list is a list.
    """

    def __init__(self, obj: Any) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.flat = _is_flat(obj)
        if self.flat:
            self.tensors.update(obj)
            return
        try:
            self.structure: Any = self.encode(obj, ())
        except RecursionError:
            raise ArgumentError("save: the object is nested too deep, or contains itself") from None

    def encode(self, value: Any, path: tuple[Any, ...]) -> Any:
        kind = type(value)
        if isinstance(value, Tensor):
            return {"tensor": self.add(value, path)}
        if kind is list:
            return [self.encode(item, (*path, i)) for i, item in enumerate(value)]
        if kind in (tuple, Size):
            return {"tuple": [self.encode(item, (*path, i)) for i, item in enumerate(value)]}
        if kind in (dict, OrderedDict, Counter):
            return {"dict": [[self.key(key, path), self.encode(item, (*path, key))] for key, item in value.items()]}
        return _scalar(value, path)

    def key(self, key: Any, path: tuple[Any, ...]) -> Any:
        if type(key) is tuple:
            return {"tuple": [self.key(part, path) for part in key]}
        return _scalar(key, (*path, key))

    def add(self, tensor: Tensor, path: tuple[Any, ...]) -> str:
        """Give a tensor the name of its place: "model.fc.weight"; a number after it where that is taken."""
        wanted = name = ".".join(map(str, path)) or "tensor"
        attempt = 1
        while name in self.tensors or name == METADATA:
            attempt += 1
            name = f"{wanted}~{attempt}"
        self.tensors[name] = tensor
        return name


def _is_flat(obj: Any) -> bool:
    return (
        type(obj) in (dict, OrderedDict)
        and all(type(key) is str and isinstance(value, Tensor) for key, value in obj.items())
        and METADATA not in obj
    )


def _scalar(value: Any, path: tuple[Any, ...]) -> Any:
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if value is None or type(value) in (bool, int, str):
        return value
    place = "the object" + "".join(f"[{part!r}]" for part in path)
    raise ArgumentTypeError(
        f"save: {place} is a {type(value).__module__}.{type(value).__qualname__}, which a file can't hold; it holds "
        f"tensors, numbers, strings, bools and None in dicts, lists and tuples.{_remedy(value)}"
    )


def _remedy(value: Any) -> str:
    if hasattr(value, "state_dict"):
        return " Save its .state_dict()."
    if isinstance(value, np.generic):
        return " Save value.item()."
    if backend.is_array(value):
        return " Save tinygrad_dl.tensor(value)."
    return ""


# --- writing


def _chunks(content: _Content) -> Iterator[Any]:
    """The bytes of the file, piece by piece."""
    # Wide elements first: then each tensor begins at a multiple of its element's size, and can be mapped as it is.
    ordered = sorted(content.tensors.items(), key=lambda item: -item[1].element_size())
    places, end = {}, 0
    for name, tensor in ordered:
        places[name] = [end, end + tensor.nbytes]
        end += tensor.nbytes
    header = _header(content, places)
    return _pieces(header, [tensor for _, tensor in ordered])


def _header(content: _Content, places: dict[str, list[int]]) -> bytes:
    header: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    if not content.flat:
        ours["structure"] = content.structure
    devices = {name: str(tensor.device) for name, tensor in content.tensors.items() if tensor.device.type != "cpu"}
    if devices:
        ours["devices"] = devices
    if ours:
        header[METADATA] = {OURS: json.dumps({"version": VERSION, **ours}, ensure_ascii=False)}
    for name, tensor in content.tensors.items():
        shape = list(tensor.array.shape)
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": shape, "data_offsets": places[name]}
    try:
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ArgumentError(
            f"save: a name or string is no valid Unicode: {error.object[error.start :][:1]!r}"
        ) from None
    text += b" " * (-len(text) % LENGTH_BYTES)
    if len(text) > LONGEST_HEADER:
        raise ArgumentError(
            f"save: names, shapes and structure take {len(text)} bytes, the format allows {LONGEST_HEADER}; save lists "
            "of numbers as tensors, or several files"
        )
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def _pieces(header: bytes, tensors: list[Tensor]) -> Iterator[Any]:
    yield header
    for tensor in tensors:  # one at a time, so that only one copy from a GPU exists
        flat = backend.to_numpy(tensor.array).reshape(-1)
        if not LITTLE_ENDIAN:
            flat = flat.byteswap()
        yield (flat if flat.flags.c_contiguous else flat.copy()).view(np.uint8)


def _replace(path: str, chunks: Iterable[Any]) -> None:
    """Write a file beside `path` and give it that name when it is on the disk."""
    path = os.path.realpath(path)  # a link keeps pointing to the file
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(temporary, "xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:  # Ctrl-C too
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    _sync_folder(os.path.dirname(path))


def _sync_folder(folder: str) -> None:
    """Make a renaming durable; Windows has no such call."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _require_binary(operation: str, file: Any) -> None:
    if isinstance(file, io.TextIOBase):
        raise ArgumentTypeError(f"{operation}: the file is open for text; open it for bytes, with 'b' in its mode")


def _path(operation: str, f: Any) -> str:
    try:
        return os.fsdecode(f)
    except TypeError:
        raise ArgumentTypeError(f"{operation}: f is a path or a binary file, not {type(f).__name__}") from None


# --- reading: the header is checked as a whole before any tensor is made


class _Entry(NamedTuple):
    """What the header says of one tensor, checked."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def _read(f: Any) -> tuple[np.ndarray, str]:
    """The bytes of a file, mapped into memory where that is possible, and what to call it."""
    if hasattr(f, "read"):
        _require_binary("load", f)
        return np.frombuffer(bytearray(f.read()), np.uint8), repr(getattr(f, "name", type(f).__name__))
    path = _path("load", f)
    if os.path.getsize(path) == 0:  # can't be mapped
        return np.zeros(0, np.uint8), repr(path)
    return np.memmap(path, np.uint8, mode="c").view(np.ndarray), repr(path)


def _split(content: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
    """The header, parsed, and the bytes behind it."""
    behind = len(content) - LENGTH_BYTES
    if behind < 0:
        raise _Damaged(f"the file has {len(content)} bytes; a safetensors file has at least {LENGTH_BYTES}: truncated?")
    start = content[:LENGTH_BYTES].tobytes()
    length = int.from_bytes(start, "little")
    if length > LONGEST_HEADER:
        if start.startswith((b"PK", b"\x80\x02")):
            raise _Damaged(
                "this is a file of PyTorch's pickle format, which can hold code and is not read here. Write it again "
                "with safetensors.torch.save_file(state_dict, path)"
            )
        raise _Damaged(f"the header would have {length} bytes, the format allows {LONGEST_HEADER}: of another format?")
    if length > behind:
        raise _Damaged(f"the header would have {length} bytes, only {behind} are there: truncated?")
    return _parse(content[LENGTH_BYTES : LENGTH_BYTES + length].tobytes()), content[LENGTH_BYTES + length :]


def _parse(text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise _Damaged("the header does not begin with '{': of another format?")
    try:
        return json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_int=_natural, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:  # ValueError: also bytes that are no UTF-8
        raise _Damaged(f"the header is not valid JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Damaged(f"the header has the name {key!r} twice")
        if not _is_unicode(key):
            raise _Damaged(f"the name {key!r} in the header is not valid Unicode")
        found[key] = value
    return found


def _is_unicode(text: str) -> bool:
    """Whether a string can be written as UTF-8: JSON's escapes can name halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _natural(digits: str) -> int:
    if digits.startswith("-") or len(digits) > 19:
        raise _Damaged(f"the header has the number {digits[:24]}, which is no size")
    return int(digits)


def _no_constant(name: str) -> None:
    raise _Damaged(f"the header has {name}, which is not JSON")


def _metadata(metadata: Any) -> dict[str, Any]:
    """What `save` wrote into the metadata; other libraries' entries are their own."""
    if not isinstance(metadata, dict) or not all(isinstance(v, str) and _is_unicode(v) for v in metadata.values()):
        raise _Damaged(f"{METADATA} in the header is not an object of strings")
    if OURS not in metadata:
        return {}
    try:
        ours = json.loads(metadata[OURS])
    except (ValueError, RecursionError) as error:
        raise _Damaged(f"the structure in {METADATA} is not valid JSON: {error}") from None
    if not isinstance(ours, dict) or ours.get("version") != VERSION:
        raise _Damaged(f"the structure in {METADATA} is not of version {VERSION}: written by a later release?")
    devices = ours.get("devices", {})
    if not isinstance(devices, dict) or not all(isinstance(name, str) for name in devices.values()):
        raise _Damaged(f"the devices in {METADATA} are not names")
    return ours


def _entries(header: dict[str, Any], size: int) -> dict[str, _Entry]:
    """The tensors that the header describes, which must fill the data exactly, without gaps and overlaps."""
    entries = {name: _entry(name, description) for name, description in header.items()}
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != position:
            problem = "overlaps the one before" if entry.begin < position else "leaves a gap"
            raise _Damaged(
                f"tensor {name!r} {problem}: it begins at byte {entry.begin} of the data instead of {position}"
            )
        position = entry.end
    if position != size:
        problem = "truncated?" if position > size else "something follows the tensors"
        raise _Damaged(f"the tensors take {position} bytes, the file has {size} for them: {problem}")
    return entries


def _entry(name: str, description: Any) -> _Entry:
    wanted = {"dtype", "shape", "data_offsets"}
    if not isinstance(description, dict) or description.keys() != wanted:
        raise _Damaged(f"tensor {name!r} is described by {_shown(description)} instead of {', '.join(sorted(wanted))}")
    dtype, shape, offsets = description["dtype"], description["shape"], description["data_offsets"]
    if dtype != BFLOAT16 and not (isinstance(dtype, str) and dtype in DTYPES):
        known = ", ".join([*DTYPES, BFLOAT16])
        raise _Damaged(f"tensor {name!r} has dtype {_shown(dtype)}; known are {known}. Convert it where it was written")
    if not _are_sizes(shape) or len(shape) > MOST_DIMENSIONS:
        raise _Damaged(f"tensor {name!r} has shape {_shown(shape)}, not a list of at most {MOST_DIMENSIONS} sizes")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _Damaged(f"tensor {name!r} has data_offsets {_shown(offsets)}, not a begin and an end")
    begin, end = offsets
    needed = math.prod(shape) * _itemsize(dtype)
    if end - begin != needed:
        raise _Damaged(
            f"tensor {name!r} of {dtype} and shape {tuple(shape)} has {end - begin} bytes instead of {needed}"
        )
    if math.prod(n for n in shape if n) * _itemsize(dtype) >= 2**63:  # can only be an empty one; NumPy refuses it too
        raise _Damaged(f"tensor {name!r} has shape {_shown(shape)}, whose sizes are too large")
    return _Entry(dtype, tuple(shape), begin, end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int for n in value)


def _itemsize(dtype: str) -> int:
    return 2 if dtype == BFLOAT16 else DTYPES[dtype].itemsize


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


# --- making the tensors, and what was around them


def _warn_about_bfloat16(source: str, entries: dict[str, _Entry]) -> None:
    widened = [name for name, entry in entries.items() if entry.dtype == BFLOAT16]
    if widened:
        warnings.warn(
            f"load: {source}: {len(widened)} of {len(entries)} tensors are bfloat16, which tensors here don't have; "
            f"they were widened to float32 (exact, twice the memory): {_shown(widened)}",
            UserWarning,
            stacklevel=3,
        )


def _tensor(name: str, entry: _Entry, data: np.ndarray, where: Any, source: str) -> Tensor:
    try:
        return wrap(backend.from_numpy(_array(entry, data[entry.begin : entry.end]), where))
    except DeviceError as error:
        raise DeviceError(
            f"load: {source}: tensor {name!r} belongs on '{where}', which is not there; load(f, map_location='cpu') "
            f"puts all tensors on the CPU. ({error})"
        ) from error


def _array(entry: _Entry, content: np.ndarray) -> np.ndarray:
    if entry.dtype == "BOOL":  # a byte that is neither 0 nor 1 would be a bool that equals neither
        return (content != 0).reshape(entry.shape)
    array = content.view(np.uint16 if entry.dtype == BFLOAT16 else DTYPES[entry.dtype].numpy)
    if not LITTLE_ENDIAN:
        array = array.byteswap()
    if entry.dtype == BFLOAT16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    if not array.flags.aligned:  # others' files may begin anywhere
        array = array.copy()
    return array.reshape(entry.shape)


def _placement(map_location: Any) -> Callable[[str], Any]:
    """A function from a tensor's device in the file to its device here."""
    if map_location is None:
        return backend.device
    if isinstance(map_location, dict):
        chosen = {str(saved): backend.find_device(here) for saved, here in map_location.items()}
        return lambda saved: chosen.get(saved) or backend.device(saved)
    if callable(map_location):
        raise ArgumentTypeError(
            "load: map_location is a device such as 'cpu', or a dict from devices in the file to devices here, not a "
            "function. For `lambda storage, location: storage` write 'cpu'"
        )
    where = backend.find_device(map_location)
    return lambda saved: where


def _check_structure(structure: Any, names: set[str]) -> None:
    """Raise unless `_rebuild` will find what it needs: known kinds, each tensor, and none left over."""
    mentioned: set[str] = set()
    try:
        _check_part(structure, names, mentioned)
    except RecursionError:
        raise _Damaged("the structure is nested too deep") from None
    if mentioned != names:
        raise _Damaged(f"the structure leaves out the tensors {_shown(sorted(names - mentioned))}")


def _check_part(part: Any, names: set[str], mentioned: set[str]) -> None:
    if isinstance(part, list):
        for item in part:
            _check_part(item, names, mentioned)
    elif isinstance(part, dict):
        kind, content = _tagged(part)
        if kind == "tensor":
            if not isinstance(content, str) or content not in names:
                raise _Damaged(f"the structure names the tensor {_shown(content)}, which the file does not have")
            mentioned.add(content)
        elif kind == "float":
            if content not in ("nan", "inf", "-inf"):
                raise _Damaged(f"the structure has the float {_shown(content)}; it should be nan, inf or -inf")
        elif not isinstance(content, list):
            raise _Damaged(f"the structure has a {kind} of {_shown(content)} instead of a list")
        else:
            if kind == "dict":
                _check_keys(content)
            _check_part(content, names, mentioned)


def _tagged(part: dict[str, Any]) -> tuple[str, Any]:
    if len(part) != 1 or next(iter(part)) not in ("tensor", "tuple", "dict", "float"):
        raise _Damaged(f"the structure has {_shown(part)}, which `save` does not write")
    return next(iter(part.items()))


def _check_keys(pairs: list[Any]) -> None:
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise _Damaged(f"the structure has the pair {_shown(pair)}, which is no key and value")
        if not _is_key(pair[0]):
            raise _Damaged(f"the structure has the key {_shown(pair[0])}, which no dict can have")
    if len({json.dumps(key) for key, _ in pairs}) != len(pairs):
        raise _Damaged("the structure has a dict with the same key twice")


def _is_key(key: Any) -> bool:
    if isinstance(key, dict):
        kind, content = _tagged(key)
        return kind == "float" or (kind == "tuple" and isinstance(content, list) and all(map(_is_key, content)))
    return not isinstance(key, list)


def _rebuild(part: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(part, list):
        return [_rebuild(item, tensors) for item in part]
    if not isinstance(part, dict):
        return part
    kind, content = _tagged(part)
    if kind == "tensor":
        return tensors[content]
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(_rebuild(item, tensors) for item in content)
    return {_rebuild(key, tensors): _rebuild(value, tensors) for key, value in content}
