"""What is shown of a run: how long it still takes, what is awaited, and nothing where nothing is asked for."""

from __future__ import annotations

import pytest

from barriers.dispatch.local import JobEvent
from barriers.report.forecast import Forecast, in_words
from barriers.report.progress import RunView

LEFT = {"relax": 2, "neb": 1, "analysis": 3}


def ended(kind: str, calls: int, seconds: float, left: dict[str, int]) -> JobEvent:
    return JobEvent("done", kind, 1, 7, None, seconds, "", calls, kind, left)


def test_time_left_comes_from_the_engine_and_then_from_what_was_seen() -> None:
    forecast = Forecast(0.5)
    forecast.take(JobEvent("started", "relax", 1, 7, kind="relax", left=LEFT))
    assert forecast.seconds_left() == pytest.approx(0.5 * (2 * 40 + 180))
    forecast.take(ended("relax", 20, 40.0, LEFT))
    assert forecast.seconds_left() == pytest.approx(2.0 * (2 * 20 + 180))
    # A job that runs has some of it behind it, but never more than it usually takes; two at once take half as long.
    assert forecast.seconds_left([("relax", 10.0)]) == pytest.approx(2.0 * 220 - 10)
    assert forecast.seconds_left([("relax", 999.0)]) == pytest.approx(2.0 * 200)
    assert forecast.seconds_left([("relax", 10.0), ("neb", 30.0)]) == pytest.approx((2.0 * 220 - 40) / 2)


def test_where_nothing_is_known_nothing_is_said_and_what_was_done_before_says_nothing() -> None:
    forecast = Forecast()
    forecast.take(JobEvent("reused", "relax", 1, 7, kind="relax", left=LEFT))
    assert forecast.seconds_left() is None


def test_times_are_said_roughly() -> None:
    assert [in_words(seconds) for seconds in (3, 44, 170, 7800)] == [
        "about 10 s",
        "about 40 s",
        "about 3 min",
        "about 2 h 10 min",
    ]


@pytest.mark.parametrize("quiet", [False, True])
def test_running_jobs_stand_in_order_with_what_is_awaited(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    view = RunView(quiet=quiet)
    for number in (3, 2):
        view(JobEvent("started", f"job{number}", number, 7, kind="relax", left=LEFT))
    assert [line.split()[1:3] for line in view._status()] == [["[2/7]", "job2:"], ["[3/7]", "job3:"]]
    assert "loading its model" in view._status()[0]
    view(ended("relax", 20, 40.0, LEFT))
    assert ("✓ [1/7] relax  40.0 s" in capsys.readouterr().err) is not quiet
