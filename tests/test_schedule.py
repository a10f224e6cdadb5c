"""Which job starts when, and with how many cores: properties of any flow, and the cases one can count by hand."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from barriers.dispatch.schedule import Schedule


@st.composite
def flows(draw: Any) -> dict[str, list[str]]:
    """Jobs in an order in which each needs only earlier ones."""
    count = draw(st.integers(0, 12))
    return {
        f"j{number}": sorted(draw(st.sets(st.sampled_from([f"j{other}" for other in range(number)]), max_size=3)))
        if number
        else []
        for number in range(count)
    }


def behind(parents: dict[str, list[str]], failed: set[str]) -> set[str]:
    """Jobs that need a failed one, directly or not."""
    found: set[str] = set()
    for job, needed in parents.items():
        if job not in failed and any(parent in failed | found for parent in needed):
            found.add(job)
    return found


@settings(deadline=None, max_examples=150)
@given(flows(), st.integers(1, 9), st.integers(1, 5), st.data())
def test_every_job_runs_once_after_its_parents_and_the_cores_are_never_exceeded(
    parents: dict[str, list[str]], cores: int, workers: int, data: Any
) -> None:
    light = {job for job in parents if data.draw(st.booleans())}
    failing = {job for job in parents if data.draw(st.integers(0, 5)) == 0}
    schedule = Schedule(parents, light, cores, workers)
    started: list[str] = []
    ended: set[str] = set()
    skipped: list[str] = []
    while not schedule.is_over:
        for job, share in schedule.start():
            started.append(job)
            assert set(parents[job]) <= ended - failing
            assert share == 1 if job in light else share >= 1
            if len(schedule.running) == 1 and job not in light:
                assert share == cores
        assert sum(schedule.running.values()) <= cores
        assert 0 < len(schedule.running) <= workers
        job = data.draw(st.sampled_from(sorted(schedule.running)))
        ended.add(job)
        for other, culprit in schedule.end(job, job not in failing):
            assert culprit in parents[other]
            skipped.append(other)
    assert schedule.running == {}
    assert len(started) == len(set(started))
    failed = failing & set(started)
    assert set(skipped) == behind(parents, failed)
    assert set(started) | set(skipped) == set(parents)
    assert schedule.broken == failed | set(skipped)


def test_a_job_does_not_wait_for_others_of_its_depth() -> None:
    schedule = Schedule({"slow": [], "quick": [], "next": ["quick"]}, [], 4, 2)
    assert schedule.start() == [("slow", 2), ("quick", 2)]
    schedule.end("quick", True)
    assert schedule.start() == [("next", 2)]


def test_cores_that_do_not_divide_are_all_used_and_light_jobs_leave_theirs_to_the_others() -> None:
    schedule = Schedule({"a": [], "b": [], "light": []}, ["light"], 8, 3)
    assert schedule.start() == [("light", 1), ("a", 4), ("b", 3)]


def test_more_workers_than_cores_wait() -> None:
    schedule = Schedule({"a": [], "b": [], "c": []}, [], 2, 3)
    assert schedule.start() == [("a", 1), ("b", 1)]
    schedule.end("a", True)
    assert schedule.start() == [("c", 1)]
