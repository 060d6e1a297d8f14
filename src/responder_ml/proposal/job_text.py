"""A proposed job as the text of a YAML file, with the reason for every line."""

import os
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import yaml

from responder_ml.proposal.proposal import Proposal

_WIDTH = 110
# As the sheet names them already; the program finds these without being told.
_SAMPLE = ("sample", "sample_id")
_METHODS = (
    (
        "# What is made of expression, and what learns from it; every pair of the two is tried. All there are:",
        "# python -m responder_ml list",
        "builders:",
        "  # A list of single genes, and one score over all of them: few large differences, and many small ones.",
        "  - {kind: genes}",
        "  - {kind: all_genes_ridge}",
        "classifiers:",
        "  - {kind: elastic_net}",
        "  - {kind: nearest_centroid}",
    ),
    ("# Chance enters by this number alone: the same number gives the same result.", "seed: 7"),
)


def write_text(proposal: Proposal, path: Path) -> str:
    """Return the commented YAML text of a job that will stand in the file ``path``."""
    return (
        "\n\n".join(map("\n".join, (_head(proposal, path), _cohort(proposal, path), _endpoint(proposal), *_METHODS)))
        + "\n"
    )


def _head(proposal: Proposal, path: Path) -> list[str]:
    about = (
        "One job: which data, which question, which methods. Written by `python -m responder_ml init`; lines after a # explain, "
        f"and the program does not read them. After a change: python -m responder_ml check {path.name}"
    )
    named = "Names the run folder and the model."
    return [*_comment(about, ""), "", *_comment(named, ""), f"name: {_plain(proposal.name)}"]


def _cohort(proposal: Proposal, path: Path) -> list[str]:
    files, reasons = proposal.files, proposal.reasons
    columns = {new: old for new, old in proposal.columns.items() if new != old and not _is_default(new, old)}
    lines = ["cohort:", f"  source: {files.source}", *_comment(_shape(proposal))]
    lines.append(f"  expression: {_plain(_relative(files.expression, path))}")
    if files.layer is not None:
        lines += ["  # Of the matrices in the file, the one with counts.", f"  layer: {files.layer}"]
    if files.samples is not None:
        lines.append(f"  samples: {_plain(_relative(files.samples, path))}")
    if files.sheets is not None:
        expression, samples = files.sheets
        lines += ["  # Sheets of the workbook.", *([f"  sheet: {_plain(expression)}"] if expression else [])]
        lines.append(f"  samples_sheet: {_plain(samples)}")
    lines += [*_comment(f"counts, log2 or tpm: {reasons['units']}."), f"  units: {proposal.units}"]
    lines += [*_comment(f"sample: {reasons['sample']}."), *_comment(f"subject: {reasons['subject']}.")]
    if columns:
        lines.append(f"  columns: {_flow(columns)}")
    if proposal.where:
        lines += [*_comment(f"Rows to use: {reasons['where']}."), f"  where: {_flow(proposal.where)}"]
    return [*lines, *_comment(f"before, after or unknown: {reasons['taken']}."), f"  taken: {proposal.taken}"]


def _endpoint(proposal: Proposal) -> list[str]:
    reasons = proposal.reasons
    return [
        "endpoint:",
        *_comment(f"{reasons['column']}."),
        f"  column: {_plain(proposal.column)}",
        *_comment(f"Which is positive: {reasons['positive']}."),
        f"  positive: {_one_or_list(proposal.positive)}",
        f"  negative: {_one_or_list(proposal.negative)}",
        *_comment(f"strata: {reasons['strata']}."),
        f"  strata: {_flow(list(proposal.strata))}",
        *_comment(f"nuisance: {reasons['nuisance']}. For counts the library size is one anyway."),
        f"  nuisance: {_flow(list(proposal.nuisance))}",
    ]


def _shape(proposal: Proposal) -> str:
    grid = proposal.files.grid
    samples, genes = (grid.columns, grid.rows) if proposal.genes_in_rows else (grid.rows, grid.columns)
    axis = "columns" if proposal.genes_in_rows else "rows"
    return f"{len(samples)} samples in {axis}, {len(genes)} genes. Paths start from the folder of this file."


def _is_default(new: str, old: str) -> bool:
    return new == "sample" and old.lower() in _SAMPLE


def _relative(file: Path, path: Path) -> str:
    """Return a file's path from the folder of ``path``, or the absolute one where they are far apart."""
    relative = os.path.relpath(file.resolve(), path.resolve().parent)
    return str(file.resolve()) if relative.count("..") > 3 else Path(relative).as_posix()


def _comment(text: str, indent: str = "  ") -> list[str]:
    plain = " ".join(text.split())
    return [f"{indent}# {line}" for line in wrap(plain, _WIDTH, break_long_words=False, break_on_hyphens=False)]


def _plain(value: str) -> str:
    """Return one value as YAML writes it, in quotes where it would be read as something else."""
    return _flow(value).removesuffix("\n...").strip()


def _one_or_list(values: Sequence[str]) -> str:
    return _plain(values[0]) if len(values) == 1 else _flow(list(values))


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False).strip()
