"""Which job starts next, and with how many cores: decided here, run elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter


class Schedule:
    """Starts jobs as soon as the jobs they need are done, and shares the cores of one machine among them.

    A job keeps the cores it started with, and those of all running jobs together are never more than there are. Light
    jobs take one core; the others that start at the same time divide what is free. So a job that runs alone has all.

    Parameters
    ----------
    parents : Mapping[str, Sequence[str]]
        For each job, in the order they should start, the jobs it needs.
    light : Collection[str]
        Jobs that use one core.
    cores : int
        Cores of the machine.
    workers : int
        Most jobs at once.
    tolerant : Collection[str]
        Jobs that start once those they need have ended, however they ended.

    Attributes
    ----------
    running : dict[str, int]
        Running jobs and their cores.
    broken : set[str]
        Jobs that failed or were skipped.
    """

    def __init__(
        self,
        parents: Mapping[str, Sequence[str]],
        light: Collection[str],
        cores: int,
        workers: int,
        tolerant: Collection[str] = (),
    ) -> None:
        self.parents, self.light, self.cores, self.workers = parents, frozenset(light), cores, workers
        self.tolerant = frozenset(tolerant)
        self.running: dict[str, int] = {}
        self._numbers = {job: number for number, job in enumerate(parents)}
        self.broken: set[str] = set()
        self._ready: list[str] = []
        self._held: dict[str, list[str]] = {}
        self._sorter = TopologicalSorter(parents)
        self._sorter.prepare()
        self._release()

    @property
    def is_over(self) -> bool:
        """Whether every job has ended or been skipped."""
        return not self._sorter.is_active()

    def start(self) -> list[tuple[str, int]]:
        """Give the jobs that start now, each with its number of cores."""
        free = self.cores - sum(self.running.values())
        places = min(free, self.workers - len(self.running))
        # Light jobs first: many others wait for them, and they are soon done.
        chosen = sorted(self._ready, key=lambda job: (job not in self.light, self._numbers[job]))[:places]
        heavy = [job for job in chosen if job not in self.light]
        shares = dict.fromkeys(chosen, 1)
        if heavy:
            share, left = divmod(free - (len(chosen) - len(heavy)), len(heavy))
            shares |= {job: share + (number < left) for number, job in enumerate(heavy)}
        self.running |= shares
        self._ready = [job for job in self._ready if job not in shares]
        return list(shares.items())

    def hold(self, job: str, until: str) -> None:
        """Take back the start of a job until a running one has ended."""
        del self.running[job]
        self._held.setdefault(until, []).append(job)

    def end(self, job: str, succeeded: bool) -> list[tuple[str, str]]:
        """Note that a job has ended.

        Returns
        -------
        list of tuple
            Jobs that can never start now, each with one that it needs and that failed or was skipped.
        """
        del self.running[job]
        if not succeeded:
            self.broken.add(job)
        self._ready += self._held.pop(job, [])
        self._sorter.done(job)
        return self._release()

    def _release(self) -> list[tuple[str, str]]:
        """Sort jobs whose parents have ended into those that can start and those that cannot."""
        skipped: list[tuple[str, str]] = []
        while fresh := self._sorter.get_ready():
            for job in fresh:
                broken = next((parent for parent in self.parents[job] if parent in self.broken), None)
                if broken is None or job in self.tolerant:
                    self._ready.append(job)
                else:
                    self.broken.add(job)
                    skipped.append((job, broken))
                    self._sorter.done(job)
        return sorted(skipped, key=lambda pair: self._numbers[pair[0]])
