"""The words of derivations in the languages that they are written in."""

import locale
import os
from collections.abc import Mapping

from ..errors import ArgumentError, nearest

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "Forward": "Forward",
        "Backward": "Backward",
        "Paths": "Chain rule, path by path",
        "path": "path {number}",
        "per example": "(of each example's loss; 1/{count} comes in with the leaves, as in the notes)",
        "of the mean": "(of {root}, a mean over {count}; per_example=True: of each example's loss)",
        "summary": "{low} … {high}, mean {mean}",
        "bumped": "bumped by {bump}: {root} = {value}, slope {slope}",
        "bumped entries": "each entry bumped by ±{bump}: slopes differ by at most {difference}",
        "bumped some": "{count} of {total} entries bumped by ±{bump}: slopes differ by at most {difference}",
        "right": "right",
        "about right": "right, to {difference}",
        "wrong": "wrong: {why}",
        "unknown": "differs by up to {difference}, and by none of the usual slips",
        "shape": "shape {came} came, {wanted} belongs there",
        "nothing": "no gradient goes there: it does not require grad, or does not lead to the loss",
        "transposed": "transposed",
        "keepdims": "shape {came} came, {wanted} belongs there: keepdims=True in the sum, or reshape",
        "sum missing": "a sum is missing: what broadcasting repeated is summed over {dims}, to shape {wanted}",
        "summed too far": "summed over too much: shape {came} came, {wanted} belongs there",
        "sign": "the sign is wrong",
        "m too large": "{factor} times too large: divide by m = {factor}, the loss is a mean",
        "m too small": "{factor} times too small: 1/m has come in once too often (m = {factor})",
        "m or two too large": "twice too large: 1/m is missing (m = 2, the loss is a mean), or a 2 or ½ is too many",
        "m or two too small": "half of what it should be: 1/m is in it twice (m = 2), or a factor 2 is missing",
        "two too large": "twice too large: a factor 2 (of a square, or a ½) has come in once too often",
        "two too small": "half of what it should be: a factor 2 (of a square) is missing, or a ½ is too many",
        "times": "{factor} times what it should be",
        "activation missing": "the derivative of {function} is missing, on the way through {result}",
        "other activation": "the derivative of {other} stands where that of {function} belongs, at {result}",
        "wrong array": "{wrong} stands where {right} belongs",
        "path missing": "a path is missing: {name} is used in several places, and what comes from each is summed",
        "and": "; and ",
        "untraced": "(make the loss inside `with viz.trace():`, and more slips are looked for)",
    },
    "tr": {
        "Forward": "İleri geçiş",
        "Backward": "Geri yayılım",
        "Paths": "Zincir kuralı, yol yol",
        "path": "{number}. yol",
        "per example": "(her örneğin kaybına göre; 1/{count} çarpanı, notlardaki gibi, yapraklarda gelir)",
        "of the mean": "({root} için: {count} örneğin ortalaması; per_example=True: her örneğin kaybı için)",
        "summary": "{low} … {high}, ortalama {mean}",
        "bumped": "{bump} artırılınca: {root} = {value}, eğim {slope}",
        "bumped entries": "her öğe ±{bump} değiştirilince: eğimler en çok {difference} farklı",
        "bumped some": "{total} öğeden {count} tanesi ±{bump} değiştirilince: eğimler en çok {difference} farklı",
        "right": "doğru",
        "about right": "doğru, fark {difference}",
        "wrong": "yanlış: {why}",
        "unknown": "en çok {difference} farklı, bilinen hatalardan hiçbirine uymuyor",
        "shape": "{came} biçiminde geldi, {wanted} olmalı",
        "nothing": "buraya gradyan gelmez: requires_grad değil ya da kayba giden yolda değil",
        "transposed": "transpozu alınmış",
        "keepdims": "{came} biçiminde geldi, {wanted} olmalı: toplamda keepdims=True ya da reshape",
        "sum missing": "toplam eksik: yaymanın (broadcasting) çoğalttığı {dims} boyunca toplanır, biçim {wanted}",
        "summed too far": "fazla toplanmış: {came} biçiminde geldi, {wanted} olmalı",
        "sign": "işareti yanlış",
        "m too large": "{factor} kat büyük: m'ye bölün (m = {factor}), kayıp bir ortalamadır",
        "m too small": "{factor} kat küçük: 1/m bir kez fazla gelmiş (m = {factor})",
        "m or two too large": "iki kat büyük: 1/m eksik (m = 2, kayıp bir ortalamadır) ya da 2 çarpanı fazla",
        "m or two too small": "olması gerekenin yarısı: 1/m iki kez gelmiş (m = 2) ya da 2 çarpanı eksik",
        "two too large": "iki kat büyük: (karenin ya da ½'nin) 2 çarpanı bir kez fazla gelmiş",
        "two too small": "olması gerekenin yarısı: (karenin) 2 çarpanı eksik ya da bir ½ fazla",
        "times": "olması gerekenin {factor} katı",
        "activation missing": "{function} türevi eksik, {result} üzerinden geçen yolda",
        "other activation": "{result} için {function} türevi yerine {other} türevi kullanılmış",
        "wrong array": "{right} yerine {wrong} kullanılmış",
        "path missing": "bir yol eksik: {name} birkaç yerde kullanılıyor, hepsinden gelenler toplanır",
        "and": "; ayrıca ",
        "untraced": "(kaybı `with viz.trace():` içinde hesaplayın, o zaman daha çok hata türü aranır)",
    },
}
LANGUAGES = tuple(_WORDS)


def language_in(language: str | None, operation: str) -> str:
    """A language: the locale's where none is named, and English where that one is not known."""
    if language is None:
        language = _of_locale()
        return language if language in _WORDS else "en"
    if language not in _WORDS:
        known = ", ".join(map(repr, LANGUAGES))
        raise ArgumentError(f"{operation}: language is {known}, not {language!r}.{nearest(str(language), LANGUAGES)}")
    return language


def words_in(language: str | None, operation: str = "explain") -> Mapping[str, str]:
    """The words of a language."""
    return _WORDS[language_in(language, operation)]


def language_of(words: Mapping[str, str]) -> str:
    """The language that some words belong to."""
    return next(language for language, known in _WORDS.items() if known is words)


def _of_locale() -> str:
    """The language of the user's surroundings, as other programs look for it."""
    settings = [os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    named = next((setting for setting in settings if setting), locale.getlocale()[0] or "en")
    code = named.lower().replace(":", "_").replace(".", "_").split("_")[0]
    return {"turkish": "tr", "english": "en"}.get(code, code)
