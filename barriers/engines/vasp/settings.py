"""What is computed and how it is run: the settings of a VASP engine, laid over a preset."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monty.json import MSONable

from barriers.engines.common import load_preset
from barriers.engines.dft import borrowed_u
from barriers.engines.launch import Launch, take_apart

PRESETS = Path(__file__).parent / "presets"

FINE: dict[str, Any] = {"LREAL": False, "EDIFF": 1e-7}
"""What forces need whose differences count: no projection in real space, electrons converged further (eV)."""

EXAMPLE = "the command line that starts VASP, e.g. 'mpirun -np 64 vasp_std'"


@dataclass(frozen=True)
class Physics(MSONable):
    """Settings that change the numbers; None takes the preset's.

    Attributes
    ----------
    preset : str
        Name of a file in ``presets``.
    potcar_functional : str or None
        Set of POTCARs in pymatgen's words, e.g. ``PBE_54``.
    potcars : dict or None
        Name of the POTCAR (``Ni_pv``) by element, laid over the preset's.
    kspacing : float or None
        Spacing of the Γ-centred k-mesh (1/Å, 2π included).
    dipole : bool or None
        Dipole correction and one k-point along the third cell vector; if None, where there is vacuum along it.
    hubbard_u : dict or None
        U (eV) by element.
    moments : dict or None
        Magnetic moments at the start (µB) by element; a structure's site property ``magmom`` goes before them.
    incar : dict
        Further INCAR keywords, laid over the preset's.
    fine : bool
        Whether differences of forces count, see :data:`FINE`.
    """

    preset: str = "oxide"
    potcar_functional: str | None = None
    potcars: dict[str, str] | None = None
    kspacing: float | None = None
    dipole: bool | None = None
    hubbard_u: dict[str, float] | None = None
    moments: dict[str, float] | None = None
    incar: dict[str, Any] = field(default_factory=dict)
    fine: bool = False

    def resolved(self) -> dict[str, Any]:
        """Lay these settings over the preset: everything that the numbers depend on, whatever the structure."""
        values = {"dipole": None, **load_preset(PRESETS, self.preset)}
        given = {key: value for key, value in self.as_dict().items() if value is not None and key in values}
        own = {key.upper(): value for key, value in self.incar.items()}
        return {
            **values,
            **given,
            "potcars": {**values["potcars"], **(self.potcars or {})},
            "incar": {**values["incar"], "own": own},
            **({"fine": FINE} if self.fine else {}),
        }

    def warnings(self) -> list[str]:
        """Say what to look at: values of U that were fitted with another code."""
        return borrowed_u(self.resolved()["hubbard_u"], "vasp")


@dataclass(frozen=True)
class Running(MSONable):
    """Settings that say how VASP is run, not which number it gives.

    Attributes
    ----------
    command : str
        Command line, e.g. ``mpirun -np 64 vasp_std``.
    ncore, kpar : int or None
        Cores that share a band; groups of k-points.
    max_seconds : int or None
        Each run stops softly after this time (s); a further run continues.
    """

    command: str = "vasp_std"
    ncore: int | None = None
    kpar: int | None = None
    max_seconds: int | None = None

    @property
    def launch(self) -> Launch:
        """The command line in parts; VASP is its last word."""
        return take_apart(self.command, lambda words: len(words) - 1 if words else None, EXAMPLE)

    @property
    def cores(self) -> int | None:
        """Processes that the command starts; None where that is not known here."""
        launch = self.launch
        return launch.counted[0] if launch.launcher else None

    def check(self) -> None:
        """Raise ``ValueError`` if the programs of the command are not here."""
        self.launch.check()

    def plans(self, n_images: int) -> list[str]:
        """Say how structures and bands are computed."""
        launch = self.launch
        ways = {"single structures": launch.plan(1, None), "bands": launch.plan(n_images, n_images)}
        return [f"{what}: {launch.line}: {way}" for what, way in ways.items()]

    def layout(self, n_images: int = 1) -> dict[str, int]:
        """INCAR keywords of the parallel layout.

        Parameters
        ----------
        n_images : int
            Images evaluated at the same time.

        Raises
        ------
        ValueError
            If cores do not divide by images, or an image's cores by ``kpar`` and ``ncore``.
        """
        layout = {key: value for key, value in (("NCORE", self.ncore), ("KPAR", self.kpar)) if value is not None}
        if self.cores is None:
            return layout
        if self.cores % n_images:
            below = self.cores // n_images * n_images
            near = [str(n) for n in (below, below + n_images) if n]
            raise ValueError(
                f"engine.command: {self.cores} cores do not divide by {n_images} images; allowed: {', '.join(near)}, …"
            )
        each = self.cores // n_images
        group = (self.kpar or 1) * (self.ncore or 1)
        if each % group:
            allowed = ", ".join(str(n) for n in range(1, each + 1) if each % n == 0)
            raise ValueError(
                f"engine.kpar × engine.ncore: {group} does not divide the {each} cores of an image; allowed: {allowed}"
            )
        return layout
