"""Relaxing a study's lattice on this machine, once, and keeping it beside the study's results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from monty.json import MontyEncoder

from barriers.disk import writing
from barriers.documents import CellDoc, CrystalCellDoc, LatticeDoc
from barriers.study.forms import AnyStudy, CrystalStudy
from barriers.study.models import EndpointStudy, Study
from barriers.workflow.lattice import (
    Lattice,
    lattice_document,
    lattice_job,
    lattice_key,
    lattice_on_file,
    with_lattice,
)

if TYPE_CHECKING:
    from barriers.dispatch.local import JobEvent

LATTICE = "lattice.json"


def relax_lattice(
    study: AnyStudy, folder: Path | str, on_event: Callable[[JobEvent], None] | None = None
) -> tuple[AnyStudy, Lattice | None]:
    """Relax the lattice of a study that asks for it (``cathode.relax``, ``crystal.relax``), unless it is known already.

    Parameters
    ----------
    study : Study
        What :func:`barriers.load_study` gives.
    folder : Path or str
        The study's results folder. ``lattice.json`` in it keeps the lattice; the job runs there as others do.
    on_event : callable
        As for :func:`barriers.run`.

    Returns
    -------
    Study
        The study with that lattice; the same study where none is asked for.
    LatticeDoc, CrystalCellDoc or None
        The lattice, for :class:`barriers.StudyMaker`.

    Raises
    ------
    RuntimeError
        If the relaxation fails or has not converged; the same call goes on from there.
    """
    if isinstance(study, EndpointStudy) or not study.relaxes_lattice:
        return study, None
    folder = Path(folder)
    lattice = kept_lattice(study, folder)
    if lattice is None:
        lattice = lattice_document(study, _relaxed(study, folder, on_event))
        with writing(folder / LATTICE):
            (folder / LATTICE).write_text(json.dumps(lattice, cls=MontyEncoder, indent=1), "utf-8")
    return with_lattice(study, lattice), lattice


def kept_lattice(study: Study | CrystalStudy, folder: Path) -> Lattice | None:
    """Read a study's lattice from its results folder; None where there is none, or one of another bulk or model."""
    if (on_file := lattice_on_file(study)) is not None:
        return on_file
    try:
        content = json.loads((folder / LATTICE).read_text("utf-8"))
        form: type[Lattice] = CrystalCellDoc if isinstance(study, CrystalStudy) else LatticeDoc
        kept = form.model_validate(content)
    except (FileNotFoundError, ValueError):
        return None
    return kept if kept.of == lattice_key(study) else None


def _relaxed(study: Study | CrystalStudy, folder: Path, on_event: Callable[[JobEvent], None] | None) -> CellDoc:
    from jobflow import Flow

    from barriers.dispatch.local import run

    job = lattice_job(study)
    outcome = run(Flow([job], output=job.output), folder, on_event)
    cell: CellDoc | None = outcome.output
    if cell is None or not cell.converged:
        said = "; ".join(outcome.failures.values()) if cell is None else f"not converged, {cell.reason}"
        which = "crystal" if isinstance(study, CrystalStudy) else "cathode"
        raise RuntimeError(f"{which}.relax: {said}; the same command goes on, files are in {folder / 'jobs'}")
    return cell
