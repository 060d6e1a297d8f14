"""The command `claims`: test the founding study's claims on these animals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from responder_ml.commands.console import Config, Out, ProgressBar, print_line, print_simulated, print_table

if TYPE_CHECKING:
    from responder_ml.contrasts.claim_result import ClaimResult
    from responder_ml.contrasts.claims_record import ClaimsRecord

_STYLES = {"consistent": "green", "contradicted": "red", "out_of_reach": "yellow", "too_few_animals": "yellow"}
_STATISTICS = {
    "common_cosine": "R3 cosine",
    "reversal_share": "R4 share",
    "reversal_cosine": "R4 cosine",
    "induction_share": "R5 share",
    "induction_shift": "R5 shift",
}
"""Statistics shown in the table, and their names in it."""


def claims(config: Config, out: Out = None) -> None:
    """Test the founding study's claims by region and drug: observed value, value expected with no effect, p and interval."""
    from responder_ml.claims import CLAIMS_FOLDER, PAGE, claims, default_folder, write_claims
    from responder_ml.config import load_config
    from responder_ml.search.checkpoints import run_checkpoint

    console, job = Console(), load_config(config)
    folder = out or default_folder(job)
    CLAIMS_FOLDER.check(folder)
    with run_checkpoint(folder) as checkpoint:
        record = claims(job, ProgressBar(console), checkpoint.unit_store())
        write_claims(record, folder)
    show_claims(console, record)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Folder: {folder}")


def show_claims(console: Console, record: "ClaimsRecord") -> None:
    """Print the verdict on each claim, then reversal, induction and what the drugs share, by region and drug."""
    from responder_ml.contrasts.founding_claims import CLAIMS

    console.print()
    if record.simulated:
        print_simulated(console)
    for note in record.notes:
        print_line(console, note)
    for verdict in record.verdicts:
        print_line(console, Text.assemble((verdict.claim, "bold"), f"  {CLAIMS[verdict.claim]}"))
        print_line(console, f"    {verdict.sentence}", style=_STYLES.get(verdict.level, "white"))
    print_table(console, _table(record.results))
    print_line(
        console,
        "Each cell: observed (expected with no effect), p. The shares of R4 and R5 are what is usually published as reversed "
        "or induced; much of a share comes from the susceptible animals, which both contrasts have in common. Difference: "
        "responders minus non-responders, on which the verdicts of R4 and R5 rest. All results are in claims.csv.",
    )


def _table(results: Sequence["ClaimResult"]) -> Table:
    from responder_ml.contrasts.founding_claims import DIFFERENCE
    from responder_ml.contrasts.groups import NON_RESPONDER, RESPONDER

    arms = {RESPONDER: "responders", NON_RESPONDER: "non-responders", DIFFERENCE: "difference"}
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    for result in results:
        # A single drug shows the published share only; the statistics behind the verdicts take the drugs together.
        together = "+" in result.drug
        if result.statistic in _STATISTICS and result.arm in arms and (together or result.statistic.endswith("share")):
            cells.setdefault((result.region, result.drug, result.statistic), {})[result.arm] = _cell(result)
    regions = list(dict.fromkeys(region for region, _, _ in cells))
    table = Table(*(Column(title, no_wrap=True) for title in ("region", "drug", "what")), *arms.values())
    for region in regions:
        rows = {(drug, statistic): row for (of, drug, statistic), row in cells.items() if of == region}
        for drug, statistic in sorted(rows, key=_order):
            name = "both" if "+" in drug else drug
            row = rows[drug, statistic]
            table.add_row(region, name, _STATISTICS[statistic], *(row.get(arm, "") for arm in arms))
        table.add_section()
    return table


def _order(row: tuple[str, str]) -> tuple[bool, str, str]:
    """Put single drugs first, then the drugs together; within each, the claims in order."""
    drug, statistic = row
    return "+" in drug, drug, _STATISTICS[statistic]


def _cell(result: "ClaimResult") -> str:
    expected = "?" if result.expected_no_effect is None else f"{result.expected_no_effect:.2f}"
    p = "" if result.p_value is None else f"\np = {result.p_value:.2g}"
    return f"{result.observed:.2f} ({expected}){p}".replace("-0.00", "0.00")
