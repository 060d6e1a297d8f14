"""What long work tells whoever watches: nothing by default, a bar on a terminal."""

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
