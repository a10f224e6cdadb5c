"""What is computed and how it is run: the settings of a Quantum ESPRESSO engine, laid over a preset."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monty.json import MSONable

from barriers.engines.common import load_preset
from barriers.engines.dft import borrowed_u
from barriers.engines.espresso.command import parse_command
from barriers.engines.espresso.pseudopotentials import what_counts
from barriers.words import closest

PRESETS = Path(__file__).parent / "presets"

FINE = {"conv_thr_per_atom": 1e-10}
"""What forces need whose differences count (Ry); at 1e-8 those 0.01 Å apart tell no mode of lithium below 1 THz."""

SET_BY_BARRIERS = {
    "calculation", "prefix", "outdir", "pseudo_dir", "restart_mode", "max_seconds", "nat", "ntyp", "ibrav",
    "forc_conv_thr", "etot_conv_thr", "tefield", "dipfield", "edir", "emaxpos", "eopreg", "eamp", "lda_plus_u",
}  # fmt: skip
"""Keywords that follow from the structure, the tolerances or other settings."""


@dataclass(frozen=True)
class Physics(MSONable):
    """Settings that change the numbers; None takes the preset's.

    Attributes
    ----------
    preset : str
        ``slab`` or ``insulator``.
    pseudopotentials : str or None
        A set on file, or a YAML file of the same form.
    kspacing : float or None
        Spacing of the Γ-centred k-mesh (1/Å, 2π included).
    dipole : bool or None
        Dipole correction along the surface normal; also says that there is one k-point along it.
    hubbard_u : dict or None
        U (eV) by element.
    moments : dict or None
        Magnetic moments at the start (µB) by element; a structure's site property ``magmom`` goes before them.
    keywords : dict
        Further keywords of ``pw.x``, laid over the preset's, in capitals or not.
    fine : bool
        Whether differences of forces count, see :data:`FINE`.
    """

    preset: str = "slab"
    pseudopotentials: str | None = None
    kspacing: float | None = None
    dipole: bool | None = None
    hubbard_u: dict[str, float] | None = None
    moments: dict[str, float] | None = None
    keywords: dict[str, Any] = field(default_factory=dict)
    fine: bool = False

    def resolved(self) -> dict[str, Any]:
        """Lay these settings over the preset: everything that the numbers depend on, whatever the structure."""
        values = dict(load_preset(PRESETS, self.preset))
        given = {key: value for key, value in self.as_dict().items() if value is not None and key in values}
        own = {key.lower(): value for key, value in self.keywords.items()}
        fine = {"fine": FINE} if self.fine else {}
        return {**values, **given, "keywords": {**values["keywords"], **own}, **fine}

    def identity(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say what the numbers depend on, whatever the preset and the pseudopotential set are called.

        Parameters
        ----------
        elements : collection of str or None
            Those of a structure; all of the set if it is not known yet.
        """
        settings = self.resolved()
        return {"pseudopotentials": what_counts(settings.pop("pseudopotentials"), elements), "settings": settings}

    def warnings(self) -> list[str]:
        """Say what to look at: values of U that were fitted with another code."""
        return borrowed_u(self.resolved()["hubbard_u"], "espresso")


@dataclass(frozen=True)
class Running(MSONable):
    """Settings that say how a calculation is run, not which number it gives.

    Attributes
    ----------
    command : str
        Command line of ``neb.x``, launcher and options included; ``pw.x`` is started the same way.
    pseudo_dir : str or None
        The only folder searched for pseudopotentials.
    max_seconds : int or None
        Each run stops softly after this time (s); a further run continues.
    continue_from : str or None
        Folder of an earlier run, searched for the same calculation, which is then continued.
    elsewhere : str or None
        Version of the code on another machine, for which input files are written: neither the code nor
        pseudopotentials are looked for here.
    """

    command: str = "neb.x"
    pseudo_dir: str | None = None
    max_seconds: int | None = None
    continue_from: str | None = None
    elsewhere: str | None = None

    def plans(self, n_images: int) -> list[str]:
        """Say how structures and bands are computed."""
        return parse_command(self.command).plans(n_images)


def check_keywords(keywords: Collection[str]) -> None:
    """Refuse keywords that ``pw.x`` does not have, and those that other settings give.

    Raises
    ------
    ValueError
        One line for the first of them.
    """
    from ase.io.espresso_namelist.keys import pw_keys

    known = [key.lower() for section in pw_keys.values() for key in section]
    for keyword in keywords:
        name = keyword.partition("(")[0].lower()
        if name in SET_BY_BARRIERS:
            raise ValueError(f"engine.keywords: {keyword!r} follows from other settings; leave it out")
        if name not in known:
            raise ValueError(f"engine.keywords: {keyword!r} is no keyword of pw.x{closest(name, known)}")
