"""Relaxing a study's bulk before its slab is cut, or its crystal: one job, and the study with what comes out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter
from pymatgen.core import Structure

from barriers.contents import digest
from barriers.documents import CellDoc, CrystalCellDoc, LatticeDoc
from barriers.engines import build_engine
from barriers.engines.mlip import MlipEngine
from barriers.engines.mlip.weights import potential
from barriers.structures.cathode.crystal import Cathode
from barriers.structures.cathode.lattice import hexagonal_lattice, supercell
from barriers.structures.crystal import space_group
from barriers.structures.digest import structure_digest
from barriers.structures.surface.edits import without
from barriers.study.forms import CrystalStudy
from barriers.study.models import Study
from barriers.workflow.crystal import cell_of
from barriers.workflow.engine import expensive_one
from barriers.workflow.slab_and_hops import crystal_of, decorated

if TYPE_CHECKING:
    from jobflow import Job

FMAX = 0.03
"""Largest force left in the bulk (eV/Å), whatever a study asks of its hops: studies share their lattices."""

Bulk = TypeVar("Bulk", bound=Study | CrystalStudy)

REPEATS = (1, 2, 3, 4)
"""Repeats of the hexagonal cell in the plane that are tried until one holds the composition: 12 to 192 atoms."""


def bulk_of(study: Study) -> tuple[Cathode, Structure, int]:
    """Build the bulk of a study in its smallest hexagonal cell, ordered and delithiated as its slab is.

    Returns
    -------
    Cathode
        The lattice that the study starts from.
    Structure
        12 · n² sites, less the lithium taken out.
    int
        n, the repeats in the plane.

    Raises
    ------
    ValueError
        One line, if no cell of up to 192 atoms holds the composition.
    """
    section = study.cathode
    crystal = crystal_of(section)
    said = ""
    for repeats in REPEATS:
        try:
            ordered, gone = decorated(supercell(crystal, repeats), crystal, section)
        except ValueError as error:
            said = str(error)
        else:
            return crystal, without(ordered, gone), repeats
    raise ValueError(
        f"cathode.relax: no cell of up to {12 * REPEATS[-1] ** 2} atoms holds the composition: {said}; "
        f"allowed here: false, or a and c of your own"
    )


Lattice = LatticeDoc | CrystalCellDoc
"""What is kept of a bulk that was relaxed: of a layered cathode, and of any other crystal."""


def _engine(study: Study | CrystalStudy) -> MlipEngine:
    own = expensive_one(build_engine(study.engine))
    assert isinstance(own, MlipEngine)  # a study with another engine does not relax its lattice
    return own


def lattice_job(study: Study | CrystalStudy) -> Job:
    """Build the job that relaxes cell and ions of a study's bulk (CellDoc)."""
    from barriers.workflow.labels import label

    own = _engine(study)
    if isinstance(study, CrystalStudy):
        job = own.crystal_cell(FMAX, study.relax.max_steps).make(cell_of(study.crystal))
        return label(job, "crystal: relax cell")
    return label(own.cell(FMAX, study.relax.max_steps).make(bulk_of(study)[1]), "bulk: relax cell")


def lattice_key(study: Study | CrystalStudy) -> str:
    """Digest of what a study's lattice is relaxed from and with."""
    job = lattice_job(study)
    (start,) = job.function_args
    return digest([job.maker.identity(), structure_digest(start)])


def lattice_document(study: Study | CrystalStudy, cell: CellDoc) -> Lattice:
    """Read a study's lattice off its relaxed bulk."""
    if isinstance(study, CrystalStudy):
        return _crystal_document(study, cell)
    crystal, start, repeats = bulk_of(study)
    a, c, z = hexagonal_lattice(start, cell.structure, repeats)
    return LatticeDoc(
        of=lattice_key(study),
        a=a,
        c=c,
        z=z,
        strain=(a / crystal.a - 1, c / crystal.c - 1),
        stress_before=cell.stress_before,
        stress=cell.stress,
        source=crystal.source,
        atoms=len(start),
        cost=cell.cost,
        engine=cell.engine,
    )


def _crystal_document(study: CrystalStudy, cell: CellDoc) -> CrystalCellDoc:
    start = cell_of(study.crystal)
    before, after = start.lattice, cell.structure.lattice
    a, b, c = (now / was - 1 for now, was in zip(after.abc, before.abc, strict=True))
    return CrystalCellDoc(
        of=lattice_key(study),
        structure=cell.structure,
        strain=(a, b, c),
        volume_change=after.volume / before.volume - 1,
        space_groups=(space_group(start), space_group(cell.structure)),
        stress_before=cell.stress_before,
        stress=cell.stress,
        source=Path(study.crystal.file).name,
        cost=cell.cost,
        engine=cell.engine,
    )


@cache
def _on_file() -> dict[str, LatticeDoc]:
    text = (files("barriers.engines.mlip") / "lattices.json").read_text("utf-8")
    return TypeAdapter(dict[str, LatticeDoc]).validate_json(text)


def lattice_on_file(study: Study | CrystalStudy) -> LatticeDoc | None:
    """Look up what :func:`lattice_job` gave where it was run before: for cathodes on file, with the default model.

    Where the model's weights are not here, its name is taken for them: a flow may be built on such a machine.
    """
    if isinstance(study, CrystalStudy):
        return None
    lattice = _on_file().get(structure_digest(bulk_of(study)[1]))
    if lattice is None:
        return None
    loaded = potential(_engine(study).spec)
    same = lattice.engine.name == loaded.get("not readable here") or lattice.engine.checksum == loaded.get("weights")
    return lattice if same else None


def settled_lattice(study: Bulk) -> tuple[Bulk, LatticeDoc | None]:
    """Give a study the lattice that it is to have, where none has to be relaxed for it.

    Raises
    ------
    ValueError
        One line, if the lattice is to be relaxed and is not on file.
    """
    if not study.relaxes_lattice:
        return study, None
    if (lattice := lattice_on_file(study)) is None:
        which = "crystal" if isinstance(study, CrystalStudy) else "cathode"
        raise ValueError(
            f"{which}.relax: the lattice is not relaxed yet; `barriers run` relaxes it, relax_lattice in Python"
        )
    return with_lattice(study, lattice), lattice


def with_lattice(study: Bulk, lattice: Lattice) -> Bulk:
    """Give the study the lattice that was found, as if its file had named a, c and z, or held the relaxed crystal."""
    if isinstance(study, CrystalStudy):
        assert isinstance(lattice, CrystalCellDoc)
        return study.model_copy(update={"crystal": study.crystal.as_relaxed(lattice.structure)})
    assert isinstance(lattice, LatticeDoc)
    found = {"a": lattice.a, "c": lattice.c, "z": lattice.z, "relax": False}
    return study.model_copy(update={"cathode": study.cathode.model_copy(update=found)})
