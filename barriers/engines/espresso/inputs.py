"""Input files of ``pw.x`` and ``neb.x``."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ase import Atoms, units
from ase.io.espresso import write_espresso_in
from ase.io.espresso_namelist.namelist import Namelist

from barriers.engines.dft import k_mesh
from barriers.engines.espresso.cell import dipole_keywords
from barriers.engines.espresso.pseudopotentials import Pseudopotential

PREFIX = "band"
"""Prefix of all files of the codes; ``neb`` would make ``neb.x`` overwrite its own ``neb.dat``."""

MANIFOLDS = {"Ni": "3d", "Co": "3d", "Mn": "3d", "Fe": "3d", "Ti": "3d", "V": "3d", "Cr": "3d", "Cu": "3d"}
"""Shell that U acts on, by element."""

HUBBARD_CARD_SINCE = (7, 1)
"""From this version on, U stands in a card of its own."""

COMPONENTS = math.sqrt(3)
"""QE's thresholds bound each component of a force. No force is longer than this times its largest component."""


@dataclass(frozen=True)
class Case:
    """All that an input file depends on besides positions and tolerances.

    Attributes
    ----------
    settings : Mapping
        What :meth:`~barriers.engines.espresso.settings.Physics.resolved` gives.
    pseudopotentials : Mapping[str, Pseudopotential]
        By element.
    version : tuple[int, ...]
        Version of the code.
    max_seconds : int or None
        Soft stop (s).
    """

    settings: Mapping[str, Any]
    pseudopotentials: Mapping[str, Pseudopotential]
    version: tuple[int, ...]
    max_seconds: int | None = None

    def cutoffs(self) -> dict[str, float]:
        """Highest cutoffs (Ry) of the elements present."""
        used = self.pseudopotentials.values()
        return {"ecutwfc": max(p.ecutwfc for p in used), "ecutrho": max(p.ecutrho for p in used)}


def pw_input(case: Case, atoms: Atoms, moments: Sequence[float], calculation: str, fmax: float, steps: int) -> str:
    """Write the input of ``pw.x``.

    Parameters
    ----------
    case : Case
        Settings.
    atoms : Atoms
        Structure; frozen atoms in its constraints.
    moments : sequence of float
        Magnetic moment of each atom at the start (µB).
    calculation : str
        ``scf`` or ``relax``.
    fmax : float
        Longest force at the end of a relaxation (eV/Å).
    steps : int
        Most ionic steps.
    """
    extra: dict[str, Any] = {"calculation": calculation, "tprnfor": True}
    if calculation == "relax":
        # The energy criterion must hold too; it is set so that the forces decide.
        thr = fmax / COMPONENTS / (units.Ry / units.Bohr)
        extra |= {"forc_conv_thr": thr, "etot_conv_thr": 1e-2, "nstep": steps, "ion_dynamics": "bfgs"}
    return _pw_text(case, [atoms], moments, extra)


def neb_input(case: Case, images: Sequence[Atoms], moments: Sequence[float], path: Mapping[str, Any]) -> str:
    """Write the input of ``neb.x``, every image explicit.

    Parameters
    ----------
    case : Case
        Settings.
    images : sequence of Atoms
        Band, endpoints included. Frozen atoms are those of the first image.
    moments : sequence of float
        Magnetic moment of each atom at the start (µB).
    path : Mapping
        Namelist PATH, see :func:`path_namelist`.
    """
    text = _pw_text(case, images, moments, {})
    head, _, first = text.partition("ATOMIC_POSITIONS angstrom\n")
    rows, _, cards = first.partition("\n\n")
    labels = [row.split()[0] for row in rows.splitlines()]
    blocks = [f"FIRST_IMAGE\nATOMIC_POSITIONS angstrom\n{rows}\n"]
    for number, image in enumerate(images[1:], 2):
        which = "LAST_IMAGE" if number == len(images) else "INTERMEDIATE_IMAGE"
        lines = (
            f"{label} {x:.10f} {y:.10f} {z:.10f}" for label, (x, y, z) in zip(labels, image.positions, strict=True)
        )
        blocks.append("\n".join([which, "ATOMIC_POSITIONS angstrom", *lines, ""]))
    namelist = "".join(Namelist({"PATH": dict(path) | {"num_of_images": len(images)}}).to_string(list_form=True))
    return (
        f"BEGIN\nBEGIN_PATH_INPUT\n{namelist}END_PATH_INPUT\nBEGIN_ENGINE_INPUT\n{head}{cards}"
        f"BEGIN_POSITIONS\n{''.join(blocks)}END_POSITIONS\nEND_ENGINE_INPUT\nEND\n"
    )


