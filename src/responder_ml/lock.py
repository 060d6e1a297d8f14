"""Lock a job: write down what will be asked of which data, before anything is computed from the labels."""

from pathlib import Path

from responder_ml.build import prepare_job
from responder_ml.cohort.audit import require_accepted
from responder_ml.config import JobConfig
from responder_ml.records.job_lock import JobLock, lock_job
from responder_ml.records.job_register import AskedJob
from responder_ml.search.unit_store import code_version


def lock(job: JobConfig, folder: Path) -> JobLock:
    """Lock a job under this program, or return the lock it has.

    Parameters
    ----------
    job
        Configuration of two classes. Its labels go into a digest, and nothing is computed from them but what `check` says.
    folder
        Folder of the run folders, where the register of jobs is.

    Raises
    ------
    ResponderError
        The job cannot be trained as it is, or the lock cannot be written.
    """
    job.endpoint.require_two_classes("A lock")
    prepared = prepare_job(job)
    require_accepted(prepared.findings, job.accept)
    settings = job.without_defaults()
    return lock_job(folder, AskedJob.of(prepared.labelled, settings), settings, code_version(), job.name)
