"""Adsorption energies of fragments, with any engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jobflow import Flow, Job, Maker, job
from pydantic import BaseModel, Field
from pymatgen.core import Molecule, Structure

from barriers.analysis.interface import adsorption_energy, bond_change, fragment_height, moment_changes
from barriers.documents import SCHEMA_VERSION, CostDoc, EngineDoc, RelaxDoc
from barriers.engines.mlip import MlipEngine
from barriers.engines.protocol import Engine, require_engine
from barriers.fingerprint import check_one_engine, not_relaxed
from barriers.structures.intact import rearranged
from barriers.structures.interface.contacts import fragment_gap, in_one_piece, surface_bonds
from barriers.structures.polymer.reactions import in_box
from barriers.structures.rounding import GRID, round_off
from barriers.workflow.labels import ADSORPTION, label

SAME_VECTOR = 1e-3
"""In-plane lattice vectors of slab and interface differ by no more than this (Å)."""


class AdsorptionDoc(BaseModel):
    """How a fragment sits on a slab, and how strongly."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    system: str
    adsorption_energy: float | None = Field(None, description="of one fragment (eV), negative where it binds")
    reason: str | None = Field(None, description="why there is no adsorption energy")
    energies: dict[str, float] = Field(description="of interface, slab and one fragment alone (eV)")
    fragments: int = Field(description="fragments on the slab")
    conformers: float = Field(0.0, description="fragment alone: highest minus lowest of its starts, relaxed (eV)")
    lowest: float = Field(description="lowest fragment atom above the topmost slab atom (Å)")
    centre: float = Field(description="fragment's centroid above the topmost slab atom (Å)")
    gap: float = Field(description="least distance between fragment and slab atoms (Å)")
    bonds: list[str] = Field(description="bonds between fragment and surface")
    formed: list[str] = Field(description="bonds that were not there as placed")
    broken: list[str] = Field(description="bonds that were there as placed")
    moments: list[str] = Field(description="slab atoms whose moments differ from the bare slab's")
    cost: CostDoc = Field(description="the fragment alone")
    engine: EngineDoc


@job
def lift_off(interface: RelaxDoc, slab: RelaxDoc, fragment: Molecule, vacuum: float) -> Structure:
    """Put the first fragment of an interface alone in a box, in the shape it has on the slab."""
    n_slab = len(slab.structure)
    shape = in_one_piece(interface.structure, np.arange(n_slab, n_slab + len(fragment)))
    return in_box(Molecule(fragment.species, shape), vacuum)


@job(output_schema=AdsorptionDoc)
def adsorption_document(
    system: str, interface: RelaxDoc, slab: RelaxDoc, alone: list[RelaxDoc], placed: Structure | None = None
) -> AdsorptionDoc:
    """Set a relaxed interface against its slab and its fragment.

    Parameters
    ----------
    system : str
        Name of the system.
    interface, slab : RelaxDoc
        Relaxed with one engine.
    alone : list[RelaxDoc]
        One fragment alone in a box, relaxed from different shapes: as it was built first. Of those that are relaxed
        and still have its bonds the lowest counts.
    placed : Structure or None
        The interface before it was relaxed; without it, no bond counts as formed or broken.

    Raises
    ------
    ValueError
        If the engines differ, or the interface is not this slab with fragments on it.
    """
    intact = intact_ones(alone)
    fragment = min(intact, key=lambda one: round_off(one.energy, GRID))
    check_one_engine({"the interface": interface.engine, "the slab": slab.engine, "the fragment": fragment.engine})
    fragments = check_parts(interface.structure, slab.structure, fragment.structure)
    n_slab = len(slab.structure)
    parts = {"interface": interface, "slab": slab, "fragment": fragment}
    change = bond_change(placed or interface.structure, interface.structure, n_slab)
    height = fragment_height(interface.structure, n_slab)
    reason = not_relaxed(parts)
    energies = {name: part.energy for name, part in parts.items()}
    energy = adsorption_energy(interface.energy, slab.energy, fragment.energy, fragments)
    shapes = [one.energy for one in intact]
    return AdsorptionDoc(
        system=system,
        adsorption_energy=None if reason else energy,
        reason=reason,
        energies=energies,
        fragments=fragments,
        conformers=max(shapes) - min(shapes),
        lowest=height.lowest,
        centre=height.centre,
        gap=fragment_gap(interface.structure, n_slab),
        bonds=[str(bond) for bond in surface_bonds(interface.structure, n_slab)],
        formed=[str(bond) for bond in change.formed],
        broken=[str(bond) for bond in change.broken],
        moments=[
            f"{slab.structure[atom].specie} {atom} from {before:.2f} to {after:.2f} µB"
            for atom, before, after in moment_changes(slab.moments or [], interface.moments or [])
        ],
        cost=CostDoc.total(one.cost for one in alone),
        engine=interface.engine,
    )


