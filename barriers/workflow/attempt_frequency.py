"""Attempt frequencies of hops, with any engine: displaced structures, their forces, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jobflow import Flow, Job, Maker, job
from pydantic import BaseModel, Field
from pymatgen.core import Structure

from barriers.analysis.vibrations import DELTA, attempt_frequency, displaced, frequencies, hessian
from barriers.documents import SCHEMA_VERSION, BandDoc, CostDoc, EngineDoc, StaticDoc
from barriers.engines.base import EngineMaker
from barriers.engines.common import at_positions
from barriers.engines.mlip import MlipEngine
from barriers.engines.protocol import Engine, require_engine
from barriers.fingerprint import check_one_engine
from barriers.structures.hop.hop import Hop, moving_index
from barriers.structures.surface.slab import frozen_atoms
from barriers.workflow.labels import FREQUENCY, label


class AttemptFrequencyDoc(BaseModel):
    """The attempt frequency of a hop, by harmonic transition-state theory with few atoms vibrating."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    system: str = ""
    hop: str = Field("", description="name of the hop, empty where it has none")
    attempt_frequency: float | None = Field(None, description="attempt frequency (Hz); none where there is a reason")
    reason: str | None = Field(None, description="why there is no attempt frequency")
    atoms: list[int] = Field(description="atoms that vibrate, the others held")
    delta: float = Field(description="displacement (Å)")
    minimum: list[float] = Field(description="frequencies in the initial state (THz), imaginary ones negative")
    saddle: list[float] = Field(description="frequencies at the highest image (THz), imaginary ones negative")
    cost: CostDoc
    engine: EngineDoc


@job
def displaced_structures(band: BandDoc, atom: int, delta: float) -> list[Structure]:
    """List the structures to evaluate for one atom: six around the initial state, then six around the highest image.

    Parameters
    ----------
    band : BandDoc
        A converged climbing band.
    atom : int
        Atom that is displaced, -1 for the last.
    delta : float
        Displacement (Å).

    Raises
    ------
    ValueError
        If the band is not converged, its highest image is an end, or the atom is frozen or not there.
    """
    atom = atom if atom >= 0 else len(band.structure) + atom
    check_vibrating(band, atom)
    initial = band.structure
    states = (band.positions[0], band.positions[_highest(band)])
    return [at_positions(initial, positions) for state in states for positions in displaced(state, [atom], delta)]


@job(output_schema=AttemptFrequencyDoc)
def attempt_frequency_document(
    band: BandDoc, statics: list[StaticDoc], atoms: list[int], delta: float, system: str = "", hop: str = ""
) -> AttemptFrequencyDoc:
    """Turn the forces of the displaced structures into an attempt frequency.

    Parameters
    ----------
    band : BandDoc
        The band.
    statics : list[StaticDoc]
        One for each structure of :func:`displaced_structures`, atom by atom.
    atoms : list[int]
        Atoms that vibrate, -1 for the last.
    delta : float
        Displacement (Å).
    system, hop : str
        Whose it is.

    Raises
    ------
    ValueError
        If the forces are not of the band's engine.
    """
    check_one_engine({"the band": band.engine, "the forces": statics[0].engine})
    atoms = [atom if atom >= 0 else len(band.structure) + atom for atom in atoms]
    masses = [float(band.structure[atom].specie.atomic_mass) for atom in atoms]
    forces = np.array([static.forces for static in statics]).reshape(len(atoms), 2, 6, -1, 3)
    minimum, saddle = (
        frequencies(hessian(forces[:, state].reshape(6 * len(atoms), -1, 3), atoms, delta), masses) for state in (0, 1)
    )
    document = AttemptFrequencyDoc(
        system=system,
        hop=hop,
        atoms=atoms,
        delta=delta,
        minimum=minimum.tolist(),
        saddle=saddle.tolist(),
        cost=CostDoc.total(static.cost for static in statics),
        engine=statics[0].engine,
    )
    try:
        document.attempt_frequency = attempt_frequency(minimum, saddle)
    except ValueError as error:
        document.reason = str(error)
    return document


