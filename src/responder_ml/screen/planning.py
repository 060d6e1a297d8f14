"""What ``plan`` prints."""

from rich.console import Console
from rich.table import Table

from responder_ml.evaluation.relabel import format_count
from responder_ml.plan import Planning, Sizes


def show_plan(console: Console, found: Planning) -> None:
    """Print what the class sizes allow, then one row per true AUROC."""
    if found.sizes is not None:
        _show_sizes(console, found.sizes, found.alpha)
    headings = ["true AUROC"]
    if found.sizes is not None:
        headings.append("power")
    if found.wanted_power is not None:
        headings.append(f"subjects for power {found.wanted_power:g}")
    table = Table(*headings)
    for each in found.outlooks:
        cells = [f"{each.auroc:g}"]
        if each.power is not None:
            cells.append(f"{each.power:.2f}")
        if each.needed is not None:
            cells.append(f"{each.needed[0]:,} positive and {each.needed[1]:,} negative")
        table.add_row(*cells)
    console.print(table)
    for note in found.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _show_sizes(console: Console, sizes: Sizes, alpha: float) -> None:
    within = f" in strata of {', '.join(f'{one}/{other}' for one, other in sizes.strata)}" if sizes.strata else ""
    console.print(f"{sizes.positive} positive and {sizes.negative} negative subjects{within}", highlight=False)
    table = Table(show_header=False)
    table.add_row("labellings", format_count(sizes.labellings))
    table.add_row("smallest attainable p", f"{sizes.attainable_p:.2g}")
    table.add_row("standard deviation of a chance AUROC", f"{sizes.null_sd:.3f}")
    needed = "even 1 is not enough" if sizes.auroc_needed is None else f"{sizes.auroc_needed:.2f}"
    table.add_row(f"AUROC needed for p ≤ {alpha:g}", needed)
    console.print(table)
