"""Read the folder that `claims` writes."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from responder_ml.errors import RunError, door
from responder_ml.records.folder import Number, Part
from responder_ml.records.ownership import damaged_files

RECORD = "claims.json"
"""Name of the answer; a folder that has one is complete."""
_NEWEST = 1


class ClaimLine(Part):
    """One line of the table of claims, as far as other commands read it."""

    claim: str
    region: str
    drug: str
    arm: str
    statistic: str
    headline: bool
    observed: Number
    expected_no_effect: Number
    low: Number
    high: Number
    subjects: str

    @property
    def key(self) -> str:
        """What it is about, the same words in every cohort."""
        return ", ".join(filter(None, (f"{self.claim} {self.statistic}", self.region, self.drug, self.arm)))


@dataclass(frozen=True)
class ClaimsFolder:
    """The claims of one cohort.

    Attributes
    ----------
    name
        Name of the job.
    simulated
        Whether the animals are simulated.
    data
        What stands for the data: where they came from, without the rows that were chosen.
    rows
        The lines of the table.
    """

    name: str
    simulated: bool
    data: str
    rows: tuple[ClaimLine, ...] = field(repr=False)


def read_claims(folder: Path) -> ClaimsFolder:
    """Read the claims of a cohort back.

    Raises
    ------
    RunError
        The folder is missing, damaged or from a newer version.
    """
    path = folder / RECORD
    if not path.is_file():
        raise RunError(f"{folder} is not a table of claims: {RECORD} not found. Give a folder that `claims` wrote.")
    with door(RunError, f"{folder} cannot be read as a table of claims"):
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] > _NEWEST:
            raise RunError(
                f"{folder} has schema version {content['schema_version']}, this program reads up to {_NEWEST}. Update responder_ml."
            )
        if damaged_files(folder):
            raise RunError(f"{folder} is damaged or was edited. Use an intact copy, or run `claims` again.")
        try:
            rows = tuple(ClaimLine.model_validate(row) for row in content["rows"])
        except ValidationError as problem:
            raise RunError(f"{path} is damaged: {problem.errors()[0]['msg']}. Run `claims` again.") from problem
        cohort = {key: value for key, value in content["settings"]["cohort"].items() if key != "where"}
        seed = content["seed"] if content["simulated"] else None
        return ClaimsFolder(
            content["name"], bool(content["simulated"]), json.dumps([cohort, seed], sort_keys=True, default=str), rows
        )
