"""What the speed comparisons share: one core, a clock, simulated values, and a description of the machine."""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from responder_ml.versions import version_of


@dataclass(frozen=True)
class Timed:
    """Wall and processor seconds."""

    wall: float
    processor: float

    def __add__(self, other: "Timed") -> "Timed":
        """Return both together."""
        return Timed(self.wall + other.wall, self.processor + other.processor)

    def __truediv__(self, parts: float) -> "Timed":
        """Return the time of one of several equal parts."""
        return Timed(self.wall / parts, self.processor / parts)


def timed(call: Callable[[], Any]) -> tuple[Timed, Any]:
    """Return how long a call took, and its result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return Timed(time.perf_counter() - wall, time.process_time() - processor), result


def ratios(peer: Sequence[Timed], ours: Sequence[Timed]) -> str:
    """Return table cells: median ratio of wall times with its range, and median ratio of processor times."""
    wall = [p.wall / o.wall for p, o in zip(peer, ours, strict=True)]
    processor = [p.processor / o.processor for p, o in zip(peer, ours, strict=True)]
    return f"**{_short(median(wall))}x** [{_short(min(wall))}-{_short(max(wall))}] | {_short(median(processor))}x"


def _short(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"


def simulate(samples: int, genes: int, planted: int, effect: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw normal log2 values whose genes differ in level and spread, and balanced labels.

    Parameters
    ----------
    samples, genes
        Shape of the values.
    planted, effect
        How many genes are shifted in the second class, and by how many of their standard deviations.
    seed
        Of the draw.
    """
    rng = np.random.default_rng(seed)
    level, spread = rng.normal(6.0, 2.0, size=genes), rng.lognormal(-0.7, 0.5, size=genes)
    labels = np.resize([0, 1], samples)
    values = rng.normal(size=(samples, genes))
    values[:, :planted] += effect * labels[:, None]
    values *= spread
    values += level
    return values, labels


def use_one_core() -> None:
    """Stay on the last core this process may use."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def described(packages: Sequence[str]) -> str:
    """Say what this runs on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = ", ".join(f"{name} {version_of(name)}" for name in packages)
    return (
        f"Machine: {names[0] if names else platform.processor()}, {os.cpu_count()} cores, shared with other work (load "
        f"average {os.getloadavg()[1]:.1f} at the end). Versions: Python {platform.python_version()}, {versions}."
    )
