"""What long work tells whoever watches: how much there is, how far it has come, and how long the rest will take."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

OnProgress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class WorkPlan:
    """What is to be done, before it begins.

    Attributes
    ----------
    costs
        Expected cost of each stage by its title, in their order, in any one unit of work.
    workers
        Processes that share it.
    more
        Cost that may come on top: of tests that go on while they are not settled.
    reason
        When it does, such as ``if p lies near 0.05``.
    """

    costs: Mapping[str, float]
    workers: int = 1
    more: float = 0.0
    reason: str = ""


class Progress:
    """Silent progress; the command line puts a bar, or lines, in its place."""

    @contextmanager
    def work(self, plan: WorkPlan) -> Iterator[None]:
        """Announce stages that follow one another, so that one bar and one estimate hold for all of them."""
        del plan
        yield

    @contextmanager
    def stage(self, title: str) -> Iterator[OnProgress]:
        """Open a stage of work; the function it yields is told (units done, units in all, a remark)."""

        def nothing(done: int, total: int, remark: str) -> None:
            del done, total, remark

        yield nothing

    def say(self, text: str) -> None:
        """Tell a sentence that belongs to the result, such as the smallest attainable p."""
        del text


@dataclass
class Forecast:
    """How long the rest of a plan takes, from the time that its stages have taken so far.

    A stage under way is extrapolated from its own units. Stages to come are costed at the rate of those measured: of the one
    under way, or else of all that are done. Nothing is said before a unit has been measured.

    Parameters
    ----------
    plan
        The stages. One that is not in it costs nothing beforehand, and what it took afterwards.
    clock
        Returns seconds.
    """

    plan: WorkPlan
    clock: Callable[[], float] = time.monotonic
    title: str = field(default="", init=False)
    share: float = field(default=0.0, init=False)
    """Of the stage under way, that is done."""
    _begun: float = field(init=False)
    _stage_begun: float = field(init=False)
    _first: tuple[float, float] | None = field(default=None, init=False)
    _done: dict[str, float] = field(default_factory=dict, init=False)
    _bar: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._begun = self._stage_begun = self.clock()

    def begin(self, title: str) -> None:
        """Begin a stage."""
        self.title, self.share, self._stage_begun, self._first = title, 0.0, self.clock(), None

    def report(self, done: int, total: int) -> None:
        """Note that so many units of the stage under way are done, of as many as are expected now."""
        self.share = min(1.0, done / max(total, 1))
        if self._first is None:
            self._first = (self.clock(), self.share)

    def end(self) -> None:
        """End the stage under way, however many of its units were needed."""
        self._done[self.title] = self._done.get(self.title, 0.0) + self.clock() - self._stage_begun
        self.title, self.share, self._first = "", 0.0, None

    @property
    def elapsed(self) -> float:
        """Seconds since the plan was announced."""
        return self.clock() - self._begun

    def remaining(self) -> float | None:
        """Return the seconds that the rest takes; None while nothing has been measured."""
        rate, of_stage = self._rate(), self._rest_of_stage()
        if rate is None or of_stage is None:
            return None
        return of_stage + rate * self._cost_ahead()

    def more(self) -> float:
        """Return the seconds that may come on top."""
        return (self._rate() or 0.0) * self.plan.more

    def fraction(self) -> float:
        """Return the share of all that is done, between 0 and 1; it never falls."""
        remaining = self.remaining()
        if remaining is not None:
            passed = self.elapsed
            self._bar = max(self._bar, passed / max(passed + remaining, 1e-9))
        return self._bar

    def _cost_ahead(self) -> float:
        """Return the cost of the stages that have not begun."""
        begun = {*self._done, self.title}
        return sum(cost for title, cost in self.plan.costs.items() if title not in begun)

    def _rest_of_stage(self) -> float | None:
        if not self.title:
            return 0.0
        if self.share > 0:
            return self._seconds_of_stage() * (1.0 - self.share)
        rate = self._rate()
        return None if rate is None else max(0.0, rate * self.plan.costs.get(self.title, 0.0) - self._in_stage())

    def _in_stage(self) -> float:
        return self.clock() - self._stage_begun

    def _seconds_of_stage(self) -> float:
        """Return what the whole stage under way will have taken: without its start, once two reports have come."""
        when, share = self._first or (self._stage_begun, 0.0)
        if self.share > share:
            return (self.clock() - when) / (self.share - share)
        return self._in_stage() / self.share

    def _rate(self) -> float | None:
        """Return seconds per cost."""
        cost = self.plan.costs.get(self.title, 0.0)
        if cost and self.share > 0:
            return self._seconds_of_stage() / cost
        costs = sum(self.plan.costs.get(title, 0.0) for title in self._done)
        return (
            sum(seconds for title, seconds in self._done.items() if title in self.plan.costs) / costs if costs else None
        )


def spoken_time(seconds: float) -> str:
    """Return a length of time as one says it: rounded, since it is an estimate.

    >>> [spoken_time(seconds) for seconds in (4, 40, 200, 3 * 3600, 40 * 3600)]
    ['5 s', '40 s', '3 min', '3 h', '40 h']
    """
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{round(seconds / 3600)} h"


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
