"""The slab and the hops that a study describes. Pure and fast, no energies and no jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pymatgen.core import Structure

from barriers.files.structures import read_crystal_file
from barriers.structures.cathode.counts import achieved
from barriers.structures.cathode.crystal import METAL_SITE, Cathode, bulk, cathode_of
from barriers.structures.cathode.lithium import RemovalMethod, exchange_antisites, lithium_to_remove
from barriers.structures.cathode.ordering import order_metals
from barriers.structures.cathode.reading import read_cathode
from barriers.structures.hop.between import hops_between, unlisted
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.search import find_hops
from barriers.structures.hop.soundness import soundness
from barriers.structures.hop.spoken import by_any_label
from barriers.structures.surface.continued import continued
from barriers.structures.surface.edits import with_species, without
from barriers.structures.surface.slab import cut_slab, freeze_layers, freeze_thickness
from barriers.study.models import CathodeSection, HopSection, SurfaceSection
from barriers.words import naming

Decoration = tuple[Structure, list[int]]
"""A crystal with its metals ordered, and the atoms that were taken out of it."""


@dataclass(frozen=True)
class BuiltSlab:
    """The bare slab of a study, and what is to be known of it.

    Attributes
    ----------
    structure : Structure
        The slab.
    termination : str
        How it ends.
    metals : str
        The metals as counted, and how far that is from the composition asked for.
    image_distance : float
        Shortest in-plane lattice vector (Å).
    layer_height : float
        What a layer adds to the thickness (Å).
    warnings : list[str]
        One line each.
    thickness : float
        Topmost atom above the lowest one (Å).
    to_frozen : dict[str, float]
        For each hop, once there are any, the least distance of the moving ion to a frozen atom (Å).
    crystal : Cathode or None
        What it was cut from; None for the slab of a file.
    dipole : float or None
        Dipole along the normal per area for each layer of the termination (e/Å); None for the slab of a file.
    core : bool
        Whether its middle is held, so that both faces relax.
    decoration : (Structure, list[int]) or None
        What :func:`decorated` gave: the ordered crystal, and the lithium that was taken out.
    """

    word: ClassVar[str] = "slab"
    structure: Structure
    termination: str
    metals: str
    image_distance: float
    layer_height: float
    warnings: list[str] = field(default_factory=list)
    thickness: float = 0.0
    to_frozen: dict[str, float] = field(default_factory=dict)
    crystal: Cathode | None = None
    dipole: float | None = None
    core: bool = False
    decoration: Decoration | None = None

    @property
    def lattice(self) -> str:
        """Where its lattice is from."""
        return "that of the file" if self.crystal is None else self.crystal.source

    def measures(self) -> dict[str, Any]:
        """Give what says whether the slab is thick enough: its thickness and what is frozen near a hop (Å)."""
        return {"thickness": self.thickness, "to_frozen": self.to_frozen}


def crystal_of(section: CathodeSection) -> Cathode:
    """Find the crystal that a study names, or read it from its file.

    Raises
    ------
    ValueError
        One line, if the file is no crystal of a layered oxide, or the lattice parameters are not known.
    """
    given = {key: value for key in ("a", "c", "z") if (value := getattr(section, key)) is not None}
    found = cathode_of(section.name, section.a, section.c) if section.file is None else _crystal_of_file(section.file)
    return replace(found, source="a, c and z given", **given) if "z" in given else found


def _crystal_of_file(name: str) -> Cathode:
    path = Path(name)
    return read_cathode(read_crystal_file(path, "cathode.file"), path.stem)


def build_slab(
    crystal: Cathode, cathode: CathodeSection, surface: SurfaceSection, like: Decoration | None = None
) -> BuiltSlab:
    """Cut the slab of a study from its crystal, order its metals, exchange and remove lithium.

    Ordering and lithium are decided on the crystal and carried to the slab by index, so that the slab has the
    composition asked for.

    Parameters
    ----------
    crystal : Cathode
        What :func:`crystal_of` gives.
    cathode : CathodeSection
        Ordering, antisites and lithium content.
    surface : SurfaceSection
        Facet, termination, size, frozen part.
    like : (Structure, list[int]) or None
        The decoration of another slab of the same facet: metals and lithium are those, place for place.

    Raises
    ------
    ValueError
        One line, if the slab cannot be built.
    """
    with naming("surface"):
        cut = cut_slab(
            bulk(crystal),
            surface.facet,
            surface.layers,
            surface.min_lengths,
            surface.vacuum,
            0 if surface.frozen == "none" or surface.frozen_thickness else surface.frozen_layers,
            surface.termination,
            surface.polar,
            surface.symmetric,
        )
        if surface.has_core and surface.frozen_thickness is None:
            cut = replace(cut, slab=freeze_layers(cut.slab, surface.frozen_layers, core=True))
    with naming("cathode"):
        ordered, gone = decorated(cut.crystal, crystal, cathode) if like is None else continued(cut.crystal, *like)
    counted = achieved(crystal.metals, len(cut.crystal.indices_from_symbol(METAL_SITE)))
    slab = without(with_species(cut.slab, ordered), gone)
    if surface.frozen_thickness is not None:
        slab = freeze_thickness(slab, surface.frozen_thickness, surface.has_core)
    shares = " ".join(f"{element} {number}" for element, number in counted.counts.items())
    metals = f"{shares} on {sum(counted.counts.values())} sites, off by at most {counted.deviation:.3f}"
    if like is not None:
        metals = "those of another slab, place for place"
    return BuiltSlab(
        slab,
        cut.termination.label,
        metals,
        cut.image_distance,
        cut.layer_height,
        cut.warnings,
        crystal=crystal,
        dipole=cut.termination.dipole,
        core=surface.has_core,
        decoration=(ordered, gone),
    )


def measured(slab: BuiltSlab, hops: list[Hop]) -> BuiltSlab:
    """Say how thick a slab is and what is frozen near its hops, with a warning where it is too thin for them."""
    sound = soundness(slab.structure, hops, slab.layer_height, slab.core, given=slab.crystal is None)
    warnings = [*slab.warnings, *unlisted(slab.structure, hops), *sound.warnings]
    return replace(slab, warnings=warnings, thickness=sound.thickness, to_frozen=sound.to_frozen)


def decorated(crystal: Structure, of: Cathode, section: CathodeSection) -> tuple[Structure, list[int]]:
    """Order the metals of a crystal, exchange antisites, and choose the lithium to take out.

    Raises
    ------
    ValueError
        One line, if the crystal is too small for the composition asked for.
    """
    seed, samples, tolerance = section.seed, section.samples, section.tolerance
    ordered = order_metals(crystal, of.metals, seed, section.ordering, samples, tolerance)
    if section.antisites:
        ordered = exchange_antisites(ordered, section.antisites, seed, tolerance)
    if section.lithium == 1:
        return ordered, []
    method: RemovalMethod = "ewald" if section.ordering == "ewald" else "random"
    return ordered, lithium_to_remove(ordered, section.lithium, seed, method, samples, tolerance)


def hops_of(slab: Structure, sections: Iterable[HopSection]) -> list[Hop]:
    """Find the hops that a study describes on the slab as it was built.

    Raises
    ------
    ValueError
        One line, if the slab has no such hop, or fewer than the rank asked for.
    """
    found = find_hops(slab)
    labelled = {label: [hop] for label, hop in by_any_label(found).items()}
    chosen: dict[HopSection, list[Hop]] = {}
    hops = []
    for section in sections:
        criteria = section.model_copy(update={"name": "", "rank": 1})
        if criteria not in chosen:
            chosen[criteria] = (
                _between(slab, found, section) or labelled.get(section.label or "") or hops_like(found, section)
            )
        of_kind = chosen[criteria]
        if section.rank > len(of_kind):
            raise ValueError(
                f"hops: {section.name!r} has rank {section.rank}; allowed: 1 to {len(of_kind)} on this slab"
            )
        hops.append(of_kind[section.rank - 1].model_copy(update={"name": section.name}))
    return hops


def _between(structure: Structure, found: list[Hop], section: HopSection) -> list[Hop]:
    """Give the hops between the sites that a section names; none if it names no sites."""
    if section.ends is None:
        return []
    with naming(f"hops: {section.name!r}"):
        return hops_between(structure, found, *section.ends, section.kind)


def hops_like(found: list[Hop], section: HopSection) -> list[Hop]:
    """Choose the hops that a section describes, whatever its rank.

    Raises
    ------
    ValueError
        One line, if there is none.
    """
    try:
        if section.label is not None:
            return select_hops(found, label=section.label)
        layer = section.layer or ("any" if section.kind == "interstitial" else "sub-surface")
        return select_hops(
            found,
            layer=None if layer == "any" else layer,
            mechanism=section.mechanism,
            kind=section.kind,
            length=section.length,
            depth=section.depth,
        )
    except ValueError as error:
        raise ValueError(f"hops: {section.name!r}: {error}") from None
