"""Quantum ESPRESSO: ``pw.x`` for single structures, ``neb.x`` for bands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from barriers.engines.common import from_anywhere, part
from barriers.engines.espresso.command import code_version, parse_command
from barriers.engines.espresso.jobs import RelaxMaker, StaticMaker
from barriers.engines.espresso.neb import NebMaker
from barriers.engines.espresso.pseudopotentials import find_pseudopotentials, load_set
from barriers.engines.espresso.settings import Physics, Running, check_keywords


@dataclass(frozen=True)
class EspressoEngine(Running, Physics):
    """Quantum ESPRESSO.

    Settings left at None are the preset's.

    Attributes
    ----------
    preset : str
        ``slab``: spin-polarised PBE+U with D3(BJ), cold smearing and a dipole correction along the normal, for slabs
        of layered oxides with and without molecules. ``insulator``: closed-shell with a gap.
    pseudopotentials : str or None
        A set on file, or a YAML file of the same form.
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
        Further keywords of ``pw.x``, laid over the preset's, in capitals or not.
    max_seconds : int or None
        Each run of a code stops softly after this time (s); the next continues.
    continue_from : str or None
        Folder of an earlier run that is searched for the same calculations.
    """

    @property
    def physics(self) -> Physics:
        """Settings that change the numbers."""
        physics = part(self, Physics)
        given = physics.pseudopotentials
        return replace(physics, pseudopotentials=from_anywhere(given)) if (given or "").endswith(".yaml") else physics

    @property
    def running(self) -> Running:
        """Settings that say how the codes are run."""
        paths = from_anywhere(self.pseudo_dir), from_anywhere(self.continue_from)
        return replace(part(self, Running), pseudo_dir=paths[0], continue_from=paths[1])

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:
        """Raise ``ValueError`` if codes or pseudopotentials are not here, or a setting makes no sense."""
        settings = self.physics.resolved()
        check_keywords(self.keywords)
        load_set(settings["pseudopotentials"])
        find_pseudopotentials(elements, settings["pseudopotentials"], self.pseudo_dir)
        command = parse_command(self.command)
        if n_images is not None:
            command.neb(n_images, "")
        command.check()
        code_version(command)

    def seconds_per_call(self, atoms: int, images: int) -> float:
        """Not known beforehand."""
        return 0.0

    def static(self) -> StaticMaker:
        """Maker of a single evaluation."""
        return StaticMaker(physics=self.physics, running=self.running)

    def relax(self, fmax: float, max_steps: int) -> RelaxMaker:
        """Maker of a relaxation to ``fmax`` (eV/Å)."""
        return RelaxMaker(physics=self.physics, running=self.running, fmax=fmax, max_steps=max_steps)

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