def path_namelist(*, climbing: bool, fmax: float, spring: float, steps: int, restart: bool) -> dict[str, Any]:
    """Namelist PATH of one stage; the improved tangent is the code's own.

    Parameters
    ----------
    climbing : bool
        Whether the highest image climbs.
    fmax : float
        Longest force on the band at the end (eV/Å).
    spring : float
        Spring constant (eV/Å²).
    steps : int
        Last iteration, those of earlier runs counted.
    restart : bool
        Whether to go on from the path on disk.
    """
    hartree_per_bohr2 = spring / (units.Hartree / units.Bohr**2)
    return {
        "string_method": "neb",
        "restart_mode": "restart" if restart else "from_scratch",
        "nstep_path": steps,
        "opt_scheme": "broyden",
        "CI_scheme": "auto" if climbing else "no-CI",
        "ds": 2.0,
        "k_max": hartree_per_bohr2,
        "k_min": hartree_per_bohr2,
        "path_thr": fmax / COMPONENTS,
        "minimum_image": True,
        "first_last_opt": False,
    }


def _pw_text(case: Case, images: Sequence[Atoms], moments: Sequence[float], extra: Mapping[str, Any]) -> str:
    settings = case.settings
    atoms = images[0].copy()
    keywords: dict[str, Any] = {
        "prefix": PREFIX,
        "outdir": "./out/",
        "pseudo_dir": "./pseudo/",
        **case.cutoffs(),
        "conv_thr": settings["conv_thr_per_atom"] * len(atoms),
        **settings["keywords"],
        **extra,
    }
    if fine := settings.get("fine"):
        keywords["conv_thr"] = min(float(keywords["conv_thr"]), fine["conv_thr_per_atom"] * len(atoms))
    if case.max_seconds is not None:
        keywords["max_seconds"] = float(case.max_seconds)
    if settings["dipole"]:
        keywords = dipole_keywords(images) | keywords  # of a part of a slab, the whole's are among its keywords
    polarised = keywords.get("nspin", 1) == 2
    atoms.set_initial_magnetic_moments(_fractions(case, atoms, moments) if polarised else None)
    species = _species(atoms)
    u_keywords, card = _hubbard(case, species)
    mesh = k_mesh(atoms.cell.array, settings["kspacing"], settings["dipole"])
    stream = io.StringIO()
    write_espresso_in(
        stream,
        atoms,
        input_data={"system": u_keywords, **keywords},  # ASE drops keys that it does not know outside a namelist
        pseudopotentials={element: found.path.name for element, found in case.pseudopotentials.items()},
        kpts=None if mesh == (1, 1, 1) else mesh,  # for Γ alone the code has faster routines
        additional_cards=card,
    )
    return stream.getvalue()


def _fractions(case: Case, atoms: Atoms, moments: Sequence[float]) -> list[float]:
    """Moments as the code takes them: parts of the valence electrons."""
    valence = [case.pseudopotentials[symbol].valence for symbol in atoms.symbols]
    return [round(moment / electrons, 6) for moment, electrons in zip(moments, valence, strict=True)]


def _species(atoms: Atoms) -> list[tuple[str, str]]:
    """Element and label of each species in the order that ASE writes them: one for each element and moment."""
    kinds = dict.fromkeys(zip(atoms.symbols, atoms.get_initial_magnetic_moments(), strict=True))
    seen: list[str] = []
    species = []
    for symbol, _ in kinds:
        species.append((symbol, f"{symbol}{seen.count(symbol) or ''}"))
        seen.append(symbol)
    return species


def _hubbard(case: Case, species: list[tuple[str, str]]) -> tuple[dict[str, Any], list[str] | None]:
    """U as keywords for versions before 7.1, as a card from then on."""
    values = [(number, *kind, case.settings["hubbard_u"].get(kind[0], 0)) for number, kind in enumerate(species, 1)]
    values = [row for row in values if row[3]]
    if not values:
        return {}, None
    if unknown := [element for _, element, _, _ in values if element not in MANIFOLDS]:
        raise ValueError(f"engine.hubbard_u: no shell on file for {unknown[0]}; allowed: {', '.join(MANIFOLDS)}")
    if case.version < HUBBARD_CARD_SINCE:
        return {"lda_plus_u": True} | {f"Hubbard_U({number})": u for number, _, _, u in values}, None
    return {}, ["HUBBARD (atomic)", *(f"U {label}-{MANIFOLDS[element]} {u}" for _, element, label, u in values)]
