"""Formulas that were typed in: read by `ast`, and computed node by node on tensors. Nothing of them is run as code."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from .. import dtypes
from ..creation import tensor
from ..errors import ArgumentError, nearest
from ..tensor import Tensor

MOST_LETTERS = 5000
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.MatMult: operator.matmul,
}  # fmt: skip
_NAMES = "exp log sqrt sin cos tanh sigmoid relu abs sum mean maximum minimum".split()
_FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(Tensor, name) for name in _NAMES}
_OF_TWO = {"maximum", "minimum"}
ALLOWED = f"numbers, names, + - * / ** @, parentheses, and {', '.join(_NAMES)}"


class Expression:
    """A formula with names in it, such as 3*(a + b*c). `.names` are those that want a value; call it to compute.

    Raises ArgumentError, with the column, for what is no formula.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.viz.expression import Expression
    >>> formula = Expression("3*(a + b*c)")
    >>> formula.names
    ('a', 'b', 'c')
    >>> formula(a=tg.tensor(5.0), b=tg.tensor(3.0), c=tg.tensor(2.0))
    tensor(33.)
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if len(self.text) > MOST_LETTERS:
            raise ArgumentError(f"explain: a formula has at most {MOST_LETTERS} letters, this one {len(self.text)}")
        names: dict[str, None] = {}
        try:
            self._tree = self._parsed()
            self._look_at(self._tree, names)
        except (RecursionError, MemoryError):
            raise ArgumentError("explain: this formula is nested too deeply") from None
        self.names = tuple(names)
        if not names:
            raise ArgumentError(f"explain: {self.text!r} has no name in it that a derivative could be taken by")
        if isinstance(self._tree, ast.Name):
            raise ArgumentError(f"explain: {self.text!r} is a name, and nothing is computed from it")

    def _parsed(self) -> ast.expr:
        try:
            return ast.parse(self.text.translate(_SIGNS), mode="eval").body
        except SyntaxError as error:
            column = min(error.offset or 1, len(self.text) + 1)
            raise self._refused(column, "here the formula can't be read") from None
        except ValueError as error:  # a null byte, a number of thousands of digits
            raise ArgumentError(f"explain: this formula can't be read: {error}") from None

    def _look_at(self, node: ast.expr, names: dict[str, None]) -> None:
        """Refuse whatever is not on the list, and note the names."""
        if isinstance(node, ast.Name):
            names[node.id] = None
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            pass
        elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            self._look_at(node.left, names)
            self._look_at(node.right, names)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            self._look_at(node.operand, names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            self._look_at_call(node, node.func.id)
            for argument in node.args:
                self._look_at(argument, names)
        else:
            at = self._operator_column(node.left) if isinstance(node, ast.BinOp) else self._column(node)
            raise self._refused(at, f"{self._written(node)!r} is not allowed")

    def _look_at_call(self, node: ast.Call, name: str) -> None:
        if name not in _FUNCTIONS:
            raise self._refused(self._column(node), f"there is no function {name!r}", nearest(name, _FUNCTIONS))
        wanted = 2 if name in _OF_TWO else 1
        if len(node.args) != wanted or node.keywords:
            raise self._refused(self._column(node), f"{name} takes {wanted} argument(s), {self._written(node)!r} came")

    def _refused(self, column: int, why: str, hint: str = "") -> ArgumentError:
        start = max(0, column - 60)
        shown = self.text[start : column + 40].replace("\n", " ")
        return ArgumentError(
            f"explain: column {column}: {why}.{hint} Allowed: {ALLOWED}.\n  {shown}\n  {'^':>{column - start}}"
        )

    def _column(self, node: ast.expr) -> int:
        return self._letters(node.col_offset) + 1

    def _operator_column(self, left: ast.expr) -> int:
        column = self._letters(left.end_col_offset or 0)
        while self.text[column] in " )":
            column += 1
        return column + 1

    def _letters(self, count: int) -> int:
        """How many letters so many bytes are: ast counts bytes."""
        return len(self.text.translate(_SIGNS).encode()[:count].decode(errors="ignore"))

    def _written(self, node: ast.expr) -> str:
        text = ast.unparse(node)
        return text if len(text) <= 40 else text[:40] + "…"

    # --- computing it

    def __call__(self, **values: Any) -> Any:
        """The value of the formula for values of its names."""
        return self._value(self._tree, values)

    def _value(self, node: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return values[node.id]
        if isinstance(node, ast.Constant):
            return self._number(node, lambda: float(node.value))  # type: ignore[arg-type]
        if isinstance(node, ast.UnaryOp):
            operand = self._value(node.operand, values)
            return -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.Call):
            given = [self._value(argument, values) for argument in node.args]
            as_tensors = [tensor(x, dtype=dtypes.float64) if isinstance(x, float) else x for x in given]
            result = _FUNCTIONS[node.func.id](*as_tensors)  # type: ignore[attr-defined]
            return result if any(isinstance(x, Tensor) for x in given) else self._number(node, result.item)
        left, right = self._value(node.left, values), self._value(node.right, values)
        run = _OPERATORS[type(node.op)]
        if isinstance(left, float) and isinstance(right, float):
            return self._number(node, lambda: run(left, right))
        return run(left, right)

    def _number(self, node: ast.expr, compute: Callable[[], Any]) -> float:
        """A number of the formula itself, which may be too large, or none at all."""
        try:
            found = compute()
        except ZeroDivisionError:
            raise self._refused(self._column(node), f"{self._written(node)!r} divides by 0") from None
        except OverflowError:
            raise self._refused(self._column(node), f"{self._written(node)!r} is too large") from None
        if isinstance(found, complex):
            raise self._refused(self._column(node), f"{self._written(node)!r} is no real number")
        return float(found)


_SIGNS = str.maketrans({"·": "*", "×": "*", "−": "-", "–": "-"})  # as derivations are written


def values_of(settings: list[str], names: tuple[str, ...]) -> dict[str, Tensor]:
    """Leaves for the names of a formula from `a=5`, `w=[1, 2]`, in float64. Raises ArgumentError, which says which.

    >>> from tinygrad_dl.viz.expression import values_of
    >>> {name: value.tolist() for name, value in values_of(["a=5", "w=[1, 2]"], ("w", "a")).items()}
    {'w': [1.0, 2.0], 'a': 5.0}
    """
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise ArgumentError(f"explain: values come as name=value, for example a=5 or w=[1,2], not {setting!r}")
        if name in given:
            raise ArgumentError(f"explain: {name} is given twice")
        if name not in names:
            raise ArgumentError(
                f"explain: the formula has no {name!r}; it has {', '.join(names)}.{nearest(name, names)}"
            )
        given[name] = _number_or_list(name, value.strip())
    missing = [name for name in names if name not in given]
    if missing:
        example = " ".join(f"{name}=1" for name in missing)
        raise ArgumentError(f"explain: {', '.join(missing)} has no value; add for example {example}")
    return {name: given[name] for name in names}


def _number_or_list(name: str, text: str) -> Tensor:
    try:
        value = float(text.translate(_SIGNS))
    except ValueError:
        try:
            value = ast.literal_eval(text.translate(_SIGNS))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            value = None
        if not isinstance(value, list | tuple) or not _is_numeric(value):
            raise ArgumentError(
                f"explain: {name} is a number, or numbers in brackets ([1, 2] or [[1, 2], [3, 4]]), not {text!r}"
            ) from None
    try:
        return tensor(value, dtype=dtypes.float64, requires_grad=True)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"explain: {name}={text}: {error}") from None


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_numeric, value))
    return type(value) in (int, float)
