"""Formulas: what stands in a derivation, written as text, in ASCII, LaTeX or MathML.

A formula is a tree of names, numbers, signs and what holds them together. Names come from the user's program; whatever
they are, they come out as text.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


class Formula:
    """A piece of a formula; each kind writes itself. With `shapes`, names of arrays stand with their shapes."""

    def text(self, shapes: bool = False) -> str:
        """As one line of Unicode."""
        raise NotImplementedError

    def latex(self, shapes: bool = False) -> str:
        """As LaTeX, to stand between dollars; needs amsmath."""
        raise NotImplementedError

    def mathml(self, shapes: bool = False) -> str:
        """As elements of MathML, to stand within `<math>`."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class Name(Formula):
    """A variable of the program, or what the derivation calls a result, perhaps with its shape."""

    name: str
    shape: tuple[int, ...] = ()

    def text(self, shapes: bool = False) -> str:
        return self.name + (f"₍{'ₓ'.join(map(str, self.shape)).translate(_LOWERED)}₎" if shapes and self.shape else "")

    def latex(self, shapes: bool = False) -> str:
        body = _latex_name(self.name)
        sizes = r" \times ".join(map(str, self.shape))
        return rf"\underset{{{sizes}}}{{{body}}}" if shapes and self.shape else body

    def mathml(self, shapes: bool = False) -> str:
        body = _mathml_name(self.name)
        under = f'<mtext class="shape">{"×".join(map(str, self.shape))}</mtext>'
        return f"<munder>{body}{under}</munder>" if shapes and self.shape else body


@dataclass(frozen=True)
class Number(Formula):
    """A number without its sign, as it is to be read."""

    digits: str

    def text(self, shapes: bool = False) -> str:
        return self.digits

    def latex(self, shapes: bool = False) -> str:
        mantissa, e, exponent = self.digits.partition("e")
        if not e:
            return {"inf": r"\infty", "nan": r"\mathrm{nan}"}.get(self.digits, self.digits)
        return rf"{mantissa} \cdot 10^{{{int(exponent.replace('−', '-'))}}}"

    def mathml(self, shapes: bool = False) -> str:
        mantissa, e, exponent = self.digits.partition("e")
        if not e:
            return f"<mn>{self.digits.replace('inf', '∞')}</mn>"
        power = str(int(exponent.replace("−", "-"))).replace("-", "−")
        return f"<mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup>"


@dataclass(frozen=True)
class Sign(Formula):
    """An operator, a comma, a bracket: with the spaces that it has in a line of text."""

    sign: str

    def text(self, shapes: bool = False) -> str:
        return self.sign

    def latex(self, shapes: bool = False) -> str:
        return _LATEX_SIGNS.get(self.sign.strip(), rf"\text{{{latex_text(self.sign)}}}")

    def mathml(self, shapes: bool = False) -> str:
        if not self.sign.strip():
            return '<mspace width="0.25em"/>'
        return f"<mo>{html.escape(self.sign.strip())}</mo>"


@dataclass(frozen=True)
class Word(Formula):
    """The name of a function or an option, or a word: upright."""

    word: str

    def text(self, shapes: bool = False) -> str:
        return self.word

    def latex(self, shapes: bool = False) -> str:
        return rf"\operatorname{{{self.word}}}" if self.word.isalpha() and self.word.isascii() else _upright(self.word)

    def mathml(self, shapes: bool = False) -> str:
        return f"<mtext>{html.escape(self.word)}</mtext>"


@dataclass(frozen=True)
class Row(Formula):
    """Pieces side by side."""

    parts: tuple[Formula, ...]

    def text(self, shapes: bool = False) -> str:
        return "".join(part.text(shapes) for part in self.parts)

    def latex(self, shapes: bool = False) -> str:
        return " ".join(part.latex(shapes) for part in self.parts)

    def mathml(self, shapes: bool = False) -> str:
        return f"<mrow>{''.join(part.mathml(shapes) for part in self.parts)}</mrow>"


@dataclass(frozen=True)
class Group(Formula):
    """Something in parentheses, brackets or bars."""

    left: str
    inner: Formula
    right: str

    def text(self, shapes: bool = False) -> str:
        return self.left + self.inner.text(shapes) + self.right

    def latex(self, shapes: bool = False) -> str:
        return rf"\left{self.left} {self.inner.latex(shapes)} \right{self.right}"

    def mathml(self, shapes: bool = False) -> str:
        return f"<mrow><mo>{self.left}</mo>{self.inner.mathml(shapes)}<mo>{self.right}</mo></mrow>"


