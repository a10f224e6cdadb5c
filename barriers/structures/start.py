"""The first bands of a path search: where each start comes from."""

from __future__ import annotations

from typing import Literal

import numpy as np
from ase import Atoms
from pydantic import BaseModel, ConfigDict, Field

from barriers.structures.path import carry, displace, interpolate
from barriers.structures.surface import FRAGMENT, LAYER


class Start(BaseModel):
    """How one first band is made."""

    model_config = ConfigDict(frozen=True)

    method: Literal["idpp", "linear", "carried", "displaced"] = Field(
        "idpp",
        description="interpolated, on straight lines, carried over from another band, or with the fragment displaced",
    )
    n_images: int = Field(description="intermediate images")
    amplitude: float = Field(0.0, description="size of the displacement (Å)")
    seed: int = Field(0, description="seed of the displacement")

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"displaced {self.seed}" if self.method == "displaced" else self.method


def plan_starts(
    n_images: int, n_starts: int, has_fragment: bool, guided: bool, amplitude: float, seed: int
) -> list[Start]:
    """Choose the starts for one hop in one system.

    A bare slab has one path between relaxed endpoints, so one start. A fragment is soft and gives several: the bare
    slab's converged path first, where there is one, then the interpolation, then seeded displacements.

    Parameters
    ----------
    n_images : int
        Intermediate images.
    n_starts : int
        Starts in a system with a fragment.
    has_fragment : bool
        Whether a fragment is there to be displaced.
    guided : bool
        Whether a converged band of the bare slab is there.
    amplitude : float
        Size of the displacements (Å).
    seed : int
        Seed of the first displacement; the next ones count on.
    """
    plain = Start(n_images=n_images)
    if not has_fragment:
        return [plain]
    starts = [Start(method="carried", n_images=n_images)] if guided else []
    starts.append(plain)
    for number in range(n_starts - len(starts)):
        starts.append(Start(method="displaced", n_images=n_images, amplitude=amplitude, seed=seed + number + 1))
    return starts[:n_starts]


def first_band(initial: Atoms, final: Atoms, start: Start, guide: np.ndarray | None) -> list[Atoms]:
    """Make the first band of a start, endpoints included.

    Parameters
    ----------
    initial, final : Atoms
        Relaxed endpoints, same atoms in the same order.
    start : Start
        How.
    guide : numpy.ndarray or None
        Positions (Å) of the bare slab's converged band, shape (n, M, 3), for a carried start.

    Raises
    ------
    ValueError
        If a carried start has no guide.
    """
    if start.method == "carried":
        if guide is None:
            raise ValueError("a carried start needs the bare slab's converged band")
        return carry(initial, final, guide, start.n_images)
    images = interpolate(initial, final, start.n_images, "linear" if start.method == "linear" else "idpp")
    if start.method == "displaced":
        fragment = np.flatnonzero(initial.arrays[LAYER] == FRAGMENT).tolist()
        images = displace(images, fragment, start.amplitude, start.seed)
    return images
