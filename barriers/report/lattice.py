"""A relaxed lattice in words."""

from __future__ import annotations

from collections.abc import Iterator

from barriers.documents import CrystalCellDoc, CrystalDoc, LatticeDoc


def lattice_lines(lattice: LatticeDoc | CrystalCellDoc) -> Iterator[str]:
    """Say what the lattice is, how it is strained and what stress there was and is: a line each."""
    if isinstance(lattice, CrystalCellDoc):
        yield from _crystal_lines(lattice)
        return
    along = zip("ac", lattice.strain, lattice.stress_before, lattice.stress, strict=True)
    strains, before, left = zip(
        *((f"{axis} {strain:+.2%}", f"{was:+.2f}", f"{now:+.2f}") for axis, strain, was, now in along), strict=True
    )
    yield (
        f"lattice: a {lattice.a:.4f} Å, c {lattice.c:.4f} Å, z {lattice.z:.4f}, relaxed with {lattice.engine.name} "
        f"in {lattice.cost.force_calls} calls; strain {', '.join(strains)}"
    )
    yield f"lattice: stress along a, c {', '.join(before)} GPa as on file, {', '.join(left)} GPa relaxed"


def crystal_line(crystal: CrystalDoc) -> str:
    """Say which supercell of which crystal the hops are in."""
    repeats = " × ".join(map(str, crystal.supercell))
    return (
        f"crystal: {crystal.formula}, {crystal.space_group}; supercell {repeats}, {crystal.atoms} atoms; "
        f"{crystal.image_distance:.2f} Å to its nearest image"
    )


def _crystal_lines(found: CrystalCellDoc) -> Iterator[str]:
    lattice = found.structure.lattice
    angles = "" if lattice.is_orthogonal else f", {', '.join(f'{angle:.2f}' for angle in lattice.angles)}°"
    strains = ", ".join(f"{axis} {strain:+.2%}" for axis, strain in zip("abc", found.strain, strict=True))
    before, after = found.space_groups
    symmetry = "" if before == after else f"; {before} has become {after}"
    yield (
        f"lattice: {', '.join(f'{length:.4f}' for length in lattice.abc)} Å{angles}, relaxed with {found.engine.name} "
        f"in {found.cost.force_calls} calls; strain {strains}, volume {found.volume_change:+.2%}{symmetry}"
    )
    was, now = (", ".join(f"{stress:+.2f}" for stress in each) for each in (found.stress_before, found.stress))
    yield f"lattice: stress xx, yy, zz, yz, xz, xy {was} GPa in the file, {now} GPa relaxed"