@dataclass
class AttemptFrequencyMaker(Maker):
    """The attempt frequency of a hop.

    1. Displace each chosen atom along x, y and z, there and back, in the initial state and at the highest image.
    2. Evaluate every structure once, with forces whose differences count: 12 for each atom.
    3. Build both Hessians and take the quotient of their modes; one imaginary mode at the saddle, none at the minimum.

    Attributes
    ----------
    name : str
        Name of the flow; of the system, where the hop is given.
    engine : Engine
        What gives the forces; the one of the band.
    delta : float
        Displacement (Å).

    Examples
    --------
    >>> near = atoms_around(ends, cell, moving, radius=3.0, frozen=frozen)  # doctest: +SKIP
    >>> flow = AttemptFrequencyMaker(engine=engine).make(barrier.output.band, near)  # doctest: +SKIP
    """

    name: str = "attempt frequency"
    engine: Engine = field(default_factory=MlipEngine)
    delta: float = DELTA

    def __post_init__(self) -> None:
        """Refuse an engine that is none."""
        require_engine(self.engine)

    def make(self, band: Any, atoms: Sequence[int] = (), hop: Hop | None = None) -> Flow:
        """Build the flow.

        Parameters
        ----------
        band : BandDoc
            A converged climbing band, or a reference to one.
        atoms : sequence of int
            Atoms that vibrate, see :func:`barriers.analysis.vibrations.atoms_around`; to compare systems, the same
            in each.
        hop : Hop or None
            The band's hop: without ``atoms``, its ion vibrates alone, or with the one that it pushes.

        Raises
        ------
        ValueError
            If no atom is given, or one twice.
        """
        if hop is not None and not atoms:
            atoms = [-1 if hop.moving is None else moving_index(hop, 0)]  # an added ion is the last atom
            atoms += [hop.pushed[0]] if hop.pushed else []
        if not atoms or len(set(atoms)) < len(atoms):
            what = "one named twice" if atoms else "none given"
            raise ValueError(f"atoms: {what}; allowed: the moving ion, alone or with its neighbours")
        chosen = [int(atom) for atom in atoms]
        maker = self.engine.static()
        fine = maker.fine() if isinstance(maker, EngineMaker) else maker
        of = (self.name, hop.name) if hop else ("", "")
        whom = " ".join(of) if hop else self.name
        jobs: list[Job] = []
        forces = []
        for atom in chosen:
            which = "the ion" if hop and atom == chosen[0] else f"atom {atom}"
            structures = displaced_structures(band, atom, self.delta)
            jobs.append(label(structures, f"{whom}: displace {which}", *of))
            for number in range(12):
                static = fine.make(structures.output[number])
                jobs.append(label(static, f"{whom}: {which}, displacement {number + 1}", *of))
                forces.append(static.output)
        result = attempt_frequency_document(band, forces, chosen, self.delta, *of)
        label(result, f"{whom}: {FREQUENCY}" if hop else self.name, *of)
        return Flow([*jobs, result], output=result.output, name=whom)


def check_vibrating(band: BandDoc, atom: int) -> None:
    """Raise ``ValueError`` if a band has no saddle to vibrate about, or an atom cannot vibrate."""
    if not band.converged:
        raise ValueError(f"no attempt frequency of a band that is not converged: {band.reason}")
    if _highest(band) in (0, len(band.energies) - 1):
        raise ValueError("no attempt frequency without a saddle: the highest image is an end")
    free = set(range(len(band.structure))) - set(frozen_atoms(band.structure))
    if atom not in free:
        raise ValueError(f"atoms: {atom} is frozen or not there; allowed: one of the {len(free)} free ones")


def _highest(band: BandDoc) -> int:
    return int(np.argmax(np.array(band.energies, dtype=float)))
