"""A saddle refined from the highest image of a band that is not converged, and whether it is that band's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import FIRE
from scipy.interpolate import make_interp_spline

from barriers.analysis.band import continuous, highest_image
from barriers.analysis.forces import largest_force
from barriers.analysis.paths import SAME_BARRIER, SAME_PATH, farthest
from barriers.analysis.stationary import find_stationary
from barriers.documents import SaddleDoc
from barriers.engines.mlip.fire import TIME_STEP, evaluate_moved
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import EvaluatorCalculator
from barriers.engines.mlip.saddle import saddle_of, tangent_at
from barriers.engines.mlip.secants import Secants

RADIUS = 1.0
"""A search goes no further from the highest image (Å, norm over all atoms)."""

SHARPER = 0.2
"""A search goes on to this part of a band's tolerance: that costs few evaluations, and errors fall with the square."""

MOST_CALLS = 150
"""Most evaluations of a search."""

MOST_STEPS = 500
"""Most steps of a way down."""

OFF = 0.25
"""How far beside a saddle the way down from it begins (Å, norm over all atoms)."""


class NotItsSaddleError(Exception):
    """What was found is no saddle of the band; why."""


@dataclass(frozen=True)
class Refined:
    """A band through a saddle that a search found.

    Attributes
    ----------
    images : list[Atoms]
        The band, evaluated.
    document : SaddleDoc
        What is known of the saddle.
    left : float
        Energy that is left to it (eV).
    is_proven : bool
        Whether the ways down from it were followed to the ends: then the band runs along them.
    """

    images: list[Atoms]
    document: SaddleDoc
    left: float
    is_proven: bool


def refined_beside(images: list[Atoms], evaluator: Evaluator, seen: Secants, fmax: float) -> Refined:
    """Refine the highest image of a roughly converged band to a saddle that stands beside it on the path.

    Parameters
    ----------
    images : list[Atoms]
        The band, evaluated, climbing.
    evaluator : Evaluator
        The model.
    seen : Secants
        What the band has shown of the stiffness at that image; added to.
    fmax : float
        Largest force at the saddle (eV/Å).

    Raises
    ------
    NotItsSaddleError
        If there is none, its mode is not along the path, or an image is higher than it.
    """
    through, top, left, calls = _searched(images, evaluator, seen, fmax)
    if (moved := farthest([through[top].positions], [images[top].positions], images[0].cell.array)) > SAME_PATH:
        raise NotItsSaddleError(f"the saddle found is {moved:.2f} Å from the highest image")
    if (higher := highest_image([image.get_potential_energy() for image in through])) != top:
        raise NotItsSaddleError(f"image {higher} is higher than the saddle found")
    saddle, _ = saddle_of(through, evaluator, calls, top)
    if saddle.fault is not None:
        raise NotItsSaddleError(saddle.fault)
    return _refined(through, saddle, left, f"a search of {calls} evaluations from the climbing image")


def refined_far(images: list[Atoms], evaluator: Evaluator, seen: Secants, fmax: float, end_fmax: float) -> Refined:
    """Refine the highest image of any band to a saddle from which the ways down end in the band's two ends.

    Parameters
    ----------
    images, evaluator, seen, fmax
        As for :func:`refined_beside`.
    end_fmax : float
        Largest force at the ends (eV/Å).

    Raises
    ------
    NotItsSaddleError
        If there is none, or it is another path's.
    """
    through, top, left, calls = _searched(images, evaluator, seen, fmax)
    saddle, mode = saddle_of(through, evaluator, calls, top)
    if saddle.order != 1:
        raise NotItsSaddleError(saddle.fault)
    ways = [_way_down(through[top], side * mode, evaluator, end_fmax) for side in (-1, 1)]
    laid = _through(images, through[top], top, ways)
    evaluate_moved(laid, evaluator)
    how = f"a search of {calls} evaluations from the climbing image, and the ways down from it end in both end states"
    return _refined(laid, saddle, left, how, is_proven=True)


def _refined(images: list[Atoms], saddle: SaddleDoc, left: float, how: str, is_proven: bool = False) -> Refined:
    return Refined(images, saddle.model_copy(update={"refined": how}), left, is_proven)


