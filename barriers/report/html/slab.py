"""What a study's slab or crystal is, in words."""

from __future__ import annotations

from collections.abc import Iterator

from barriers.documents import CrystalDoc, SlabDoc, StudyDoc

LEAST = 5e-4
"""A smaller dipole (e/Å) would be written as nothing."""


def facts(study: StudyDoc) -> Iterator[tuple[str, str]]:
    """Say what the slab or the crystal of a study is: a name and words for each fact."""
    if study.slab is not None:
        yield from slab_facts(study.slab)
    if study.crystal is not None:
        yield from crystal_facts(study.crystal)


def crystal_facts(crystal: CrystalDoc) -> Iterator[tuple[str, str]]:
    """Say what the crystal is."""
    yield "Formula", f"{crystal.formula}, {crystal.space_group}, from {crystal.source}"
    yield "Supercell", f"{' × '.join(map(str, crystal.supercell))}, {crystal.atoms} atoms"
    if crystal.ordering:
        yield "Ordering of sites held in part", crystal.ordering
    yield "Nearest image of an atom", f"{crystal.image_distance:.2f} Å"
    yield "Ion that moves", crystal.ion
    if crystal.charge:
        yield "Charge asked for", f"{crystal.charge:+d} e, with a compensating background"


def slab_facts(slab: SlabDoc) -> Iterator[tuple[str, str]]:
    """Say what the slab is, as far as it is known: a name and words for each fact."""
    if slab.formula:
        yield "Formula", f"{slab.formula}, {slab.atoms} atoms"
    yield "Thickness", f"{slab.thickness:.2f} Å, as built"
    if slab.frozen is not None:
        yield "Frozen", f"{slab.frozen} of {slab.atoms} atoms"
    for hop, distance in slab.to_frozen.items():
        yield f"Frozen atom nearest to {hop}", f"{distance:.2f} Å from the moving ion's path"
    if slab.termination:
        yield "Termination", slab.termination
    if slab.dipole is not None:
        polar = abs(slab.dipole) > LEAST
        yield "Dipole along the normal", f"{slab.dipole:.3f} e/Å for each layer, of formal charges" if polar else "none"
    if slab.ordering:
        yield "Ordering of the metals", f"{slab.ordering}; {slab.metals}"
    if slab.image_distance is not None:
        yield "Nearest image of an atom", f"{slab.image_distance:.2f} Å"
