"""The lattice of a study that relaxes it, before its slab is built."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from barriers.cli.app import state
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from barriers.documents import LatticeDoc
    from barriers.study.models import EndpointStudy, Study

NOT_YET = "lattice: not relaxed yet, `barriers run` does that first; atoms and hops are those of the lattice on file"


def settled(study: Study | EndpointStudy, folder: Path) -> tuple[Study | EndpointStudy, LatticeDoc | None]:
    """Relax the lattice of a study that asks for it, with its progress on the terminal, unless it is there."""
    from barriers.dispatch.lattice import relax_lattice
    from barriers.report.lattice import lattice_lines
    from barriers.report.progress import RunView

    with RunView(quiet=state["quiet"]) as view:
        study, lattice = relax_lattice(study, folder, view)
    if lattice is not None and not state["quiet"]:
        say("\n".join(lattice_lines(lattice)), err=True)
    return study, lattice


def foreseen(study: Study | EndpointStudy) -> tuple[Study | EndpointStudy, LatticeDoc | None, tuple[str, ...]]:
    """Give a study the lattice that is relaxed already, or for want of that the one on file, with a warning."""
    from barriers.dispatch.lattice import kept_lattice
    from barriers.study.models import Study
    from barriers.workflow.lattice import with_lattice

    if not isinstance(study, Study) or not study.relaxes_lattice:
        return study, None, ()
    with suppress(ValueError):  # of a bulk that cannot be built: the slab says why, or is large enough
        if (lattice := kept_lattice(study, Path("results") / study.name)) is not None:
            return with_lattice(study, lattice), lattice, ()
    on_file = study.cathode.model_copy(update={"relax": False})
    return study.model_copy(update={"cathode": on_file}), None, (NOT_YET,)
