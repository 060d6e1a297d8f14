"""Init: from an expression file and a sample sheet to a commented job."""

from dataclasses import replace
from pathlib import Path

from responder_ml.errors import ProposalError
from responder_ml.proposal.cohort_files import open_files
from responder_ml.proposal.intensities import write_log2_copy
from responder_ml.proposal.job_text import write_text
from responder_ml.proposal.proposal import Answers, Proposal
from responder_ml.proposal.propose import propose
from responder_ml.proposal.question import Ask, refuse
from responder_ml.records.files import moved_when_whole, write_synced

DEFAULT_JOB = Path("job.yaml")


def init(
    expression: Path,
    samples: Path | None = None,
    out: Path = DEFAULT_JOB,
    answers: Answers | None = None,
    ask: Ask = refuse,
) -> Proposal:
    """Propose a job and write it as a YAML file with the reasons for what it says.

    Parameters
    ----------
    expression, samples
        The files; without ``samples`` an ``.h5ad`` file, whose ``obs`` is the sheet.
    out
        YAML file to write; a file that is there already is never touched.
    answers
        What the user said beforehand.
    ask
        Is asked what the files do not say; refuses by default.

    Raises
    ------
    ProposalError
        The files do not belong together, do not say enough, or ``out`` is there already.
    CohortError
        A file is missing or broken.
    """
    if out.exists():
        raise ProposalError(
            f"{out} is there already and is not overwritten. Name another file with --out, or remove it."
        )
    proposal = propose(open_files(expression, samples), answers or Answers(), ask)
    out.parent.mkdir(parents=True, exist_ok=True)
    if proposal.intensities:
        copy = out.with_name(f"{out.stem}_log2.tsv.gz")
        write_log2_copy(proposal.files.grid, proposal.genes_in_rows, copy)
        files = proposal.files
        sheets = None if files.sheets is None else ("", files.sheets[1])
        proposal = replace(proposal, files=replace(files, expression=copy, sheets=sheets))
    text = write_text(proposal, out)
    try:
        with moved_when_whole(out, replace=False) as beside:
            write_synced(beside, text.encode())
    except FileExistsError:
        raise ProposalError(f"{out} is there already and is not overwritten. Name another file with --out.") from None
    except OSError as problem:
        raise ProposalError(f"{out} could not be written: {problem}. Name another folder with --out.") from problem
    return proposal
