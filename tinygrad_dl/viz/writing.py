"""Writing: the tree of what a rule computed as a formula, with as few parentheses as it can be read with.

Each form comes with how tightly it binds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from ..views import replay
from .formula import Formula, Group, Name, Number, Quotient, Raised, Row, Sign, Word, joined, row, without_minus
from .tree import COMPARISONS, NAME, NUMBER, PART, Tree, constant, is_constant

_TEST, _EDIT, _SUM, _MINUS, _PRODUCT, _MATRIX, _POWER, _ATOM = range(8)
_SUPERSCRIPT = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")
Values = Mapping[str, Formula | str]  # what to write for a name
Written = tuple[Formula, int]


def written(x: Any, values: Values) -> Formula:
    """A simplified tree as a formula."""
    formula, binding = _write(x, values)
    return Group("[", formula, "]") if binding == _TEST else formula


def as_factor(x: Any, values: Values) -> Formula:
    """A simplified tree as it stands behind the dot of a product."""
    return _within(x, _PRODUCT, values)


def number_text(value: Any, digits: int = 5) -> str:
    """A number with `digits` significant digits and a proper minus sign."""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value) if isinstance(value, int) else f"{value:.{digits}g}"
    return "0" if text == "-0" else text.replace("-", "−")


def number(value: Any, digits: int = 5) -> Formula:
    """A number as a formula."""
    return _signed(number_text(value, digits))


def _signed(text: str) -> Formula:
    return Row((Sign("−"), Number(text[1:]))) if text.startswith("−") else Number(text)


def is_negative(formula: Formula) -> bool:
    """Whether a formula begins with a minus."""
    return without_minus(formula) is not None


def _write(x: Any, values: Values) -> Written:
    if not isinstance(x, Tree):
        return _write_option(x, values)
    if x.head == NAME:
        found = values.get(x.parts[0])
        formula = Name(x.parts[0], x.shape) if found is None else _signed(found) if isinstance(found, str) else found
        return formula, _MINUS if is_negative(formula) else _ATOM
    if x.head == NUMBER:
        return _write_option(x.parts[0], values)
    writer = _WRITERS.get(x.head)
    return writer(x, values) if writer else _write_call(x, values)


def _write_option(value: Any, values: Values) -> Written:
    """A number or an option."""
    if isinstance(value, bool | int | float):
        formula = number(value)
        return formula, _MINUS if is_negative(formula) else _ATOM
    if isinstance(value, list | tuple):
        inner = joined([_write(v, values)[0] for v in value], ", ") if value else Row(())
        if isinstance(value, tuple) and len(value) == 1:
            inner = row(inner, Sign(","))
        return Group("[", inner, "]") if isinstance(value, list) else Group("(", inner, ")"), _ATOM
    if isinstance(value, slice):
        bounds = [("" if b is None else str(b)) for b in (value.start, value.stop)]
        return Word(":".join(bounds) + ("" if value.step is None else f":{value.step}")), _ATOM
    if backend.is_array(value):
        array = backend.to_numpy(value)
        if array.ndim == 1 and array.size <= 6:
            return Group("[", joined([number(n) for n in array.tolist()], " ") if array.size else Row(()), "]"), _ATOM
        return Word(f"array{array.shape}"), _ATOM
    return Word({None: "None", Ellipsis: "..."}.get(value, getattr(value, "name", str(value)))), _ATOM


def _within(x: Any, binding: int, values: Values) -> Formula:
    """A part in a place that needs it to bind at least so tightly."""
    formula, own = _write(x, values)
    if own == _TEST:
        return Group("[", formula, "]")  # a condition as a number: 1 where it holds, else 0
    return formula if own >= binding else Group("(", formula, ")")


def _write_sum(x: Tree, values: Values) -> Written:
    a, b = x.parts
    second = _within(b, _SUM if x.head == "add" else _PRODUCT, values)
    positive = without_minus(second) if x.head == "add" else None  # a + (−b) reads better as a − b
    sign = " − " if x.head == "sub" or positive is not None else " + "
    if x.head == "sub" and is_negative(second):
        second = Group("(", second, ")")
    return Row((_within(a, _SUM, values), Sign(sign), positive or second)), _SUM


def _write_product(x: Tree, values: Values) -> Written:
    a, b = x.parts
    first = _within(a, _MINUS, values)
    if isinstance(a, Tree) and a.head == "matmul":
        first = Group("(", first, ")")
    second = _within(b, _PRODUCT if x.head == "mul" else _MATRIX, values)
    if isinstance(b, Tree) and b.head == "matmul" and not is_constant(a):
        second = Group("(", second, ")")
    both = Row((first, Sign("·"), second)) if x.head == "mul" else Quotient(first, second)
    return both, _MINUS if is_negative(first) else _PRODUCT


def _write_neg(x: Tree, values: Values) -> Written:
    return Row((Sign("−"), _within(x.parts[0], _PRODUCT, values))), _MINUS


def _write_matmul(x: Tree, values: Values) -> Written:
    a, b = x.parts
    first = _within(a, _MATRIX, values)
    if a.ndim == 1 and b.ndim == 1:
        first = _transposed(first)
    return Row((first, Sign(" "), _within(b, _POWER, values))), _MATRIX


def _transposed(formula: Formula) -> Formula:
    return Raised(formula, Sign("⊤"), "ᵀ")


def _write_pow(x: Tree, values: Values) -> Written:
    base, exponent = x.parts
    raised, n = _within(base, _ATOM, values), constant(exponent)
    if n is not None and float(n).is_integer():
        return Raised(raised, number(int(n)), str(int(n)).translate(_SUPERSCRIPT)), _POWER
    power = _within(exponent, _ATOM, values)
    return Raised(raised, power, f"^{power.text()}"), _POWER


def _write_transpose(x: Tree, values: Values) -> Written:
    inner = x.parts[0]
    swapped = inner.shape[:-2] + inner.shape[-2:][::-1]
    dims = [p for p in x.parts[1:] if isinstance(p, int)]
    if inner.ndim == 2 or (
        len(dims) == 2 and {d % inner.ndim for d in dims} == {inner.ndim - 1, inner.ndim - 2} and x.shape == swapped
    ):
        return _transposed(_within(inner, _ATOM, values)), _POWER
    return _write_call(x, values)


def _write_abs(x: Tree, values: Values) -> Written:
    return Group("|", _write(x.parts[0], values)[0], "|"), _ATOM


def _write_comparison(x: Tree, values: Values) -> Written:
    a, b = x.parts
    sign = Sign(f" {COMPARISONS[x.head]} ")
    return Row((_within(a, _SUM, values), sign, _within(b, _SUM, values))), _TEST


def _write_logic(x: Tree, values: Values) -> Written:
    return joined([_write(p, values)[0] for p in x.parts], f" {x.head} "), _TEST


def _indexed(x: Any, index: Any, values: Values) -> Formula:
    places = [_write(i, values)[0] for i in (index if isinstance(index, tuple) else (index,))]
    return Row((_within(x, _ATOM, values), Group("[", joined(places, ", "), "]")))


def _write_index(x: Tree, values: Values) -> Written:
    return _indexed(x.parts[0], x.parts[1], values), _ATOM


def _write_edit(x: Tree, values: Values) -> Written:
    """A value after a part of it was written: `y with y[:1] = v`; gradients have 0 there."""
    if x.head == "copy":  # everywhere
        return _write(x.parts[1], values)
    whole, *others = x.parts
    if x.head in ("copy_slices", "without_region"):
        part, new = _write(replay(others[-2], whole), values)[0], others[0] if x.head == "copy_slices" else 0
    else:
        part = _indexed(whole, others[-1] if x.head == "without" else others[1], values)
        new = 0 if x.head == "without" else others[0]
    sign = Sign(" += " if x.head == "index_add" else " = ")
    edit = Row((_within(whole, _SUM, values), Word(" with "), part, sign, _within(new, _SUM, values)))
    return (Group("(", edit, ")"), _ATOM) if x.head.startswith("without") else (edit, _EDIT)  # gradients are summed


def _write_part(x: Tree, values: Values) -> Written:
    return Row((_write(x.parts[0].symbol, values)[0], Group("[", number(x.parts[1]), "]"))), _ATOM


def _write_call(x: Tree, values: Values) -> Written:
    """A function with its arguments; options by name, those that say nothing left out."""
    labels = x.labels or ("",) * len(x.parts)
    found: list[Formula] = []
    for label, part in zip(labels, x.parts, strict=False):
        if isinstance(part, Tree | list) or (label in ("", "input", "other") and part is not None):
            found.append(_write(part, values)[0] if x.head == "where" else _within(part, _EDIT, values))
            continue
        if label in ("dim", "axis") and isinstance(part, tuple) and len(part) == 1:
            part = part[0]
        unsaid = part is None or (isinstance(part, str) and part == "mean") or _is_type(part) or label in _UNSAID
        if not unsaid:
            if isinstance(part, bool):
                value: Formula = Word(str(part))
            else:
                value = Number(str(part)) if isinstance(part, int) else _write(part, values)[0]
            found.append(Row((Word(_SHORT.get(label, label)), Sign("="), value)))
    inner = joined(found, ", ") if found else Row(())
    return Row((Word(_CALLED.get(x.head, x.head)), Group("(", inner, ")"))), _ATOM


def _is_type(value: Any) -> bool:
    return isinstance(value, np.dtype | type | backend.device) or type(value).__name__ == "dtype"


_UNSAID = {"device", "keepdim", "keepdims", "out"}  # what the shape of the result tells anyway
_SHORT = {"axis": "dim", "dims": "dim"}
_CALLED = {"log_softmax": "log softmax", "bce_with_logits": "bce", "index_put": "put"}
_WRITERS: dict[str, Any] = {
    "add": _write_sum, "sub": _write_sum, "mul": _write_product, "div": _write_product, "neg": _write_neg,
    "matmul": _write_matmul, "pow": _write_pow, "transpose": _write_transpose, "abs": _write_abs, "and": _write_logic,
    "or": _write_logic, "index": _write_index, PART: _write_part,
    **dict.fromkeys(("copy", "copy_slices", "index_add", "index_assign", "without", "without_region"), _write_edit),
    **dict.fromkeys(COMPARISONS, _write_comparison),
}  # fmt: skip
