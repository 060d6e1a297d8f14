"""The command `list`: the builders, scorers, classifiers and regressors that a job can name, or the schema of a job for editors."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import print_table


def list_(
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of a job instead, from which editors complete keys.")
    ] = False,
) -> None:
    """List builders, scorers, classifiers and regressors with their references."""
    if schema:
        from responder_ml.config_reference import job_schema

        typer.echo(json.dumps(job_schema(), indent=1))
        return
    from responder_ml.classifiers import CLASSIFIERS
    from responder_ml.features.builders import BUILDERS
    from responder_ml.features.signatures import SCORERS
    from responder_ml.regressors import REGRESSORS

    console = Console()
    for registry in (BUILDERS, SCORERS, CLASSIFIERS, REGRESSORS):
        table = Table(registry.family, "what it is", "reference")
        for member in registry:
            table.add_row(member.name, member.summary, member.reference)
        print_table(console, table)