def _searched(
    images: list[Atoms], evaluator: Evaluator, seen: Secants, fmax: float
) -> tuple[list[Atoms], int, float, int]:
    """Search for a saddle from the highest image, along the path uphill and downhill in all other modes.

    Returns
    -------
    list[Atoms], int, float, int
        The band with it in the place of that image, its number, the energy that is left to it (eV), evaluations.
    """
    before, top = evaluator.force_calls, highest_image([image.get_potential_energy() for image in images])
    if images[top].get_potential_energy() <= max(images[end].get_potential_energy() for end in (0, -1)):
        raise NotItsSaddleError("no image is above both ends")

    def at(positions: np.ndarray) -> Atoms:
        atoms = images[top].copy()
        atoms.positions = positions.reshape(-1, 3)
        evaluate_moved([atoms], evaluator)
        seen.add(atoms, top)
        return atoms

    def surface(x: np.ndarray) -> tuple[float, np.ndarray]:
        atoms = at(x)
        return atoms.get_potential_energy(), atoms.get_forces().ravel()

    found = find_stationary(
        surface,
        images[top].positions.ravel(),
        tangent_at(images, top).ravel(),
        radius=RADIUS,
        fmax=SHARPER * fmax,
        most_calls=MOST_CALLS,
        known=[(step.ravel(), change.ravel()) for step, change in seen.pairs],
    )
    if (force := largest_force(found.forces)) > fmax:
        raise NotItsSaddleError(f"no saddle found near by in {found.calls} evaluations: {force:.3f} eV/Å left")
    saddle = at(found.position)
    calls = evaluator.force_calls - before
    return [*images[:top], saddle, *images[top + 1 :]], top, seen.energy_left(), calls


def _way_down(saddle: Atoms, mode: np.ndarray, evaluator: Evaluator, fmax: float) -> list[Atoms]:
    """Follow the forces down one side of a saddle to a minimum; give where it came by, each lower than before."""
    atoms = saddle.copy()
    atoms.positions += OFF * mode
    atoms.calc = EvaluatorCalculator(evaluator)
    way = [saddle]
    # L-BFGS would go back to the saddle, which is a stationary point as well.
    for _ in FIRE(atoms, logfile=None, dt=TIME_STEP).irun(fmax, MOST_STEPS):
        if atoms.get_potential_energy() < way[-1].get_potential_energy():
            way.append(atoms.copy())
            forces = atoms.get_forces(apply_constraint=False)
            way[-1].calc = SinglePointCalculator(way[-1], energy=atoms.get_potential_energy(), forces=forces)
    if (force := largest_force(atoms.get_forces())) > fmax:
        raise NotItsSaddleError(f"the way down from the saddle found is not at its end: {force:.3f} eV/Å left")
    return way


def _through(images: list[Atoms], saddle: Atoms, top: int, ways: list[list[Atoms]]) -> list[Atoms]:
    """Lay a band from one end over the saddle to the other, as the ways down from it run."""
    ends = images[0], images[-1]
    pair = back, forth = min(ways, ways[::-1], key=lambda each: sum(map(_apart, each, ends)))
    apart = _apart(back, ends[0]), _apart(forth, ends[1])
    above = [way[-1].get_potential_energy() - end.get_potential_energy() for way, end in zip(pair, ends, strict=True)]
    if max(apart) > SAME_PATH or max(map(abs, above)) > SAME_BARRIER:
        initial, final = (f"{far:.2f} Å and {high:.3f} eV" for far, high in zip(apart, above, strict=True))
        raise NotItsSaddleError(
            f"the saddle found is of another path: the ways down from it end {initial} from the initial "
            f"and {final} from the final state"
        )
    first = _evenly([ends[0], *back[-2::-1]], top - 1)
    last = _evenly([*forth[:-1], ends[1]], len(images) - 2 - top)
    return [ends[0], *first, saddle, *last, ends[1]]


def _apart(way: list[Atoms], end: Atoms) -> float:
    return farthest([way[-1].positions], [end.positions], end.cell.array)


def _evenly(way: list[Atoms], number: int) -> list[Atoms]:
    """Put so many structures between the two ends of a way, evenly along it."""
    places = continuous([atoms.positions for atoms in way], way[0].cell.array, way[0].pbc)
    along = np.append(0.0, np.linalg.norm(np.diff(places, axis=0), axis=(1, 2)).cumsum())
    at = make_interp_spline(along, places, k=1)(np.linspace(0, along[-1], number + 2)[1:-1])
    between = [way[0].copy() for _ in at]
    for atoms, positions in zip(between, at, strict=True):
        atoms.positions = positions
    return between
