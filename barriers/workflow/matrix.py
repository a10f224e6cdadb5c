"""Matrices of a study: what each is made of, its boxes, and what they will cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rdkit.Chem import AddHs, MolFromSmiles

from barriers.analysis.trajectory.regime import FAR
from barriers.structures.matrix.box import Box
from barriers.structures.matrix.composition import PER_CUBE, Matrix, draw_chains, find_salt
from barriers.study.forms import MatrixStudy
from barriers.study.matrix import MatrixSystemSection

ATOM_NANOSECONDS = 1.0e5
"""Atoms times ns in a day: 70 ns/day of 1,440 atoms, measured on two cores at 3 fs with hydrogen of 3 u."""

LIKELY = (1e-7, 1e-8)
"""Diffusion coefficients (cm²/s) that a run is foreseen for: of a melt at 600 K, and of the founding work's order."""


@dataclass(frozen=True)
class PlannedMatrix:
    """A system of a study as it will be built.

    Attributes
    ----------
    matrix : Matrix
        What it is made of.
    lost : int
        Molecules that each chain has lost.
    atoms : int
        Of a box.
    edge : float
        Of the cube as packed (Å).
    molality : float
        Salt (mol) in a kg of polymer.
    """

    matrix: Matrix
    lost: int
    atoms: int
    edge: float
    molality: float

    @property
    def nanoseconds_a_day(self) -> float:
        """Expected of one box on two cores."""
        return ATOM_NANOSECONDS / self.atoms

    def as_json(self) -> dict[str, Any]:
        """Give it as ``--json`` prints it."""
        return {
            "name": self.matrix.name,
            "polymer": self.matrix.polymer,
            "lost_by_each_chain": self.lost,
            "chains": self.matrix.chains,
            "salt": self.matrix.salt,
            "pairs": self.matrix.pairs,
            "molality": round(self.molality, 3),
            "atoms": self.atoms,
            "edge": round(self.edge, 2),
            "density": self.matrix.density,
            "ns_per_day": round(self.nanoseconds_a_day, 1),
        }


def nanoseconds_for(diffusion: float) -> float:
    """Give the least length of a run (ns) in which a diffusion coefficient (cm²/s) can be seen."""
    # The analysis looks at the displacement at half the length of a run.
    square_angstroms_a_nanosecond = diffusion * 1e16 / 1e9
    return 2 * FAR / (6 * square_angstroms_a_nanosecond)


def matrices(study: MatrixStudy) -> list[Matrix]:
    """Give what each system of a study is made of."""
    shared = study.matrix
    return [
        Matrix(
            name=row.name,
            polymer=row.polymer or shared.polymer,
            units=shared.units,
            chains=shared.chains,
            salt=shared.salt,
            pairs=max(1, round(shared.units * shared.chains / shared.ratio)),
            eliminate=row.eliminate or shared.eliminate,
            fraction=row.fraction or shared.fraction or 1.0,
            tacticity=shared.tacticity,
            stereo=shared.stereo,
            charge_scale=shared.charge_scale,
            density=shared.density,
        )
        for row in study.systems or (MatrixSystemSection(name=study.name[:40]),)
    ]


def plan_matrices(study: MatrixStudy) -> list[PlannedMatrix]:
    """Count atoms and salt of each system.

    Raises
    ------
    ValueError
        One line, if a chain cannot be drawn.
    """
    return [_planned(matrix, study.matrix.seed) for matrix in matrices(study)]


def _planned(matrix: Matrix, seed: int) -> PlannedMatrix:
    (chain,) = draw_chains(replace(matrix, chains=1), seed)
    salt = find_salt(matrix.salt)
    whole = [AddHs(chain.drawn), *(MolFromSmiles(salt[ion]) for ion in ("cation", "anion"))]
    copies = matrix.chains, matrix.pairs, matrix.pairs
    masses = [
        n * sum(atom.GetMass() for atom in molecule.GetAtoms()) for n, molecule in zip(copies, whole, strict=True)
    ]
    return PlannedMatrix(
        matrix,
        len(chain.eliminated),
        sum(n * molecule.GetNumAtoms() for n, molecule in zip(copies, whole, strict=True)),
        (sum(masses) * PER_CUBE / matrix.density) ** (1 / 3),
        1000 * matrix.pairs / masses[0],
    )


def boxes(study: MatrixStudy) -> Iterator[Box]:
    """Build the boxes of all systems, one after the other.

    Raises
    ------
    ValueError
        One line, if one cannot be built; ``NotHereError`` if a package is missing.
    """
    from barriers.engines.openff.build import build_box

    for matrix in matrices(study):
        for number in range(1, study.matrix.boxes + 1):
            yield build_box(matrix, study.matrix.seed, number)
