"""A proposed job as the text of a YAML file, with the reason for every line."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap

import yaml

from responder_ml.proposal.propose import Proposal

_WIDTH = 110
# As the sheet names them already; the program finds these without being told.
_SAMPLE = ("sample", "sample_id")


def write_text(proposal: Proposal, path: Path) -> str:
    """Return the commented YAML text of a job that will stand in the file ``path``."""
    files = proposal.files
    columns = {new: old for new, old in proposal.columns.items() if new != old and not _is_default(new, old)}
    return "\n".join(
        [
            *_comment("One job: which data, which question, which methods. Written by `python -m responder_ml init`; lines after a # "
                      "explain, and the program does not read them. After a change: "
                      f"python -m responder_ml check {path.name}", ""),
            "",
            *_comment("Names the run folder and the model.", ""),
            f"name: {_plain(proposal.name)}",
            "",
            "cohort:",
            f"  source: {files.source}",
            *_comment(_shape(proposal), "  "),
            f"  expression: {_plain(_relative(files.expression, path))}",
            *([] if files.samples is None else [f"  samples: {_plain(_relative(files.samples, path))}"]),
            *_comment(f"counts, log2 or tpm: {proposal.reasons['units']}.", "  "),
            f"  units: {proposal.units}",
            *_comment(f"sample: {proposal.reasons['sample']}.", "  "),
            *_comment(f"subject: {proposal.reasons['subject']}.", "  "),
            *([f"  columns: {_mapping(columns)}"] if columns else []),
            *([*_comment(f"Rows to use: {proposal.reasons['where']}.", "  "), f"  where: {_mapping(proposal.where)}"] if proposal.where else []),
            *_comment(f"before, after or unknown: {proposal.reasons['taken']}.", "  "),
            f"  taken: {proposal.taken}",
            "",
            "endpoint:",
            *_comment(f"{proposal.reasons['column']}.", "  "),
            f"  column: {_plain(proposal.column)}",
            *_comment(f"Which is positive: {proposal.reasons['positive']}.", "  "),
            f"  positive: {_one_or_list(proposal.positive)}",
            f"  negative: {_one_or_list(proposal.negative)}",
            *_comment(f"strata: {proposal.reasons['strata']}.", "  "),
            f"  strata: {_list(proposal.strata)}",
            *_comment(f"nuisance: {proposal.reasons['nuisance']}. For counts the library size is one anyway.", "  "),
            f"  nuisance: {_list(proposal.nuisance)}",
            "",
            *_comment("What is made of expression, and what learns from it; every pair of the two is tried. Others: python -m "
                      "responder_ml list", ""),
            "builders:",
            "  - {kind: genes}",
            "classifiers:",
            "  - {kind: elastic_net}",
            "  - {kind: nearest_centroid}",
            "",
            *_comment("Chance enters by this number alone: the same number gives the same result.", ""),
            "seed: 7",
            "",
        ]
    )  # fmt: skip


def _shape(proposal: Proposal) -> str:
    grid = proposal.files.grid
    by_sample = "columns" if "names of columns" in proposal.reasons["sample"] else "rows"
    samples, genes = (grid.columns, grid.rows) if by_sample == "columns" else (grid.rows, grid.columns)
    return f"{len(samples)} samples in {by_sample}, {len(genes)} genes. Paths start from the folder of this file."


def _is_default(new: str, old: str) -> bool:
    return new == "sample" and old.lower() in _SAMPLE


def _relative(file: Path, path: Path) -> str:
    """Return a file's path from the folder of ``path``, or the absolute one where they are far apart."""
    relative = os.path.relpath(file.resolve(), path.resolve().parent)
    return str(file.resolve()) if relative.count("..") > 3 else Path(relative).as_posix()


def _comment(text: str, indent: str) -> list[str]:
    plain = " ".join(text.split())
    return [f"{indent}# {line}" for line in wrap(plain, _WIDTH, break_long_words=False, break_on_hyphens=False)]


def _plain(value: str) -> str:
    """Return one value as YAML writes it, in quotes where it would be read as something else."""
    return _flow(value).removesuffix("\n...").strip()


def _list(values: Sequence[str]) -> str:
    return _flow(list(values))


def _one_or_list(values: Sequence[str]) -> str:
    return _plain(values[0]) if len(values) == 1 else _list(values)


def _mapping(values: Mapping[str, str]) -> str:
    return _flow(dict(values))


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False).strip()
