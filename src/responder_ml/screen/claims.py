"""What people read of the claims on the terminal: a verdict on each, and the lines by region and drug."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claims_record import ClaimsRecord
from responder_ml.contrasts.founding_claims import CLAIMS, DIFFERENCE
from responder_ml.contrasts.groups import NON_RESPONDER, RESPONDER

_COLOUR = {"consistent": "green", "contradicted": "red", "out_of_reach": "yellow"}
_SHOWN = {
    "common_cosine": "R3 cosine",
    "reversal_share": "R4 share",
    "reversal_cosine": "R4 cosine",
    "induction_share": "R5 share",
    "induction_shift": "R5 shift",
}
_ARMS = (RESPONDER, NON_RESPONDER, DIFFERENCE)


def show_claims(console: Console, found: ClaimsRecord) -> None:
    """Print the verdicts, then reversal, induction and what the drugs share, by region and drug."""
    console.print()
    if found.simulated:
        console.print("[bold]Simulated data:[/] nothing below is a finding about real animals.")
    for note in found.notes:
        console.print(note, highlight=False, soft_wrap=True, markup=False)
    for each in found.verdicts:
        colour = _COLOUR.get(each.level, "white")
        console.print(f"[bold]{each.claim}[/]  {CLAIMS[each.claim]}", highlight=False, soft_wrap=True)
        console.print(f"    [{colour}]{_safe(each.sentence)}[/]", highlight=False, soft_wrap=True)
    console.print(_table(found.results))
    console.print(
        "Each cell: observed (expected with no effect), p. R4 and R5 shares are what is usually printed as reversed or induced; "
        "much of a share comes from the susceptible animals that both contrasts share. Difference: responders less "
        "non-responders, on which the verdicts of R4 and R5 rest. claims.csv holds every line.",
        highlight=False,
        soft_wrap=True,
    )


def _table(results: Sequence[ClaimResult]) -> Table:
    columns = [Column(each, no_wrap=True) for each in ("region", "drug", "what")]
    table = Table(*columns, *(_heading(arm) for arm in _ARMS), title=None)
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    for each in results:
        # Single drugs by what is usually printed; what verdicts rest on takes the drugs together.
        if each.statistic in _SHOWN and each.arm in _ARMS and ("+" in each.drug or each.statistic.endswith("share")):
            cells.setdefault((each.region, each.drug, each.statistic), {})[each.arm] = _cell(each)
    before = ""
    for (region, drug, statistic), arms in sorted(cells.items(), key=lambda each: _order(each[0], list(cells))):
        if before not in ("", region):
            table.add_section()
        before = region
        together = "both" if "+" in drug else drug
        table.add_row(_safe(region), _safe(together), _SHOWN[statistic], *(arms.get(arm, "") for arm in _ARMS))
    return table


def _order(key: tuple[str, str, str], keys: Sequence[tuple[str, str, str]]) -> tuple[int, str, str]:
    """Put regions in the order of the table of claims, in each the drugs, in each the claims."""
    return [each[0] for each in keys].index(key[0]), "~" if "+" in key[1] else key[1], _SHOWN[key[2]]


def _heading(arm: str) -> str:
    return {RESPONDER: "responders", NON_RESPONDER: "non-responders"}.get(arm, "difference")


def _cell(each: ClaimResult) -> str:
    expected = "?" if each.expected_no_effect is None else f"{each.expected_no_effect:.2f}"
    p = "" if each.p_value is None else f"\np = {each.p_value:.2g}"
    return f"{each.observed:.2f} ({expected}){p}".replace("-0.00", "0.00")


def _safe(text: str) -> str:
    """Keep square brackets in names from being read as markup."""
    return text.replace("[", "\\[")