@dataclass(frozen=True)
class Raised(Formula):
    """A base with something raised: a power, a transpose, the number of one of several paths."""

    base: Formula
    exponent: Formula
    mark: str  # what stands behind the base in a line of text

    def text(self, shapes: bool = False) -> str:
        return self.base.text(shapes) + self.mark

    def latex(self, shapes: bool = False) -> str:
        return f"{{{self.base.latex(shapes)}}}^{{{self.exponent.latex(shapes)}}}"

    def mathml(self, shapes: bool = False) -> str:
        return f"<msup><mrow>{self.base.mathml(shapes)}</mrow><mrow>{self.exponent.mathml(shapes)}</mrow></msup>"


@dataclass(frozen=True)
class Quotient(Formula):
    """One thing over another; in a line of text with a stroke, and the parentheses that it needs."""

    above: Formula
    below: Formula

    def text(self, shapes: bool = False) -> str:
        return f"{self.above.text(shapes)}/{self.below.text(shapes)}"

    def latex(self, shapes: bool = False) -> str:
        return rf"\frac{{{_bare(self.above).latex(shapes)}}}{{{_bare(self.below).latex(shapes)}}}"

    def mathml(self, shapes: bool = False) -> str:
        above, below = (_bare(part).mathml(shapes) for part in (self.above, self.below))
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"


@dataclass(frozen=True)
class Differential(Formula):
    """dZ: the gradient of the loss at Z, as networks write it; ∂a, where a result depends on a in other ways too."""

    of: Formula
    partial: bool = False

    def text(self, shapes: bool = False) -> str:
        return ("∂" if self.partial else "d") + self.of.text(shapes)

    def latex(self, shapes: bool = False) -> str:
        return (r"\partial " if self.partial else "d ") + self.of.latex(shapes)

    def mathml(self, shapes: bool = False) -> str:
        return f"<mrow><mi>{'∂' if self.partial else 'd'}</mi>{self.of.mathml(shapes)}</mrow>"


@dataclass(frozen=True)
class Barred(Formula):
    """v̄: the gradient of the loss at v, as some books write it."""

    of: Formula

    def text(self, shapes: bool = False) -> str:
        return self.of.text(shapes) + BAR

    def latex(self, shapes: bool = False) -> str:
        return rf"\overline{{{self.of.latex(shapes)}}}"

    def mathml(self, shapes: bool = False) -> str:
        return f'<mover accent="true"><mrow>{self.of.mathml(shapes)}</mrow><mo>¯</mo></mover>'


BAR = "\u0304"  # stands above the letter before it


def row(*parts: Formula) -> Formula:
    """Pieces side by side; one piece is itself."""
    return parts[0] if len(parts) == 1 else Row(parts)


def derivative(of: Formula, by: Formula, partial: bool = False) -> Formula:
    """dJ/db, or ∂J/∂b."""
    return Quotient(Differential(of, partial), Differential(by, partial))


def joined(parts: list[Formula], sign: str) -> Formula:
    """Pieces with a sign between them."""
    found: list[Formula] = []
    for part in parts:
        found += [Sign(sign), part] if found else [part]
    return row(*found)


def added(terms: list[Formula]) -> Formula:
    """Terms as a sum; a negative one is subtracted."""
    parts = [terms[0]]
    for term in terms[1:]:
        positive = without_minus(term)
        parts += [Sign(" + "), term] if positive is None else [Sign(" − "), positive]
    return row(*parts)


def without_minus(formula: Formula) -> Formula | None:
    """A formula without the minus that it begins with; None when it begins otherwise."""
    if isinstance(formula, Quotient):
        above = without_minus(formula.above)
        return None if above is None else Quotient(above, formula.below)
    if not isinstance(formula, Row):
        return None
    if formula.parts[0] == Sign("−"):
        return row(*formula.parts[1:])
    first = without_minus(formula.parts[0])
    return None if first is None else row(first, *formula.parts[1:])


def _bare(formula: Formula) -> Formula:
    """What stands above or below a stroke needs no parentheses."""
    return formula.inner if isinstance(formula, Group) and formula.left == "(" else formula


# --- names


