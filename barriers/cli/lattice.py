"""The lattice of a study that relaxes it, before its slab is built."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from barriers.cli.app import state
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from barriers.study.forms import AnyStudy
    from barriers.workflow.lattice import Lattice

NOT_YET = "lattice: not relaxed yet, `barriers run` does that first; atoms and hops are those of the lattice on file"

CRYSTAL_NOT_YET = "lattice: not relaxed yet, `barriers run` does that first; atoms and hops are those of the file"


def settled(study: AnyStudy, folder: Path) -> tuple[AnyStudy, Lattice | None]:
    """Relax the lattice of a study that asks for it, with its progress on the terminal, unless it is there."""
    from barriers.dispatch.lattice import relax_lattice
    from barriers.report.lattice import lattice_lines
    from barriers.report.progress import RunView

    with RunView(quiet=state["quiet"]) as view:
        study, lattice = relax_lattice(study, folder, view)
    if lattice is not None and not state["quiet"]:
        say("\n".join(lattice_lines(lattice)), err=True)
    return study, lattice


def foreseen(study: AnyStudy) -> tuple[AnyStudy, Lattice | None, tuple[str, ...]]:
    """Give a study the lattice that is relaxed already, or for want of that the one on file, with a warning."""
    from barriers.dispatch.lattice import kept_lattice
    from barriers.study.forms import CrystalStudy
    from barriers.study.models import EndpointStudy
    from barriers.workflow.lattice import with_lattice

    if isinstance(study, EndpointStudy) or not study.relaxes_lattice:
        return study, None, ()
    with suppress(ValueError):  # of a bulk that cannot be built: the slab says why, or is large enough
        if (lattice := kept_lattice(study, Path("results") / study.name)) is not None:
            return with_lattice(study, lattice), lattice, ()
    if isinstance(study, CrystalStudy):
        as_given = study.crystal.model_copy(update={"relax": False})
        return study.model_copy(update={"crystal": as_given}), None, (CRYSTAL_NOT_YET,)
    on_file = study.cathode.model_copy(update={"relax": False})
    return study.model_copy(update={"cathode": on_file}), None, (NOT_YET,)
