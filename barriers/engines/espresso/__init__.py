"""Quantum ESPRESSO: ``pw.x`` for single structures, ``neb.x`` for bands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Self

from monty.json import MSONable

from barriers.engines.common import from_anywhere
from barriers.engines.espresso.command import code_version, parse_command
from barriers.engines.espresso.density import DensityMaker
from barriers.engines.espresso.jobs import RelaxMaker, StaticMaker
from barriers.engines.espresso.neb import NebMaker
from barriers.engines.espresso.pseudopotentials import FILES, find_pseudopotentials, load_set
from barriers.engines.espresso.settings import Physics, Running, check_keywords


@dataclass
class EspressoEngine(MSONable):
    """Quantum ESPRESSO.

    Settings left at None are the preset's.

    Attributes
    ----------
    preset : str
        ``slab``: spin-polarised PBE+U with D3(BJ), cold smearing and a dipole correction along the normal, for slabs
        of layered oxides with and without molecules. ``insulator``: closed-shell with a gap.
    pseudopotentials : str or None
        A set on file, a YAML file of the same form, or SSSP's own JSON.
    pseudo_dir : str or None
        The only folder searched for its files; if None, ``$ESPRESSO_PSEUDO`` and the set's own folders.
    command : str
        Command line of ``neb.x``, e.g. ``mpirun -np 8 neb.x -ni 4``; ``pw.x`` is started the same way without ``-ni``.
    kspacing : float or None
        Spacing of the Γ-centred k-mesh (1/Å, 2π included); one point along the normal where there is a dipole
        correction.
    dipole : bool or None
        Dipole correction along the third cell vector.
    hubbard_u : dict or None
        U (eV) by element.
    moments : dict or None
        Magnetic moments at the start (µB) by element; a structure's site property ``magmom`` goes before them.
    keywords : dict
        Further keywords of ``pw.x``, laid over the preset's.
    max_seconds : int or None
        Each run of a code stops softly after this time (s); the next continues.
    continue_from : str or None
        Folder of an earlier run that is searched for the same calculations.
    """

    preset: str = "slab"
    pseudopotentials: str | None = None
    pseudo_dir: str | None = None
    command: str = "neb.x"
    kspacing: float | None = None
    dipole: bool | None = None
    hubbard_u: dict[str, float] | None = None
    moments: dict[str, float] | None = None
    keywords: dict[str, Any] = field(default_factory=dict)
    max_seconds: int | None = None
    continue_from: str | None = None

    @property
    def physics(self) -> Physics:
        """Settings that change the numbers."""
        pseudopotentials = self.pseudopotentials
        if pseudopotentials is not None and pseudopotentials.endswith(FILES):
            pseudopotentials = from_anywhere(pseudopotentials)
        return Physics(
            self.preset,
            pseudopotentials,
            self.kspacing,
            self.dipole,
            self.hubbard_u,
            self.moments,
            dict(self.keywords),
        )

    @property
    def running(self) -> Running:
        """Settings that say how the codes are run."""
        folders = from_anywhere(self.pseudo_dir), from_anywhere(self.continue_from)
        return Running(self.command, folders[0], self.max_seconds, folders[1])

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:
        """Raise ``ValueError`` if codes or pseudopotentials are not here, or a setting makes no sense."""
        settings = self.physics.resolved()
        check_keywords(self.keywords)
        load_set(settings["pseudopotentials"])
        command = parse_command(self.command)
        if n_images is not None:
            command.images_at_a_time(n_images)
        find_pseudopotentials(elements, settings["pseudopotentials"], self.pseudo_dir)
        command.check()
        code_version(command)

    def for_elements(self, elements: Collection[str]) -> Self:
        """Engine with the cutoffs of all these elements, for structures with some of them that are to be compared."""
        known = load_set(self.physics.resolved()["pseudopotentials"])["elements"]
        present = [known[element] for element in elements if element in known]
        highest = {name: max(each[name] for each in present) for name in ("ecutwfc", "ecutrho") if present}
        return replace(self, keywords={**highest, **self.keywords})

    def seconds_per_call(self, atoms: int, images: int) -> float:
        """Not known beforehand."""
        return 0.0

    def static(self) -> StaticMaker:
        """Maker of a single evaluation."""
        return StaticMaker(physics=self.physics, running=self.running)

    def relax(self, fmax: float, max_steps: int) -> RelaxMaker:
        """Maker of a relaxation to ``fmax`` (eV/Å)."""
        return RelaxMaker(physics=self.physics, running=self.running, fmax=fmax, max_steps=max_steps)

    def density(self) -> DensityMaker:
        """Maker of the electron density of a structure."""
        return DensityMaker(physics=self.physics, running=self.running)

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> NebMaker:
        """Maker of a climbing band; forces in eV/Å, spring in eV/Å²."""
        return NebMaker(
            physics=self.physics,
            running=self.running,
            fmax=fmax,
            rough_fmax=rough_fmax,
            max_steps=max_steps,
            spring=spring,
        )
