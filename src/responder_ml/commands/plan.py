"""The command `plan`: what class sizes can show."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import print_line, print_table, specified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from responder_ml.contrasts.claim_power import ClaimReach
    from responder_ml.plan import ClassSizes, PowerAnalysis


def plan(
    positive: Annotated[int | None, typer.Option(help="Subjects of the positive class.")] = None,
    negative: Annotated[int | None, typer.Option(help="Subjects of the negative class.")] = None,
    strata: Annotated[str | None, typer.Option(help="Positive/negative subjects of each stratum: 3/3,3/4.")] = None,
    config: Annotated[Path | None, typer.Option(help="Job from which to take sizes, strata and level.")] = None,
    auroc: Annotated[
        list[float] | None, typer.Option(help="True AUROC for which to compute the power; may be repeated.")
    ] = None,
    power: Annotated[float | None, typer.Option(help="Compute the number of subjects needed for this power.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Significance level of the one-sided test.")] = None,
    claims: Annotated[
        Path | None, typer.Option(help="Job whose animals are to answer the founding study's claims: power for each.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write.")] = None,
) -> None:
    """Compute what class sizes can show before any training, and how many subjects a target power needs."""
    from responder_ml.config import load_config
    from responder_ml.plan import plan, plan_claims, read_strata, tabulate_claims, write_plan
    from responder_ml.records.files import write_text
    from responder_ml.records.ownership import refuse_inside

    if out is not None:
        refuse_inside(out)
    if claims is not None:
        reach = plan_claims(load_config(claims))
        show_claims_plan(Console(), reach)
        if out is not None:
            write_text(out, tabulate_claims(reach).to_csv(index=False))
        return
    options = specified(aurocs=auroc, target_power=power, alpha=alpha)
    analysis = plan(
        positive,
        negative,
        strata=None if strata is None else read_strata(strata),
        job=None if config is None else load_config(config),
        **options,
    )
    show_plan(Console(), analysis)
    if out is not None:
        write_plan(analysis, out)


def show_plan(console: Console, analysis: "PowerAnalysis") -> None:
    """Print what the class sizes allow, then one row per true AUROC."""
    if analysis.sizes is not None:
        _show_sizes(console, analysis.sizes, analysis.alpha)
    headings = ["true AUROC"]
    if analysis.sizes is not None:
        headings.append("power")
    if analysis.target_power is not None:
        headings.append(f"subjects for power {analysis.target_power:g}")
    table = Table(*headings)
    for row in analysis.rows:
        cells = [f"{row.auroc:g}"]
        if row.power is not None:
            cells.append(f"{row.power:.2f}")
        if row.needed is not None:
            cells.append(f"{row.needed[0]:,} positive and {row.needed[1]:,} negative")
        table.add_row(*cells)
    print_table(console, table)
    for note in analysis.notes:
        print_line(console, note)


def show_claims_plan(console: Console, reach: "Mapping[str, list[ClaimReach]]") -> None:
    """Print the power for each claim of every region, if the claim holds in full."""
    for region, claims in reach.items():
        sizes = {name: count for claim in claims for name, count in claim.sizes.items()}
        print_line(console, f"{region}: {', '.join(f'{name} {count}' for name, count in sizes.items())}")
        table = Table("claim", "smallest p", "power, weak", "power, strong", "smallest group for 0.8, weak", "strong")
        for claim in claims:
            smallest = f"{claim.smallest_p:.2g}" if claim.smallest_p else "any"
            needed = [
                "more than searched" if size is None else str(size) for size in (claim.needed_weak, claim.needed_strong)
            ]
            table.add_row(claim.claim, smallest, f"{claim.power_weak:.2f}", f"{claim.power_strong:.2f}", *needed)
        print_table(console, table)
    print_line(
        console,
        "Power: the chance that `claims` calls a claim consistent if it holds in full, with changes as large as that by stress. "
        "Weak and strong: stress changes as in the simulated cohorts at effect 1 and 2. For the smallest group all groups are "
        "enlarged alike.",
    )


def _show_sizes(console: Console, sizes: "ClassSizes", alpha: float) -> None:
    from responder_ml.evaluation.relabel import are_pairs, format_count

    within = f" in strata of {', '.join(f'{one}/{other}' for one, other in sizes.strata)}" if sizes.strata else ""
    if are_pairs(sizes.strata):
        within = f", matched in {len(sizes.strata)} pairs"
    print_line(console, f"{sizes.positive} positive and {sizes.negative} negative subjects{within}")
    table = Table(show_header=False)
    table.add_row("labellings", format_count(sizes.labellings))
    table.add_row("smallest attainable p", f"{sizes.attainable_p:.2g}")
    table.add_row("standard deviation of a chance AUROC", f"{sizes.null_sd:.3f}")
    needed = "even 1 is not enough" if sizes.auroc_needed is None else f"{sizes.auroc_needed:.2f}"
    table.add_row(f"AUROC needed for p ≤ {alpha:g}", needed)
    print_table(console, table)
