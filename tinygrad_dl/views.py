"""Views: what shows another tensor's memory, how it is read off the root of that memory, and what may be edited."""

import weakref
from typing import Any, NamedTuple

from . import backend
from .errors import GraphError
from .inplace import knowing

# How a view is read off the root of its memory: the path of the view it was made from (None for the root), its
# operation, which one of several outputs it is (else None), and the arguments. A bare tuple: the garbage collector
# looks at each object of a long chain of views again and again.
Path = tuple[Any, ...]


class View(NamedTuple):
    """What a view remembers in `tensor.extras["view"]`; `refusal` says why it can't be edited while recording."""

    root: Any
    path: Path | None
    refusal: str


_NO_GRAD = "was made under no_grad"
MOVED = "or its base got another place in its memory by .data"
_SEVERAL = "is one of the results of an operation with several"


def track(operation: Any, args: tuple[Any, ...], result: Any, recording: Any, why_not: str = "") -> Any:
    """Remember of each result that shares its input's memory that it is a view, there and with the root.

    `why_not` is why it can't be edited while recording, beside what holds for every view.
    """
    base, several = args[0], type(result) is tuple
    root, path, refusal = base, None, ""
    if base.extras is not None and "view" in base.extras:
        root, path, refusal = base.extras["view"]
    refusal = _NO_GRAD if recording is None else refusal or (_SEVERAL if several else why_not)
    for i, part in enumerate(result if several else (result,)):
        array = part.array
        if array.base is not None and backend.memory_root(array) is backend.memory_root(base.array):
            view = View(root, (path, operation, i if several else None, *args[1:]), refusal)
            part.extras = {"view": view}
            register(root, part)
    return result


def alias(base: Any, result: Any, refusal: str) -> None:
    """Remember of a result with the array of another tensor that it shows that, and why it can't be edited."""
    root, path, _ = _view_of(base) or View(base, None, "")
    result.extras = {"view": View(root, path, refusal)}
    register(root, result)


def register(root: Any, view: Any) -> None:
    """Let the root of some memory know a view of it, weakly."""
    known = weakref.ref(view)
    with knowing:
        extras = root.extras
        if extras is None:
            extras = root.extras = {}
        views = extras.setdefault("views", [])
        n = len(views)
        if n >= 64 and n & (n - 1) == 0:  # drop the dead ones now and then
            views[:] = [ref for ref in views if ref() is not None]
        views.append(known)


def _view_of(tensor: Any) -> View | None:
    return tensor.extras.get("view") if tensor.extras is not None else None


def root_of(tensor: Any) -> Any:
    """The tensor whose memory a view shows; itself when it is none, or when either got other memory since."""
    view = _view_of(tensor)
    if view is None or backend.memory_root(view.root.array) is not backend.memory_root(tensor.array):
        return tensor
    return view.root


def live_views(root: Any, forget: bool = False) -> list[Any]:
    """The views of a tensor's memory that still exist and were not made under no_grad; on request no longer known."""
    with knowing:
        extras = root.extras or {}
        found = [known() for known in (extras.pop("views", ()) if forget else extras.get("views", ()))]
    return [v for v in found if v is not None and root_of(v) is root and v.extras["view"].refusal != _NO_GRAD]


def leave_place(tensor: Any, array: Any) -> None:
    """Note that a tensor is about to show another place of its memory, so that paths to and from it lead astray."""
    if array is not tensor.array and backend.memory_root(array) is backend.memory_root(tensor.array):
        for view in [tensor, *live_views(tensor)]:
            known = _view_of(view)
            if known is not None:
                view.extras["view"] = known._replace(refusal=MOVED)


def replay(path: Path | None, x: Any) -> Any:
    """Read the view at a path off an array, a Tensor or a Symbol."""
    steps = []
    while path is not None:
        steps.append(path)
        path = path[0]
    for _, operation, part, *args in reversed(steps):
        x = operation.record(x, *args)
        x = x if part is None else x[part]
    return x


# --- what can't be edited


def require_editable(operation: str, edited: Any) -> None:
    """Refuse what PyTorch refuses of an edit that must be recorded."""
    view, root = _view_of(edited), root_of(edited)
    if root is not edited and view is not None and view.refusal:
        raise GraphError(
            f"{operation}: this tensor (shape {tuple(edited.shape)}) {view.refusal}, so its edit can't be recorded. "
            "Edit tensor.clone(), or read the view anew by an index while recording"
        )
    what = "a view of a leaf" if root is not edited else "a leaf"
    if (root.node is None or edited.node is None) and (root._requires_grad or edited._requires_grad):
        raise GraphError(
            f"{operation}: {what} that requires grad (shape {tuple(root.shape)}) can't be edited in place while "
            "recording: backward would not know which value its gradient belongs to. To update it, write\n"
            "    with tinygrad_dl.no_grad():\n"
            "        W -= alpha * dW\n"
            "or make a new tensor: W = W - alpha * dW"
        )
