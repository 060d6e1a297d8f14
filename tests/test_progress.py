"""The forecast of a plan of stages, with a clock that is set by hand."""

import pytest

from responder_ml.progress import Clock, Forecast, Progress, WorkPlan, spoken_time


class HandClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return HandClock()


def _work(forecast, clock, seconds, done, total):
    clock.now += seconds
    forecast.report(done, total)


def test_nothing_is_foretold_before_anything_is_measured(clock):
    forecast = Forecast(WorkPlan({"search": 10, "null": 100}), clock)
    assert forecast.remaining() is None
    forecast.begin("search")
    clock.now += 5
    assert forecast.remaining() is None
    assert forecast.fraction() == 0


def test_stages_to_come_are_costed_at_the_rate_of_the_first(clock):
    forecast = Forecast(WorkPlan({"search": 10, "null": 100, "fit": 5}, more=50), clock)
    forecast.begin("search")
    _work(forecast, clock, 2, 1, 10)
    assert forecast.remaining() == pytest.approx(18 + 200 + 10)
    assert forecast.more() == pytest.approx(100)
    assert forecast.fraction() == pytest.approx(2 / 230)


def test_the_start_of_a_stage_counts_for_none_of_its_units(clock):
    """Processes are started and code is compiled before the first unit of a stage is done."""
    forecast = Forecast(WorkPlan({"null": 1}), clock)
    forecast.begin("null")
    _work(forecast, clock, 60, 1, 100)
    assert forecast.remaining() == pytest.approx(60 * 99)
    _work(forecast, clock, 1, 2, 100)
    assert forecast.remaining() == pytest.approx(98)


def test_a_stage_that_is_measured_corrects_the_costs_of_those_to_come(clock):
    forecast = Forecast(WorkPlan({"search": 10, "null": 100, "explain": 100}), clock)
    forecast.begin("search")
    _work(forecast, clock, 10, 1, 1)
    forecast.end()
    assert forecast.remaining() == pytest.approx(200)
    forecast.begin("null")
    assert forecast.remaining() == pytest.approx(200)
    clock.now += 30
    assert forecast.remaining() == pytest.approx(170)
    _work(forecast, clock, 0, 10, 100)
    assert forecast.remaining() == pytest.approx(30 * 9 + 300)


def test_a_test_that_ends_early_brings_the_end_nearer_and_the_bar_never_falls_back(clock):
    forecast = Forecast(WorkPlan({"null": 100, "fit": 1}), clock)
    forecast.begin("null")
    bar = []
    for done, total in ((1, 10), (2, 10), (3, 40), (4, 40)):
        _work(forecast, clock, 1, done, total)
        bar.append(forecast.fraction())
    assert bar == sorted(bar)
    forecast.end()
    assert forecast.remaining() == pytest.approx(0.04)
    assert forecast.fraction() > 0.9


def test_a_stage_that_nobody_announced_costs_nothing_beforehand(clock):
    forecast = Forecast(WorkPlan({"null": 10, "fit": 10}), clock)
    forecast.begin("null")
    _work(forecast, clock, 10, 1, 1)
    forecast.end()
    forecast.begin("second null")
    assert forecast.remaining() == pytest.approx(10)
    _work(forecast, clock, 5, 1, 2)
    assert forecast.remaining() == pytest.approx(5 + 10)
    forecast.end()
    assert forecast.remaining() == pytest.approx(10)


def test_silent_progress_takes_whatever_it_is_told():
    progress = Progress()
    with progress.work(WorkPlan({"search": 1})), progress.stage("search") as on_progress:
        on_progress(1, 2, "half")
    progress.say("done")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.1, "5 s"), (54, "55 s"), (55, "1 min"), (3600, "60 min"), (6000, "2 h")]
)
def test_a_time_is_said_as_roughly_as_it_is_known(seconds, words):
    assert spoken_time(seconds) == words


def test_laps_are_read_with_their_total():
    clock = Clock()
    with clock.lap("search_s"):
        pass
    assert list(clock.read()) == ["search_s", "total_s"]
