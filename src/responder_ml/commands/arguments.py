"""Arguments several commands share, and options that were not given."""

from pathlib import Path
from typing import Annotated, Any

import typer

Config = Annotated[Path, typer.Argument(help="YAML file of the job.", metavar="CONFIG")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder or file to write.")]


def given(**values: Any) -> dict[str, Any]:
    """Return the options that were given; what was not has its default where it is used."""
    return {name: value for name, value in values.items() if value is not None}
