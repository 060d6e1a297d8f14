"""What ``score`` prints: one row per sample, and what concerns all of them."""

from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Column, Table

# More rows than a person reads; the file has all of them.
_SHOWN = 20


def show_scores(console: Console, scores: pd.DataFrame, out: Path | None) -> None:
    """Print the first rows, how many samples the model abstains from, and the evaluation if labels were given.

    Parameters
    ----------
    console
        Where to print.
    scores
        Table of `responder_ml.score.score`.
    out
        File it was written to, if any.
    """
    summary = scores.attrs["summary"]
    if summary.get("simulated"):
        console.print("[bold]Simulated:[/] this model was trained on simulated data.")
    table = Table(
        Column("sample", overflow="fold"), "probability", "predicted", "abstain", Column("why", overflow="fold")
    )
    for row in scores.head(_SHOWN).to_dict("records"):
        table.add_row(
            str(row["sample"]),
            f"{row['probability']:.2f}",
            str(row["predicted"]),
            "yes" if row["abstain"] else "no",
            str(row["reason"] or ""),
        )
    console.print(table)
    mapped = summary.get("gene_map")
    if mapped:
        console.print(
            f"{mapped['mapped']} of {mapped['names']} gene names ({mapped['share']:.0%}) were translated by {mapped['table']}; "
            f"{mapped['unmapped']} are unknown to it, {mapped['ambiguous']} ambiguous.",
            highlight=False,
            soft_wrap=True,
        )
    abstained = int(scores["abstain"].sum())
    console.print(f"{len(scores)} samples scored; the model abstains from {abstained}.", highlight=False)
    expected = summary["expected_auroc"]
    if isinstance(expected, dict):
        console.print(
            f"Expected AUROC with the genes found {expected['at_this_coverage']:.2f}, with all {expected['all_genes']:.2f} "
            "(held-out training subjects).",
            highlight=False,
            soft_wrap=True,
        )
    for note in (summary["by_order"], (summary["aligned_batches"] or {}).get("assumption")):
        if note:
            console.print(f"[bold]Note:[/] {note}", highlight=False, soft_wrap=True)
    if summary.get("evaluation"):
        console.print(f"Against the labels given: {summary['evaluation']}", highlight=False, soft_wrap=True)
    if out is not None:
        console.print(f"Scores: {out}", highlight=False, soft_wrap=True)
