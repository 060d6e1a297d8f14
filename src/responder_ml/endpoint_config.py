"""The section `endpoint` of a configuration, and what all sections and all names of values in a sheet have in common."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from responder_ml.cohort.behaviour_rule import BehaviourRule
from responder_ml.cohort.nuisance_kind import Kind
from responder_ml.errors import ConfigError


def _as_word(value: object) -> object:
    """Return a number, a truth value or a date of YAML as the word that stands for it in a sheet."""
    return str(value) if isinstance(value, (bool, int, float, date)) else value


Word = Annotated[str, BeforeValidator(_as_word)]
"""A cell of the sheet; YAML may read it as a number, or yes and no as true and false, and the sheet's word is meant."""
Rows = dict[str, Word | list[Word]]
"""Values of columns of the sheet, by which rows are chosen."""


class Section(BaseModel):
    """Part of a configuration: unknown keys are refused, values do not change.

    ``removed`` are keys of earlier versions, with what to write instead.
    """

    removed: ClassVar[Mapping[str, str]] = {}

    # The text under a key is its description in the reference of the configuration and in the schema that editors complete from.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ReliabilityConfig(Section):
    """How far the measurement behind the classes comes out again when the same subjects are measured again."""

    value: float = Field(gt=0, le=1)
    """Correlation of two measurements of the same subjects, above 0 and at most 1."""
    source: str | None = None
    """Where the number comes from, such as ``retest of 20 mice after a week``."""

    @model_validator(mode="before")
    @classmethod
    def _number_alone(cls, value: object) -> object:
        return {"value": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class EndpointConfig(Section):
    """The classes or the graded outcome, and the nuisances that could explain them: columns, and for counts the library size.

    A class is a value of the column or a list of values, such as ``positive: [CR, PR]``. A nuisance is a column's name, or name and
    kind where its name and values do not tell it: ``nuisance: [{name: cage, kind: category}, rin]``. Both short forms are kept as
    plain keys: ``positive_values``, ``negative_values`` and ``kinds``.
    """

    column: str
    """Column of the sample sheet that holds the classes, the numbers they are cut from, or the graded outcome."""
    kind: Literal["two_classes", "classes", "score"] = "two_classes"
    """``two_classes``, positive and negative; ``classes``: three or more, compared two by two; or ``score``: a graded outcome such
    as a social interaction ratio, whose order is predicted."""
    positive: Word = ""
    """Value of the positive class, such as responder, or a list of values; probabilities are of this class."""
    negative: Word = ""
    """Value or values of the negative class; rows with any other value are left out."""
    classes: tuple[Word, ...] = ()
    """With ``kind: classes`` the classes, each a value of the column, such as ``[control, resilient, susceptible]``."""
    positive_values: tuple[Word, ...] = ()
    """Values of the positive class where they are several; written by the program."""
    negative_values: tuple[Word, ...] = ()
    """Values of the negative class where they are several; written by the program."""
    strata: tuple[str, ...] = ()
    """Columns within which labels are permuted and folds balanced, such as drug."""
    nuisance: tuple[str, ...] = ()
    """Columns that must not explain the result, such as batch, cage, age or RIN."""
    block: str | None = None
    """Column of blocks, such as cage or litter: folds keep their subjects together, and labels are exchanged within blocks of both
    classes, or between whole blocks where each holds one class; graded outcomes are exchanged within blocks."""
    adjust: tuple[str, ...] = ()
    """Covariates held constant, such as ``[sex, age, rin]``: learnt from training rows, within every fold, and needed again when
    new samples are scored. ``composition`` stands for the markers of cell types. They count among the nuisances."""
    kinds: dict[str, Kind] = Field(default_factory=dict)
    """Kind of a nuisance or covariate where its name and values do not tell it, such as ``{cage: category}``."""
    library_size: bool = True
    """Whether, for counts, the library size (reads per sample) is a nuisance beside these columns."""
    rule: BehaviourRule | None = None
    """Makes the two classes from a column of numbers; none if not given."""
    reliability: ReliabilityConfig | None = None
    """Reliability of the measurement that the classes were cut from, a number or ``{value: 0.8, source: where it comes from}``: the
    report then has the highest AUROC that such labels allow."""
    among: Rows = Field(default_factory=dict)
    """Rows that belong to the endpoint, as ``where``; the others stay in the cohort, where builders find reference groups."""
    pairs: str | None = None
    """Column of matched pairs of one subject of either class, such as litter; ``subject`` where one subject has samples of both."""

    @model_validator(mode="before")
    @classmethod
    def _plain_keys(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        plain = dict(content)
        if plain.get("classes"):
            plain.setdefault("kind", "classes")
        for name in ("positive", "negative"):
            values = plain.get(name)
            if isinstance(values, (list, tuple)) and values:
                words = [str(value) for value in values]
                plain |= {name: " or ".join(words), f"{name}_values": words}
        for key in ("nuisance", "adjust"):
            columns = plain.get(key)
            if not isinstance(columns, (list, tuple)):
                continue
            kinds = dict(plain.get("kinds") or {})
            names = []
            for column in columns:
                is_pair = isinstance(column, dict) and set(column) <= {"name", "kind"} and "name" in column
                names.append(str(column["name"]) if is_pair else column)
                if is_pair and column.get("kind") is not None:
                    kinds[names[-1]] = column["kind"]
            plain |= {key: names, **({"kinds": kinds} if kinds else {})}
        return plain

    @model_validator(mode="after")
    def _classes_of_kind(self) -> Self:
        pair, several = bool(self.positive) and bool(self.negative), len(set(self.classes))
        if self.kind == "two_classes":
            if not pair:
                raise ValueError("positive and negative, the values of the two classes, are both needed")
            if self.classes:
                raise ValueError("classes belong to `kind: classes`; two classes are positive and negative")
            return self
        if self.kind == "score":
            return self._check_score()
        if self.positive or self.negative:
            raise ValueError("with `kind: classes` write all of them in classes, and neither positive nor negative")
        if several < 3 or several < len(self.classes):
            raise ValueError(
                f"`kind: classes` needs three or more different classes, but has {', '.join(self.classes) or 'none'}"
            )
        if any(key is not None for key in (self.rule, self.pairs, self.block, self.reliability)):
            raise ValueError("`kind: classes` goes with none of rule, pairs, block and reliability; remove it")
        return self

    def _check_score(self) -> Self:
        if self.positive or self.negative or self.classes:
            raise ValueError("`kind: score` predicts the numbers of the column; remove positive, negative and classes")
        if self.rule is not None:
            raise ValueError(
                "a rule cuts numbers into two classes, and `kind: score` predicts the numbers as they are; remove rule, or remove "
                "`kind: score` and name positive and negative"
            )
        if self.pairs is not None:
            raise ValueError(
                "a matched pair is one subject of either class, and `kind: score` has no classes; remove pairs, or write "
                "`block` in its place: members of one stay together, and their outcomes are exchanged"
            )
        return self

    def require_two_classes(self, purpose: str = "") -> None:
        """Refuse an endpoint of another kind, for all that is made for two classes.

        Parameters
        ----------
        purpose
            What the two classes are for, as the message begins, such as ``A test of gene sets``; nothing by default.

        Raises
        ------
        ConfigError
            With what to do.
        """
        needs = f"{purpose} needs two classes. " if purpose else ""
        if self.kind == "classes":
            raise ConfigError(
                f"{needs}endpoint.classes names several classes, which `check`, `train`, `score`, `report` and `track` know, and "
                "nothing else. Name two: endpoint.positive and endpoint.negative."
            )
        if self.kind == "score":
            raise ConfigError(
                f"{needs}A graded outcome (endpoint.kind: score) is for `check`, `train`, `score`, `report`, `compare` and `track` "
                "only. Whatever else trains needs two classes, endpoint.positive and endpoint.negative, which endpoint.rule can "
                "cut from the same column."
            )

    def of_two(self, positive: str, negative: str) -> Self:
        """Return the endpoint of two of the classes."""
        return self.model_copy(
            update={"kind": "two_classes", "classes": (), "positive": positive, "negative": negative}
        )

    @model_validator(mode="after")
    def _kinds_of_nuisances(self) -> Self:
        others = [name for name in self.kinds if name not in (*self.nuisance, *self.adjust)]
        if others:
            raise ValueError(f"kinds names {', '.join(others)}, which is not in nuisance or adjust")
        if self.block is not None and self.pairs is not None:
            raise ValueError("block and pairs exclude each other: a pair is a block of two; remove one of them")
        if self.adjust and self.pairs is not None:
            raise ValueError(
                "adjust and pairs exclude each other: a pair is compared with its own mean, which holds constant what its members "
                "share; remove one of them"
            )
        twice = sorted({name for name in self.adjust if self.adjust.count(name) > 1})
        if twice:
            raise ValueError(f"adjust names {', '.join(twice)} twice")
        return self
