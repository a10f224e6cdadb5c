"""Estimates of barriers before any band is converged: the model's energies on images between loosely relaxed ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from ase import Atoms
from jobflow import job
from pymatgen.core import Structure

from barriers.analysis.profile import Profile, analyse
from barriers.documents import CostDoc, EstimateDoc, HopEstimateDoc
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.mlip.jobs import MlipMaker
from barriers.engines.mlip.relax import relax
from barriers.structures.hop.hop import EndState, Hop, final_in_initial_order, make_endpoint
from barriers.structures.path.interpolate import OverlapError, interpolate

IMAGES = 5
"""Intermediate images: an odd number, so that one is half way."""

FMAX, MAX_STEPS = 0.1, 50
"""Largest force left at the ends (eV/Å), and most steps to get there: an estimate is taken from where that ends."""

METHODS: tuple[Literal["linear", "idpp"], ...] = ("linear", "idpp")

FORCES = "forces"
"""Site property with the forces on an end's atoms (eV/Å)."""


class End(NamedTuple):
    """A loosely relaxed end of a hop, with the forces of its sites, and its energy (eV)."""

    structure: Structure
    energy: float

    @property
    def atoms(self) -> Atoms:
        """Its atoms, without forces."""
        return atoms_of(self.structure.copy().remove_site_property(FORCES))

    @property
    def forces(self) -> list[list[float]]:
        """Forces (eV/Å), shape (N, 3)."""
        return list(self.structure.site_properties[FORCES])


@dataclass
class EstimateMaker(MlipMaker):
    """Estimates of the barriers of a crystal's hops.

    1. Relax each vacancy loosely, at fixed cell.
    2. Interpolate between two of them, straight and by IDPP.
    3. Evaluate each image once; of both ways the one with the lower highest point counts, which is read off the curve
       through energies and forces.

    The highest point of any way between two minima is no lower than the saddle, so that an estimate is too high, but
    for what is left to relax at its ends. What was done of a structure is kept as checkpoints.

    Attributes
    ----------
    images : int
        Intermediate images.
    """

    name: str = "estimate"
    images: int = IMAGES
    computes: ClassVar[str] = "estimate/1"
    kind: ClassVar[str] = "static"

    @property
    def tolerances(self) -> dict[str, float]:
        """What the numbers depend on besides the model."""
        return {"images": self.images, "fmax": FMAX, "max_steps": MAX_STEPS}

    @job(output_schema=EstimateDoc)
    def make(self, structure: Structure, ion: str, hops: list[Hop]) -> EstimateDoc:
        """Estimate the barriers of hops in a supercell, whose ions all stand on their sites."""
        checkpoint = self.checkpoint("estimate", structure, ion, hops, self.tolerances)
        state = checkpoint.load() or {"rows": [], "force_calls": 0}
        rows: list[dict[str, Any]] = state["rows"]
        before, first = state["force_calls"], self.evaluator.force_calls
        ends: dict[EndState, End] = {}
        for hop in hops[len(rows) :]:
            rows.append(self._estimated(structure, hop, ends).model_dump())
            calls = before + self.evaluator.force_calls - first
            checkpoint.save({"rows": rows, "force_calls": calls}, {"hop": len(rows), "force_calls": calls})
        return EstimateDoc(
            hops=[HopEstimateDoc(**row) for row in rows],
            images=self.images,
            cost=CostDoc(
                force_calls=before + self.evaluator.force_calls - first,
                earlier_force_calls=before,
                wall_time=checkpoint.wall_time,
            ),
            engine=self.describe(),
        )

    def _estimated(self, structure: Structure, hop: Hop, ends: dict[EndState, End]) -> HopEstimateDoc:
        if hop.moving == hop.target:
            return HopEstimateDoc(label=hop.label, reason="it leads to the ion's own image; a larger supercell has it")
        for state in (hop.initial, hop.final):
            if state not in ends:
                ends[state] = self._relaxed(make_endpoint(structure, state, hop.ion))
        final = ends[hop.final]
        pair = ends[hop.initial], End(final_in_initial_order(final.structure, hop), final.energy)
        profiles = [profile for method in METHODS if (profile := self._along(*pair, method)) is not None]
        if not profiles:
            return HopEstimateDoc(label=hop.label, reason="atoms come too near to each other on both ways")
        lowest = min(profiles, key=lambda profile: profile.forward)
        return HopEstimateDoc(label=hop.label, forward=max(lowest.forward, 0.0), reverse=max(lowest.reverse, 0.0))

    def _relaxed(self, structure: Structure) -> End:
        checkpoint = self.checkpoint("relax", structure, FMAX)
        found = relax(atoms_of(structure), self.evaluator, FMAX, MAX_STEPS, checkpoint)
        relaxed = at_positions(structure, found.atoms.positions)
        relaxed.add_site_property(FORCES, found.forces.tolist())
        return End(relaxed, found.energy)

    def _along(self, initial: End, final: End, method: Literal["linear", "idpp"]) -> Profile | None:
        """Evaluate the images between two ends; None where two atoms come too near to each other."""
        try:
            band = interpolate(initial.atoms, final.atoms, self.images, method)
        except OverlapError:
            return None
        between = self.evaluator.evaluate(band[1:-1])
        return analyse(
            [image.positions for image in band],
            initial.structure.lattice.matrix,
            [initial.energy, *(each.energy for each in between), final.energy],
            [initial.forces, *(each.forces for each in between), final.forces],
        )
