"""The VASP engine: its settings, its checks and its three makers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from monty.json import MSONable

from barriers.distribution import install
from barriers.engines.protocol import NotHereError
from barriers.engines.vasp.keywords import check_incar
from barriers.engines.vasp.potcars import find_potcars
from barriers.engines.vasp.settings import Physics, Running

if TYPE_CHECKING:
    import barriers.engines.vasp.density
    import barriers.engines.vasp.jobs
    import barriers.engines.vasp.neb


@dataclass
class VaspEngine(MSONable):
    """VASP, with VTST or without. Its makers need atomate2, its checks do not.

    Settings left at None are the preset's.

    Attributes
    ----------
    preset : str
        ``oxide``: spin-polarised PBE+U with D3(BJ), dipole correction along the normal of slabs.
    command : str
        Command line, e.g. ``mpirun -np 64 vasp_std``.
    ncore, kpar : int or None
        Cores that share a band; groups of k-points.
    potcar_functional : str or None
        Set of POTCARs in pymatgen's words, e.g. ``PBE_54``.
    potcars : dict or None
        Name of the POTCAR (``Ni_pv``) by element.
    kspacing : float or None
        Spacing of the Γ-centred k-mesh (1/Å, 2π included); one point along the normal of a slab.
    dipole : bool or None
        Dipole correction along the third cell vector; where there is vacuum along it, if None.
    hubbard_u, moments : dict or None
        U (eV), and magnetic moments at the start (µB), by element.
    incar : dict
        Further INCAR keywords, laid over the preset's.
    without_vtst : str
        ``refuse``, or ``plain band``: converge that where VASP has no VTST, and say so.
    max_seconds : int or None
        Each run of VASP stops softly after this time (s); the next continues.
    """

    preset: str = "oxide"
    command: str = "vasp_std"
    ncore: int | None = None
    kpar: int | None = None
    potcar_functional: str | None = None
    potcars: dict[str, str] | None = None
    kspacing: float | None = None
    dipole: bool | None = None
    hubbard_u: dict[str, float] | None = None
    moments: dict[str, float] | None = None
    incar: dict[str, Any] = field(default_factory=dict)
    without_vtst: Literal["refuse", "plain band"] = "refuse"
    max_seconds: int | None = None

    @property
    def physics(self) -> Physics:
        """Settings that change the numbers."""
        return Physics(
            self.preset,
            self.potcar_functional,
            self.potcars,
            self.kspacing,
            self.dipole,
            self.hubbard_u,
            self.moments,
            dict(self.incar),
        )

    @property
    def running(self) -> Running:
        """Settings that say how VASP is run."""
        return Running(self.command, self.ncore, self.kpar, self.max_seconds)

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:
        """Raise ``ValueError`` if VASP or POTCARs are not here, or a setting makes no sense."""
        self.physics.resolved()
        check_incar(self.incar)
        self.running.layout()
        if n_images is not None:
            self.running.layout(n_images)
        _need_atomate2()
        find_potcars(elements, self.physics)
        self.running.check()

    def seconds_per_call(self, atoms: int, images: int) -> float:
        """Not known beforehand."""
        return 0.0

    def static(self) -> barriers.engines.vasp.jobs.StaticMaker:
        """Maker of a single evaluation."""
        _need_atomate2()
        from barriers.engines.vasp.inputs import SingleSetGenerator
        from barriers.engines.vasp.jobs import StaticMaker

        return StaticMaker(input_set_generator=SingleSetGenerator(physics=self.physics), running=self.running)

    def relax(self, fmax: float, max_steps: int) -> barriers.engines.vasp.jobs.RelaxMaker:
        """Maker of a relaxation to ``fmax`` (eV/Å)."""
        _need_atomate2()
        from barriers.engines.vasp.inputs import SingleSetGenerator
        from barriers.engines.vasp.jobs import RelaxMaker

        generator = SingleSetGenerator(physics=self.physics, calculation="relax")
        return RelaxMaker(input_set_generator=generator, running=self.running, fmax=fmax, max_steps=max_steps)

    def density(self) -> barriers.engines.vasp.density.DensityMaker:
        """Maker of the electron density of a structure."""
        _need_atomate2()
        from barriers.engines.vasp.density import DensityMaker
        from barriers.engines.vasp.inputs import SingleSetGenerator

        return DensityMaker(input_set_generator=SingleSetGenerator(physics=self.physics), running=self.running)

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> barriers.engines.vasp.neb.NebMaker:
        """Maker of a climbing band; forces in eV/Å, spring in eV/Å²."""
        _need_atomate2()
        from barriers.engines.vasp.inputs import BandSetGenerator
        from barriers.engines.vasp.neb import NebMaker

        return NebMaker(
            input_set_generator=BandSetGenerator(physics=self.physics),
            running=self.running,
            fmax=fmax,
            rough_fmax=rough_fmax,
            max_steps=max_steps,
            spring=spring,
            without_vtst=self.without_vtst,
        )


def _need_atomate2() -> None:
    if find_spec("atomate2") is None:
        raise NotHereError(f"engine 'vasp' needs the package 'atomate2'; {install('vasp')}")
