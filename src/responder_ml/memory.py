"""What a training will need of this machine's memory, said before it starts and not when the system ends it."""

from pathlib import Path

_BYTES = 8
# Measured: 2,000 x 10,000 counts (160 MB a matrix) in one process took 1.45 GB at most.
_SHARED_MATRICES, _MATRICES_OF_A_PROCESS = 5, 1
_BASE_BYTES = 6 * 10**8
_WORTH_SAYING = 2 * 10**9
_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))


def needed_bytes(samples: int, genes: int, processes: int) -> int:
    """Return the most memory that a training takes at once, from the shape of its expression.

    Parameters
    ----------
    samples, genes
        Shape of the expression.
    processes
        Processes that work at the same time.
    """
    matrices = _SHARED_MATRICES + _MATRICES_OF_A_PROCESS * max(1, processes)
    return matrices * samples * genes * _BYTES + _BASE_BYTES


def free_bytes() -> int | None:
    """Return the memory that is free on this machine, or left of what this program may use; None where that cannot be told."""
    free = [amount for amount in (_free_of_machine(), _free_of_group()) if amount is not None]
    return min(free, default=None)


def memory_note(samples: int, genes: int, processes: int, *, is_estimate: bool = False) -> str:
    """Return what a training will need and what is free, in a sentence; empty where it is little beside what is free.

    Parameters
    ----------
    samples, genes, processes
        As for `needed_bytes`; for an estimate in any order, since the file has not been read.
    is_estimate
        Whether the shape is told from the size of a file.
    """
    needed, free = needed_bytes(samples, genes, processes), free_bytes()
    if needed < _WORTH_SAYING and (free is None or needed < free / 2):
        return ""
    cells = f"About {samples:,} x {genes:,} values" if is_estimate else f"{samples:,} samples x {genes:,} genes"
    shape = f"{cells} with {processes} process(es) at work need up to {_gigabytes(needed)}"
    if free is None:
        return f"{shape} of memory."
    if needed <= free:
        return f"{shape} of memory; {_gigabytes(free)} are free."
    return (
        f"{shape} of memory, but only {_gigabytes(free)} are free: the system may end the program. Set compute.workers to a "
        "smaller number, leave out genes that are hardly expressed, or take a machine with more memory. Finished units are kept."
    )


def _gigabytes(amount: int) -> str:
    return f"{amount / 1e9:.1f} GB"


def _free_of_machine() -> int | None:
    from psutil import Error, virtual_memory

    try:
        return int(virtual_memory().available)
    except (Error, OSError):
        return None


def _free_of_group() -> int | None:
    try:
        most, used = (int(path.read_text(encoding="ascii")) for path in _CGROUP)
    except (OSError, ValueError):
        return None
    return max(0, most - used)
