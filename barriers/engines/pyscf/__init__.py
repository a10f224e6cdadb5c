"""PySCF: molecules alone, for what periodic engines are poor at: gas-phase energies, ions, spin."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from monty.json import MSONable

from barriers.engines.pyscf.jobs import RelaxMaker, StaticMaker
from barriers.engines.pyscf.method import Method


@dataclass
class PyscfEngine(MSONable):
    """PySCF, for one molecule in a box; the box counts for nothing.

    Kohn-Sham theory with density fitting, spin-unrestricted where there are unpaired electrons. Charge and spin are
    those of the structure, as :func:`~barriers.structures.polymer.reactions.in_box` gives them.

    Attributes
    ----------
    functional : str
        As PySCF calls it: ``PBE0``, ``PBE``, ``r2SCAN``.
    basis : str
        As PySCF calls it: ``def2-svp``, ``def2-svpd``, ``def2-tzvpd``. Anions need the diffuse functions of a ``d``.
    dispersion : str or None
        ``d3bj``, ``d4``, or None to leave dispersion out.
    """

    functional: str = "PBE0"
    basis: str = "def2-svpd"
    dispersion: str | None = "d3bj"
    molecules_alone: ClassVar[bool] = True
    """It has no crystals, and takes any charge and spin."""

    @property
    def method(self) -> Method:
        """What the numbers depend on."""
        return Method(self.functional, self.basis, self.dispersion)

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:
        """Raise ``ValueError`` if PySCF is not here, or lacks functional, basis or dispersion; and for a band."""
        if n_images is not None:
            self.neb()
        self.method.check(elements)

    def seconds_per_call(self, atoms: int, images: int) -> float:  # noqa: ARG002
        """Rough time (s) of one evaluation: not known, 0."""
        return 0.0

    def static(self) -> StaticMaker:
        """Maker of a single evaluation."""
        return StaticMaker(method=self.method)

    def relax(self, fmax: float, max_steps: int) -> RelaxMaker:
        """Maker of a relaxation to ``fmax`` (eV/Å)."""
        return RelaxMaker(method=self.method, fmax=fmax, max_steps=max_steps)

    def neb(self, fmax: float = 0, rough_fmax: float = 0, max_steps: int = 0, spring: float = 0) -> NoReturn:  # noqa: ARG002
        """Refuse: barriers are those of surfaces.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("engine: PySCF is for molecules alone and has no bands; allowed: mlip, espresso, vasp")
