"""Random numbers from one seed and the name of their purpose, so that order and worker count change nothing."""

from zlib import crc32

import numpy as np


def sequence(seed: int, *names: str | int) -> np.random.SeedSequence:
    """Return the seed sequence that belongs to ``names`` under ``seed``."""
    return np.random.SeedSequence([seed, *(crc32(str(name).encode()) for name in names)])


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return the random generator that belongs to ``names`` under ``seed``."""
    return np.random.default_rng(sequence(seed, *names))


def integer_seed(seed: int, *names: str | int) -> int:
    """Return a 31-bit seed for libraries that want a number."""
    return int(sequence(seed, *names).generate_state(1)[0] >> 1)
