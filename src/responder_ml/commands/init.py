"""The command `init`: from an expression file and a sample sheet to a commented job."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from responder_ml.commands.check import show_prepared
from responder_ml.commands.console import Out, print_line

if TYPE_CHECKING:
    from responder_ml.proposal.proposal import Proposal
    from responder_ml.proposal.question import Question

_SHOWN = ("sample", "subject", "where", "column", "positive", "strata", "nuisance", "units")


def init(
    expression: Annotated[
        Path,
        typer.Argument(help="Expression: genes x samples or samples x genes; or one .h5ad file.", metavar="EXPRESSION"),
    ],
    samples: Annotated[
        Path | None, typer.Argument(help="Sample sheet, one row per sample.", metavar="[SAMPLES]")
    ] = None,
    out: Out = None,
    column: Annotated[str | None, typer.Option(help="Column of the two classes.")] = None,
    positive: Annotated[list[str] | None, typer.Option(help="Value of the positive class; may be repeated.")] = None,
    negative: Annotated[list[str] | None, typer.Option(help="Value of the negative class; may be repeated.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="Column of the animal, donor or patient; none if each sample is one.")
    ] = None,
    strata: Annotated[
        list[str] | None, typer.Option(help="Column within which labels are permuted, such as drug.")
    ] = None,
    nuisance: Annotated[
        list[str] | None, typer.Option(help="Column that must not explain the result; may be repeated.")
    ] = None,
    units: Annotated[str | None, typer.Option(help="counts, log2 or tpm.")] = None,
    taken: Annotated[str | None, typer.Option(help="Tissue was taken before or after the outcome, or unknown.")] = None,
    region: Annotated[str | None, typer.Option(help="The region to use, of a sheet with several.")] = None,
) -> None:
    """Write a commented job for an expression file and a sample sheet, asking what the files do not say, and check it."""
    from responder_ml.build import prepare_job
    from responder_ml.config import load_config
    from responder_ml.init import DEFAULT_JOB, init
    from responder_ml.proposal.proposal import Answers
    from responder_ml.proposal.question import refuse

    console = Console()
    answers = Answers(
        column,
        tuple(positive or ()),
        tuple(negative or ()),
        subject,
        tuple(strata) if strata else None,
        tuple(nuisance) if nuisance else None,
        units,
        taken,
        region,
    )
    path = out or DEFAULT_JOB
    may_ask = console.is_terminal and sys.stdin.isatty()
    proposal = init(
        expression, samples, path, answers, (lambda question: _ask(console, question)) if may_ask else refuse
    )
    show_proposal(console, proposal)
    print_line(console, Text.assemble("Written: ", (str(path), "bold")))
    print_line(console, f"\npython -m responder_ml check {path}", style="dim")
    job = load_config(path)
    show_prepared(console, job, prepare_job(job))
    print_line(console, Text.assemble("\nTo run it: ", (f"python -m responder_ml train {path}", "bold")))


def show_proposal(console: Console, proposal: "Proposal") -> None:
    """Print every decision with its reason."""
    for note in proposal.files.notes:
        print_line(console, note)
    for key in _SHOWN:
        if key in proposal.reasons:
            print_line(console, Text.assemble((f"{_LABELS.get(key, key):<9}", "cyan"), _decision(proposal, key)))


_LABELS = {"column": "classes", "where": "rows"}


def _decision(proposal: "Proposal", key: str) -> str:
    reason = proposal.reasons[key]
    value = {
        "where": ", ".join(f"{column} {value}" for column, value in proposal.where.items()),
        "positive": f"{' + '.join(proposal.positive)} against {' + '.join(proposal.negative)}",
        "strata": ", ".join(proposal.strata) or "none",
        "nuisance": ", ".join(proposal.nuisance) or "none",
        "units": proposal.units,
    }.get(key)
    return reason if value is None else f"{value}: {reason}"


def _ask(console: Console, question: "Question") -> str:
    """Ask in the terminal until there is an answer: a number of the list, or the answer itself."""
    from responder_ml.errors import ProposalError

    console.print()
    print_line(console, question.text, style="bold")
    width = max(len(option.answer) for option in question.options)
    for number, option in enumerate(question.options, start=1):
        print_line(console, f"  {number:>2}  {option.answer:<{width}}  {option.about}")
    while True:
        typed = typer.prompt("Number or name", default=question.default, show_default=question.default is not None)
        try:
            return question.read(str(typed))
        except ProposalError as problem:
            print_line(console, str(problem), style="yellow")
