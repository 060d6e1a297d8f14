"""What long work tells whoever watches: nothing by default, a bar on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnProgress = Callable[[int, int, str], None]


class Progress:
    """Silent progress; the command line puts a bar in its place."""

    @contextmanager
    def stage(self, title: str) -> Iterator[OnProgress]:
        """Open a stage of work; the function it yields is told (units done, units in all, a remark)."""

        def nothing(done: int, total: int, remark: str) -> None:
            del done, total, remark

        yield nothing

    def say(self, text: str) -> None:
        """Tell a sentence that belongs to the result, such as the smallest attainable p."""
        del text


class Clock:
    """Wall-clock seconds of named stages."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._laps: dict[str, float] = {}

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Time a stage."""
        begin = time.perf_counter()
        yield
        self._laps[name] = time.perf_counter() - begin

    def read(self) -> dict[str, float]:
        """Return seconds per stage and in total, to the millisecond."""
        total = time.perf_counter() - self._start
        return {name: round(seconds, 3) for name, seconds in {**self._laps, "total_s": total}.items()}
