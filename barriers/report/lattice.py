"""A relaxed lattice in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from barriers.documents import LatticeDoc


def lattice_lines(lattice: LatticeDoc) -> Iterator[str]:
    """Say what the lattice is, how it is strained and what stress there was and is: a line each."""
    along = zip("ac", lattice.strain, lattice.stress_before, lattice.stress, strict=True)
    strains, before, left = zip(
        *((f"{axis} {strain:+.2%}", f"{was:+.2f}", f"{now:+.2f}") for axis, strain, was, now in along), strict=True
    )
    yield (
        f"lattice: a {lattice.a:.4f} Å, c {lattice.c:.4f} Å, z {lattice.z:.4f}, relaxed with {lattice.engine.name} "
        f"in {lattice.cost.force_calls} calls; strain {', '.join(strains)}"
    )
    yield f"lattice: stress along a, c {', '.join(before)} GPa as on file, {', '.join(left)} GPa relaxed"
