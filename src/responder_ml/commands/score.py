"""The command `score`: new samples scored by a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from responder_ml.commands.console import Out, folding, print_line, print_table, specified, verdict_style
from responder_ml.errors import SampleSheetError, list_names

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 20
"""Rows shown on the terminal; the file contains all of them."""


def score(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder that `train` wrote.", metavar="BUNDLE")],
    expression: Annotated[
        Path, typer.Argument(help="Text table, Parquet, workbook or h5ad; or a folder of files.", metavar="EXPRESSION")
    ],
    out: Out = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="Sample sheet; its labels are compared with the scores and never used to compute them."),
    ] = None,
    units: Annotated[str | None, typer.Option(help="counts, log2 or tpm (default: the units of the bundle).")] = None,
    prior: Annotated[float | None, typer.Option(help="Proportion of positives in the target population.")] = None,
    gene_map: Annotated[
        Path | None,
        typer.Option(
            help="Table of gene names, as in EXPRESSION and as in the model; or YAML, see docs/gene_names.md."
        ),
    ] = None,
    align_batch: Annotated[
        str | None, typer.Option(help="Column of the sample sheet with the batches to align to the training data.")
    ] = None,
    transport: Annotated[
        str | None, typer.Option(help="Bring each sample to the training data: none or quantile; see docs/scoring.md.")
    ] = None,
    missing: Annotated[str | None, typer.Option(help="What to do with missing genes: impute, skip or refuse.")] = None,
    report: Annotated[Path | None, typer.Option(help="Page to write, such as scores.html.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Names of columns of the sample sheet, such as sample=library,subject=mouse (default: those of the job)."
        ),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Score with a model whose training gave no evidence; every row says so.")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook that holds the expression.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of an h5ad file that holds the expression, or raw.")] = None,
    without_covariates: Annotated[
        bool,
        typer.Option(
            "--without-covariates",
            help="Score an adjusted model as if all samples had the training mean of its covariates.",
        ),
    ] = False,
) -> None:
    """Score new samples, and report for each which genes are missing and whether the model applies to it."""
    from responder_ml.bundles.class_bundle import is_class_bundle
    from responder_ml.score import score
    from responder_ml.score_classes import score_classes

    options = specified(missing=missing, gene_map=gene_map, align_batch=align_batch, transport=transport)
    options |= {
        "columns": _read_columns(columns),
        "anyway": anyway,
        "report": report,
        "sheet_name": sheet,
        "layer": layer,
        "without_covariates": without_covariates,
    }
    flow = score_classes if is_class_bundle(bundle) else score
    table = flow(bundle, expression, samples=samples, units=units, out=out, prior=prior, **options)
    show_scores(Console(), table, out, report)


def _read_columns(text: str | None) -> dict[str, str]:
    """Return canonical name: the sheet's name, from ``sample=library,subject=mouse``."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    wrong = ["".join(pair) for pair in pairs if not (pair[0].strip() and pair[1] and pair[2].strip())]
    if wrong:
        raise SampleSheetError(
            f"--columns holds '{wrong[0]}', but expects pairs such as sample=library,subject=mouse: the name this program "
            "uses, an equals sign, and the sheet's name."
        )
    return {name.strip(): column.strip() for name, _, column in pairs}


def show_scores(console: Console, scores: "pd.DataFrame", out: Path | None, report: Path | None = None) -> None:
    """Print what the scores are worth, the first rows, how many the model abstains from, and the comparison with labels.

    Parameters
    ----------
    console
        Where to print.
    scores
        Table of `responder_ml.score.score`.
    out, report
        Files that table and page were written to, if any.
    """
    summary = scores.attrs["summary"]
    if summary.get("kind") == "score":
        _show_graded(console, scores, out)
        return
    if summary.get("simulated"):
        print_line(console, Text.assemble(("Simulated:", "bold"), " this model was trained on simulated data."))
    print_line(console, summary["worth"], style=f"bold {verdict_style(summary['verdict_level'])}")
    # One probability of two classes, or one for each of several.
    probabilities = {
        name: name.partition(":")[2] or name for name in scores.columns if name.partition(":")[0] == "probability"
    }
    table = Table(folding("sample"), *probabilities.values(), "predicted", "abstain", folding("why"))
    for row in scores.head(_MOST_ROWS).to_dict("records"):
        table.add_row(
            str(row["sample"]),
            *(f"{row[name]:.2f}" for name in probabilities),
            str(row["predicted"]),
            "yes" if row["abstain"] else "no",
            str(row["reason"] or ""),
        )
    print_table(console, table)
    for line in _summary_lines(summary):
        print_line(console, line)
    if out is not None:
        print_line(console, f"Scores: {out}")
    if report is not None:
        print_line(console, f"Page:   {report}")