def intact_ones(alone: Sequence[RelaxDoc]) -> list[RelaxDoc]:
    """Choose the fragments that are relaxed and have the bonds of the first; the first alone where there is none.

    On the slab a fragment may have lost an atom, or have come by another bond: then it is another molecule.
    """
    first = alone[0]
    return [one for one in alone if one.converged and not rearranged(first.structure, one.structure)] or [first]


@dataclass
class AdsorptionMaker(Maker):
    """The adsorption energy of a fragment, and what it changes at the surface.

    1. Relax the fragment alone in a box: as it was built, and in the shape it has on the slab.
    2. Set the relaxed interface against the relaxed slab and the fragment.

    Attributes
    ----------
    name : str
        Name of the flow.
    engine : Engine
        The one that relaxed slab and interface.
    fmax : float
        Largest force at the end (eV/Å): that of slab and interface.
    max_steps : int
        Most steps in one run.
    vacuum : float
        Room around the fragment alone (Å).
    """

    name: str = "adsorption"
    engine: Engine = field(default_factory=MlipEngine)
    fmax: float = 0.03
    max_steps: int = 500
    vacuum: float = 12.0

    def __post_init__(self) -> None:
        """Refuse an engine that is none."""
        require_engine(self.engine)

    def make(self, interface: Any, slab: Any, fragment: Molecule, placed: Any = None) -> Flow:
        """Build the flow.

        Parameters
        ----------
        interface, slab : RelaxDoc
            The relaxed interface and the relaxed bare slab, or references to them.
        fragment : Molecule
            One of its fragments, in the order of the interface's atoms.
        placed : Structure or None
            The interface before it was relaxed, or a reference to it.
        """
        lifted = lift_off(interface, slab, fragment, self.vacuum)
        jobs: list[Job] = [label(lifted, f"{self.name}: lift fragment off", self.name)]
        starts = {"as built": in_box(fragment, self.vacuum), "as on the slab": lifted.output}
        for shape, start in starts.items():
            alone = self.engine.relax(self.fmax, self.max_steps).make(start)
            jobs.append(label(alone, f"{self.name}: relax fragment alone, {shape}", self.name))
        result = adsorption_document(self.name, interface, slab, [one.output for one in jobs[1:]], placed)
        label(result, f"{self.name}: {ADSORPTION}", self.name)
        return Flow([*jobs, result], output=result.output, name=self.name)


def check_parts(interface: Structure, slab: Structure, fragment: Structure) -> int:
    """Give how many of these fragments an interface has on this slab; ``ValueError`` if it is not made of them."""
    n_slab = len(slab)
    if interface.species[:n_slab] != slab.species:
        raise ValueError("the interface does not begin with the atoms of the slab")
    fragments, left = divmod(len(interface) - n_slab, len(fragment))
    added = Structure.from_sites(interface.sites[n_slab:]).composition if len(interface) > n_slab else None
    if left or added != fragment.composition * fragments:
        expected = f"{fragment.composition.formula}, or more of it"
        raise ValueError(f"the interface has {added and added.formula} on the slab; expected: {expected}")
    apart = np.abs(interface.lattice.matrix[:2] - slab.lattice.matrix[:2]).max()
    if apart > SAME_VECTOR:
        raise ValueError(f"in-plane vectors of interface and slab differ by {apart:.3f} Å; allowed: {SAME_VECTOR:g}")
    return fragments
