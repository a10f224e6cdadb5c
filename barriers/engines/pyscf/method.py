"""What is computed: functional, basis and dispersion, and whether PySCF has them."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from monty.json import MSONable
from pymatgen.core import Element

from barriers.distribution import install
from barriers.engines.protocol import NotHereError

DISPERSION = ("d3bj", "d4")
"""Corrections that pyscf-dispersion brings."""

GRID = 3
"""Level of the functional's grid: PBE energies of HF, H2O, CO2 and LiF are within 1 meV of those of level 6."""

SCF_TOLERANCE = 1e-9
"""Change of the energy (Ha) at which a density is self-consistent."""

LAST_ALL_ELECTRON = 36
"""Krypton: def2 bases of heavier elements come with a core potential."""


@dataclass(frozen=True)
class Method(MSONable):
    """Settings that change the numbers.

    Attributes
    ----------
    functional, basis : str
        As PySCF calls them.
    dispersion : str or None
        One of :data:`DISPERSION`.
    """

    functional: str = "PBE0"
    basis: str = "def2-svpd"
    dispersion: str | None = "d3bj"

    @property
    def settings(self) -> dict[str, Any]:
        """All that the numbers rest on."""
        return {**asdict(self), "grid": GRID, "scf_tolerance": SCF_TOLERANCE}

    def check(self, elements: Collection[str] = ()) -> None:
        """Say what is wrong before anything runs.

        Raises
        ------
        ValueError
            If PySCF does not have functional, basis or dispersion, for one of the elements.
        NotHereError
            If a package is missing.
        """
        if self.dispersion not in (None, *DISPERSION):
            allowed = ", ".join(DISPERSION)
            raise ValueError(f"dispersion: {self.dispersion!r} is not known; allowed: {allowed} or None")
        if heavy := [name for name in elements if Element(name).Z > LAST_ALL_ELECTRON]:
            raise ValueError(f"engine: PySCF is used without core potentials, {heavy[0]} needs one; allowed: up to Kr")
        needed = {"pyscf": "PySCF"} | ({"pyscf.dispersion": "pyscf-dispersion"} if self.dispersion else {})
        for module, name in needed.items():
            if not _is_there(module):
                raise NotHereError(f"engine: the package {name} is not installed; {install('molecules')}")
        self._check_names(elements or ("H",))

    def _check_names(self, elements: Collection[str]) -> None:
        from pyscf import dft, gto
        from pyscf.lib.exceptions import BasisNotFoundError

        try:
            dft.libxc.parse_xc(self.functional)
        except (KeyError, ValueError):
            allowed = "one that PySCF has, such as PBE0, PBE or r2SCAN"
            raise ValueError(f"functional: {self.functional!r} is not known; allowed: {allowed}") from None
        for element in elements:
            try:
                with warnings.catch_warnings(action="ignore"):  # it would have other packages looked into
                    gto.basis.load(self.basis, element)
            except BasisNotFoundError:
                allowed = "one that PySCF has for it, such as def2-svpd"
                raise ValueError(f"basis: {self.basis!r} has no {element}; allowed: {allowed}") from None
        if self.dispersion:
            try:
                parameters(self, gto.M(atom="H 0 0 0; H 0 0 1", verbose=0))
            except RuntimeError:
                what = f"{self.dispersion!r} has no parameters for {self.functional}"
                raise ValueError(f"dispersion: {what}; allowed: None, or another functional") from None


def parameters(method: Method, molecule: Any) -> float:
    """Energy of dispersion (Ha) of a molecule of PySCF; fails where the functional has no parameters."""
    from pyscf import dft

    field = dft.RKS(molecule)
    field.xc, field.disp = method.functional, method.dispersion
    return float(field.get_dispersion())


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False
