"""What a job will need of this machine's memory, told before its data are read wherever their files tell their size."""

from responder_ml.cohort.expression_size import estimate_size
from responder_ml.config import JobConfig
from responder_ml.memory import memory_note
from responder_ml.search.workers import Workers


def size_note(job: JobConfig, shape: tuple[int, int] | None = None) -> str:
    """Return what training a job will need of memory beside what is free; empty where that is little, or not yet known.

    Parameters
    ----------
    job
        Configuration.
    shape
        Samples and genes, once they have been read; by default the files are asked.
    """
    # On a cluster the memory is that of its workers.
    if job.compute.scheduler is not None:
        return ""
    is_estimate = shape is None
    if shape is None and job.cohort.expression is not None:
        shape = estimate_size(job.cohort.expression)
    return "" if shape is None else memory_note(*shape, Workers(job.compute.workers).count, is_estimate=is_estimate)
