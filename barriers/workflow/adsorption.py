"""Adsorption energies of fragments, with any engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jobflow import Flow, Maker, job
from pydantic import BaseModel, Field
from pymatgen.core import Molecule, Structure

from barriers.analysis.interface import adsorption_energy, bond_change, fragment_height, moment_changes
from barriers.documents import SCHEMA_VERSION, CostDoc, EngineDoc, RelaxDoc
from barriers.engines.base import Engine, require_engine
from barriers.engines.mlip import MlipEngine
from barriers.fingerprint import check_one_engine, not_relaxed
from barriers.structures.interface.contacts import fragment_gap, surface_bonds
from barriers.structures.polymer.reactions import in_box
from barriers.workflow.labels import label

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
    lowest: float = Field(description="lowest fragment atom above the topmost slab atom (Å)")
    centre: float = Field(description="fragment's centroid above the topmost slab atom (Å)")
    gap: float = Field(description="least distance between fragment and slab atoms (Å)")
    bonds: list[str] = Field(description="bonds between fragment and surface")
    formed: list[str] = Field(description="bonds that were not there as placed")
    broken: list[str] = Field(description="bonds that were there as placed")
    moments: list[str] = Field(description="slab atoms whose moments differ from the bare slab's")
    cost: CostDoc = Field(description="the fragment alone")
    engine: EngineDoc


@job(output_schema=AdsorptionDoc)
def adsorption_document(
    system: str, interface: RelaxDoc, slab: RelaxDoc, fragment: RelaxDoc, placed: Structure, fragments: int
) -> AdsorptionDoc:
    """Set a relaxed interface against its slab and its fragment.

    Parameters
    ----------
    system : str
        Name of the system.
    interface, slab, fragment : RelaxDoc
        Relaxed with one engine; the fragment alone in a box.
    placed : Structure
        The interface before it was relaxed.
    fragments : int
        Fragments on the slab.

    Raises
    ------
    ValueError
        If the engines differ, or the interface is not this slab with these fragments.
    """
    check_one_engine({"the interface": interface.engine, "the slab": slab.engine, "the fragment": fragment.engine})
    check_parts(interface.structure, slab.structure, fragment.structure, fragments)
    n_slab = len(slab.structure)
    parts = {"interface": interface, "slab": slab, "fragment": fragment}
    change = bond_change(placed, interface.structure, n_slab)
    height = fragment_height(interface.structure, n_slab)
    reason = not_relaxed(parts)
    return AdsorptionDoc(
        system=system,
        adsorption_energy=None
        if reason
        else adsorption_energy(interface.energy, slab.energy, fragment.energy, fragments),
        reason=reason,
        energies={name: part.energy for name, part in parts.items()},
        fragments=fragments,
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
        cost=fragment.cost,
        engine=interface.engine,
    )


@dataclass
class AdsorptionMaker(Maker):
    """The adsorption energy of a fragment, and what it changes at the surface.

    1. Relax the fragment alone in a box.
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

    def make(self, interface: Any, slab: Any, fragment: Molecule, placed: Any, fragments: int = 1) -> Flow:
        """Build the flow.

        Parameters
        ----------
        interface, slab : RelaxDoc
            The relaxed interface and the relaxed bare slab, or references to them.
        fragment : Molecule
            One fragment.
        placed : Structure
            The interface before it was relaxed, or a reference to it.
        fragments : int
            Fragments on the slab.
        """
        alone = self.engine.relax(self.fmax, self.max_steps).make(in_box(fragment, self.vacuum))
        label(alone, f"{self.name}: relax fragment")
        result = adsorption_document(self.name, interface, slab, alone.output, placed, fragments)
        label(result, f"{self.name}: adsorption")
        return Flow([alone, result], output=result.output, name=self.name)


def check_parts(interface: Structure, slab: Structure, fragment: Structure, fragments: int) -> None:
    """Raise ``ValueError`` if an interface is not this slab, atom for atom, with so many of these fragments on it."""
    n_slab = len(slab)
    if interface.species[:n_slab] != slab.species:
        raise ValueError("the interface does not begin with the atoms of the slab")
    added = Structure.from_sites(interface.sites[n_slab:]).composition if len(interface) > n_slab else None
    if added != fragment.composition * fragments:
        expected = (fragment.composition * fragments).formula
        raise ValueError(f"the interface has {added and added.formula} on the slab; expected: {expected}")
    apart = np.abs(interface.lattice.matrix[:2] - slab.lattice.matrix[:2]).max()
    if apart > SAME_VECTOR:
        raise ValueError(f"in-plane vectors of interface and slab differ by {apart:.3f} Å; allowed: {SAME_VECTOR:g}")
