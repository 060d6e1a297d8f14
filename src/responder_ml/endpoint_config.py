"""The section `endpoint` of a configuration, and what all sections and all names of values in a sheet have in common."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from responder_ml.cohort.behaviour_rule import BehaviourRule
from responder_ml.cohort.nuisance_kind import Kind


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

    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointConfig(Section):
    """The two classes, and the nuisances that could explain them: columns, and for counts the library size.

    A class is a value of the column or a list of values, such as ``positive: [CR, PR]``. A nuisance is a column's name, or name and
    kind where its name and values do not tell it: ``nuisance: [{name: cage, kind: category}, rin]``. Both short forms are kept as
    plain keys: ``positive_values``, ``negative_values`` and ``kinds``.
    """

    column: str
    positive: Word
    negative: Word
    positive_values: tuple[Word, ...] = ()
    negative_values: tuple[Word, ...] = ()
    strata: tuple[str, ...] = ()
    nuisance: tuple[str, ...] = ()
    kinds: dict[str, Kind] = Field(default_factory=dict)
    library_size: bool = True
    rule: BehaviourRule | None = None
    among: Rows = Field(default_factory=dict)
    pairs: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_keys(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        plain = dict(content)
        for name in ("positive", "negative"):
            values = plain.get(name)
            if isinstance(values, (list, tuple)) and values:
                words = [str(value) for value in values]
                plain |= {name: " or ".join(words), f"{name}_values": words}
        nuisance = plain.get("nuisance")
        if isinstance(nuisance, (list, tuple)):
            kinds = dict(plain.get("kinds") or {})
            names = []
            for column in nuisance:
                is_pair = isinstance(column, dict) and set(column) <= {"name", "kind"} and "name" in column
                names.append(str(column["name"]) if is_pair else column)
                if is_pair and column.get("kind") is not None:
                    kinds[names[-1]] = column["kind"]
            plain |= {"nuisance": names, **({"kinds": kinds} if kinds else {})}
        return plain

    @model_validator(mode="after")
    def _kinds_of_nuisances(self) -> Self:
        others = [name for name in self.kinds if name not in self.nuisance]
        if others:
            raise ValueError(f"kinds names {', '.join(others)}, which is not in nuisance")
        return self
