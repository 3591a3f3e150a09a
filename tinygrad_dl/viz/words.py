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
    },
}
LANGUAGES = tuple(_WORDS)


def words_in(language: str | None) -> Mapping[str, str]:
    """The words of a language; of the locale's where none is named, and English where that one is not known."""
    if language is None:
        language = _of_locale()
        return _WORDS.get(language, _WORDS["en"])
    if language not in _WORDS:
        known = ", ".join(map(repr, LANGUAGES))
        raise ArgumentError(f"explain: language is {known}, not {language!r}.{nearest(str(language), LANGUAGES)}")
    return _WORDS[language]


def language_of(words: Mapping[str, str]) -> str:
    """The language that some words belong to."""
    return next(language for language, known in _WORDS.items() if known is words)


def _of_locale() -> str:
    """The language of the user's surroundings, as other programs look for it."""
    settings = [os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    named = next((setting for setting in settings if setting), locale.getlocale()[0] or "en")
    code = named.lower().replace(":", "_").replace(".", "_").split("_")[0]
    return {"turkish": "tr", "english": "en"}.get(code, code)