_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_FROM_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_PARTS = re.compile(r"([^\W\d_]|[α-ωΑ-Ω])(_hat)?_?(\d*)([₀-₉]*)(?:\[(\d+)\])?")  # one letter and what hangs on it


def _parts_of(name: str) -> tuple[str, bool, str, str] | None:
    """(letter, hat, number below, layer) of a name as the notes make them: W1, u₂, Z[2], y_hat; None of others."""
    found = _PARTS.fullmatch(name)
    if found is None:
        return None
    letter, hat, number, lowered, layer = found.groups()
    return letter, bool(hat), number or lowered.translate(_FROM_LOWERED), layer or ""


def _latex_name(name: str) -> str:
    parts = _parts_of(name)
    if parts is None:
        return _upright(name)
    letter, hat, number, layer = parts
    body = letter if letter.isascii() else _GREEK.get(letter, _upright(letter))
    body = rf"\hat{{{body}}}" if hat else body
    return body + (f"_{{{number}}}" if number else "") + (f"^{{[{layer}]}}" if layer else "")


def _mathml_name(name: str) -> str:
    parts = _parts_of(name)
    if parts is None:
        return f"<mi>{html.escape(name)}</mi>"
    letter, hat, number, layer = parts
    body = f"<mi>{letter}</mi>"
    if hat:
        body = f'<mover accent="true">{body}<mo>^</mo></mover>'
    below, above = f"<mn>{number}</mn>", f"<mrow><mo>[</mo><mn>{layer}</mn><mo>]</mo></mrow>"
    if number and layer:
        return f"<msubsup>{body}{below}{above}</msubsup>"
    return f"<msub>{body}{below}</msub>" if number else f"<msup>{body}{above}</msup>" if layer else body


_GREEK = {
    letter: "\\" + unicodedata.name(letter).split()[-1].lower()
    for letter in "αβγδεζηθικλμνξπρστυφχψω"
}  # fmt: skip


def _upright(text: str) -> str:
    """A name of several letters; one that math mode can't hold stands as text within it."""
    plain = re.fullmatch(r"[A-Za-z0-9_.\[\]]+", text)
    return rf"\mathtt{{{latex_text(text)}}}" if plain else rf"\text{{{latex_text(text)}}}"


def latex_text(text: str) -> str:
    """Text within LaTeX, whatever stands in it."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "\n": " ", "`": r"\textasciigrave{}", "−": r"\ensuremath{-}", "±": r"\ensuremath{\pm}",
}  # fmt: skip
_LATEX_SIGNS = {
    "": r"\,", "·": r"\cdot", "−": "-", "+": "+", "=": "=", "≠": r"\neq", "<": "<", "≤": r"\leq", ">": ">",
    "≥": r"\geq", ",": ",", "[": "[", "]": "]", "(": "(", ")": ")", ":": ":", "+=": r"\mathrel{+}=", "...": r"\dots",
    "^": r"\wedge", "→": r"\to", "←": r"\leftarrow", "⊤": r"\top", "/": "/",
}  # fmt: skip


# --- plain ASCII


_ASCII = {
    "·": "*", "−": "-", "ᵀ": ".T", "≠": "!=", "≤": "<=", "≥": ">=", "…": "...", "⁽": "(", "⁾": ")", BAR: "_bar",
    "→": "->", "←": "<-", "₍": "_(", "₎": ")", "ₓ": "x", "±": "+-", "√": "sqrt", "′": "'",
    "∂": "d", "Σ": "sum", "ı": "i",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))


def ascii_of(text: str) -> str:
    """A line of a derivation in ASCII: `3·c` as `3*c`, `e²` as `e^2`, `Wᵀ` as `W.T`, `α` as `alpha`."""
    return "".join(_ascii_letters(text))


def _ascii_letters(text: str) -> Iterator[str]:
    before = ""
    for letter in text:
        if letter in _RAISED:
            yield ("" if before in _RAISED or before == "⁽" else "^") + _RAISED[letter]
        elif letter in _ASCII:
            yield _ASCII[letter]
        elif letter.isascii():
            yield letter
        else:
            yield _spelled(letter)
        before = letter


def _spelled(letter: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if part.isascii())
    name = unicodedata.name(letter, "")
    if plain:
        return plain
    return name.split()[-1].lower() if name.startswith("GREEK") else f"\\u{ord(letter):04x}"
