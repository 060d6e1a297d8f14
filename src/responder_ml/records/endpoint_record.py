"""The question of a run, as ``result.json`` holds it."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.nuisance_kind import Kind
from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.evaluation.conditional import counts_as_nuisance
from responder_ml.records.numbers import RowFilter


class EndpointRecord(BaseModel):
    """The question."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    column: str
    positive: str
    negative: str
    strata: list[str] = []
    nuisance: list[str] = []
    kinds: dict[str, Kind] = {}
    """What each nuisance column means, a category or a measurement; empty in results of versions that did not say."""
    positive_values: list[str] = []
    negative_values: list[str] = []
    """Values that a class of several consists of; empty where its name is its one value."""
    library_size: bool = False
    """Whether the library size was a nuisance beside these columns."""
    where: RowFilter = {}
    """Rows that were used."""
    among: RowFilter = {}
    """Rows that the two classes were taken from; the others served as references."""
    pairs: str | None = None
    """Column of matched pairs, within which labels were exchanged and expression compared."""
    block: str | None = None
    """Column of blocks, which every fold keeps together."""
    block_is_unit: bool = False
    """Whether each block holds one class, so that blocks stand for subjects everywhere."""
    adjust: list[str] = []
    """Covariates held constant within every fold; features are what they leave."""
    units: str
    taken: TissueTaken = "unknown"
    """Whether tissue was taken before or after the outcome was known."""

    @classmethod
    def of(cls, labelled: LabelledCohort, where: RowFilter, taken: TissueTaken) -> Self:
        """Describe the endpoint of a labelled cohort, the rows it used, and when tissue was taken."""
        endpoint = labelled.endpoint
        return cls(
            column=endpoint.column,
            positive=endpoint.positive,
            negative=endpoint.negative,
            strata=list(endpoint.strata),
            nuisance=list(endpoint.nuisance),
            kinds=dict(endpoint.kinds),
            positive_values=list(endpoint.positive_values),
            negative_values=list(endpoint.negative_values),
            library_size=counts_as_nuisance(labelled),
            where=where,
            among={
                column: values if isinstance(values, str) else list(values) for column, values in endpoint.among.items()
            },
            units=str(labelled.cohort.uns["units"]),
            pairs=endpoint.pairs,
            block=endpoint.block,
            block_is_unit=labelled.blocks is not None and labelled.blocks.is_unit,
            adjust=list(endpoint.adjust),
            taken=taken,
        )

    @property
    def nuisances(self) -> list[str]:
        """Everything that must not explain the result, in words."""
        return [*self.nuisance, *(["library size"] if self.library_size else [])]
