"""The command `list`: the builders, scorers and classifiers that a job can name."""

from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import print_table


def list_() -> None:
    """List builders, scorers and classifiers with their references."""
    from responder_ml.classifiers import CLASSIFIERS
    from responder_ml.features.builders import BUILDERS
    from responder_ml.features.signatures import SCORERS

    console = Console()
    for registry in (BUILDERS, SCORERS, CLASSIFIERS):
        table = Table(registry.family, "what it is", "reference")
        for member in registry:
            table.add_row(member.name, member.summary, member.reference)
        print_table(console, table)
