"""Words that people write in several ways: which are the same but for case, blanks, punctuation or letters that look alike.

A skeleton is what is left of a word when all of these are taken away, in the sense of Unicode Technical Standard 39 (Unicode
Security Mechanisms). The confusable letters are those of Cyrillic and Greek that look like one Latin letter; other scripts
are left as they are.
"""

import re
import unicodedata
from collections.abc import Iterable

_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјкморстухԁԛԝһ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαειικνορτυχ" + "ıɑɡ‐‑‒–—―−",
    "ABESIJKMHOPCTYXaesijkmopctyxdqwh" + "ABEZHIKMNOPTYXaeiikvoptux" + "iag-------",
)
_NO_VALUES = "na|n/a|n.a.|nan|none|null|nil|missing|unknown|not available|not applicable|not given|not recorded|tbd|?|-|--|.|#n/a"
_NO_VALUE = frozenset(_NO_VALUES.split("|"))
# What YAML reads as true and as false.
_TRUTH = {True: frozenset({"true", "yes", "on"}), False: frozenset({"false", "no", "off"})}
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[^0-9a-z]+(?=\d)")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def skeleton(word: str, zeros: bool = False) -> str:
    """Return a word without case, blanks, punctuation, accents, invisible letters and the script of its letters.

    A sign before a number, separators between digits and other symbols, such as the last letters of ``CD4+`` and ``CD4-``, stay.

    Parameters
    ----------
    word
        As it is written.
    zeros
        Whether zeros before a number go, too, so that ``m01`` is ``m1``.

    Examples
    --------
    >>> skeleton("Non_responder ") == skeleton("non-responder") == skeleton("n\u043en\u200bresponder")
    True
    >>> skeleton("1.0") == skeleton("10"), skeleton("m01", zeros=True)
    (False, 'm1')
    """
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", word).translate(_LATIN)
        if unicodedata.category(letter) not in ("Mn", "Cf", "Cc")
    )
    plain = " ".join(plain.casefold().split())
    plain = _BETWEEN_DIGITS.sub("/", plain)
    letters = [
        letter
        for index, letter in enumerate(plain)
        if letter.isalnum()
        or (letter == "/" and 0 < index < len(plain) - 1 and plain[index - 1].isdigit() and plain[index + 1].isdigit())
        or letter in "+<>=%"
        or (letter == "-" and index in (0, len(plain) - 1))
    ]
    joined = "".join(letters)
    return _LEADING_ZEROS.sub("", joined) if zeros else joined


def is_blank(word: object) -> bool:
    """Tell whether a cell is empty, or holds a word for nothing such as ``NA``."""
    text = "".join(letter for letter in str(word) if unicodedata.category(letter) != "Cf").strip().casefold()
    return word is None or word != word or not text or text in _NO_VALUE


def match_word(word: str, words: Iterable[str]) -> str | None:
    """Return which of ``words`` a word of a configuration means: itself, the same number, or the same answer; None if none.

    YAML reads ``yes`` as true and ``1.0`` as a number, so what the sheet calls ``Yes`` or ``1`` may be meant.

    Examples
    --------
    >>> match_word("True", ["yes", "no"]), match_word("1", ["0.0", "1.0"]), match_word("Yes", ["yes"])
    ('yes', '1.0', None)
    """
    words = list(dict.fromkeys(words))
    if word in words:
        return word
    alike = [other for other in words if _means_the_same(word, other)]
    return alike[0] if len(alike) == 1 else None


def looks_like(word: str, targets: Iterable[str]) -> str:
    """Return the one of ``targets`` that a word equals but for its spelling; empty if there is none, or several."""
    alike = [target for target in dict.fromkeys(targets) if skeleton(target) and skeleton(target) == skeleton(word)]
    return alike[0] if len(alike) == 1 and alike[0] != word else ""


def describe_difference(word: str, target: str) -> str:
    """Return in words what tells two spellings apart."""
    if word.casefold() == target.casefold():
        return "case"
    invisible = any(unicodedata.category(letter) == "Cf" for letter in word + target)
    if not invisible and _ascii_letters(word) == _ascii_letters(target):
        return "case, blanks or punctuation"
    return "letters that look alike or cannot be seen"


def show(word: str) -> str:
    r"""Return a word with what cannot be seen written out, such as ``PFC\u200b``, and foreign letters that look Latin named."""
    visible = "".join(
        letter if letter.isprintable() and unicodedata.category(letter) != "Cf" else f"\\u{ord(letter):04x}"
        for letter in word
    )
    foreign = sorted({letter for letter in word if ord(letter) > 127 and chr(ord(letter)).translate(_LATIN) != letter})
    has_latin = any(letter.isascii() and letter.isalpha() for letter in word)
    return f"{visible} (with U+{ord(foreign[0]):04X})" if foreign and has_latin else visible


def _means_the_same(word: str, other: str) -> bool:
    number = read_number(word)
    if number is not None and number == read_number(other):
        return True
    return word in ("True", "False") and other.strip().casefold() in _TRUTH[word == "True"]


def read_number(word: str) -> float | None:
    """Return the number that a word is, in plain digits; None if it is none."""
    return float(word) if re.fullmatch(r"\s*[-+]?\d+(?:\.\d*)?\s*", word) else None


def _ascii_letters(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
