"""A screen through FireWorks: the first pass of all structures, then the studies of the best, each a workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jobflow import Flow
from jobflow.core.reference import find_and_resolve_references

from barriers.analysis.screen import NOT_YET
from barriers.dispatch.fireworks.collect import collect, reason_of
from barriers.dispatch.fireworks.collections import scope_of
from barriers.dispatch.identity import identify
from barriers.dispatch.local import LocalRun
from barriers.dispatch.screen import ScreenRun
from barriers.study.forms import AnyStudy, CrystalStudy
from barriers.workflow.lattice import Lattice
from barriers.workflow.screen import Screen
from barriers.workflow.study import StudyMaker

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster
    from barriers.documents import StudyDoc


class DispatchedScreen:
    """Brings home what the queue has computed of a screen, and gives the jobs that it is to compute next.

    Structures travel in the jobs, and results come from the store: no file system is shared. All jobs are those of one
    study on the LaunchPad, with the name of the screen.

    Parameters
    ----------
    screen : Screen
        What is screened.
    folder : Path
        Results folder of the screen, here.
    cluster : Cluster
        Where it is computed.
    settle : callable
        Relaxes the lattice of a study here and gives the study with it, as `barriers submit` does.
    keep : callable
        Writes the results of a structure's study into its folder.

    Attributes
    ----------
    run : ScreenRun
        The screen as far as it is known here.
    """

    def __init__(
        self,
        screen: Screen,
        folder: Path,
        cluster: Cluster,
        settle: Callable[[AnyStudy, Path], tuple[AnyStudy, Lattice | None]],
        keep: Callable[[StudyDoc, Path], object],
    ) -> None:
        self.cluster, self._settle, self._keep = cluster, settle, keep
        self._launchpad, self._store = cluster.launchpad(), cluster.store()
        self.run = ScreenRun(screen, folder, self._estimate, self._study)
        self._scope = scope_of(cluster.owner, screen.name)
        self._wanted: list[Flow] = []

    def parts(self, best: int, tell: Callable[[str], object]) -> Iterator[Flow]:
        """Give the jobs of what is not there, a structure at a time; bands once all estimates are known.

        ``tell`` is called with the name of each structure that was looked at.
        """
        for row, _ in self.run.estimates():
            tell(row.name)
            yield from self._taken()
        if any(row.state == "waiting" for row in self.run.rows.values()):
            return
        for row, _ in self.run.barriers(best):
            tell(row.name)
            yield from self._taken()

    def _taken(self) -> Iterator[Flow]:
        wanted, self._wanted = self._wanted, []
        yield from wanted

    def _estimate(self, flow: Flow) -> LocalRun:
        """Take the estimates of a structure from the store, or ask for them."""
        identify(flow, self._scope)
        ((job, _),) = flow.iterflow()
        if self._store.query_one({"uuid": job.uuid}, properties=["uuid"]) is not None:
            return LocalRun(find_and_resolve_references(flow.output, self._store))
        self._wanted.append(flow)
        return LocalRun(failures={job.name: reason_of(job, self._launchpad)})

    def _study(self, study: CrystalStudy, folder: Path) -> LocalRun:
        """Put together what the store has of a structure's study, and ask for the rest."""
        try:
            settled, lattice = self._settle(study, folder)
        except (ValueError, RuntimeError) as error:  # one structure is not the screen
            return LocalRun(failures={"lattice": str(error)})
        named = settled.model_copy(update={"name": self.run.screen.name})
        maker = StudyMaker(lattice=lattice)
        document = collect(named, self.cluster, lattice).model_copy(update={"name": study.name})
        if any(gap.reason == NOT_YET for gap in document.gaps):
            self._wanted += maker.parts(named)
        else:
            self._keep(document, folder)
        return LocalRun(document)
