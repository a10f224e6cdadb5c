"""Energy and forces of one molecule, from one self-consistent density to the next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms, units

from barriers.engines.mlip.models import Evaluation
from barriers.engines.mlip.pool import available_cores
from barriers.engines.pyscf.method import GRID, SCF_TOLERANCE, Method

MOST_CYCLES = 100
"""A density that is not self-consistent after so many cycles is sought by second-order steps, so many again."""


class MoleculeEvaluator:
    """Evaluates one molecule in one place after another, each from the density of the one before.

    Parameters
    ----------
    method : Method
        What is computed.
    charge : int
        In e.
    unpaired : int
        Number of unpaired electrons.
    """

    def __init__(self, method: Method, charge: int, unpaired: int) -> None:
        self.method, self.charge, self.unpaired = method, charge, unpaired
        self.force_calls = self.cycles = 0
        self._density: Any = None

    def evaluate(self, structures: Sequence[Atoms]) -> list[Evaluation]:
        """Evaluate positions as they are: the molecule must not be cut by the faces of its cell.

        Raises
        ------
        RuntimeError
            If the density does not become self-consistent: there is no number then.
        """
        return [self._evaluate(atoms) for atoms in structures]

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        field = self._converged(self._field(atoms))
        self._density = field.make_rdm1()
        gradient = field.nuc_grad_method()
        gradient.verbose = 0
        slopes = np.array(gradient.kernel())
        self.force_calls += 1
        energy, forces = float(field.e_tot) * units.Ha, -slopes * units.Ha / units.Bohr
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise RuntimeError("PySCF gave an energy or force that is not a number")
        return Evaluation(energy, forces)

    def _field(self, atoms: Atoms) -> Any:
        from pyscf import dft, gto, lib

        if "OMP_NUM_THREADS" not in os.environ:
            lib.num_threads(available_cores())
        molecule = gto.M(
            atom=list(zip(atoms.get_chemical_symbols(), atoms.positions.tolist(), strict=True)),
            unit="Angstrom",
            basis=self.method.basis,
            charge=self.charge,
            spin=self.unpaired,
            verbose=0,
        )
        field = (dft.UKS if self.unpaired else dft.RKS)(molecule).density_fit()
        field.xc, field.disp = self.method.functional, self.method.dispersion
        field.grids.level, field.conv_tol, field.max_cycle = GRID, SCF_TOLERANCE, MOST_CYCLES
        field.chkfile = None
        # Without exact exchange PySCF would make these integrals in each cycle: 16 s for FSI- instead of 8 s.
        field.with_df.build()
        return field

    def _converged(self, field: Any) -> Any:
        field.kernel(dm0=self._density)
        self.cycles += field.cycles
        if not field.converged:
            second = field.newton()
            second.max_cycle = MOST_CYCLES
            second.kernel(field.mo_coeff, field.mo_occ)
            field = second.undo_soscf()
        if not field.converged or not _fills_from_below(field):
            state = f"charge {self.charge:+d}, {self.unpaired} unpaired electrons"
            raise RuntimeError(
                f"{self.method.functional}/{self.method.basis}: no self-consistent ground state in {2 * MOST_CYCLES} "
                f"cycles ({state}); another charge, spin or start geometry may have one"
            )
        return field


def _fills_from_below(field: Any) -> bool:
    """Whether no orbital is empty below one that is filled: second-order steps may end in an excited state."""
    for energies, filling in zip(np.atleast_2d(field.mo_energy), np.atleast_2d(field.mo_occ), strict=True):
        filled, empty = energies[filling > 0], energies[filling == 0]
        if len(filled) and len(empty) and filled.max() > empty.min():
            return False
    return True
