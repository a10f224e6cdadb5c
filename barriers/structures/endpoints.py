"""Endpoint pairs: two structures made into one consistent pair, or one line that says why they are none.

Atoms are counted from 0 in every message.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import covalent_radii
from ase.geometry import find_mic, get_distances
from ase.neighborlist import neighbor_list
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

STAYS = 0.1
"""A pair in which no atom moves further than this (Å) is no hop."""

SAME_PLACE = 1e-3
"""Frozen atoms and cell vectors may differ by this much (Å): what the rounding of a file leaves."""

ON_SITE = 1.0
"""An atom nearer than this (Å) to a site stands on it, relaxation included."""

FAR = 1.5
"""An atom that moves further than this (Å) has left its site."""

LONGEST_STEP = 4.5
"""Longest step (Å) of one atom in a concerted jump; anything longer is a mistaken order."""

LONGEST_CHAIN = 3
"""Most atoms in a concerted jump (interstitialcy, kick-out)."""

CLEAR = 1.25
"""The next best mapping has to cost this many times the best, in squared distance, or neither is believed."""

_OTHER_SPECIES = 1e6


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
        raise EndpointError(
            "every atom is frozen, nothing can move; free the moving atom and its surroundings"
        )
    furthest = np.linalg.norm(matched.positions - initial.positions, axis=1).max()
    if furthest <= STAYS:
        raise EndpointError(
            f"initial and final are the same structure: no atom moves more than {furthest:.2f} Å "
            f"(atoms of one element are alike); give a final structure with the ion on another site"
        )


def match_order(initial: Atoms, final: Atoms) -> tuple[Atoms, list[str]]:
    """Put the final structure into the initial one's order and periodic images.

    The given order stays if it makes sense, a concerted jump of up to three atoms included (each moves to the
    next one's site, the last to an empty one). If it does not, because atoms of one element are exchanged among
    sites that are occupied in both structures, the atoms are paired anew: least sum of squared distances.

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
        Coordinates that are no numbers; another cell, other species; overlapping atoms; frozen atoms that differ
        or move; a mapping that is ambiguous or leaves more than a few atoms far away.
    """
    _check_pair(initial, final)
    order, warnings = _order(initial, final)
    matched = final[order]
    matched.set_cell(initial.cell)
    frozen = _shared_frozen(initial, matched, warnings)
    matched.set_constraint([FixAtoms(frozen)] if frozen else None)
    positions = unwrap(matched.positions, initial)
    moved = np.linalg.norm(positions - initial.positions, axis=1)
    for atom in frozen:
        if moved[atom] > SAME_PLACE:
            raise EndpointError(
                f"{_name(initial, atom)} is frozen, but differs by {moved[atom]:.3f} Å between the endpoints; "
                f"make both from the same relaxed structure"
            )
    far = int((moved > FAR).sum())
    if far > _few(len(initial)):
        raise EndpointError(
            f"{far} of {len(initial)} atoms still move more than {FAR} Å after matching, at most "
            f"{_few(len(initial))} may; make both endpoints from the same relaxed structure"
        )
    positions[frozen] = initial.positions[frozen]
    matched.set_positions(positions, apply_constraint=False)
    return matched, warnings


def unwrap(positions: np.ndarray, reference: Atoms) -> np.ndarray:
    """Move positions by lattice vectors to the images nearest to those of a reference.

    Where two images are equally near (a hop of half a cell), the given one stays.

    Parameters
    ----------
    positions : numpy.ndarray, shape (N, 3)
        Cartesian positions (Å).
    reference : Atoms
        N atoms with the cell.
    """
    given = positions - reference.positions
    nearest, lengths = find_mic(given, reference.cell, reference.pbc)
    keep = np.linalg.norm(given, axis=1) <= lengths + 1e-6
    return reference.positions + np.where(keep[:, None], given, nearest)


def frozen_atoms(atoms: Atoms) -> list[int]:
    """Indices of the atoms that ``FixAtoms`` constraints hold, in order."""
    held = [constraint.index for constraint in atoms.constraints if isinstance(constraint, FixAtoms)]
    return sorted({int(index) for indices in held for index in indices})


def overlap(atoms: Atoms) -> str | None:
    """Name the nearest pair of atoms if it is nearer than atoms can be.

    That is less than 0.45 times the sum of the covalent radii, each taken as 0.56 Å at least (hydrogen).
    """
    radii = 0.45 * np.maximum(covalent_radii[atoms.numbers], 0.56)
    first, second, distances = neighbor_list("ijd", atoms, radii)
    if not len(distances):
        return None
    nearest = distances.argmin()
    one, other = sorted((int(first[nearest]), int(second[nearest])))
    return f"{_name(atoms, one)} and {_name(atoms, other)} are {distances[nearest]:.2f} Å apart"


def _check_pair(initial: Atoms, final: Atoms) -> None:
    for label, atoms in (("initial", initial), ("final", final)):
        if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell).all()):
            raise EndpointError(f"{label}: a position or cell vector is no number; write the file again")
        if atoms.pbc.any() and np.linalg.matrix_rank(atoms.cell[atoms.pbc], tol=1e-3) < atoms.pbc.sum():
            raise EndpointError(
                f"{label}: the periodic cell has no volume; give three independent cell vectors"
            )
        for constraint in atoms.constraints:
            if not isinstance(constraint, FixAtoms):
                kind = type(constraint).__name__
                raise EndpointError(
                    f"{label}: constraint {kind} is not understood; freeze whole atoms instead"
                )
    counts = [
        dict(zip(*np.unique(atoms.symbols, return_counts=True), strict=True)) for atoms in (initial, final)
    ]
    differing = sorted(
        element for element in counts[0] | counts[1] if counts[0].get(element) != counts[1].get(element)
    )
    if differing:
        first, last = (
            " ".join(f"{element}{count.get(element, 0)}" for element in differing) for count in counts
        )
        raise EndpointError(f"other atoms: initial {first}, final {last}; both need the same atoms")
    if (initial.pbc != final.pbc).any():
        raise EndpointError(
            f"periodic directions differ: initial {initial.pbc}, final {final.pbc}; make them alike"
        )
    difference = np.abs(initial.cell - final.cell).max()
    if difference > SAME_PLACE:
        raise EndpointError(
            f"cells differ by up to {difference:.3f} Å; relax both endpoints in the same fixed cell"
        )
    for label, atoms in (("initial", initial), ("final", final)):
        pair = overlap(atoms)
        if pair:
            raise EndpointError(f"{label}: {pair}, they overlap; move one of them")


def _order(initial: Atoms, final: Atoms) -> tuple[np.ndarray, list[str]]:
    """Index in the final structure of each initial atom, and a warning if that is not the given order."""
    squared = np.full((len(initial), len(initial)), _OTHER_SPECIES)
    for number in np.unique(initial.numbers):
        rows, columns = (np.flatnonzero(atoms.numbers == number) for atoms in (initial, final))
        _, distances = get_distances(
            initial.positions[rows], final.positions[columns], initial.cell, initial.pbc
        )
        squared[np.ix_(rows, columns)] = distances**2
    order = linear_sum_assignment(squared)[1]
    if _given_order_is_sound(order, squared):
        return np.arange(len(initial)), []
    _check_unambiguous(order, squared, initial)
    changed = int((order != np.arange(len(order))).sum())
    return order, [f"{changed} atoms of the final structure were reordered to match the initial structure"]


def _given_order_is_sound(order: np.ndarray, squared: np.ndarray) -> bool:
    """Tell whether the given order needs no mending, where ``order`` is the one with the least distances."""
    atoms = np.arange(len(order))
    given = squared.diagonal()
    if (given > FAR**2).sum() > _few(len(order)):
        return False
    _, cycle_of = connected_components(coo_array((np.ones(len(order)), (atoms, order))), directed=False)
    for cycle in np.unique(cycle_of[order != atoms]):
        members = np.flatnonzero(cycle_of == cycle)
        exchange = (squared[members, order[members]] < ON_SITE**2).all()
        if exchange or len(members) > LONGEST_CHAIN or (given[members] > LONGEST_STEP**2).any():
            return False
    return True


def _check_unambiguous(order: np.ndarray, squared: np.ndarray, initial: Atoms) -> None:
    movers = np.flatnonzero(squared[np.arange(len(order)), order] > ON_SITE**2)
    for atom in movers[: _few(len(order))]:
        without = squared.copy()
        without[atom, order[atom]] = _OTHER_SPECIES
        other = linear_sum_assignment(without)[1]
        rows = np.flatnonzero(other != order)
        if squared[rows, other[rows]].sum() < CLEAR * squared[rows, order[rows]].sum():
            raise EndpointError(
                f"the order differs and the jump of {_name(initial, int(atom))} is ambiguous: two mappings are equally "
                f"short; list the atoms in the same order in both files"
            )


def _shared_frozen(initial: Atoms, matched: Atoms, warnings: list[str]) -> list[int]:
    first, last = set(frozen_atoms(initial)), set(frozen_atoms(matched))
    if not first or not last:
        if first or last:
            warnings.append(
                f"only the {'initial' if first else 'final'} structure has frozen atoms; held in both"
            )
        return sorted(first | last)
    if first != last:
        atom = min(first ^ last)
        where = "initial" if atom in first else "final"
        raise EndpointError(
            f"{_name(initial, atom)} is frozen in the {where} structure only; freeze the same atoms"
        )
    return sorted(first)


def _few(n_atoms: int) -> int:
    return max(4, n_atoms // 10)


def _name(atoms: Atoms, index: int) -> str:
    return f"atom {index} ({atoms.symbols[index]})"
