"""What ``selftest`` prints."""

from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from responder_ml.arrays import Floats
from responder_ml.selftest import Challenge, SelfTest


def show_selftest(console: Console, found: SelfTest) -> None:
    """Print the distributions of AUROC and p on cohorts without effect, and the conclusion."""
    console.print(
        f"{found.name}: {found.effort.cohorts} cohorts without effect of each kind, {found.effort.repeats} repeat(s), at most "
        f"{found.effort.permutations} relabellings each, seed {found.seed}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    table = Table("", *(each.kind for each in found.challenges))
    for title, cell in _ROWS.items():
        table.add_row(title, *(cell(each) for each in found.challenges))
    alpha = found.challenges[0].alpha
    table.add_row(f"cohorts with p ≤ {alpha:g}", *(str(each.small) for each in found.challenges))
    table.add_row("their share, 95 % interval", *(_span(each.small_interval) for each in found.challenges))
    table.add_row("most expected of them", *(str(each.most_small) for each in found.challenges))
    console.print(table)
    colour = "red" if found.leaks else "green"
    console.print(f"[bold {colour}]{found.sentence}[/]", highlight=False, soft_wrap=True)


def _span(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2f} to {ends[1]:.2f}"


def _range(values: Floats) -> str:
    return _span((values.min(), values.max()))


def _quartiles(values: Floats) -> str:
    return ", ".join(f"{value:.2f}" for value in np.quantile(values, [0.25, 0.5, 0.75]))


_ROWS: dict[str, Callable[[Challenge], str]] = {
    "mean AUROC": lambda each: f"{each.mean:.2f} (sd {each.aurocs.std(ddof=1):.2f})",
    "expected mean": lambda each: _span(each.band),
    "AUROC, range": lambda each: _range(each.aurocs),
    "AUROC, quartiles": lambda each: _quartiles(each.aurocs),
    "p, range": lambda each: _range(each.p_values),
    "p, quartiles": lambda each: _quartiles(each.p_values),
}
