"""The slab of a study, cut from its crystal or read from a file of the user's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from barriers.files.structures import read_structure
from barriers.structures.rounding import round_off
from barriers.structures.surface.given import GivenSlab, given_slab
from barriers.structures.surface.slab import freeze_layers, freeze_thickness, frozen_atoms, image_distance
from barriers.study.models import HopSection, SlabSection, Study
from barriers.words import naming
from barriers.workflow.slab_and_hops import BuiltSlab, build_slab, crystal_of

SHARE = 0.4
"""Part of the thickness that is held at the bottom where nothing says what is: two of five layers, as in a cut slab."""


def slab_for(study: Study) -> BuiltSlab:
    """Cut the slab of a study, or read it.

    Raises
    ------
    ValueError
        One line, if the slab cannot be built, or the file holds none.
    """
    if study.slab is None:
        return build_slab(crystal_of(study.cathode), study.cathode, study.surface)
    given, notes = _read(study.slab)
    return _built(given, study.slab, notes)


def settled_slab(study: Study) -> Study:
    """Give a study with the slab of a file what that says: its vacuum, and coordinates of hops in the slab's own cell.

    A study whose slab is cut stays as it is. Not to be done twice.

    Raises
    ------
    ValueError
        One line, if the file holds no slab.
    """
    if study.slab is None:
        return study
    given, _ = _read(study.slab)
    hops = tuple(hop.model_copy(update=_carried(hop, given)) for hop in study.hops)
    return study.model_copy(update={"slab": study.slab.model_copy(update={"vacuum": given.vacuum}), "hops": hops})


def _read(section: SlabSection) -> tuple[GivenSlab, list[str]]:
    with naming("slab.file"):
        structure, notes = read_structure(section.file)
    with naming(f"slab.file: {section.file}"):
        return given_slab(structure, section.vacuum), notes


def _carried(hop: HopSection, given: GivenSlab) -> dict[str, Any]:
    """Ends of a hop that are coordinates, as those of the slab's own cell."""
    found = {}
    for name in ("from_", "to"):
        if isinstance(place := getattr(hop, name), tuple):
            fractions = given.slab.lattice.get_fractional_coords(given.frame.carry(place))[0]
            found[name] = tuple(map(float, fractions))
    return found


def _built(given: GivenSlab, section: SlabSection, notes: list[str]) -> BuiltSlab:
    slab, frozen = given.slab, section.frozen
    by_file = bool(frozen_atoms(slab))
    if frozen is None:
        frozen = "file" if by_file else "bottom"
    if frozen == "file" and not by_file:
        raise ValueError("slab.frozen: 'file', which holds no atom; allowed: 'bottom', 'core', 'none', or held atoms")
    thickness = float(np.ptp(slab.cart_coords[:, 2]))
    if frozen != "file":
        height = section.frozen_thickness or round_off(SHARE * thickness, 2)
        if frozen == "none":
            slab = freeze_layers(slab, 0)
        elif section.frozen_layers is None:
            slab = freeze_thickness(slab, height, frozen == "core")
        else:
            with naming("slab"):
                slab = freeze_layers(slab, section.frozen_layers, frozen == "core")
    held = len(frozen_atoms(slab))
    if held == len(slab):
        raise ValueError(f"slab.frozen: all {held} atoms are held; allowed: a part of them")
    shares = Counter(site.specie.symbol for site in slab if site.specie.is_metal and site.specie.symbol != "Li")
    metals = " ".join(f"{element} {number}" for element, number in sorted(shares.items()))
    return BuiltSlab(
        slab,
        f"as in {Path(section.file).name}",
        f"{metals or 'no other metals'} in its order; {_held(held, frozen, section, thickness)}",
        image_distance(slab.lattice),
        given.layer_height,
        notes,
        core=frozen == "core",
    )


def _held(held: int, frozen: str, section: SlabSection, thickness: float) -> str:
    """Say which atoms are held, and by whose choice."""
    if not held:
        return "no atom is held"
    if frozen == "file":
        return f"{held} atoms are held, those of the file"
    where = "at the bottom" if frozen == "bottom" else "in the middle"
    if section.frozen_layers is not None:
        return f"{held} atoms are held, {section.frozen_layers} layers {where}"
    height = section.frozen_thickness or round_off(SHARE * thickness, 2)
    told = "" if section.frozen else ": the file holds none; slab.frozen chooses"
    return f"{held} atoms are held, {height:g} Å {where}{told}"
