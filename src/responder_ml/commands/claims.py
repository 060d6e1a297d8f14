"""The command `claims`: test the founding study's claims on these animals."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from responder_ml.commands.console import Config, Out, ProgressBar, print_line, print_simulated, print_table

if TYPE_CHECKING:
    from responder_ml.contrasts.claims_record import ClaimsRecord

_STYLES = {"consistent": "green", "contradicted": "red", "out_of_reach": "yellow", "too_few_animals": "yellow"}


def claims(config: Config, out: Out = None) -> None:
    """Test the founding study's claims by region: estimates without the noise of shared animals, p, and what n allows."""
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
    """Print the verdict on each claim, then the estimate it rests on in every region."""
    from responder_ml.contrasts.founding_claims import CLAIMS

    console.print()
    if record.simulated:
        print_simulated(console)
    for note in record.notes:
        print_line(console, note)
    for verdict in record.verdicts:
        print_line(console, Text.assemble((verdict.claim, "bold"), f"  {CLAIMS[verdict.claim]}"))
        across = verdict.p_across_claims
        also = "" if across is None else f" Corrected for the number of claims as well: p = {across:.2g}."
        print_line(console, f"    {verdict.sentence}{also}", style=_STYLES.get(verdict.level, "white"))
    print_table(console, _table(record))
    print_line(
        console,
        "Estimates are made of different animals only. With shared animals: what is usually published, the noise of the animals "
        "that both contrasts contain left in. Corrections are Holm's. Everything is in claims.csv.",
    )


def _table(record: "ClaimsRecord") -> Table:
    """Return the line that each verdict rests on, by region."""
    titles = ("region", "claim", "estimate", "value", "95 % interval", "with shared animals", "p")
    table = Table(*(Column(title, no_wrap=index < 2) for index, title in enumerate(titles)))
    for region in record.regions:
        for claim, lines in record.headlines.items():
            for line in (line for line in lines if line.region == region.name):
                table.add_row(
                    region.name,
                    claim,
                    line.statistic.replace("_", " "),
                    f"{line.observed:.2f}",
                    "not determined" if line.interval is None else f"{line.interval[0]:.2f} to {line.interval[1]:.2f}",
                    "" if line.with_shared_animals is None else f"{line.with_shared_animals:.2f}",
                    "" if line.p_value is None else f"{line.p_value:.2g}",
                )
        table.add_section()
    return table
