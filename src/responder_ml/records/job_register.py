"""The register of jobs: how many different ones were asked of the same data.

Whoever tries eight seeds, or leaves out an animal until p is small, finds "evidence" in noise. The register, a file beside the run
folders, counts them, and every run says which of how many it is. It changes no number of a run and never stops one.

Jobs are asked of the same data where they ask for the same two classes of the same column, or for the order of the same graded
outcome, and share two thirds of all their samples. A sample is known by its expression, whatever the order of samples and genes and
whatever it is called, so that a job without one animal, or on a table sorted anew, is recognised.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.errors import RunError
from responder_ml.records.digests import sample_digests
from responder_ml.records.file_lock import locked

REGISTER = ".register.jsonl"
"""Name of the file; hidden, so that ``compare runs/*`` sees run folders only."""

# They decide where and for how long a job runs and what it is called, but neither its AUROC nor, its chance in the drawing of
# relabellings apart, its p: whoever raises the budget of an undecided null, as its verdict advises, fishes for nothing.
_WITHOUT_INFLUENCE = ("name", "cohort", "null", "claims", "tracking", "compute")
# Share of all samples of two jobs that both have where they are asked of the same data: more than without a few animals, less than
# with one sex or one drug only.
_MOST = 2 / 3
# In place of two classes, in the question of a graded outcome.
_ORDER = "order of a graded outcome"
_LOCK = ".register.lock"
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class AskedJob:
    """What tells one job from another.

    Attributes
    ----------
    key
        Digest of data, question, settings and seed, in which the order of subjects counts: it decides the folds.
    question
        The column and its two classes, whichever of them is the positive one; or the column of a graded outcome.
    samples
        Digest of each sample's expression.
    """

    key: str
    question: str
    samples: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, labelled: LabelledCohort, config: Mapping[str, Any], outcome: Floats | None = None) -> "AskedJob":
        """Return the identity of a job.

        Parameters
        ----------
        labelled
            Its data.
        config
            Its configuration, as far as it differs from the defaults.
        outcome
            A graded outcome of each subject, whose order is asked for; None where classes are told apart.
        """
        endpoint = labelled.endpoint
        question = [endpoint.column, *sorted((endpoint.positive, endpoint.negative))]
        if outcome is not None:
            question = [labelled.measured, _ORDER]
        in_order = sample_digests(labelled.cohort)
        parts = (
            *in_order,
            *sorted(sample_digests(labelled.outside)),
            str(labelled.subject_of.tolist()),
            str(labelled.labels.tolist()),
            str(labelled.strata.tolist()),
            str(labelled.cohort.uns["units"]),
            json.dumps(deciding_settings(config), sort_keys=True),
            *(() if outcome is None else (str(outcome.tolist()),)),
        )
        return cls(
            key=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
            question=json.dumps(question),
            samples=frozenset(in_order),
        )

    def is_on_the_data_of(self, other: "AskedJob") -> bool:
        """Tell whether the other job asks the same question of two thirds of the same samples."""
        shared, all_samples = len(self.samples & other.samples), len(self.samples | other.samples)
        return self.question == other.question and shared >= _MOST * all_samples


@dataclass(frozen=True)
class JobCount:
    """Which of how many jobs on the same data.

    Attributes
    ----------
    run
        Counted from 1, in the order in which different jobs were first asked.
    jobs
        Different jobs asked so far, this one included.
    damaged_lines
        Lines of the register that cannot be read and are not counted.
    """

    run: int
    jobs: int
    damaged_lines: int = 0


def deciding_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a configuration that decide a job's decisions, data apart."""
    return {key: value for key, value in config.items() if key not in _WITHOUT_INFLUENCE}


def register_job(folder: Path, job: AskedJob, about: Mapping[str, Any] | None = None) -> JobCount:
    """Enter a job that was not asked before, and count the jobs on its data.

    The file only ever grows. Processes wait for one another; a line that one of them left torn costs that line only.

    Parameters
    ----------
    folder
        Where the register is: the folder of the run folders.
    job
        The job.
    about
        More to write down for people, such as its name and seed.

    Raises
    ------
    RunError
        The register cannot be read or written, or another process holds it for too long.
    """
    path = folder / REGISTER
    too_long = RunError(
        f"The register of jobs {path} has been locked by another process for {_PATIENCE_S:g} s. End that process."
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / _LOCK, _PATIENCE_S, too_long), path.open("a+b") as file:
            file.seek(0)
            content = file.read()
            known, damaged_lines = _read_jobs(content)
            keys = [other.key for other in known if other.is_on_the_data_of(job)]
            if job.key not in keys:
                keys.append(job.key)
                separator = b"" if not content or content.endswith(b"\n") else b"\n"
                file.write(separator + _line(job, about or {}))
                file.flush()
                os.fsync(file.fileno())
    except OSError as problem:
        raise RunError(
            f"The register of jobs {path} cannot be used: {problem}. Free space or correct the permissions."
        ) from problem
    distinct = list(dict.fromkeys(keys))
    return JobCount(distinct.index(job.key) + 1, len(distinct), damaged_lines)


def was_asked(folder: Path, job: AskedJob) -> bool:
    """Tell whether the register has a job."""
    path = folder / REGISTER
    known, _ = _read_jobs(path.read_bytes() if path.is_file() else b"")
    return any(other.key == job.key for other in known)


def _line(job: AskedJob, about: Mapping[str, Any]) -> bytes:
    entry = {
        **about,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": job.key,
        "question": job.question,
        "samples": sorted(job.samples),
    }
    return json.dumps(entry).encode() + b"\n"


def _read_jobs(content: bytes) -> tuple[Sequence[AskedJob], int]:
    """Return the jobs of a register in their order, and the number of lines that hold none."""
    lines = [line for line in content.split(b"\n") if line.strip()]
    jobs = [job for job in map(_read_job, lines) if job is not None]
    return jobs, len(lines) - len(jobs)


def _read_job(line: bytes) -> AskedJob | None:
    try:
        entry = json.loads(line)
        samples = entry["samples"]
        if not (isinstance(samples, list) and all(isinstance(sample, str) for sample in samples)):
            return None
        return AskedJob(str(entry["job"]), str(entry["question"]), frozenset(samples))
    except (ValueError, KeyError, TypeError):
        return None
