"""The referee's second half: whether energies and forces of a band belong together, and how large the forces are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.interpolate import CubicSpline

from barriers.analysis.forces import largest_force
from barriers.parsing.found import Check, FoundBand, Verdict
from barriers.structures.directions import free_part

LOOSEST = 0.1
"""A band with a larger force (eV/Å) across its path is not converged, unless its own code says so."""

NO_END = 0.3
"""What is called relaxed, and has a larger force (eV/Å) on an atom, is an image of a band and no endpoint."""

MISMATCH, DOUBTFUL, SHARE = 0.05, 0.3, 0.45
"""Energies of neighbours and the work of their tangential forces disagree above so much (eV) and such a share.

The larger share was met in no sound band of several files, the smaller one in few, with images far apart.
"""

HIGHEST = 5.0
"""Ions do not hop over more (eV): such numbers are of other units."""

UNITS = {
    27.2114: "energies look like Hartree beside forces in eV/Å",
    13.6057: "energies look like Rydberg beside forces in eV/Å",
    1 / 23.0605: "energies look like kcal/mol beside forces in eV/Å",
    1 / 96.4853: "energies look like kJ/mol beside forces in eV/Å",
    1 / 51.4221: "forces look like Hartree/bohr beside energies in eV",
    23.0605: "forces look like kcal/mol/Å beside energies in eV",
    96.4853: "forces look like kJ/mol/Å beside energies in eV",
}
"""Work of the forces over the difference of the energies, where units are mixed."""

ATOMIC = 1 / 1.8897
"""The same where Hartree and Hartree/bohr stand beside Å; then no energy is above 0.1."""


def consistent(
    distances: NDArray[np.float64], energies: NDArray[np.float64], slopes: NDArray[np.float64], apart: bool = True
) -> Check:
    """Set each difference of energies against the work of the tangential forces between the two images.

    Parameters
    ----------
    distances, energies, slopes : (n,)
        Path length (Å), energy (eV) and dE/ds (eV/Å) of each image.
    apart : bool
        Whether images come from different files, which may be of different calculations.

    Returns
    -------
    Check
        Wrong where they disagree, and what it looks like; doubtful where the images are too few to say.
    """
    lengths, differences = np.diff(distances), np.diff(energies)
    works = lengths * (slopes[:-1] + slopes[1:]) / 2
    seen = [f"{one:+.3f} eV, forces {other:+.3f} eV" for one, other in zip(differences, works, strict=True)]
    name = "energies fit forces"
    if units := _units(distances, differences, slopes):
        return Check(name, "wrong", seen, f"energies and forces do not fit: {units}")
    off = np.abs(differences - works)
    bad = np.flatnonzero((off > MISMATCH) & (off > DOUBTFUL * np.abs(differences)))
    if not len(bad):
        return Check(name, "ok", seen)
    # A piece of one curvature rises as steeply as something between its ends, however far from the trapezoid.
    means, pairs = differences / lengths, np.sort([slopes[:-1], slopes[1:]], axis=0)
    outside = (means < pairs[0]) | (means > pairs[1])
    # Between two stationary points the forces cannot tell the difference, nor with one image between the endpoints.
    steep = np.maximum(np.abs(slopes[:-1]), np.abs(slopes[1:])) >= LOOSEST
    clear = (off > SHARE * np.abs(differences)) & outside & steep
    blind = not apart or len(works) < 3 or not clear[bad].any()
    told = ", ".join(f"{i} and {i + 1} ({seen[i]})" for i in bad)
    if blind:
        says = f"forces do not confirm the energies between images {told}: more images would tell"
        return Check(name, "doubtful", seen, says)
    says = f"energies and forces do not fit between images {told}: files of different calculations, or too few images"
    return Check(name, "wrong", seen, says)


def _units(distances: NDArray[np.float64], differences: NDArray[np.float64], slopes: NDArray[np.float64]) -> str | None:
    """Name the mixed units or signs that explain the ratio of works to differences, if the two run alike."""
    spline = CubicSpline(distances, slopes)  # nearer to the work than the trapezoid is
    works = np.diff(spline.antiderivative()(distances))
    norms = float(np.linalg.norm(works)), float(np.linalg.norm(differences))
    if min(norms) < 1e-6 or len(works) < 3:
        return None
    alike = float(works @ differences) / (norms[0] * norms[1])
    ratio = norms[0] / norms[1]
    if alike < -0.9 and 0.5 < ratio < 2 and max(norms) > MISMATCH:
        return "forces have the sign of gradients"
    if alike > 0.95 and len(works) > 3 and abs(ratio / ATOMIC - 1) < 0.06 and norms[1] < 0.1:
        return "energies and forces look like Hartree and Hartree/bohr beside positions in Å"
    if alike < 0.95 or 0.2 < ratio < 5 or max(norms) < MISMATCH:
        return None
    return UNITS[min(UNITS, key=lambda value: abs(np.log(ratio / value)))]


def from_several_files(found: FoundBand) -> bool:
    """Whether images come from different files: then one may be missing, or of another calculation."""
    return len({tuple(image.files) for image in found.images}) > 1


def height_check(energies: NDArray[np.float64]) -> Check:
    """See that energies (eV) do not span more than ions hop over."""
    height = float(np.ptp(energies))
    says = f"energies span {height:.2f} eV: no hop has that; are they in kcal/mol, kJ/mol or Hartree?"
    return Check("height", "doubtful" if height > HIGHEST else "ok", [f"{height:.3f} eV"], says * (height > HIGHEST))


def residual_check(found: FoundBand, force: float | None, fmax: float | None) -> Check:
    """Judge the largest force across the path (eV/Å) by what was asked for, by the code's own word, or by 0.1 eV/Å."""
    name = "force across the path"
    if force is None:
        says = "the force across the path is not known"
        if found.criterion and fmax is None:
            return Check(name, "doubtful", ["unknown"], f"{says}; its code calls it converged by {found.criterion}")
        how = "nothing says that the band is converged" if fmax is None else "--fmax cannot be met"
        return Check(name, "wrong", ["unknown"], f"{says}: {how}")
    limit = LOOSEST if fmax is None else fmax
    seen = [f"{force:.3f} eV/Å"]
    if force <= limit:
        return Check(name, "ok", seen)
    says = f"largest force across the path {force:.3f} eV/Å, at most {limit:g} is a minimum-energy path"
    if fmax is None and found.criterion:
        return Check(name, "doubtful", seen, f"{says}; its code calls it converged by {found.criterion}")
    return Check(name, "wrong", seen, says)


def ends_check(found: FoundBand, structure: Structure, slopes: NDArray[np.float64] | None) -> Check:
    """See that the endpoints are minima: force on the atoms that may move, and no way down beyond them."""
    seen, lines = [], []
    verdict: Verdict = "ok"
    apart = from_several_files(found)
    for name, which, outwards in (("initial", 0, 1), ("final", -1, -1)):
        image = found.images[which]
        force = largest_force(free_part(np.asarray(image.forces), structure))
        down = 0.0 if slopes is None else float(slopes[which]) * outwards
        seen.append(f"{name} {force:.3f} eV/Å")
        if (force > NO_END and image.relaxed) or (down > NO_END and apart):
            verdict = "wrong"
            lines.append(
                f"{name} endpoint is no minimum, {force:.3f} eV/Å: an image folder or file is missing beyond it"
            )
        elif force > LOOSEST:
            verdict = "wrong" if verdict == "wrong" else "doubtful"
            beyond = ", and the energy falls beyond it: is the endpoint itself missing?" if down > NO_END else ""
            lines.append(f"{name} endpoint is not relaxed: {force:.3f} eV/Å{beyond}")
    return Check("endpoints are minima", verdict, seen, "; ".join(lines))
