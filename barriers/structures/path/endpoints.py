"""Endpoint pairs: two structures made into one consistent pair, or one line that says why they are none.

Atoms are counted from 0 in every message.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from barriers.structures.directions import KNOWN, along_lattice, constraints_of, directions_of
from barriers.structures.path.mapping import FAR, few, pair_atoms, unwrap

STAYS = 0.1
"""A pair in which no atom moves further than this (Å) is no hop."""

SAME_PLACE = 1e-3
"""Frozen atoms and cell vectors may differ by this much (Å): what the rounding of a file leaves."""


class EndpointError(ValueError):
    """Two structures are no pair of endpoints; the message is one line that says why and what mends it."""


def check_endpoints(initial: Atoms, final: Atoms) -> None:
    """Refuse a pair of structures between which no band can be drawn.

    Raises
    ------
    EndpointError
        Whatever :func:`match_order` refuses; no atom that may move; no atom that moves.
    """
    matched, _ = match_order(initial, final)
    if len(frozen_atoms(matched)) == len(matched):
        raise EndpointError("every atom is frozen, nothing can move; free the moving atom and its surroundings")
    furthest = np.linalg.norm(matched.positions - initial.positions, axis=1).max()
    if furthest <= STAYS:
        raise EndpointError(
            f"initial and final are the same structure: no atom moves more than {furthest:.2f} Å "
            f"(atoms of one element are alike); give a final structure with the ion on another site"
        )


def match_order(initial: Atoms, final: Atoms) -> tuple[Atoms, list[str]]:
    """Put the final structure into the initial one's order and periodic images.

    The given order stays if it makes sense, a concerted jump of up to three atoms included (each moves to the
    next one's site, the last to an empty one). If it does not, for example because atoms of one element are
    exchanged among sites that are occupied in both structures, the atoms are paired anew by distance.

    Parameters
    ----------
    initial, final : Atoms
        The same atoms in the same cell, in any order and any periodic image.

    Returns
    -------
    Atoms
        Final structure: each atom in the image nearest to its initial position, frozen atoms exactly on it.
        Its constraints are those of the pair; give them to the initial structure too
        (``initial.set_constraint(matched.constraints)``), which may have come without.
    list[str]
        Warnings, one line each.

    Raises
    ------
    EndpointError
        Coordinates that are no numbers; another cell, other species; overlapping atoms; frozen atoms that
        differ or move; a pairing that is ambiguous or leaves more than a few atoms far away.
    """
    check_alone("initial", initial)
    check_alone("final", final)
    _check_alike(initial, final)
    order, ambiguous = pair_atoms(initial, final)
    if ambiguous is not None:
        raise EndpointError(
            f"the orders differ and the jump of {_name(initial, ambiguous)} is ambiguous: two pairings are "
            f"about equally short; list the atoms in the same order in both files"
        )
    matched = final[order]
    frozen, warnings = _shared_frozen(initial, matched)
    reordered = int((order != np.arange(len(order))).sum())
    if reordered:
        warnings.append(f"{reordered} atoms of the final structure were reordered to match the initial one")
    positions = unwrap(matched.positions, initial)
    far = int((np.linalg.norm(positions - initial.positions, axis=1) > FAR).sum())
    if far > few(len(initial)):
        raise EndpointError(
            f"{far} of {len(initial)} atoms move more than {FAR} Å after matching, at most "
            f"{few(len(initial))} may; make both endpoints from the same relaxed structure"
        )
    positions[frozen] = initial.positions[frozen]
    matched.set_constraint(constraints_of(_shared_directions(initial, matched, frozen)))
    matched.set_cell(initial.cell)
    matched.set_positions(positions, apply_constraint=False)
    return matched, warnings


def frozen_atoms(atoms: Atoms) -> list[int]:
    """List the atoms that ``FixAtoms`` constraints hold, in order."""
    held = [constraint.index for constraint in atoms.constraints if isinstance(constraint, FixAtoms)]
    return sorted({int(index) for indices in held for index in indices})


def overlap(atoms: Atoms, least: float = 0.0) -> str | None:
    """Name the nearest pair of atoms if it is nearer than atoms can be.

    That is less than 0.45 times the sum of the covalent radii, each taken as 0.56 Å at least (hydrogen), or less than
    ``least`` (Å).
    """
    radii = 0.45 * np.maximum(covalent_radii[atoms.numbers], 0.56)
    first, second, distances = neighbor_list("ijd", atoms, np.maximum(radii, least / 2))
    near = distances < np.maximum(radii[first] + radii[second], least)
    first, second, distances = first[near], second[near], distances[near]
    if not len(distances):
        return None
    nearest = distances.argmin()
    one, other = sorted((int(first[nearest]), int(second[nearest])))
    return f"{_name(atoms, one)} and {_name(atoms, other)} are {distances[nearest]:.2f} Å apart"


def check_alone(label: str, atoms: Atoms) -> None:
    """Refuse a structure with what is no number, a cell without volume, unknown constraints or overlapping atoms.

    Raises
    ------
    EndpointError
        One line that begins with the label.
    """
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell).all()):
        raise EndpointError(f"{label}: a position or cell vector is no number; write the file again")
    if atoms.pbc.any() and np.linalg.matrix_rank(atoms.cell[atoms.pbc], tol=1e-3) < atoms.pbc.sum():
        raise EndpointError(f"{label}: the periodic cell has no volume; give three independent cell vectors")
    for kind in (type(constraint) for constraint in atoms.constraints):
        if kind not in KNOWN:
            raise EndpointError(f"{label}: constraint {kind.__name__} is not known; freeze atoms or directions")
    pair = overlap(atoms)
    if pair:
        raise EndpointError(f"{label}: {pair}, they overlap; move one of them")


def _check_alike(initial: Atoms, final: Atoms) -> None:
    first, last = Counter(initial.symbols), Counter(final.symbols)
    differing = sorted(element for element in first | last if first[element] != last[element])
    if differing:
        has, wants = (" ".join(f"{element}{count[element]}" for element in differing) for count in (first, last))
        raise EndpointError(f"other atoms: initial {has}, final {wants}; give both the same atoms")
    if (initial.pbc != final.pbc).any():
        raise EndpointError(f"periodic directions differ: initial {initial.pbc}, final {final.pbc}; make them alike")
    difference = np.abs(initial.cell - final.cell).max()
    if difference > SAME_PLACE:
        raise EndpointError(f"cells differ by up to {difference:.3f} Å; relax both endpoints in the same fixed cell")


def _shared_frozen(initial: Atoms, matched: Atoms) -> tuple[list[int], list[str]]:
    """Frozen atoms of the pair, and a warning if only one structure names them."""
    first, last = set(frozen_atoms(initial)), set(frozen_atoms(matched))
    if first and last and first != last:
        atom = min(first ^ last)
        where = "initial" if atom in first else "final"
        raise EndpointError(f"{_name(initial, atom)} is frozen in the {where} only; freeze the same atoms in both")
    frozen = sorted(first | last)
    apart = np.linalg.norm(unwrap(matched.positions, initial) - initial.positions, axis=1)
    for atom in frozen:
        if apart[atom] > SAME_PLACE:
            raise EndpointError(
                f"{_name(initial, atom)} is frozen, but moves {apart[atom]:.3f} Å between the endpoints; "
                f"make both from the same relaxed structure"
            )
    if first == last:
        return frozen, []
    return frozen, [f"only the {'initial' if first else 'final'} structure has frozen atoms; held in both"]


def _shared_directions(initial: Atoms, matched: Atoms, frozen: list[int]) -> NDArray[np.bool_]:
    """Directions in which atoms of the pair may move, shape (N, 3): what either structure holds is held in both."""
    free = directions_of(initial) & directions_of(matched)
    free[frozen] = False
    moves = unwrap(matched.positions, initial) - initial.positions
    across = np.linalg.norm(moves - along_lattice(moves, free, initial.cell.complete().array), axis=1)
    across[frozen] = 0.0
    if across.max() > SAME_PLACE:
        atom = int(across.argmax())
        raise EndpointError(
            f"{_name(initial, atom)} is held in some directions, but moves {across[atom]:.3f} Å along them between the "
            f"endpoints; make both from the same relaxed structure"
        )
    return free


def _name(atoms: Atoms, index: int) -> str:
    return f"atom {index} ({atoms.symbols[index]})"
