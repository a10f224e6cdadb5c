"""What engines of density-functional theory do alike: how a run ended, what mended it, what cell and sites decide."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pymatgen.core import Structure

from barriers.analysis.forces import largest_force
from barriers.documents import RelaxDoc
from barriers.engines.checked_files import read_yaml
from barriers.structures.directions import free_part

CORRECTIONS = "corrections.json"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``kind`` is None for success, else ``limit``, ``killed`` or a fault's; ``line`` says it."""

    kind: str | None = None
    line: str = ""


@dataclass
class Corrections:
    """What handlers have changed in a calculation; kept in its folder, so that a later run repeats no failure.

    Attributes
    ----------
    keywords : dict
        Keywords changed.
    counts : dict[str, int]
        Corrections so far by kind; of a ladder, the rung that it stands on.
    """

    keywords: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Count one more correction of a kind; the number that it is."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.counts[kind]

    def save(self, folder: Path) -> None:
        """Keep them."""
        (folder / CORRECTIONS).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Corrections:
        """Read them; none where there is no such file."""
        path = folder / CORRECTIONS
        return cls(**json.loads(path.read_text("utf-8"))) if path.exists() else cls()


def borrowed_u(values: dict[str, float], engine: str) -> list[str]:
    """Warn of values of U that were fitted with another code, whose projectors are others.

    A preset says in ``hubbard_u_from`` where its values come from, if they are its own engine's.

    Parameters
    ----------
    values : dict[str, float]
        U (eV) by element, as it is used.
    engine : str
        Engine that uses them, by the name of its folder.

    Returns
    -------
    list[str]
        A line for each preset of another engine whose values these are, with their source.
    """
    lines = []
    for path in sorted(Path(__file__).parent.glob("*/presets/*.yaml")):
        preset, owner = read_yaml(path), path.parents[1].name
        source, theirs = preset.get("hubbard_u_from"), preset.get("hubbard_u", {})
        same = [f"{element} {u:g}" for element, u in values.items() if u and theirs.get(element) == u]
        if source and same and owner != engine:
            lines.append(
                f"engine.hubbard_u: {', '.join(same)} eV are those of {owner} ({source}); U acts otherwise with "
                f"{engine}: give values for this code and its pseudopotentials"
            )
    return lines


def free_force(structure: Structure, forces: np.ndarray) -> float:
    """Largest force (eV/Å) on an atom, along the directions in which it may move; ``forces`` has shape (N, 3)."""
    return largest_force(free_part(forces, structure))


def relax_document(numbers: dict[str, Any], outcome: Outcome, fmax: float, folder: Path) -> RelaxDoc:
    """Put together a relaxation, converged or not.

    Parameters
    ----------
    numbers : dict
        Fields of a :class:`~barriers.documents.StaticDoc`.
    outcome : Outcome
        How its last run ended.
    fmax : float
        Tolerance asked for (eV/Å).
    folder : Path
        Where its files are.
    """
    max_force = free_force(numbers["structure"], np.array(numbers["forces"]))
    n_evaluated = numbers["cost"].force_calls
    left = f"{max_force:.3f} eV/Å after {n_evaluated} steps, {fmax:g} asked for"
    return RelaxDoc(
        **numbers,
        converged=outcome.kind is None,
        reason=None if outcome.kind is None else f"{outcome.line}: {left}; files in {folder}",
        max_force=max_force,
        fmax=fmax,
        steps=n_evaluated - 1,
    )


def starting_moments(structure: Structure, by_element: dict[str, float]) -> list[float]:
    """Magnetic moment of each site (µB) at the start: the site's own, or its element's."""
    own = [site.properties.get("magmom") for site in structure]
    usual = [by_element.get(site.specie.symbol, 0.0) for site in structure]
    return [float(usual[index] if moment is None else moment) for index, moment in enumerate(own)]


def k_mesh(cell: np.ndarray, kspacing: float, slab: bool) -> tuple[int, int, int]:
    """Γ-centred mesh no coarser than ``kspacing`` (1/Å, 2π included); one point along the third vector of a slab.

    Parameters
    ----------
    cell : (3, 3)
        Lattice vectors as rows (Å).
    kspacing : float
        Largest distance of two points.
    slab : bool
        Whether the third vector is the normal of a slab.
    """
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell).T, axis=1)
    # A cell whose mesh just fits has it whatever the last digits of its lengths.
    x, y, z = (max(1, math.ceil(length / kspacing - 1e-6)) for length in lengths)
    return x, y, 1 if slab else z


def vacuum(heights: ArrayLike, cell: np.ndarray) -> tuple[float, float, float]:
    """Widest empty part of a cell along its third vector.

    Parameters
    ----------
    heights : sequence of float
        Fractional coordinate of every atom along that vector.
    cell : (3, 3)
        Lattice vectors as rows (Å).

    Returns
    -------
    tuple[float, float, float]
        Its height (Å) along the normal of the first two vectors, its fractional height, and that of its middle.
    """
    across, along, _ = cell
    cell_height = abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(across, along))
    sorted_heights = np.sort(np.asarray(heights) % 1.0)
    gaps = np.diff([*sorted_heights, sorted_heights[0] + 1.0])
    widest = int(gaps.argmax())
    gap = float(gaps[widest])
    return gap * float(cell_height), gap, float(sorted_heights[widest] + gap / 2) % 1.0
