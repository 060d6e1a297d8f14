"""A recipe: how the words of one series become canonical columns, and which of its files holds the expression.

Recipes are YAML, checked when read; unknown keys are refused. The program's own are in ``cohort/recipes``, named after their
series.
"""

import hashlib
import re
import signal
import threading
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from responder_ml.errors import FetchError
from responder_ml.plain_yaml import read_yaml_text

_MATCH_SECONDS = 3.0
_SEPARATORS = re.compile(r"[\s,_\-]+")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Form(_Section):
    """One way in which samples are described: a pattern over a text, or a column for each characteristic.

    ``pattern`` must match the whole of ``field`` (upper and lower case alike); its named groups are columns. ``columns`` are
    canonical name: name of a property or characteristic, all of which a sample must have.
    """

    field: str = "title"
    pattern: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None and not _compiled(pattern).groupindex:
            raise ValueError("the pattern has no named group such as (?P<region>...)")
        return pattern

    @model_validator(mode="after")
    def _one_way(self) -> "Form":
        if (self.pattern is None) == (not self.columns):
            raise ValueError("give either `pattern` or `columns`")
        return self


class ExpressionPart(_Section):
    """The file that holds the expression: its source, a pattern for its name, its units, its digest if known."""

    source: Literal["auto", "ncbi", "supplementary", "matrix"] = "auto"
    file: str | None = None
    units: Literal["counts", "log2", "tpm"] | None = None
    sha256: str | None = Field(None, pattern=r"^[0-9a-fA-F]{64}$")

    @field_validator("file")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            _compiled(pattern)
        return pattern


class Recipe(_Section):
    """How to read one series.

    Attributes
    ----------
    series
        Its accession.
    about
        A description.
    expression
        The file that holds it.
    forms
        Tried in order for each sample; without any, every characteristic becomes a column.
    words
        Column: canonical word: the series' words for it. A column with words accepts no others; an empty canonical word
        means that the column does not apply.
    fixed
        Columns with one value for all samples.
    subject
        Column that names the animal, donor or patient; ``unknown`` where the series does not say, which is
        recorded and warned about.
    samples
        How many there should be.
    notes
        What a user of the files must know.
    """

    series: str = Field(pattern=r"^GSE[1-9]\d*$")
    about: str = ""
    expression: ExpressionPart = ExpressionPart()
    forms: tuple[Form, ...] = ()
    words: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    fixed: dict[str, str] = Field(default_factory=dict)
    subject: str = "unknown"
    samples: int | None = Field(None, ge=1)
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _words_are_unique(self) -> "Recipe":
        for column, words in self.words.items():
            canonical_of: dict[str, str] = {}
            for canonical, spellings in words.items():
                for spelling in (canonical, *spellings):
                    if canonical_of.setdefault(plain(spelling), canonical) != canonical:
                        raise ValueError(f"in words.{column}, '{spelling}' means two things")
        return self


def plain(word: str) -> str:
    """Return a word without differences of case and of the separators between its parts (blank, comma, hyphen, underscore)."""
    return _SEPARATORS.sub(" ", word).strip().casefold()


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from a file.

    Raises
    ------
    FetchError
        The file cannot be read, or is not a recipe; all errors are reported at once.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as problem:
        raise FetchError(f"The recipe {path} cannot be read: {problem}. Give the path of a YAML file.") from problem


def find_recipe(series: str) -> Recipe:
    """Return the program's recipe for a series, or one that takes the characteristics as they are."""
    file = files("responder_ml").joinpath("cohort", "recipes", f"{series.lower()}.yaml")
    if file.is_file():
        return _parsed(file.read_text(encoding="utf-8"), file.name)
    return Recipe(series=series)


def recipe_digest(recipe: Recipe) -> str:
    """Return the SHA-256 of a recipe's content."""
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()


def _parsed(text: str, source: str) -> Recipe:
    try:
        content = read_yaml_text(text)
        if not isinstance(content, dict):
            raise FetchError(f"{source} holds no keys. A recipe needs at least `series`.")
        return Recipe.model_validate(content)
    except yaml.YAMLError as problem:
        raise FetchError(f"{source} could not be read as YAML: {problem}") from problem
    except ValidationError as problem:
        errors = "\n".join(f"  - {'.'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors())
        raise FetchError(
            f"{source} is not a recipe:\n{errors}\nKnown keys: {', '.join(Recipe.model_fields)}."
        ) from problem


def full_match(pattern: str, text: str) -> re.Match[str] | None:
    """Return the match of a recipe's pattern with the whole of a text, upper and lower case alike.

    A pattern such as ``(a+)+b`` takes longer than the age of the universe on some texts; it is given up after a few seconds, where
    that can be told, which is in the main thread and not on Windows.

    Raises
    ------
    FetchError
        The pattern takes too long.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return re.fullmatch(pattern, text, re.IGNORECASE)

    def give_up(signal_number: int, frame: object) -> None:
        raise FetchError(
            f"The pattern {pattern[:100]!r} of the recipe takes more than {_MATCH_SECONDS:g} s on {text[:60]!r}. Write it without "
            "a repetition within a repetition."
        )

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, _MATCH_SECONDS)
    try:
        return re.fullmatch(pattern, text, re.IGNORECASE)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as problem:
        raise ValueError(f"not a regular expression: {problem}") from problem
