"""Bands that go the long way round, for codes that take no minimum image between images."""

from __future__ import annotations

import numpy as np
from ase.geometry import find_mic

from barriers.parsing.found import Check, FoundBand

LONG_WAY = 0.5
"""Ends that lie so much farther apart along the band (Å) than their nearest periodic images were wrapped."""


def check_ends(found: FoundBand, mend: str) -> Check:
    """See whether an atom's steps from image to image end in another periodic image than the nearest one.

    Parameters
    ----------
    found : FoundBand
        A band with atoms.
    mend : str
        What the code's user has to do about it.
    """
    assert found.structure is not None
    cell, pbc = found.structure.lattice.matrix, found.structure.lattice.pbc
    positions = np.array([image.positions for image in found.images])
    steps = np.array([find_mic(step, cell, pbc)[0] for step in np.diff(positions, axis=0)])
    moved = np.linalg.norm(steps.sum(axis=0), axis=1)
    shortest = find_mic(positions[-1] - positions[0], cell, pbc)[1]
    atom = int((moved - shortest).argmax())
    seen = [f"{moved[atom] - shortest[atom]:.2f} Å farther than the shortest way"]
    if moved[atom] - shortest[atom] < LONG_WAY:
        return Check("ends unwrapped", "ok", seen)
    says = (
        f"atom {atom} goes {moved[atom]:.2f} Å from end to end, but {shortest[atom]:.2f} Å lie between them across the "
        f"cell's edge: {found.engine.name} takes no minimum image; {mend}"
    )
    return Check("ends unwrapped", "wrong", seen, says)