def _show_graded(console: Console, scores: "pd.DataFrame", out: Path | None) -> None:
    summary = scores.attrs["summary"]
    if summary["simulated"]:
        print_line(console, Text.assemble(("Simulated:", "bold"), " this model was trained on simulated data."))
    print_line(console, summary["worth"], style=f"bold {verdict_style(summary['verdict_level'])}")
    table = Table(folding("sample"), folding(f"predicted {summary['outcome']['column']}"), "abstain", folding("why"))
    for row in scores.head(_MOST_ROWS).to_dict("records"):
        table.add_row(
            str(row["sample"]), f"{row['predicted']:.3g}", "yes" if row["abstain"] else "no", str(row["reason"] or "")
        )
    print_table(console, table)
    lines = [
        *summary["reading"],
        f"{summary['samples']} samples scored; the model abstains from {summary['abstained']}.",
    ]
    evaluation = summary["evaluation"]
    if evaluation is not None:
        lines.append(
            f"Compared with the outcomes of {evaluation['subjects']} subjects: concordance {evaluation['concordance']:.2f}, mean "
            f"absolute error {evaluation['mean_absolute_error']:.3g}. Subjects of the training prove nothing."
        )
    for line in lines:
        print_line(console, line)
    if out is not None:
        print_line(console, f"Scores: {out}")


def _summary_lines(summary: dict[str, Any]) -> list[str | Text]:
    """Return one sentence for each statement about all samples."""
    lines: list[str | Text] = list(summary.get("reading", ()))
    gene_map = summary.get("gene_map")
    if gene_map:
        lines.append(
            f"{gene_map['mapped']} of {gene_map['names']} gene names ({gene_map['share']:.0%}) were translated by "
            f"{gene_map['table']}; {gene_map['unmapped']} are unknown to it, {gene_map['ambiguous']} ambiguous."
        )
    lines.append(f"{summary['samples']} samples scored; the model abstains from {summary['abstained']}.")
    if summary["training"]:
        names = list_names(summary["training"])
        lines.append(f"{len(summary['training'])} sample(s) were in training, so their scores prove nothing: {names}.")
    expected = summary["expected_auroc"]
    if isinstance(expected, dict):
        lines.append(
            f"Expected AUROC with the genes of this file {expected['at_this_coverage']:.2f}, with all "
            f"{expected['all_genes']:.2f} (held-out training subjects)."
        )
    of_table = [summary.get(name) for name in ("training_unknown", "by_order", "without_covariates")]
    notes = (*of_table, (summary["aligned_batches"] or {}).get("assumption"))
    lines += [Text.assemble(("Note:", "bold"), f" {note}") for note in notes if note]
    if "labels" in summary:
        lines += _evaluation_lines(summary["evaluation"], summary["labels"])
    return lines


def _evaluation_lines(evaluation: dict[str, Any] | None, labels: dict[str, Any]) -> list[str | Text]:
    """Return what the comparison with the labels gave, or why there is none, and what became of the sheet's rows."""
    if evaluation is not None and "confusion" in evaluation:
        return [_classes_line(evaluation), *labels["notes"]]
    if evaluation is None:
        lines: list[str | Text] = [Text.assemble(("Not compared with labels:", "bold"), f" {labels['why_not']}")]
    else:
        numbers = "; ".join(
            f"{words} {evaluation[name]:.2f} (95 % interval {low:.2f} to {high:.2f})"
            for name, words in (
                ("auroc", "AUROC"),
                ("accuracy", "accuracy"),
                ("balanced_accuracy", "balanced accuracy"),
            )
            for low, high in [evaluation[f"{name}_ci"]]
        )
        lines = [
            f"Compared with the labels of {evaluation['subjects']} subjects ({evaluation['positive']} positive, "
            f"{evaluation['negative']} negative; {evaluation['samples']} samples): {numbers}; Brier score "
            f"{evaluation['brier']:.2f}."
        ]
    return [*lines, *labels["notes"]]


def _classes_line(evaluation: dict[str, Any]) -> str:
    low, high = evaluation["balanced_accuracy_ci"]
    mean = f"mean AUROC of the pairs {evaluation['macro_auroc']:.2f}; " if "macro_auroc" in evaluation else ""
    return (
        f"Compared with the labels of {evaluation['subjects']} subjects ({evaluation['samples']} samples): {mean}balanced accuracy "
        f"{evaluation['balanced_accuracy']:.2f} (95 % interval {low:.2f} to {high:.2f})."
    )
