"""A study of the example's systems with energies from a formula: everything a report shows, and nothing calculated."""

from __future__ import annotations

import numpy as np
from example_structures import STUDY

from barriers.documents import BandDoc, BarrierDoc, CostDoc, EngineDoc, RelaxDoc, StudyDoc
from barriers.report.views import Points
from barriers.structures.hop.hop import Hop
from barriers.study.file import load_study
from barriers.workflow.built import build_study
from barriers.workflow.comparison_job import study_document
from barriers.workflow.result_jobs import barrier_document

HEIGHTS = (0.43, 0.43, 0.48)
"""Barrier of each system (eV)."""

REACTION = 0.05
"""Energy of the final state (eV)."""

ENGINE = EngineDoc(
    kind="mlip", name="made-up", version="1.0", checksum="0" * 64, settings={"cutoff": 5}, packages={"ase": "3.29.0"}
)


def along(distance: Points, length: float, height: float) -> tuple[Points, Points]:
    """Energy and its slope over the path: a hill of ``height`` on a line up to the final state (eV, eV/Å)."""
    phase = np.pi * distance / length
    energies = height * np.sin(phase) ** 2 + REACTION * distance / length
    return energies, height * np.pi / length * np.sin(2 * phase) + REACTION / length


def made_up_band(initial: RelaxDoc, final: Points, images: int, height: float, converged: bool) -> BandDoc:
    """Straight band between two endpoints."""
    start = initial.structure.cart_coords
    shares = np.linspace(0, 1, images)
    jump = final - start
    length = float(np.linalg.norm(jump))
    energies, slopes = along(shares * length, length, height)
    return BandDoc(
        start="idpp",
        structure=initial.structure,
        positions=[(start + share * jump).tolist() for share in shares],
        energies=energies.tolist(),
        forces=[(-slope * jump / length).tolist() for slope in slopes],
        converged=converged,
        reason=None if converged else "0.512 eV/Å after 300 iterations, 0.05 asked for",
        settings={"fmax": 0.05, "rough_fmax": 0.3, "max_steps": 300, "spring": 1.0},
        cost=CostDoc(force_calls=120, wall_time=61.0),
        engine=ENGINE,
    )


def made_up_study(
    images: int = 6, layers: int = 3, names: tuple[str, ...] = (), failed: tuple[int, ...] = ()
) -> StudyDoc:
    """Three systems and one hop.

    Parameters
    ----------
    images : int
        Images of a band, endpoints included.
    layers : int
        Layers of the slab, 24 atoms each.
    names : tuple of str
        Other names of the systems.
    failed : tuple of int
        Systems without a converged band.
    """
    study = load_study(STUDY)
    surface = study.surface.model_copy(update={"layers": layers})
    built = build_study(study.model_copy(update={"surface": surface}))
    hop = built.hops[0]
    barriers = [
        _barrier(name, built.structures, hop, images, HEIGHTS[number], number not in failed)
        for number, name in enumerate(study.system_names)
    ]
    for barrier, name in zip(barriers, names, strict=False):
        barrier.system = name
    document: StudyDoc = study_document.original(study.name, barriers, barriers[1].system, "forward", ["a polar face"])
    return document


def _barrier(name: str, structures: dict, hop: Hop, images: int, height: float, converged: bool) -> BarrierDoc:
    ends = [structures[f"{name} {hop.name} {which}"] for which in ("initial", "final")]
    relaxed = [
        RelaxDoc(
            structure=end,
            energy=0.0,
            forces=np.zeros((len(end), 3)).tolist(),
            cost=CostDoc(force_calls=40, wall_time=20.0),
            engine=ENGINE,
            converged=True,
            max_force=0.02,
            fmax=0.03,
            steps=40,
        )
        for end in ends
    ]
    band = made_up_band(relaxed[0], ends[1].cart_coords, images, height, converged)
    document: BarrierDoc = barrier_document.original([band], *relaxed, name, hop)
    return document
